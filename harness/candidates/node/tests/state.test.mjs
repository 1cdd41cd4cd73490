// A user's state: kept, put back, copied and exported, behind a small gateway.
import assert from 'node:assert/strict';
import test from 'node:test';
import { randomUUID } from 'node:crypto';
import { Cast, reasonOf, tampered } from './cast.mjs';

/** A first message, an answer, and one more, so that there are chains both ways. */
async function conversing(t) {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const first = await cast.send(alice, bob, 'first');
  await cast.settle(bob, first);
  await cast.settle(alice, await cast.send(bob, alice, 'answer'));
  const second = await cast.send(alice, bob, 'second');
  await cast.settle(bob, second);
  return { cast, alice, bob, past: [first, second] };
}

/** A stanza as the gateway delivered it. */
const delivered = (cast, id) => {
  const { kind, from, type, body } = cast.gateway.sent.find((stanza) => stanza.id === id);
  return { kind, id, from, type, body };
};

/** Sends what never arrives at its recipient; answers it as it would be delivered. */
async function held(cast, from, to, text) {
  cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? [] : [stanza]);
  const id = await cast.send(from, to, text);
  cast.gateway.disturb = (stanza) => [stanza];
  return delivered(cast, id);
}

const deliver = async (cast, clone, stanza) =>
  (await cast.candidate.call('deliver', { instance: cast.instance, clone, stanza })).events.map(({ what }) => what);

const exported = async (cast, user) => (await cast.call('export', user)).parts;

test('a copy reads what comes and nothing of the past, and leaves its original alone', async (t) => {
  const { cast, alice, bob, past } = await conversing(t);
  const { clone } = await cast.call('clone', bob);
  for (const id of past) {
    const [{ kind }] = await deliver(cast, clone, delivered(cast, id));
    assert.equal(kind, 'refused');
  }
  const before = await exported(cast, bob);
  const said = () => cast.gateway.sent.filter(({ from, kind }) => from === bob && kind !== 'ack').length;
  const until = said();
  const next = await held(cast, alice, bob, 'next');
  assert.deepEqual((await deliver(cast, clone, next)).map(({ content }) => content.text), ['next']);
  assert.equal((await deliver(cast, clone, next))[0].reason, 'duplicate');
  assert.deepEqual(await exported(cast, bob), before);
  assert.equal(said(), until, 'a copy sends nothing');
  cast.gateway.deliver(bob, next);
  await cast.settle(bob, next.id);
  assert.deepEqual(await cast.texts(bob), ['first', 'second', 'next']);
});

test('a restored user is offline, with its old state and log', async (t) => {
  const { cast, alice, bob } = await conversing(t);
  const [log, state] = [await cast.events(bob), await exported(cast, bob)];
  const { snapshot } = await cast.call('snapshot', bob);
  await cast.settle(bob, await cast.send(alice, bob, 'third'));
  await cast.settle(alice, await cast.send(bob, alice, 'another answer'));
  await cast.settle(bob, await cast.send(alice, bob, 'fourth'));
  await cast.settle(alice, await cast.send(bob, alice, 'under a key that the snapshot does not have'));
  assert.notDeepEqual(await exported(cast, bob), state);
  for (let round = 0; round < 2; round += 1) {
    await cast.call('restore', bob, { snapshot });
    assert.deepEqual(await exported(cast, bob), state);
    assert.deepEqual(await cast.events(bob), log);
    assert.equal(await reasonOf(cast.send(bob, alice, 'offline')), 'not-connected');
  }
  // What comes under a chain that it does not have is asked for again.
  await cast.call('connect', bob);
  const earlier = new Set(cast.gateway.sent.map(({ id }) => id));
  const lost = await cast.send(alice, bob, 'again, please');
  await cast.settle(bob, lost);
  const resent = await cast.sentBy(alice, (stanza) => stanza.kind === 'message' && stanza.type === 'prekey' && !earlier.has(stanza.id));
  await cast.settle(bob, resent.id);
  assert.equal((await cast.texts(bob)).at(-1), 'again, please');
});

test('a refused message changes nothing that is exported, and one that is read does', async (t) => {
  const { cast, alice, bob } = await conversing(t);
  const before = await exported(cast, bob);
  const real = await held(cast, alice, bob, 'real');
  const forged = { ...tampered(real), id: randomUUID() };
  cast.gateway.deliver(bob, forged);
  await cast.settle(bob, forged.id);
  assert.deepEqual(await exported(cast, bob), before);
  cast.gateway.deliver(bob, real);
  await cast.settle(bob, real.id);
  assert.notDeepEqual(await exported(cast, bob), before);
});

test('handles and stanzas that nobody gave are refused', async (t) => {
  const { cast, alice, bob, past } = await conversing(t);
  const { snapshot } = await cast.call('snapshot', bob);
  for (const [user, bad] of [[alice, snapshot], [bob, 'snapshot-0'], [bob, 'a b'], [bob, '']]) {
    assert.equal(await reasonOf(cast.call('restore', user, { snapshot: bad })), 'malformed');
  }
  assert.equal(await reasonOf(deliver(cast, 'clone-0', delivered(cast, past[0]))), 'malformed');
  const { clone } = await cast.call('clone', bob);
  assert.equal(await reasonOf(deliver(cast, clone, { kind: 'accepted', id: past[0] })), 'malformed');
  assert.equal(await reasonOf(deliver(cast, clone, 7)), 'unsupported');
});
