// A message under a right MAC that names other users inside: libraries that do not know that field read it, and the adapter refuses it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createHmac, hkdfSync, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { OwnKeys } from '../src/keys.mjs';
import { Sessions } from '../src/sessions.mjs';
import { Stores } from '../src/stores.mjs';
import { SUITES } from '../src/suites.mjs';

const FOLDERS = ['node-0.67', 'node-0.22'];
const missing = FOLDERS.filter((folder) => !existsSync(fileURLToPath(new URL(`../../${folder}/node_modules`, import.meta.url))));
const skip = missing.length > 0 && `NOT INSTALLED: ${missing.map((folder) => `npm ci --prefix harness/candidates/${folder} --ignore-scripts`).join('; ')}`;

/** Two users of one library, without a gateway between them. */
function pair(library, suite) {
  const users = [randomUUID(), randomUUID()].map((user) => {
    const stores = new Stores();
    const keys = new OwnKeys({ library, suite, stores, batch: 0 });
    const { one_time_prekeys, one_time_kyber_prekeys, ...bundle } = keys.enlistment(user);
    return { user, stores, keys, bundle };
  });
  const fetchBundle = async (peer) => users.find(({ user }) => user === peer).bundle;
  return users.map((user) => ({ ...user, sessions: new Sessions({ library, suite, ...user, clock: () => 0, fetchBundle, changed() {} }) }));
}

function field(bytes, number) {
  const reader = new protobuf.Reader(bytes);
  let found;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === number * 8 + 2) found = Buffer.from(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return found;
}

const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
const serviceId = (user) => Buffer.concat([Buffer.from([0]), Buffer.from(user.replaceAll('-', ''), 'hex'), Buffer.from([1])]);

/** A message of `from` with these names inside, sealed by the key from the record of its session. */
async function naming(from, to, names) {
  // Of the record: the current session, its sending chain, the chain key, and the key itself.
  const chainKey = [1, 6, 3, 2].reduce(field, Buffer.from(from.stores.sessions.get(to.user)));
  const macKey = Buffer.from(hkdfSync('sha256', hmac(chainKey, Buffer.from([1])), Buffer.alloc(32), 'WhisperMessageKeys', 80)).subarray(32, 64);
  const { type, body } = await from.sessions.encrypt(to.user, Buffer.from('hello'));
  const inner = Buffer.concat([body.subarray(0, -8), Buffer.from([6 * 8 + 2, names.length]), names]);
  const mac = hmac(macKey, from.keys.identity.public, to.keys.identity.public, inner).subarray(0, 8);
  return [type, Buffer.concat([inner, mac])];
}

for (const [folder, name] of [['node-0.67', 'signal-pq'], ['node-0.67', 'signal-classic'], ['node-0.22', 'signal-classic']]) {
  test(`${folder}, ${name}: the users named inside are those that a message is between`, { skip }, async () => {
    const { stack } = await import(`../../${folder}/stack.mjs`);
    const [alice, bob] = pair(stack.suites[name], SUITES[name]);
    const first = await alice.sessions.encrypt(bob.user, Buffer.from('first'));
    await bob.sessions.decrypt(alice.user, first.type, first.body);
    const answer = await bob.sessions.encrypt(alice.user, Buffer.from('answer'));
    await alice.sessions.decrypt(bob.user, answer.type, answer.body);

    const right = Buffer.concat([serviceId(alice.user), serviceId(bob.user)]);
    const wrong = Buffer.concat([serviceId(bob.user), serviceId(alice.user)]);
    assert.equal((await bob.sessions.decrypt(alice.user, ...(await naming(alice, bob, right)))).toString(), 'hello');
    const before = Buffer.from(bob.stores.sessions.get(alice.user));
    await assert.rejects(bob.sessions.decrypt(alice.user, ...(await naming(alice, bob, wrong))), { reason: 'wrong-recipient' });
    assert.ok(before.equals(Buffer.from(bob.stores.sessions.get(alice.user))), 'a refusal changes nothing');
    assert.equal((await bob.sessions.decrypt(alice.user, ...(await naming(alice, bob, right)))).toString(), 'hello');
  });
}
