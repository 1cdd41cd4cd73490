import assert from 'node:assert/strict';
import test from 'node:test';
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
