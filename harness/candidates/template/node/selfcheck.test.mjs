// Speaks the contract to this candidate, without Countersign: `node --test`. It says nothing about conformance.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as content from './content.mjs';
import { OPERATIONS, SCHEMAS, check, decode, encode } from './contract.mjs';
import * as media from './media.mjs';
import { Candidate } from './operations.mjs';
import { Signal } from './signal-library.mjs';

const UUID = '6f2b1c3e-0000-4000-8000-000000000001';

function start(t) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('candidate.mjs', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill()); // whatever became of the test
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let id = 0;
  const call = async (op, args) => {
    id += 1;
    child.stdin.write(`${JSON.stringify({ id, op, args })}\n`);
    const reply = check(JSON.parse((await lines.next()).value), SCHEMAS.Reply, 'reply');
    assert.equal(reply.id, id, 'the reply to another request');
    assert.notEqual(reply.ok === undefined, reply.problem === undefined, 'either ok or problem');
    return reply.ok ?? reply.problem.reason;
  };
  return { call, child };
}

// Arguments that fit a schema.
function sample(schema) {
  if (schema.$ref) return sample(SCHEMAS[schema.$ref.split('/').at(-1)]);
  if (schema.oneOf) return sample(schema.oneOf[0]);
  if (schema.const !== undefined) return schema.const;
  const make = {
    object: () => Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties[name])])),
    string: () => (schema.format === 'uuid' ? UUID : 'AA'),
    array: () => [],
    integer: () => 0,
    boolean: () => false,
  };
  return make[[schema.type].flat()[0]]();
}

test('every operation of the contract has its entry, and no other', () => {
  assert.deepEqual(Object.keys(new Candidate().operations).sort(), [...OPERATIONS.keys()].sort());
});

test('every operation is answered', async (t) => {
  const { call, child } = start(t);
  check(await call('describe', {}), SCHEMAS.Description, 'description');
  for (const [op, schema] of OPERATIONS) {
    if (op !== 'describe' && op !== 'open') assert.equal(await call(op, sample(schema)), 'unknown-instance', op);
  }
  child.stdin.end();
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, 'it ends when its input ends');
});

test('what does not exist is refused', async (t) => {
  const { call } = start(t);
  assert.equal(await call('invented', {}), 'unsupported');
  assert.equal(await call('describe', { invented: true }), 'malformed');
  assert.equal(await call('close', { instance: 'not a UUID' }), 'malformed');
  assert.deepEqual(await call('open', { instance: UUID, gateway: 'http://127.0.0.1:9', clock: 0 }), {});
  assert.equal(await call('connect', { instance: UUID, user: UUID }), 'unknown-user');
  assert.deepEqual(await call('close', { instance: UUID }), {});
  assert.equal(await call('close', { instance: UUID }), 'unknown-instance');
});

test('contents come back', () => {
  const kinds = ['', 'x'.repeat(159), 'grüße 👋\0\n', 'y'.repeat(1000)].map((text) => ({ kind: 'text', text }));
  kinds.push({ kind: 'reaction', of: UUID, emoji: '👍', remove: true }, { kind: 'read', of: [UUID, UUID] });
  kinds.push({ kind: 'reply', of: UUID, text: 'a' }, { kind: 'typing', active: false }, { kind: 'delete', of: UUID });
  for (const what of kinds) {
    const padded = content.write(UUID, 1, what);
    assert.equal(padded.length % content.BLOCK, 0);
    assert.deepEqual(content.read(padded), { message: UUID, shown: what, attachment: null });
  }
  // As a protobuf library writes it: message_id, sent_at 1 and the text "hi".
  const known = Buffer.concat([Buffer.from([10, 36]), Buffer.from(UUID), Buffer.from([16, 1, 82, 4, 10, 2]), Buffer.from('hi\x80', 'latin1')]);
  assert.deepEqual(content.write(UUID, 1, { kind: 'text', text: 'hi' }), Buffer.concat([known, Buffer.alloc(160 - known.length)]));
});

test('bad plaintexts are refused', () => {
  const padded = content.write(UUID, 1, { kind: 'text', text: 'hi' });
  const id = Buffer.concat([Buffer.from([10, 36]), Buffer.from(UUID)]);
  const noBody = content.pad(Buffer.concat([id, Buffer.from([80, 1])]));
  const twoBodies = content.pad(Buffer.concat([id, Buffer.from([82, 0, 82, 0])]));
  const cases = [
    [Buffer.alloc(0), 'bad-padding'], [padded.subarray(1), 'bad-padding'], [Buffer.concat([padded, Buffer.alloc(160)]), 'bad-padding'],
    [content.pad(Buffer.from([0xff])), 'malformed'], [noBody, 'malformed'], [twoBodies, 'malformed'], [content.pad(Buffer.alloc(0)), 'malformed'],
  ];
  for (const [plaintext, reason] of cases) assert.throws(() => content.read(plaintext), { reason });
});

test('bytes have one spelling', () => {
  assert.equal(encode([0xfb, 0xff]), '-_8');
  assert.deepEqual(decode('-_8'), Buffer.from([0xfb, 0xff]));
  for (const text of ['AA==', 'AB', 'A', '+/8']) assert.throws(() => decode(text), { reason: 'malformed' });
});

test('files come back, and changed ones are refused', () => {
  const file = Buffer.from('a file');
  const { blob, key, digest } = media.seal('file', file);
  assert.deepEqual(media.open('file', blob, { key, digest, length: 6 }), file);
  const changed = Buffer.from(blob);
  changed[0] ^= 1;
  assert.throws(() => media.open('file', changed, { key, digest, length: 6 }), { reason: 'bad-digest' });
  assert.throws(() => media.open('file', changed, { key, digest: media.sha256(changed), length: 6 }), { reason: 'bad-mac' });
  assert.throws(() => media.open('file', blob, { key, digest, length: 7 }), { reason: 'malformed' });
});

test('what is still to fill in is said', (t) => {
  const methods = Object.getOwnPropertyNames(Signal.prototype).filter((name) => name !== 'constructor');
  const missing = methods.filter((name) => Signal.prototype[name].toString().includes('missing('));
  t.diagnostic(missing.length > 0 ? `still to fill in, in signal-library.mjs: ${missing.join(', ')}` : 'signal-library.mjs is filled in');
});
