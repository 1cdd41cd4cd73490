// The candidates on other libraries: with each other, and each against what its library leaves to it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PrivateKey, KEMKeyPair } from '@signalapp/libsignal-client';
import { Candidate } from '../src/operations.mjs';
import { stack as current } from '../src/stack.mjs';
import { WEAK_EC_KEYS } from '../confirm/weak-keys.mjs';
import { Cast, reasonOf, tampered } from './cast.mjs';

const OTHERS = ['node-0.67', 'node-0.22', 'whiskeysockets'];
const missing = OTHERS.filter((folder) => !existsSync(fileURLToPath(new URL(`../../${folder}/node_modules`, import.meta.url))));
const skip = missing.length > 0 && `NOT INSTALLED: ${missing.map((folder) => `npm ci --prefix harness/candidates/${folder} --ignore-scripts`).join('; ')}`;

const stacks = skip ? {} : Object.fromEntries(await Promise.all(OTHERS.map(async (folder) => [folder, (await import(`../../${folder}/stack.mjs`)).stack])));
stacks.node = current;

const wire = (bytes) => Buffer.from(bytes).toString('base64url');
const [WHISKEY, OFFICIAL_067] = ['whiskeysockets', 'node-0.67'];

/** Runs a test for every candidate and suite that it claims, but for one. */
function each(name, run, except = undefined) {
  for (const [folder, stack] of Object.entries(stacks)) {
    if (folder === except) continue;
    for (const suite of Object.keys(stack.suites)) {
      test(`${folder}, ${suite}: ${name}`, { skip }, (t) => run(t, { stacks: [stack, stack], suite }, folder));
    }
  }
}

for (const suite of ['signal-pq', 'signal-classic']) {
  const able = Object.keys(stacks).filter((folder) => stacks[folder].suites[suite]);
  for (const [one, two] of able.flatMap((a) => able.map((b) => [a, b]))) {
    // 0.103 demands the post-quantum ratchet, and 0.67.3 has none. What 0.67.3 sends as 0x34, WhiskeySockets refuses.
    const apart = (suite === 'signal-pq' && one !== two) || (suite === 'signal-classic' && [one, two].includes(WHISKEY) && [one, two].includes(OFFICIAL_067));
    test(`${one} and ${two}, ${suite}: ${apart ? 'do not converse' : 'messages both ways, and those that overtake each other'}`, { skip }, async (t) => {
      const cast = await Cast.with(t, { stacks: [stacks[one], stacks[two]], suite });
      const { alice, bob } = cast;
      if (apart) {
        const found = [];
        for (const [from, to] of [[alice, bob], [bob, alice]]) {
          const id = randomUUID();
          const refused = await reasonOf(cast.send(from, to, 'hello', id));
          if (refused !== 'no failure') found.push(refused);
          else await cast.settle(to, id);
          found.push(...(await cast.refusals(to)));
        }
        const expected = suite === 'signal-pq' ? ['bad-mac', 'bad-key'] : ['bad-version'];
        return assert.ok(found.length > 0 && found.every((reason) => expected.includes(reason)), JSON.stringify(found));
      }
      for (let round = 0; round < 3; round += 1) {
        await cast.settle(bob, await cast.send(alice, bob, `ping ${round}`));
        await cast.settle(alice, await cast.send(bob, alice, `pong ${round}`));
      }
      const held = [];
      cast.gateway.disturb = (stanza) => (stanza.kind === 'message' && held.length < 2 ? (held.push(stanza), []) : [stanza]);
      await cast.send(alice, bob, 'one');
      await cast.send(alice, bob, 'two');
      await cast.settle(bob, await cast.send(alice, bob, 'three'));
      for (const stanza of held.reverse()) cast.gateway.deliver(bob, stanza);
      for (const stanza of held) await cast.settle(bob, stanza.id);
      assert.deepEqual(await cast.texts(bob), ['ping 0', 'ping 1', 'ping 2', 'three', 'two', 'one']);
      assert.deepEqual(await cast.texts(alice), ['pong 0', 'pong 1', 'pong 2']);
      assert.deepEqual([...(await cast.refusals(alice)), ...(await cast.refusals(bob))], []);
      const { digits } = await cast.call('verify_identity', alice, { peer: bob });
      assert.deepEqual(await cast.call('verify_identity', bob, { peer: alice }), { digits });
    });
  }
}

