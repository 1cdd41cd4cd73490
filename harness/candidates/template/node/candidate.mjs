#!/usr/bin/env node
// The upper tester of NAME OF YOUR MESSENGER: lines of JSON on standard input and output, or `--http HOST:PORT`.
// Standard output carries replies and nothing else; `console.error` speaks to people.
import http from 'node:http';
import { LONGEST_LINE, Problem, problemOf } from './contract.mjs';
import { Candidate } from './operations.mjs';

function parse(bytes) {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Problem('malformed', 'not JSON');
  }
}

// A request that is wrong elsewhere is still answered under its id; 0 is no request's.
async function answerLine(candidate, line) {
  let id = 0;
  try {
    const request = parse(line);
    if (Number.isSafeInteger(request?.id)) id = request.id;
    const members = Object.keys(request ?? {}).sort().join();
    if (members !== 'args,id,op' || typeof request.op !== 'string') throw new Problem('malformed', 'a request has the members id, op and args');
    return { id, ok: await candidate.call(request.op, request.args) };
  } catch (error) {
    return { id, problem: problemOf(error) };
  }
}

// Calls overlap: an `events` or `settle` that waits does not hold up the others.
async function serveLines(candidate, input, output) {
  let parts = [];
  let length = 0;
  for await (const chunk of input) {
    let rest = chunk;
    for (let at = rest.indexOf(10); at !== -1; at = rest.indexOf(10)) {
      const line = Buffer.concat([...parts, rest.subarray(0, at)]);
      rest = rest.subarray(at + 1);
      [parts, length] = [[], 0];
      if (line.length > 0) answerLine(candidate, line).then((reply) => output.write(`${JSON.stringify(reply)}\n`));
    }
    parts.push(rest);
    length += rest.length;
    if (length >= LONGEST_LINE) throw new Error(`a line of more than ${LONGEST_LINE} bytes`);
  }
}

async function answerRequest(candidate, request) {
  const parts = [];
  let length = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += part.length;
    if (length > LONGEST_LINE) throw new Problem('too-large', `a body of more than ${LONGEST_LINE} bytes`);
    parts.push(part);
  }
  if (request.method !== 'POST') throw new Problem('unsupported', 'operations are called with POST');
  return candidate.call(request.url.slice(1), parse(Buffer.concat(parts)));
}

function serveHttp(candidate, host, port) {
  const server = http.createServer({ headersTimeout: 10_000 }, async (request, response) => {
    const write = (status, type, value) => {
      const body = Buffer.from(JSON.stringify(value));
      response.writeHead(status, { 'content-type': type, 'content-length': body.length });
      response.end(body);
    };
    try {
      write(200, 'application/json', await answerRequest(candidate, request));
    } catch (error) {
      const problem = problemOf(error);
      // What is left of a body that is too large is not read.
      if (problem.reason === 'too-large') response.setHeader('connection', 'close');
      write(problem.status, 'application/problem+json', problem);
    }
  });
  server.listen(port, host, () => console.error(`listening on http://${host}:${server.address().port}`));
}

const [option, address, ...more] = process.argv.slice(2);
const place = /^(.+):(\d{1,5})$/.exec(address ?? '');
if (option === undefined) {
  await serveLines(new Candidate(), process.stdin, process.stdout);
  process.exit(0);
} else if (option === '--http' && place !== null && more.length === 0) {
  serveHttp(new Candidate(), place[1], Number(place[2]));
} else {
  console.error('usage: node candidate.mjs [--http HOST:PORT]');
  process.exit(2);
}
