import assert from 'node:assert/strict';
import test from 'node:test';
import { randomUUID } from 'node:crypto';
import { Cast, reasonOf, tampered } from './cast.mjs';

test('first messages and ping-pong both ways, with receipts', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  for (let round = 0; round < 4; round += 1) {
    await cast.settle(bob, await cast.send(alice, bob, `ping ${round}`));
    await cast.settle(alice, await cast.send(bob, alice, `pong ${round}`));
  }
  assert.deepEqual(await cast.texts(bob), ['ping 0', 'ping 1', 'ping 2', 'ping 3']);
  assert.deepEqual(await cast.texts(alice), ['pong 0', 'pong 1', 'pong 2', 'pong 3']);
  const [receipt] = (await cast.events(alice)).filter(({ kind }) => kind === 'receipt');
  assert.equal(receipt.from, bob);
  const seqs = (await cast.call('events', alice, { after: 0, wait_ms: 0 })).events.map(({ seq }) => seq);
  assert.deepEqual(seqs, seqs.map((_, i) => i + 1));
});

test('both start at once', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const [a, b] = await Promise.all([cast.send(alice, bob, 'from alice'), cast.send(bob, alice, 'from bob')]);
  await Promise.all([cast.settle(bob, a), cast.settle(alice, b)]);
  await cast.settle(bob, await cast.send(alice, bob, 'and on'));
  assert.deepEqual(await cast.texts(bob), ['from alice', 'and on']);
  assert.deepEqual(await cast.texts(alice), ['from bob']);
});

test('messages that overtake each other are shown, once each', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const held = [];
  cast.gateway.disturb = (stanza) => (stanza.kind === 'message' && held.length < 2 ? (held.push(stanza), []) : [stanza]);
  await cast.send(alice, bob, 'one');
  await cast.send(alice, bob, 'two');
  await cast.settle(bob, await cast.send(alice, bob, 'three'));
  for (const stanza of held.reverse()) cast.gateway.deliver(bob, stanza);
  for (const stanza of held) await cast.settle(bob, stanza.id);
  assert.deepEqual(await cast.texts(bob), ['three', 'two', 'one']);
  assert.deepEqual(await cast.refusals(bob), []);
});

test('every kind of content arrives as it was sent', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const of = await cast.send(alice, bob, 'mine');
  const other = await cast.send(bob, alice, 'yours');
  await cast.settle(bob, of);
  await cast.settle(alice, other);
  const contents = [
    { kind: 'text', text: '' },
    { kind: 'text', text: '\ufeffaé\u0301 \u{1f9d1}\u200d\u{1f680}\u{10fffd}\0 ' },
    { kind: 'text', text: 'x'.repeat(65536) },
    { kind: 'reaction', of: other, emoji: '👍', remove: false },
    { kind: 'reaction', of: other, emoji: '👍', remove: true },
    { kind: 'reply', of: randomUUID(), text: 'yes' },
    { kind: 'edit', of, text: 'no' },
    { kind: 'delete', of },
    { kind: 'typing', active: false },
    { kind: 'read', of: [other] },
  ];
  for (const content of contents) await cast.settle(bob, await cast.send(alice, bob, content));
  const shown = (await cast.events(bob)).filter(({ kind }) => kind === 'message').map(({ content }) => content);
  assert.deepEqual(shown.slice(1), contents);
  // Neither the indicator nor the read receipt is answered.
  assert.equal(cast.gateway.sent.filter(({ kind, from }) => kind === 'receipt' && from === bob).length, contents.length - 1);
  assert.equal(await reasonOf(cast.send(alice, bob, 'x'.repeat(200_000))), 'too-large');
});

test('a repeated stanza and a replay under another id are refused as duplicates', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const again = randomUUID();
  cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? [stanza, stanza, { ...stanza, id: again }] : [stanza]);
  await cast.send(alice, bob, 'once');
  await cast.settle(bob, again);
  assert.deepEqual(await cast.texts(bob), ['once']);
  assert.deepEqual(await cast.refusals(bob), ['duplicate', 'duplicate']);
  assert.equal(cast.gateway.sent.filter(({ kind, from }) => kind === 'receipt' && from === bob).length, 1);
});

test('a reflected message and one for somebody else are refused, and no retry is asked for', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  const carol = await cast.join();
  await cast.settle(carol, await cast.send(alice, carol, 'hello carol'));
  let caught;
  cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? ((caught = stanza), [stanza]) : [stanza]);
  await cast.settle(bob, await cast.send(alice, bob, 'first'));
  const first = caught;
  for (const [to, from] of [[alice, bob], [carol, alice]]) {
    const id = randomUUID();
    cast.gateway.deliver(to, { ...first, id, from });
    await cast.settle(to, id);
  }
  assert.deepEqual(await cast.refusals(alice), ['wrong-recipient']);
  assert.deepEqual(await cast.refusals(carol), ['wrong-recipient']);
  assert.equal(cast.gateway.sent.filter(({ type }) => type === 'retry').length, 0);
  await cast.settle(alice, await cast.send(bob, alice, 'answer'));
  await cast.settle(bob, await cast.send(alice, bob, 'later'));
  const id = randomUUID();
  cast.gateway.deliver(alice, { ...caught, id, from: bob });
  await cast.settle(alice, id);
  assert.deepEqual(await cast.refusals(alice), ['wrong-recipient', 'wrong-recipient']);
});