// WhiskeySockets' library ruins one of the two sessions by trying it first (see party.test.mjs): so says the test after this one.
each('both start at once', async (t, options) => {
  const cast = await Cast.with(t, options);
  const { alice, bob } = cast;
  const [a, b] = await Promise.all([cast.send(alice, bob, 'from alice'), cast.send(bob, alice, 'from bob')]);
  await Promise.all([cast.settle(bob, a), cast.settle(alice, b)]);
  for (let i = 0; i < 3; i += 1) {
    await cast.settle(bob, await cast.send(alice, bob, `and on ${i}`));
    await cast.settle(alice, await cast.send(bob, alice, `and on ${i}`));
  }
  assert.deepEqual(await cast.texts(bob), ['from alice', 'and on 0', 'and on 1', 'and on 2']);
  assert.deepEqual(await cast.texts(alice), ['from bob', 'and on 0', 'and on 1', 'and on 2']);
}, WHISKEY);

test('whiskeysockets: after both started at once, messages are lost', { skip }, async (t) => {
  const cast = await Cast.with(t, { stacks: [stacks[WHISKEY], stacks[WHISKEY]], suite: 'signal-classic' });
  const { alice, bob } = cast;
  const [a, b] = await Promise.all([cast.send(alice, bob, 'from alice'), cast.send(bob, alice, 'from bob')]);
  await Promise.all([cast.settle(bob, a), cast.settle(alice, b)]);
  for (let i = 0; i < 3; i += 1) {
    await cast.settle(bob, await cast.send(alice, bob, `and on ${i}`));
    await cast.settle(alice, await cast.send(bob, alice, `and on ${i}`));
  }
  assert.ok([...(await cast.refusals(alice)), ...(await cast.refusals(bob))].length > 0);
});

each('repeats, reflections, tampering and versions are refused for the right reason', async (t, options, folder) => {
  const cast = await Cast.with(t, options);
  const { alice, bob } = cast;
  const carol = await cast.join();
  await cast.settle(carol, await cast.send(alice, carol, 'hello carol'));
  const caught = [];
  cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? (caught.push(stanza), [stanza]) : [stanza]);
  await cast.settle(bob, await cast.send(alice, bob, 'first'));
  await cast.settle(alice, await cast.send(bob, alice, 'answer'));
  await cast.settle(bob, await cast.send(alice, bob, 'later'));
  cast.gateway.disturb = (stanza) => [stanza];
  const [first, , later] = caught;
  const seen = async (to, from, stanza) => {
    const before = (await cast.refusals(to)).length;
    const id = randomUUID();
    cast.gateway.deliver(to, { ...stanza, id, from });
    await cast.settle(to, id);
    return (await cast.refusals(to)).slice(before)[0];
  };
  const version = (stanza, byte) => {
    const body = Buffer.from(stanza.body, 'base64url');
    body[0] = byte;
    return { ...stanza, body: wire(body) };
  };
  assert.equal(await seen(bob, alice, first), 'duplicate');
  assert.equal(await seen(bob, alice, later), 'duplicate');
  assert.equal(await seen(alice, bob, first), 'wrong-recipient');
  assert.equal(await seen(alice, bob, later), 'wrong-recipient');
  assert.equal(await seen(carol, bob, later), 'no-session');
  assert.equal(await seen(carol, alice, first), folder === 'node' ? 'wrong-recipient' : 'unknown-prekey');
  cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? [] : [stanza]);
  await cast.send(alice, bob, 'tampered');
  const fresh = { ...cast.gateway.sent.findLast(({ kind }) => kind === 'message'), to: undefined };
  cast.gateway.disturb = (stanza) => [stanza];
  assert.equal(await seen(bob, alice, tampered(fresh)), 'bad-mac');
  assert.equal(await seen(bob, alice, tampered(fresh, 12)), 'bad-mac');
  const other = options.suite === 'signal-pq' ? 0x33 : 0x44;
  for (const byte of [0x23, 0x55, other]) assert.equal(await seen(bob, alice, version(fresh, byte)), 'bad-version');
  for (const byte of [0x23, 0x55, other]) assert.equal(await seen(bob, alice, version(first, byte)), 'bad-version');
  assert.equal(await seen(bob, alice, fresh), undefined);
  // Asked for again under each id that could not be read: the texts come once.
  assert.deepEqual((await cast.texts(bob)).filter((text) => text === 'tampered'), ['tampered']);
});

