// Each defect does what its line says, and the honest candidate does not: the same test runs twice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { DEFECTS, selectDefect } from '../src/defects.mjs';
import * as content from '../src/content.mjs';
import * as media from '../src/media.mjs';
import { Talk } from '../src/talk.mjs';
import { Cast, reasonOf, tampered } from './cast.mjs';

/** For each defect, a check that answers whether it shows. */
const shows = {
  'keeps-used-one-time-prekey': async (cast) => {
    const carol = await cast.join();
    let first;
    cast.gateway.bundle = (bundle) => (first ??= bundle);
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    await cast.settle(cast.bob, await cast.send(carol, cast.bob, 'two'));
    return (await cast.texts(cast.bob)).length === 2;
  },
  'no-padding': async () => content.pad(Buffer.from('short')).length === 5,
  'reuses-media-key': async () => {
    const keys = new media.MediaKeys();
    return keys.next().equals(keys.next());
  },
  'skips-media-mac': async () => {
    const key = randomBytes(32);
    const { blob } = media.seal(Buffer.from('picture'), 'image', key);
    blob[blob.length - 1] ^= 1;
    const digest = createHash('sha256').update(blob).digest();
    return (await reasonOf((async () => media.open(blob, { media: 'image', key, digest, length: 7 }))())) === 'no failure';
  },
  'silent-identity-change': async (cast) => {
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    await cast.join(cast.bob);
    await cast.settle(cast.alice, await cast.send(cast.bob, cast.alice, 'two'));
    const sent = await reasonOf(cast.send(cast.alice, cast.bob, 'three'));
    return sent === 'no failure' && (await cast.notices(cast.alice)).length === 0;
  },
  'shows-repeated-stanza': async (cast) => {
    cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? [stanza, stanza] : [stanza]);
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    cast.gateway.disturb = (stanza) => [stanza];
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'two'));
    return (await cast.texts(cast.bob)).length === 3;
  },
  'plaintext-in-header': async (cast) => {
    await cast.send(cast.alice, cast.bob, 'secret');
    return cast.gateway.sent.some(({ kind, preview }) => kind === 'message' && preview === 'secret');
  },
  'convergent-media-key': async () => {
    const keys = new media.MediaKeys();
    const digest = createHash('sha256').update('picture').digest();
    return keys.next(digest).equals(keys.next(digest));
  },
  'compares-ten-mac-bytes': async () => {
    const { attachment, blob } = sealed();
    blob[blob.length - 1] ^= 1;
    return opens(blob, { ...attachment, digest: createHash('sha256').update(blob).digest() });
  },
  'guesses-media-kind': async () => {
    const { attachment, blob } = sealed();
    return opens(blob, { ...attachment, media: 'file' });
  },
  'ignores-appended-bytes': async () => {
    const { attachment, blob } = sealed();
    return opens(Buffer.concat([blob, Buffer.alloc(16)]), attachment);
  },
  'refuses-empty-file': async () => {
    const { attachment } = sealed('');
    return (await reasonOf((async () => media.checkAttachment(attachment))())) === 'malformed';
  },
  'gives-up-broken-download': async (cast) => {
    cast.gateway.breaks.push(3);
    const name = randomUUID();
    const bytes = randomBytes(100);
    cast.gateway.files.set(name, bytes);
    const reference = { url: `/files/${name}`, sha256: createHash('sha256').update(bytes).digest('base64url'), length: 100 };
    const what = { kind: 'media', media: 'image', mime: 'image/png', name: 'cat.png', file: reference };
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, what));
    return (await cast.refusals(cast.bob)).includes('gateway-error');
  },
  'shows-path-in-file-name': async () => attached({ name: '../cat.png', mime: 'image/png' }),
  'takes-any-media-type': async () => attached({ name: 'cat.png', mime: 'image/png\nX: y' }),
  'never-refills': async (cast) => {
    for (let i = 0; i < 5; i += 1) await cast.call('fetch_keys', cast.alice, { of: cast.bob });
    const id = randomUUID();
    cast.gateway.deliver(cast.bob, { kind: 'keys-low', id, one_time_prekeys: 0, one_time_kyber_prekeys: 0 });
    await cast.settle(cast.bob, id);
    return cast.gateway.users.get(cast.bob).keys.one_time_prekeys.length === 0;
  },
  'deletes-locally-only': async (cast) => {
    await cast.call('delete_user', cast.bob);
    return cast.gateway.users.has(cast.bob);
  },
  'reports-refused-as-sent': async (cast) => (await reasonOf(cast.send(cast.alice, randomUUID(), 'one'))) === 'no failure',
  'tells-deleted-from-unknown': async (cast) => {
    assert.equal(await reasonOf(cast.send(cast.alice, randomUUID(), 'one')), 'unknown-user');
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'two'));
    await cast.call('delete_user', cast.bob);
    return (await reasonOf(cast.send(cast.alice, cast.bob, 'three'))) === 'deleted-user';
  },
  'connects-although-un-enlisted': async (cast) => {
    await cast.call('disconnect', cast.bob);
    cast.gateway.closedDoors = [403];
    return (await reasonOf(cast.call('connect', cast.bob))) === 'no failure';
  },
  'forgets-old-session-on-fetch': async (cast) => {
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    await cast.settle(cast.alice, await cast.send(cast.bob, cast.alice, 'two'));
    const release = hold(cast);
    const late = await cast.send(cast.bob, cast.alice, 'late');
    await cast.call('fetch_keys', cast.alice, { of: cast.bob });
    await release();
    await cast.settle(cast.alice, late);
    return !(await cast.texts(cast.alice)).includes('late');
  },
  'deletes-old-last-resort-at-once': async (cast) => {
    const { kyber_prekey } = cast.gateway.users.get(cast.bob).keys;
    cast.gateway.bundle = ({ one_time_prekey, ...bundle }) => ({ ...bundle, kyber_prekey });
    const release = hold(cast);
    const first = await cast.send(cast.alice, cast.bob, 'one');
    await cast.call('rotate_keys', cast.bob, { signed: false, kyber: true, one_time_prekeys: 0 });
    await release();
    await cast.settle(cast.bob, first);
    return (await cast.texts(cast.bob)).length === 0;
  },
  'resends-without-end': async (cast) => {
    const of = await cast.send(cast.alice, cast.bob, 'one');
    for (let count = 1; count <= 7; count += 1) {
      const id = randomUUID();
      cast.gateway.deliver(cast.alice, { kind: 'receipt', id, from: cast.bob, type: 'retry', of, count });
      await cast.settle(cast.alice, id);
    }
    return cast.gateway.sent.filter(({ kind, from }) => kind === 'message' && from === cast.alice).length === 8;
  },
  'asks-without-end': async (cast) => {
    cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? Array(8).fill(tampered(stanza)) : [stanza]);
    await cast.send(cast.alice, cast.bob, 'one');
    cast.gateway.disturb = (stanza) => [stanza];
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'two'));
    return cast.gateway.sent.filter(({ type, from }) => type === 'retry' && from === cast.bob).length === 8;
  },
  'ignores-message-version': async (cast) => {
    cast.gateway.disturb = (stanza) => [stanza.kind === 'message' ? withVersion(stanza, 0x54) : stanza];
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    return (await cast.texts(cast.bob)).length === 1;
  },
  'shows-every-resend': async (cast) => {
    const of = await cast.send(cast.alice, cast.bob, 'one');
    await cast.settle(cast.bob, of);
    const id = randomUUID();
    cast.gateway.deliver(cast.alice, { kind: 'receipt', id, from: cast.bob, type: 'retry', of, count: 1 });
    await cast.settle(cast.alice, id);
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'two'));
    return (await cast.texts(cast.bob)).length === 3;
  },
  'drops-unknown-stanzas': async (cast) => {
    const id = randomUUID();
    cast.gateway.deliver(cast.bob, { kind: 'announcement', id });
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    return !cast.gateway.sent.some((stanza) => stanza.kind === 'ack' && stanza.id === id);
  },
  'stumbles-over-new-members': async (cast) => {
    cast.gateway.disturb = (stanza) => [{ ...stanza, added_later: { version: 2 } }];
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    return (await cast.texts(cast.bob)).length === 0;
  },
  'ignores-reaction-removal': async (cast) => {
    const id = await cast.send(cast.bob, cast.alice, 'one');
    await cast.settle(cast.alice, id);
    const reaction = { kind: 'reaction', of: id, emoji: '👍' };
    await cast.send(cast.alice, cast.bob, { ...reaction, remove: false });
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, { ...reaction, remove: true }));
    return (await cast.events(cast.bob)).at(-1).content.remove === false;
  },
  'receipt-for-typing': async (cast) => {
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, { kind: 'typing', active: true }));
    return cast.gateway.sent.some(({ kind, from }) => kind === 'receipt' && from === cast.bob);
  },
  'shows-for-unknown-message': async () => taken({ kind: 'delete', of: 'nothing' }),
  'lets-anybody-change': async () => taken({ kind: 'edit', of: 'own', text: 'x' }),
  'shows-self-reaction': async () => taken({ kind: 'reaction', of: 'theirs', emoji: 'x', remove: false }),
  'edits-without-end': async () => taken({ kind: 'edit', of: 'theirs', text: 'x' }, 15 * 60 * 1000 + 1),
  'shows-repeated-delete': async () => taken({ kind: 'delete', of: 'deleted' }),
  'takes-any-reaction': async () => taken({ kind: 'reaction', of: 'own', emoji: 'x'.repeat(65), remove: false }),
  'receipt-before-examination': async (cast) => {
    cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? [] : [stanza]);
    const lost = await cast.send(cast.alice, cast.bob, 'one');
    cast.gateway.disturb = (stanza) => [stanza];
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, { kind: 'edit', of: lost, text: 'two' }));
    return cast.gateway.sent.some(({ kind, from }) => kind === 'receipt' && from === cast.bob);
  },
  'shows-blocked': async (cast) => {
    await cast.call('block', cast.bob, { peer: cast.alice, blocked: true });
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    return (await cast.texts(cast.bob)).length === 1;
  },
  'blocks-locally-only': async (cast) => {
    await cast.call('block', cast.bob, { peer: cast.alice, blocked: true });
    return cast.gateway.users.get(cast.bob).blocks === undefined;
  },
  'tells-blocked': async (cast) => {
    await cast.call('block', cast.alice, { peer: cast.bob, blocked: true });
    return (await reasonOf(cast.send(cast.alice, cast.bob, { kind: 'typing', active: true }))) === 'no failure';
  },
};

