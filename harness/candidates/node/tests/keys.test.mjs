import assert from 'node:assert/strict';
import test from 'node:test';
import { randomUUID } from 'node:crypto';
import { PrivateKey } from '@signalapp/libsignal-client';
import { Stores } from '../src/stores.mjs';
import { Cast, reasonOf } from './cast.mjs';
import { WEAK_EC_KEYS } from '../confirm/weak-keys.mjs';

const wire = (bytes) => Buffer.from(bytes).toString('base64url');

test('both sides see the same safety number', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  assert.equal(await reasonOf(cast.call('verify_identity', alice, { peer: bob })), 'no-session');
  await cast.settle(bob, await cast.send(alice, bob, 'hello'));
  const { digits } = await cast.call('verify_identity', alice, { peer: bob });
  assert.match(digits, /^\d{60}$/);
  assert.deepEqual(await cast.call('verify_identity', bob, { peer: alice }), { digits });
});

test('a reinstalled peer: notice, nothing sent until accepted, then on', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'hello'));
  const before = await cast.call('verify_identity', alice, { peer: bob });
  await cast.join(bob);
  assert.equal(await reasonOf(cast.call('fetch_keys', alice, { of: bob })), 'untrusted-identity');
  assert.equal(await reasonOf(cast.send(alice, bob, 'not yet')), 'untrusted-identity');
  assert.deepEqual(await cast.notices(alice), ['identity-changed']);
  assert.notDeepEqual(await cast.call('verify_identity', alice, { peer: bob }), before);
  await cast.call('accept_identity', alice, { peer: bob });
  await cast.settle(bob, await cast.send(alice, bob, 'now'));
  assert.deepEqual(await cast.texts(bob), ['now']);
});

test('a reinstalled user starts with an empty log, and numbers it from 1', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'hello'));
  const waiting = cast.call('events', bob, { after: 1, wait_ms: 10_000 });
  await cast.join(bob);
  assert.deepEqual(await waiting, { events: [] });
  assert.deepEqual(await cast.events(bob), []);
  await cast.settle(bob, await cast.send(await cast.join(), bob, 'welcome'));
  const { events } = await cast.call('events', bob, { after: 0, wait_ms: 0 });
  assert.deepEqual(events.map(({ seq, what }) => [seq, what.content.text]), [[1, 'welcome']]);
});

test('another identity key on the outside of a later first message is refused, and changes nothing', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'one'));
  const before = await cast.call('verify_identity', bob, { peer: alice });
  cast.gateway.disturb = (stanza) => {
    if (stanza.kind !== 'message') return [stanza];
    // What is sent again later passes as it is.
    cast.gateway.disturb = (later) => [later];
    const body = Buffer.from(stanza.body, 'base64url');
    Buffer.from(PrivateKey.generate().getPublicKey().serialize()).copy(body, body.indexOf(Buffer.from([0x1a, 33, 5])) + 2);
    return [{ ...stanza, body: wire(body) }];
  };
  // Bob never answered, so this is a first message again.
  await cast.settle(bob, await cast.send(alice, bob, 'two'));
  assert.deepEqual(await cast.refusals(bob), ['bad-mac']);
  assert.deepEqual(await cast.call('verify_identity', bob, { peer: alice }), before);
  await cast.settle(bob, await cast.send(alice, bob, 'three'));
  assert.ok((await cast.texts(bob)).includes('three'));
  assert.deepEqual((await cast.notices(bob)).filter((notice) => notice === 'identity-changed'), []);
});

test('a first message under a new identity is shown after the notice, and not answered until accepted', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'hello'));
  await cast.join(bob);
  await cast.settle(alice, await cast.send(bob, alice, 'new phone'));
  const kinds = (await cast.events(alice)).map(({ kind }) => kind);
  assert.deepEqual(kinds, ['receipt', 'notice', 'message']);
  assert.equal(await reasonOf(cast.send(alice, bob, 'not yet')), 'untrusted-identity');
  await cast.call('accept_identity', alice, { peer: bob });
  await cast.settle(bob, await cast.send(alice, bob, 'welcome'));
  assert.deepEqual(await cast.texts(bob), ['welcome']);
});

test('a resend to a changed identity waits for the user', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'hello'));
  await cast.settle(alice, await cast.send(bob, alice, 'hi'));
  await cast.join(bob);
  const lost = await cast.send(alice, bob, 'for the old phone');
  const retry = await cast.sentBy(bob, ({ type, of }) => type === 'retry' && of === lost);
  await cast.settle(alice, retry.id);
  assert.deepEqual(await cast.notices(alice), ['identity-changed']);
  const resends = () => cast.gateway.sent.filter(({ kind, from, id }) => kind === 'message' && from === alice && id !== lost).length;
  assert.equal(resends(), 1);
  await cast.call('accept_identity', alice, { peer: bob });
  await cast.settle(alice, retry.id);
  assert.equal(resends(), 2);
  const resend = cast.gateway.sent.findLast(({ kind, from }) => kind === 'message' && from === alice);
  await cast.settle(bob, resend.id);
  assert.deepEqual(await cast.texts(bob), ['for the old phone']);
});