each('bundles with a bad key, signature or registration id are refused, and a good one is taken after them', async (t, options) => {
  const cast = await Cast.with(t, { ...options, oneTime: 100 });
  const { alice, bob } = cast;
  const impostor = PrivateKey.generate();
  const resign = (prekey) => ({ ...prekey, signature: wire(impostor.sign(Buffer.from(prekey.key, 'base64url'))) });
  const flipped = (prekey) => {
    const signature = Buffer.from(prekey.signature, 'base64url');
    signature[5] ^= 1;
    return { ...prekey, signature: wire(signature) };
  };
  const kyber = options.suite === 'signal-pq';
  const cases = [
    ['bad-signature', (b) => ({ ...b, signed_prekey: resign(b.signed_prekey) })],
    ['bad-signature', (b) => ({ ...b, signed_prekey: flipped(b.signed_prekey) })],
    ['bad-signature', (b) => ({ ...b, signed_prekey: { ...b.signed_prekey, signature: '' } })],
    ['malformed', (b) => ({ ...b, registration_id: 0 })],
    ['malformed', (b) => ({ ...b, registration_id: 16381 })],
    ['malformed', (b) => ({ ...b, kyber_prekey: kyber ? undefined : { ...b.signed_prekey } })],
  ];
  if (kyber) cases.push(['bad-signature', (b) => ({ ...b, kyber_prekey: resign(b.kyber_prekey) })]);
  for (const weak of WEAK_EC_KEYS) {
    cases.push(
      ['bad-key', (b) => ({ ...b, identity_key: wire(weak) })],
      ['bad-key', (b) => ({ ...b, signed_prekey: { ...b.signed_prekey, key: wire(weak) } })],
      ['bad-key', (b) => ({ ...b, one_time_prekey: { ...b.one_time_prekey, key: wire(weak) } })],
    );
  }
  for (const [reason, bend] of cases) {
    cast.gateway.bundle = bend;
    assert.equal(await reasonOf(cast.send(alice, bob, 'x')), reason, bend.toString());
  }
  cast.gateway.bundle = (bundle) => bundle;
  await cast.settle(bob, await cast.send(alice, bob, 'good'));
  assert.deepEqual(await cast.texts(bob), ['good']);
});

each('a used one-time prekey is gone; rotated ones still serve what is under way; those that ran out are refilled', async (t, options) => {
  const cast = await Cast.with(t, { ...options, oneTime: 3 });
  const { alice, bob } = cast;
  const carol = await cast.join();
  let first;
  cast.gateway.bundle = (bundle) => (first ??= bundle);
  await cast.settle(bob, await cast.send(alice, bob, 'mine'));
  await cast.settle(bob, await cast.send(carol, bob, 'stolen'));
  assert.equal((await cast.refusals(bob))[0], 'unknown-prekey');
  cast.gateway.bundle = (bundle) => bundle;

  const dave = await cast.join();
  const held = [];
  cast.gateway.disturb = (stanza) => (stanza.from === dave ? (held.push(stanza), []) : [stanza]);
  await cast.send(dave, bob, 'under way');
  cast.gateway.disturb = (stanza) => [stanza];
  await cast.call('rotate_keys', bob, { signed: true, kyber: options.suite === 'signal-pq', one_time_prekeys: 1 });
  cast.gateway.deliver(bob, held[0]);
  await cast.settle(bob, held[0].id);
  assert.ok((await cast.texts(bob)).includes('under way'));

  const ids = [];
  cast.gateway.bundle = (bundle) => (ids.push(bundle.one_time_prekey?.id), bundle);
  for (let i = 0; i < 6; i += 1) {
    await cast.call('fetch_keys', alice, { of: bob });
    const low = [...cast.gateway.users.get(bob).mailbox.values()].find(({ kind }) => kind === 'keys-low');
    if (low) await cast.settle(bob, low.id);
  }
  assert.equal(new Set(ids).size, 6);
  assert.ok(!ids.includes(undefined));
});

each('without one-time prekeys', async (t, options) => {
  const cast = await Cast.with(t, { ...options, oneTime: 0 });
  const carol = await cast.join();
  for (const from of [cast.alice, carol]) await cast.settle(cast.bob, await cast.send(from, cast.bob, 'hello'));
  assert.deepEqual(await cast.texts(cast.bob), ['hello', 'hello']);
});

each('a reinstalled peer: notice, nothing sent until accepted, then on', async (t, options) => {
  const cast = await Cast.with(t, options);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'hello'));
  await cast.settle(alice, await cast.send(bob, alice, 'hi'));
  await cast.join(bob);
  await cast.settle(alice, await cast.send(bob, alice, 'new phone'));
  assert.deepEqual(await cast.texts(alice), ['hi', 'new phone']);
  assert.deepEqual(await cast.notices(alice), ['identity-changed']);
  assert.equal(await reasonOf(cast.send(alice, bob, 'not yet')), 'untrusted-identity');
  await cast.call('accept_identity', alice, { peer: bob });
  await cast.settle(bob, await cast.send(alice, bob, 'welcome'));
  assert.deepEqual(await cast.texts(bob), ['welcome']);
});

