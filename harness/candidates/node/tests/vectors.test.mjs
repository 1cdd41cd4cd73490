import assert from 'node:assert/strict';
import test from 'node:test';
import { BY_THE_RULES as SEALED_BY_THE_RULES, opened } from '../confirm/sealed-sender.mjs';
import { BY_THE_RULES, received } from '../confirm/sender-keys.mjs';

test('the official binary reads and refuses stored sender keys as the vectors say', async (t) => {
  const counts = { read: 0, refused: 0, rules: 0, either: 0 };
  for await (const { id, message, text, error } of received()) {
    if (message.result === 'valid') {
      assert.equal(error, undefined, `${id}: ${error}`);
      assert.equal(text, message.content?.text, id);
      counts.read += 1;
    } else if (message.result === 'acceptable') {
      counts.either += 1;
    } else if (BY_THE_RULES.includes(id)) {
      counts.rules += 1;
    } else {
      assert.ok(error, `${id}: read as ${JSON.stringify(text)}`);
      counts.refused += 1;
    }
  }
  t.diagnostic(`messages: ${JSON.stringify(counts)}`);
  assert.ok(counts.read > 200 && counts.refused > 40, JSON.stringify(counts));
});

test('the official binary opens and refuses stored sealed messages as the vectors say', async (t) => {
  const counts = { opened: 0, unsealed: 0, refused: 0, rules: 0, either: 0 };
  for await (const { id, sender, message, user, text, error } of opened()) {
    if (message.result === 'valid') {
      assert.equal(error, undefined, `${id}: ${error}`);
      assert.deepEqual({ user, text }, { user: sender, text: message.content?.text }, id);
      counts[message.sealed ? 'opened' : 'unsealed'] += 1;
    } else if (message.result === 'acceptable') {
      counts.either += 1;
    } else if (SEALED_BY_THE_RULES.includes(id)) {
      assert.equal(error, undefined, `${id}: ${error}, so that it is not left to the rules`);
      counts.rules += 1;
    } else {
      assert.ok(error, `${id}: opened as ${JSON.stringify(text)} of ${user}`);
      counts.refused += 1;
    }
  }
  t.diagnostic(`sealed messages: ${JSON.stringify(counts)}`);
  assert.ok(counts.opened > 40 && counts.refused > 15 && counts.rules === 1, JSON.stringify(counts));
});
