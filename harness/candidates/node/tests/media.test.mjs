import assert from 'node:assert/strict';
import test from 'node:test';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import * as content from '../src/content.mjs';
import * as media from '../src/media.mjs';
import { Cast, reasonOf } from './cast.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

function file(cast, bytes, kind = 'image') {
  const name = randomUUID();
  cast.gateway.files.set(name, bytes);
  const reference = { url: `/files/${name}`, sha256: sha256(bytes).toString('base64url'), length: bytes.length };
  return { kind: 'media', media: kind, mime: 'image/png', name: 'cat.png', file: reference };
}

test('files of each kind and of awkward lengths arrive', async (t) => {
  const cast = await Cast.with(t);
  for (const [kind, length] of [['image', 0], ['video', 15], ['voice', 16], ['file', 100_000]]) {
    const what = file(cast, randomBytes(length), kind);
    const id = await cast.send(cast.alice, cast.bob, what);
    await cast.settle(cast.bob, id);
    const { url, ...seen } = what.file;
    assert.deepEqual((await cast.events(cast.bob)).at(-1), { kind: 'message', message: id, from: cast.alice, content: { ...what, file: seen } });
  }
});

test('the same file twice travels under different keys', async (t) => {
  const cast = await Cast.with(t);
  const bytes = randomBytes(100);
  await cast.send(cast.alice, cast.bob, file(cast, bytes));
  await cast.send(cast.alice, cast.bob, file(cast, bytes));
  const [one, two] = [...cast.gateway.media.values()];
  assert.ok(!one.equals(two));
});

test('a blob that was flipped, cut or lost is refused, and nothing is shown', async (t) => {
  const cast = await Cast.with(t);
  const bends = [
    ['bad-digest', (blob) => Buffer.concat([Buffer.from([blob[0] ^ 1]), blob.subarray(1)])],
    ['bad-digest', (blob) => blob.subarray(0, -1)],
    ['media-missing', () => undefined],
  ];
  for (const [, bend] of bends) {
    await cast.call('disconnect', cast.bob);
    const id = await cast.send(cast.alice, cast.bob, file(cast, randomBytes(100)));
    const [name, blob] = [...cast.gateway.media].at(-1);
    cast.gateway.media.set(name, bend(blob));
    await cast.call('connect', cast.bob);
    await cast.settle(cast.bob, id);
  }
  assert.deepEqual(await cast.refusals(cast.bob), bends.map(([reason]) => reason));
  assert.deepEqual(await cast.texts(cast.bob), []);
  assert.equal(cast.gateway.sent.filter(({ kind, from }) => kind === 'receipt' && from === cast.bob).length, 0);
});

test('digest, MAC, decryption, length: in that order', () => {
  const key = randomBytes(32);
  const { blob, digest } = media.seal(Buffer.from('picture'), 'image', key);
  const attachment = { media: 'image', key, digest, length: 7 };
  assert.deepEqual(media.open(blob, attachment), { sha256: sha256('picture'), length: 7 });
  const flipped = Buffer.from(blob);
  flipped[3] ^= 1;
  assert.throws(() => media.open(flipped, attachment), { reason: 'bad-digest' });
  assert.throws(() => media.open(flipped, { ...attachment, digest: sha256(flipped) }), { reason: 'bad-mac' });
  assert.throws(() => media.open(blob, { ...attachment, media: 'voice' }), { reason: 'bad-mac' });
  assert.throws(() => media.open(blob, { ...attachment, length: 8 }), { reason: 'malformed' });
  const short = blob.subarray(0, 40);
  assert.throws(() => media.open(short, { ...attachment, digest: sha256(short) }), { reason: 'malformed' });
});

test('a place outside the gateway is never asked', async (t) => {
  const cast = await Cast.with(t);
  const before = cast.gateway.requests.length;
  for (const url of ['http://127.0.0.1:1/media/x', '/media/../keys', '//elsewhere/media/x', '/media/a/b', '/media/..', '/files/x']) {
    assert.equal(await reasonOf(cast.candidate.call('send', {
      instance: cast.instance, user: cast.alice, to: cast.bob, stanza: randomUUID(),
      content: { ...file(cast, Buffer.from('x')), file: { url, sha256: 'AAAA', length: 1 } },
    })), url === '/files/x' ? 'media-missing' : 'malformed');
  }
  assert.equal(cast.gateway.requests.length, before + 1);
});