test('a retry for what was never sent to that peer gets nothing', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const carol = await cast.join();
  const sent = await cast.send(alice, bob, 'for bob');
  await cast.settle(bob, sent);
  const before = cast.gateway.sent.filter(({ kind }) => kind === 'message').length;
  for (const of of [sent, randomUUID()]) {
    const id = randomUUID();
    cast.gateway.deliver(alice, { kind: 'receipt', id, from: carol, type: 'retry', of, count: 1 });
    await cast.settle(alice, id);
  }
  assert.equal(cast.gateway.sent.filter(({ kind }) => kind === 'message').length, before);
});

test('a used one-time prekey is gone: a second session from the same bundle is refused', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const carol = await cast.join();
  let first;
  cast.gateway.bundle = (bundle) => (first ??= bundle);
  await cast.settle(bob, await cast.send(alice, bob, 'mine'));
  await cast.settle(bob, await cast.send(carol, bob, 'stolen'));
  assert.equal((await cast.refusals(bob))[0], 'unknown-prekey');
});

test('prekeys that ran out are refilled, under new ids', async (t) => {
  const cast = await Cast.with(t, { oneTime: 2 });
  const { alice, bob } = cast;
  const ids = [];
  cast.gateway.bundle = (bundle) => {
    ids.push(bundle.one_time_prekey.id);
    return bundle;
  };
  for (let i = 0; i < 5; i += 1) {
    await cast.call('fetch_keys', alice, { of: bob });
    const low = [...cast.gateway.users.get(bob).mailbox.values()].find(({ kind }) => kind === 'keys-low');
    if (low) await cast.settle(bob, low.id);
  }
  assert.equal(new Set(ids).size, 5);
});

test('without one-time prekeys, first messages use the last-resort key; each use of it is taken once', async (t) => {
  const cast = await Cast.with(t, { oneTime: 0 });
  const carol = await cast.join();
  for (const from of [cast.alice, carol]) await cast.settle(cast.bob, await cast.send(from, cast.bob, 'hello'));
  assert.deepEqual(await cast.texts(cast.bob), ['hello', 'hello']);

  const stores = new Stores();
  stores.kyberPrekeys.set(1, { prekey: null, lastResort: true });
  const use = (signedPrekey, baseKey) => {
    const draft = stores.draft(null);
    draft.useKyberPrekey(1, signedPrekey, baseKey);
    draft.commit();
  };
  use(2, Buffer.from('aa'));
  use(2, Buffer.from('bb'));
  use(3, Buffer.from('aa'));
  assert.throws(() => use(2, Buffer.from('aa')), { reason: 'duplicate' });
  assert.ok(stores.kyberPrekeys.has(1));
});

test('a message under the old signed prekey is read after a rotation', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const held = [];
  cast.gateway.disturb = (stanza) => (held.push(stanza), []);
  const old = cast.gateway.users.get(bob).keys.signed_prekey.id;
  await cast.send(alice, bob, 'under way');
  cast.gateway.disturb = (stanza) => [stanza];
  await cast.call('rotate_keys', bob, { signed: true, kyber: true, one_time_prekeys: 1 });
  cast.gateway.deliver(bob, held[0]);
  await cast.settle(bob, held[0].id);
  assert.deepEqual(await cast.texts(bob), ['under way']);
  assert.notEqual(cast.gateway.users.get(bob).keys.signed_prekey.id, old);
});

test('a bundle with a bad key or signature is refused, and a good one is taken after it', async (t) => {
  const cast = await Cast.with(t, { oneTime: 100 });
  const { alice, bob } = cast;
  const impostor = PrivateKey.generate();
  const zeroKyber = Buffer.concat([Buffer.from([8]), Buffer.alloc(1568)]);
  const cases = [
    ['bad-signature', (b) => ({ ...b, signed_prekey: { ...b.signed_prekey, signature: wire(impostor.sign(Buffer.from(b.signed_prekey.key, 'base64url'))) } })],
    ['bad-signature', (b) => ({ ...b, kyber_prekey: { ...b.kyber_prekey, signature: wire(impostor.sign(Buffer.from(b.kyber_prekey.key, 'base64url'))) } })],
    ['bad-key', (b) => ({ ...b, kyber_prekey: { ...b.kyber_prekey, key: wire(zeroKyber) } })],
    ['bad-key', (b) => ({ ...b, kyber_prekey: { ...b.kyber_prekey, key: wire(Buffer.alloc(33, 5)) } })],
    ['malformed', (b) => ({ ...b, registration_id: 0 })],
    ['malformed', (b) => ({ ...b, registration_id: 16381 })],
    ['malformed', (b) => ({ ...b, user: alice })],
    ['malformed', (b) => ({ ...b, surprise: 1 })],
  ];
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
  assert.equal(cast.gateway.sent.filter(({ kind }) => kind === 'message').length, 0);
  cast.gateway.bundle = (bundle) => bundle;
  await cast.settle(bob, await cast.send(alice, bob, 'good'));
  assert.deepEqual(await cast.texts(bob), ['good']);
});

test('users and instances that are not there', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  assert.equal(await reasonOf(cast.send(alice, randomUUID(), 'x')), 'unknown-user');
  await cast.call('delete_user', bob);
  assert.equal(cast.gateway.users.has(bob), false);
  assert.equal(await reasonOf(cast.call('connect', bob)), 'deleted-user');
  assert.equal(await reasonOf(cast.call('connect', randomUUID())), 'unknown-user');
  assert.equal(await reasonOf(cast.candidate.call('close', { instance: randomUUID() })), 'unknown-instance');
});