// In the tests of tampering the session is confirmed in both directions first: the last bytes of a message are its MAC then, and not
// an outer field of a prekey message, which a receiver that has the session does not look at again.
test('a tampered message is asked for again, and the resend is shown once', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'before'));
  await cast.settle(alice, await cast.send(bob, alice, 'yes'));
  cast.gateway.disturb = (stanza) => {
    if (stanza.kind !== 'message') return [stanza];
    cast.gateway.disturb = (next) => [next];
    return [tampered(stanza)];
  };
  const id = await cast.send(alice, bob, 'precious');
  const retry = await cast.sentBy(bob, ({ kind, type }) => kind === 'receipt' && type === 'retry');
  assert.deepEqual([retry.of, retry.count], [id, 1]);
  const afterwards = (stanza) => cast.gateway.sent.indexOf(stanza) > cast.gateway.sent.indexOf(retry);
  const resend = await cast.sentBy(alice, (stanza) => stanza.kind === 'message' && afterwards(stanza));
  await cast.settle(bob, resend.id);
  assert.deepEqual(await cast.texts(bob), ['before', 'precious']);
  const shown = (await cast.events(bob)).filter(({ kind }) => kind === 'message').at(-1);
  assert.equal(shown.message, id);
  assert.deepEqual(await cast.refusals(bob), ['bad-mac']);
  assert.deepEqual(await cast.notices(bob), ['undecryptable']);
});

test('a stanza is asked for five times at most, with a count', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'before'));
  await cast.settle(alice, await cast.send(bob, alice, 'yes'));
  let broken;
  cast.gateway.disturb = (stanza) => {
    // Retry receipts are kept from Alice, so that nothing is sent again.
    if (stanza.kind === 'receipt' && stanza.type === 'retry') return [];
    return stanza.kind === 'message' ? [(broken = tampered(stanza))] : [stanza];
  };
  await cast.send(alice, bob, 'lost');
  for (let i = 0; i < 7; i += 1) cast.gateway.deliver(bob, broken);
  await cast.settle(bob, broken.id);
  await cast.sentBy(bob, ({ kind, count }) => kind === 'receipt' && count === 5);
  cast.gateway.disturb = (stanza) => [stanza];
  await cast.settle(bob, await cast.send(alice, bob, 'after'));
  const counts = cast.gateway.sent.filter(({ kind, type }) => kind === 'receipt' && type === 'retry').map(({ count }) => count);
  assert.deepEqual(counts, [1, 2, 3, 4, 5]);
});

test('a user who is offline gets the mailbox on return; calls say not-connected meanwhile', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.call('disconnect', bob);
  assert.equal(await reasonOf(cast.settle(bob, randomUUID())), 'not-connected');
  assert.equal(await reasonOf(cast.send(bob, alice, 'x')), 'not-connected');
  const ids = [await cast.send(alice, bob, 'one'), await cast.send(alice, bob, 'two')];
  await cast.call('connect', bob);
  await cast.settle(bob, ids[1]);
  assert.deepEqual(await cast.texts(bob), ['one', 'two']);
});

test('the client comes back after a lost channel, and loses nothing', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.settle(bob, await cast.send(alice, bob, 'one'));
  cast.gateway.users.get(bob).channel.terminate();
  await cast.settle(bob, await cast.send(alice, bob, 'two'));
  assert.deepEqual(await cast.texts(bob), ['one', 'two']);
});

test('a stanza that is none is refused under its id', async (t) => {
  const cast = await Cast.with(t);
  const bad = [
    { kind: 'message', from: cast.alice, type: 'normal', body: 'AA==' },
    { kind: 'message', from: cast.alice, type: 'normal', body: '' },
    { kind: 'message', type: 'normal', body: 'RAAA' },
    { kind: 'message', from: cast.alice, type: 'normal', body: 'MzMz' },
    { kind: 'message', from: cast.alice, type: 'prekey', body: 'RP__________' },
    { kind: 'wave', hand: 'left' },
  ];
  for (const stanza of bad) {
    const id = randomUUID();
    cast.gateway.deliver(cast.bob, { ...stanza, id });
    await cast.settle(cast.bob, id);
  }
  assert.deepEqual(await cast.refusals(cast.bob), ['malformed', 'malformed', 'malformed', 'bad-version', 'malformed', 'unsupported']);
});

test('a stanza refused with busy goes out again, and one refused for good fails', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  cast.gateway.refusals = ['busy', 'gateway-error'];
  const id = await cast.send(alice, bob, 'patience');
  await cast.settle(bob, id);
  assert.equal(cast.gateway.sent.filter((stanza) => stanza.id === id && stanza.kind === 'message').length, 3);
  cast.gateway.refusals = ['duplicate'];
  assert.equal(await reasonOf(cast.send(alice, bob, 'x')), 'duplicate');
  cast.gateway.refusals = Array(6).fill('busy');
  assert.equal(await reasonOf(cast.send(alice, bob, 'x')), 'gateway-error');
  assert.deepEqual(await cast.texts(bob), ['patience']);
});

test('a chat channel that the gateway cannot open now is asked for again', async (t) => {
  const cast = await Cast.with(t);
  const { alice, bob } = cast;
  await cast.call('disconnect', bob);
  cast.gateway.closedDoors = [503, 502];
  await cast.call('connect', bob);
  await cast.settle(bob, await cast.send(alice, bob, 'hello'));
  await cast.call('disconnect', bob);
  cast.gateway.users.get(bob).token = 'another';
  assert.equal(await reasonOf(cast.call('connect', bob)), 'unauthorized');
  assert.equal(await reasonOf(cast.settle(bob, alice)), 'not-connected');
});