test('requests that the gateway cannot serve now are made again, six times in all', async (t) => {
  const cast = await Cast.with(t);
  const isUpload = ({ method, path }) => method === 'PUT' && path === '/media';
  const uploads = () => cast.gateway.requests.filter(isUpload);
  for (const [status, reason] of [[503, 'busy'], [502, 'gateway-error']]) cast.gateway.faults.push({ when: isUpload, status, reason });
  await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, file(cast, randomBytes(10))));
  assert.equal(uploads().length, 3);
  for (let i = 0; i < 7; i += 1) cast.gateway.faults.push({ when: isUpload, status: 503, reason: 'busy' });
  assert.equal(await reasonOf(cast.send(cast.alice, cast.bob, file(cast, randomBytes(10)))), 'gateway-error');
  assert.equal(uploads().length, 9);
});

test('padding: the rule, and every other way to pad is refused', () => {
  for (const length of [0, 1, 158, 159, 160, 319, 320]) {
    const padded = content.pad(Buffer.alloc(length, 7));
    assert.equal(padded.length, (Math.floor(length / 160) + 1) * 160);
    assert.deepEqual(content.unpad(padded), Buffer.alloc(length, 7));
  }
  const one = content.pad(Buffer.from([1]));
  const marker = Buffer.from(one);
  marker[1] = 0x81;
  for (const wrong of [Buffer.alloc(0), Buffer.alloc(160), one.subarray(0, 159), Buffer.concat([one, Buffer.alloc(160)]), marker]) {
    assert.throws(() => content.unpad(wrong), { reason: 'bad-padding' });
  }
});

test('contents that are none are refused', () => {
  const text = (bytes) => Buffer.concat([Buffer.from([10, 36]), Buffer.from(randomUUID()), Buffer.from(bytes)]);
  const reason = (bytes) => () => content.read(content.pad(bytes));
  assert.equal(content.read(content.pad(text([82, 3, 10, 1, 65]))).content.text, 'A');
  assert.throws(reason(text([])), { reason: 'malformed' });
  assert.throws(reason(text([82, 3, 10, 1, 0xff])), { reason: 'malformed' });
  assert.throws(reason(text([82, 0, 130, 1, 0])), { reason: 'malformed' });
  assert.throws(reason(Buffer.from([82, 3, 10, 1, 65])), { reason: 'malformed' });
  assert.throws(reason(Buffer.from([255, 255, 255])), { reason: 'malformed' });
});

test('files around the size of a block and of a piece come back', () => {
  for (const length of [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 200_000]) {
    const [plaintext, key] = [randomBytes(length), randomBytes(32)];
    const { blob, digest } = media.seal(plaintext, 'file', key);
    assert.equal(blob.length, Math.floor(length / 16) * 16 + 48);
    assert.deepEqual(media.open(blob, { media: 'file', key, digest, length }), { sha256: sha256(plaintext), length });
  }
});

test('names and media types are held against the contract', () => {
  for (const good of ['', 'a', '.profile', 'CON.txt', '\u6771\u4eac e\u0301', 'é'.repeat(127)]) assert.equal(content.fileName(good), good);
  for (const bad of ['..', '.', 'a/b', 'a\\b', 'a\0', 'a\n', 'a\u0085', '\u202egpj', '\u2066', 'é'.repeat(128)]) {
    assert.throws(() => content.fileName(bad), { reason: 'malformed' });
  }
  for (const good of ['image/png', 'audio/ogg; codecs=opus']) assert.equal(content.mediaType(good), good);
  for (const bad of ['', 'image', 'a/b/c', '../x/y', 'a/b\r\nX: y', 'a/b\0', 'a/b;\n', `a/${'b'.repeat(254)}`]) {
    assert.throws(() => content.mediaType(bad), { reason: 'malformed' });
  }
});

test('a download that breaks off is made again', async (t) => {
  const cast = await Cast.with(t);
  cast.gateway.breaks.push(3);
  const id = await cast.send(cast.alice, cast.bob, file(cast, randomBytes(100)));
  await cast.settle(cast.bob, id);
  assert.deepEqual(await cast.refusals(cast.bob), []);
  assert.equal((await cast.events(cast.bob)).at(-1).message, id);
});