/** Whether the peer may do this, a while after one message of each was shown, and another of the peer deleted. */
async function taken(content, after = 0) {
  let now = 0;
  const talk = new Talk(() => now);
  const text = { kind: 'text', text: 't' };
  talk.sending('peer', 'own', text);
  for (const id of ['theirs', 'deleted']) talk.receive('peer', id, text);
  talk.receive('peer', 'deletion', { kind: 'delete', of: 'deleted' });
  now = after;
  return (await reasonOf((async () => talk.receive('peer', 'last', content))())) === 'no failure';
}

/** Keeps messages back until the answer is called. */
function hold(cast) {
  const held = [];
  cast.gateway.disturb = (stanza) => {
    if (stanza.kind !== 'message') return [stanza];
    held.push(stanza);
    return [];
  };
  return () => {
    cast.gateway.disturb = (stanza) => [stanza];
    for (const stanza of held) cast.gateway.deliver(stanza.from === cast.alice ? cast.bob : cast.alice, stanza);
  };
}

function withVersion(stanza, version) {
  const body = Buffer.from(stanza.body, 'base64url');
  body[0] = version;
  return { ...stanza, body: body.toString('base64url') };
}

/** A file and what its message says of it. */
function sealed(text = 'picture') {
  const key = randomBytes(32);
  const { blob, digest } = media.seal(Buffer.from(text), 'image', key);
  return { blob, attachment: { media: 'image', key, digest, length: text.length } };
}

const opens = async (blob, attachment) => (await reasonOf((async () => media.open(blob, attachment))())) === 'no failure';

/** Whether a file with this name and type is read. What is wrong is put in behind the sender's own checks. */
async function attached({ name, mime }) {
  const padded = content.write(randomUUID(), 0, { kind: 'media', media: 'image', mime, name }, { url: '/media/x', key: Buffer.alloc(32), digest: Buffer.alloc(32), length: 1 });
  return (await reasonOf((async () => content.read(padded))())) === 'no failure';
}

test('every defect has a check', () => assert.deepEqual(Object.keys(shows), Object.keys(DEFECTS)));

for (const [defect, check] of Object.entries(shows)) {
  test(`${defect} shows when it is on, and only then`, async (t) => {
    assert.equal(await check(await Cast.with(t)), false);
    assert.equal(await check(await Cast.with(t, { defect })), true);
  });
}

test('an unknown defect is refused', () => assert.throws(() => selectDefect('made-up'), RangeError));