each('a session that was not answered for 30 days is not sent in any more; one that was, is', async (t, options) => {
  const cast = await Cast.with(t, options);
  const { alice, bob } = cast;
  const fetched = () => cast.gateway.requests.filter(({ path }) => path === `/keys/${bob}`).length;
  const sends = async () => cast.settle(bob, await cast.send(alice, bob, 'hello'));
  await sends();
  await cast.call('advance_clock', alice, { by_ms: 29 * 86_400_000 });
  await sends();
  assert.equal(fetched(), 1);
  await cast.call('advance_clock', alice, { by_ms: 2 * 86_400_000 });
  await sends();
  assert.equal(fetched(), 2);
  await cast.settle(alice, await cast.send(bob, alice, 'at last'));
  await cast.call('advance_clock', alice, { by_ms: 40 * 86_400_000 });
  await sends();
  assert.equal(fetched(), 2);
  assert.equal((await cast.texts(bob)).length, 4);
});

each('an imported user has exactly these keys, and can be written to with each of them', async (t, options) => {
  const cast = await Cast.with(t, options);
  const kyberSuite = options.suite === 'signal-pq';
  const [identity, signed, oneTime] = [PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate()];
  const publicOf = (key) => key.getPublicKey().serialize();
  const kyber = (id) => {
    const pair = KEMKeyPair.generate();
    const key = pair.getPublicKey().serialize();
    return { id, public: wire(key), private: wire(pair.getSecretKey().serialize()), signature: wire(identity.sign(key)) };
  };
  const keys = {
    registration_id: 4711,
    identity_private: wire(identity.serialize()),
    signed_prekey: { id: 9, private: wire(signed.serialize()), signature: wire(identity.sign(publicOf(signed))) },
    ...(kyberSuite && { kyber_prekey: kyber(10) }),
    one_time_prekeys: [{ id: 11, private: wire(oneTime.serialize()) }],
    one_time_kyber_prekeys: kyberSuite ? [kyber(12)] : [],
  };
  const carol = randomUUID();
  assert.deepEqual(await cast.call('create_user', carol, { one_time_prekeys: 5, import: keys }), { identity_key: wire(publicOf(identity)) });
  const enlisted = cast.gateway.users.get(carol).keys;
  assert.deepEqual(enlisted, {
    user: carol,
    registration_id: 4711,
    identity_key: wire(publicOf(identity)),
    signed_prekey: { id: 9, key: wire(publicOf(signed)), signature: keys.signed_prekey.signature },
    one_time_prekeys: [{ id: 11, key: wire(publicOf(oneTime)) }],
    one_time_kyber_prekeys: keys.one_time_kyber_prekeys.map(({ id, public: key, signature }) => ({ id, key, signature })),
    ...(kyberSuite && { kyber_prekey: { id: 10, key: keys.kyber_prekey.public, signature: keys.kyber_prekey.signature } }),
  });
  await cast.call('connect', carol);
  for (const [from, text] of [[cast.alice, 'with the one-time prekey'], [cast.bob, 'and without']]) {
    await cast.settle(carol, await cast.send(from, carol, text));
  }
  assert.deepEqual(await cast.texts(carol), ['with the one-time prekey', 'and without']);
  await cast.settle(cast.alice, await cast.send(carol, cast.alice, 'answer'));
  assert.deepEqual(await cast.texts(cast.alice), ['answer']);
  for (const bend of [{ identity_private: 'AA' }, { kyber_prekey: kyberSuite ? undefined : kyber(10) }, { surprise: 1 }]) {
    assert.equal(await reasonOf(cast.call('create_user', randomUUID(), { one_time_prekeys: 0, import: { ...keys, ...bend } })), 'malformed');
  }
});

test('suites: one has to be chosen of several, and only a claimed one', { skip }, async () => {
  const open = (stack, suite) => reasonOf(new Candidate(stack).call('open', { instance: randomUUID(), gateway: 'http://127.0.0.1:9', clock: 0, ...suite }));
  assert.equal(await open(current, {}), 'no failure');
  assert.equal(await open(current, { suite: 'signal-pq' }), 'no failure');
  assert.equal(await open(current, { suite: 'signal-classic' }), 'unsupported');
  assert.equal(await open(current, { suite: 'toString' }), 'unsupported');
  assert.equal(await open(stacks[OFFICIAL_067], {}), 'malformed');
  for (const suite of ['signal-pq', 'signal-classic']) assert.equal(await open(stacks[OFFICIAL_067], { suite }), 'no failure');
});
