import assert from 'node:assert/strict';
import test from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { dialOut } from '../src/carriers.mjs';
import { Candidate } from '../src/operations.mjs';
import { stack } from '../src/stack.mjs';

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

/** A run that waits for a candidate: what each connection is told, in order. */
async function waitingRun(t, ...connections) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  await once(server, 'listening');
  const asked = [];
  server.on('connection', (socket, request) => {
    asked.push(request.headers.authorization);
    connections[asked.length - 1]?.(socket);
  });
  return { url: `ws://127.0.0.1:${server.address().port}/dial`, asked };
}

const call = (id, op) => JSON.stringify({ id, op, args: {} });

test('dials out, answers calls in text frames, dials again when the connection breaks off, and ends with the run', async (t) => {
  const replies = [];
  const breaksOff = (socket) => {
    socket.on('message', (data) => {
      replies.push(JSON.parse(data));
      socket.terminate();
    });
    socket.send(call(1, 'teleport'));
  };
  const ends = (socket) => {
    socket.on('message', (data) => {
      replies.push(JSON.parse(data));
      socket.close(1000);
    });
    socket.send('no call');
  };
  const { url, asked } = await waitingRun(t, breaksOff, ends);
  await dialOut(new Candidate(stack), { url, key: 'the-key' });
  assert.deepEqual(asked, ['Bearer the-key', 'Bearer the-key']);
  assert.deepEqual(replies.map((reply) => [reply.id, reply.problem.reason]), [[1, 'unsupported'], [0, 'malformed']]);
});

test('a key that is refused is not tried again', async (t) => {
  const server = http.createServer();
  let asked = 0;
  server.on('upgrade', (_, socket) => {
    asked += 1;
    socket.end('HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 0\r\n\r\n');
  });
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `ws://127.0.0.1:${server.address().port}/dial`;
  await assert.rejects(dialOut(new Candidate(stack), { url, key: 'wrong-key' }), (error) => {
    assert.match(error.message, /the key was refused/);
    assert.doesNotMatch(error.message, /wrong-key/);
    return true;
  });
  assert.equal(asked, 1);
});
