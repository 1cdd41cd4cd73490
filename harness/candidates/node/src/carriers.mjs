// The carriers of a candidate outside our process: lines on standard input and output, HTTP, and a WebSocket that it opens itself.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from './packages.mjs';
import { Problem, problemOf } from './reasons.mjs';
import * as shape from './shape.mjs';

const LONGEST_LINE = 4 * 1024 * 1024;
const HEADERS_WITHIN_MS = 10_000;
const OPEN_WITHIN_MS = 8_000;
const MOST_ATTEMPTS = 30;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
const RUN_IS_OVER = 1000;

const envelope = shape.object({ id: shape.u64, op: shape.text, args: (value) => value });

function parse(bytes) {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Problem('malformed', 'not JSON');
  }
}

async function answerLine(candidate, line) {
  let id = 0;
  try {
    const json = parse(line);
    // A request that is wrong elsewhere is still answered under its id; 0 is no request's.
    if (Number.isSafeInteger(json?.id) && json.id >= 0) id = json.id;
    const { op, args } = envelope(json, 'request');
    return { id, ok: await candidate.call(op, args) };
  } catch (error) {
    return { id, problem: problemOf(error) };
  }
}

/** Serves newline-delimited JSON until the input ends. Nothing but replies goes to `output`. */
export async function serveLines(candidate, input, output) {
  const reply = (value) => output.write(`${JSON.stringify(value)}\n`);
  const tooLong = () => reply({ id: 0, problem: new Problem('too-large', `a line of more than ${LONGEST_LINE} bytes`) });
  let parts = [];
  let length = 0;
  let skipping = false;
  for await (const chunk of input) {
    let rest = chunk;
    for (let at = rest.indexOf(10); at !== -1; at = rest.indexOf(10)) {
      const line = Buffer.concat([...parts, rest.subarray(0, at)]);
      rest = rest.subarray(at + 1);
      if (skipping || line.length >= LONGEST_LINE) {
        if (!skipping) tooLong();
      } else if (line.length > 0) {
        answerLine(candidate, line).then(reply);
      }
      [parts, length, skipping] = [[], 0, false];
    }
    if (rest.length === 0 || skipping) continue;
    parts.push(rest);
    length += rest.length;
    if (length >= LONGEST_LINE) {
      tooLong();
      [parts, length, skipping] = [[], 0, true];
    }
  }
}

async function readBody(request) {
  const parts = [];
  let length = 0;
  // The connection outlives a body that is too large, so that the answer arrives.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += part.length;
    if (length > LONGEST_LINE) throw new Problem('too-large', `a body of more than ${LONGEST_LINE} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function answerRequest(candidate, request) {
  const { pathname } = new URL(request.url, 'http://candidate');
  const body = await readBody(request);
  if (request.method !== 'POST') throw new Problem('unsupported', 'operations are called with POST');
  return candidate.call(pathname.slice(1), parse(body));
}

/** Serves `POST /{operation}`. Resolves to the server once it listens. */
export function serveHttp(candidate, host, port) {
  const server = http.createServer({ headersTimeout: HEADERS_WITHIN_MS }, async (request, response) => {
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
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

// One connection: resolves to its close code once it has ended, or to null if it never opened.
function serveConnection(candidate, url, key, ca) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` };
    const options = { headers, ca, handshakeTimeout: OPEN_WITHIN_MS, maxPayload: LONGEST_LINE, perMessageDeflate: false, followRedirects: false };
    const socket = new WebSocket(url, options);
    let opened = false;
    socket.on('open', () => {
      opened = true;
    });
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      if (response.statusCode === 401) reject(new Error(`${url}: the key was refused`));
      else resolve(null);
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      answerLine(candidate, data).then((reply) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(reply)));
    });
    // What follows an error is `close`, but for a handshake that failed.
    socket.on('error', () => opened || resolve(null));
    socket.on('close', (code) => resolve(opened ? code : null));
  });
}

/** Dials, serves calls, and dials again when the connection breaks off, until the other side says that the run is over. */
export async function dialOut(candidate, { url, key, ca }) {
  for (let failed = 0; failed < MOST_ATTEMPTS; ) {
    const code = await serveConnection(candidate, url, key, ca);
    if (code === RUN_IS_OVER) return;
    failed = code === null ? failed + 1 : 0;
    await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failed));
  }
  throw new Error(`${url} could not be reached`);
}
