import assert from 'node:assert/strict';
import test from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CANDIDATE = fileURLToPath(new URL('../candidate.mjs', import.meta.url));
// The environment is empty, as it is under the harness.
const start = (...args) => spawn(process.execPath, [CANDIDATE, ...args], { env: {} });

test('lines: every request is answered under its id, and the output holds nothing else', async () => {
  const child = start();
  const lines = [
    '{"id":1,"op":"describe","args":{}}',
    '{"id":2,"op":"teleport","args":{}}',
    '{"id":3,"op":"describe","args":{"verbose":true}}',
    '{"id":4,"op":"describe","args":{},"loud":true}',
    '{"id":5,"op":"close","args":{"instance":"00000000-0000-0000-0000-000000000000"}}',
    '{"id":6,"op":"open","args":{"instance":"00000000-0000-0000-0000-000000000000","gateway":"memory:","clock":0}}',
    '{"id":7,"op":"toString","args":{}}',
    'nonsense',
    `{"id":8,"op":"describe","args":"${'x'.repeat(4 * 1024 * 1024)}"}`,
    '{"id":9,"op":"describe","args":{}}',
  ];
  child.stdin.end(`${lines.join('\n')}\n`);
  const replies = [];
  for await (const line of createInterface({ input: child.stdout })) replies.push(JSON.parse(line));
  const found = replies.map(({ id, ok, problem }) => [id, ok ? 'ok' : problem.reason]).sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1));
  assert.deepEqual(found, [
    [0, 'malformed'], [0, 'too-large'], [1, 'ok'], [2, 'unsupported'], [3, 'malformed'], [4, 'malformed'], [5, 'unknown-instance'],
    [6, 'unsupported'], [7, 'unsupported'], [9, 'ok'],
  ]);
});

test('HTTP: answers, and problems with their status', async () => {
  const child = start('--http', '127.0.0.1:0');
  const [line] = await once(createInterface({ input: child.stderr }), 'line');
  const base = line.slice(line.indexOf('http'));
  const post = async (op, body) => {
    const response = await fetch(`${base}/${op}`, { method: 'POST', body });
    return [response.status, response.headers.get('content-type'), (await response.json()).reason];
  };
  assert.deepEqual(await post('describe', '{}'), [200, 'application/json', undefined]);
  assert.deepEqual(await post('teleport', '{}'), [501, 'application/problem+json', 'unsupported']);
  assert.deepEqual(await post('describe', '<html>'), [400, 'application/problem+json', 'malformed']);
  assert.deepEqual(await post('connect', '{}'), [400, 'application/problem+json', 'malformed']);
  assert.deepEqual(await post('describe', Buffer.alloc(5 * 1024 * 1024)), [413, 'application/problem+json', 'too-large']);
  child.kill();
  await once(child, 'exit');
});

test('an unknown defect or option is a usage error', async () => {
  for (const args of [['--defect', 'made-up'], ['--loud'], ['--http', 'nowhere']]) {
    const [code] = await once(start(...args), 'exit');
    assert.equal(code, 2);
  }
});
