// How the client talks to the gateway: requests with the retries of the contract, and a WebSocket. Use those of your own client
// where it has them.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { Problem, REASONS } from './contract.mjs';

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 50;
const LARGEST_BODY = 1024 * 1024;
const LARGEST_BLOB = 80 * 1024 * 1024;
const FALLBACK = { 401: 'unauthorized', 413: 'too-large', 429: 'busy', 503: 'busy' };

/** Tries again what failed with `busy` or `gateway-error`, after pauses that grow, six times in all. */
export async function withRetries(action) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Problem) || !['busy', 'gateway-error'].includes(error.reason)) throw error;
      if (attempt === ATTEMPTS) throw new Problem('gateway-error', `${attempt} attempts: ${error.message}`);
      const growing = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (1 + Math.random() / 4);
      await pause(Math.max(growing, error.retryAfterMs ?? 0));
    }
  }
}

/** The gateway of one instance, at the base URL that `open` gave. */
export class Gateway {
  constructor(base) {
    const scheme = { 'http:': http, 'https:': https }[URL.canParse(base) ? new URL(base).protocol : ''];
    if (scheme === undefined) throw new Problem('unsupported', 'a gateway that is not at http: or https:');
    Object.assign(this, { base, scheme, agent: new scheme.Agent({ keepAlive: true }) });
  }

  end() {
    this.agent.destroy();
  }

  async json(method, path, token, body) {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return JSON.parse((await this.bytes(method, path, token, bytes, 'application/json', LARGEST_BODY)).toString('utf8'));
  }

  bytes(method, path, token, body, type = 'application/octet-stream', most = LARGEST_BLOB) {
    return withRetries(() => this.#once(method, path, token, body, type, most));
  }

  /** Bytes from a path under `/media` or `/files`. A peer named it: the token must not travel elsewhere. */
  async download(folder, path, token) {
    if (!new RegExp(`^/${folder}/[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`).test(path ?? '')) throw new Problem('malformed', `not a path under /${folder}`);
    return this.bytes('GET', path, token);
  }

  #once(method, path, token, body, type, most) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    if (body !== undefined) Object.assign(headers, { 'content-type': type, 'content-length': body.length });
    return new Promise((resolve, reject) => {
      const failed = (error) => reject(error instanceof Problem ? error : new Problem('gateway-error', `${method} ${path}: ${error.message}`));
      const request = this.scheme.request(this.base + path, { method, headers, agent: this.agent }, (response) => {
        readAll(response, most).then((answer) => {
          if (response.statusCode >= 200 && response.statusCode < 300) resolve(answer);
          else reject(problemFrom(response, answer));
        }, failed);
      });
      request.setTimeout(10_000, () => request.destroy(new Error('no answer in time')));
      request.on('error', failed);
      request.end(body);
    });
  }

  /** Opens the chat channel: `received(text)` gets what arrives, `ended(inOrder)` is called once at the end. */
  chat(token, received, ended) {
    return withRetries(() => this.#dial(token, received, ended));
  }

  #dial(token, received, ended) {
    const headers = {
      authorization: `Bearer ${token}`, connection: 'Upgrade', upgrade: 'websocket',
      'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'),
    };
    return new Promise((resolve, reject) => {
      const failed = (error) => reject(new Problem('gateway-error', `chat channel: ${error.message}`));
      const request = this.scheme.request(`${this.base}/chat`, { headers, agent: false });
      request.setTimeout(8_000, () => request.destroy(new Error('no answer in time')));
      request.on('error', failed);
      request.on('response', (response) => {
        readAll(response, LARGEST_BODY).then((answer) => reject(problemFrom(response, answer)), failed);
      });
      request.on('upgrade', (_, socket, head) => {
        socket.setTimeout(0);
        resolve(new WebSocket(socket, head, received, ended));
      });
      request.end();
    });
  }
}

async function readAll(response, most) {
  const parts = [];
  let length = 0;
  for await (const part of response) {
    length += part.length;
    if (length > most) throw new Problem('too-large', `an answer of more than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

// The problem as the gateway answered it; an answer that is none is judged by its status.
function problemFrom({ statusCode, headers }, body) {
  let answer = null;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch {
    // The status has to do.
  }
  const reason = REASONS.includes(answer?.reason) ? answer.reason : (FALLBACK[statusCode] ?? 'gateway-error');
  const problem = new Problem(reason, typeof answer?.detail === 'string' ? answer.detail : `the gateway answered ${statusCode}`);
  problem.retryAfterMs = 1000 * (Number(headers['retry-after']) || 0);
  return problem;
}

/** The client's half of RFC 6455, as far as text frames need it. The package `ws` does it as well. */
class WebSocket {
  #bytes = Buffer.alloc(0);
  #text = [];
  #inOrder = false;

  constructor(socket, head, received, ended) {
    Object.assign(this, { socket, received });
    this.end = new Promise((resolve) => {
      socket.on('close', () => {
        resolve();
        ended(this, this.#inOrder);
      });
    });
    socket.on('error', () => {});
    socket.on('data', (data) => this.#take(data));
    // The first frames may have come with the answer; whoever dialled knows of this channel before they are read.
    if (head.length > 0) setImmediate(() => this.#take(Buffer.alloc(0)));
    this.#bytes = head;
  }

  send(text) {
    this.#frame(1, Buffer.from(text));
  }

  /** Says goodbye, and waits until the gateway has answered. */
  async close() {
    this.#frame(8, Buffer.from([0x03, 0xe8]));
    const late = setTimeout(() => this.socket.destroy(), 2_000);
    await this.end;
    clearTimeout(late);
  }

  #frame(opcode, data) {
    const mask = randomBytes(4);
    const masked = Buffer.from(data);
    for (let i = 0; i < masked.length; i += 1) masked[i] = data[i] ^ mask[i % 4];
    const head = Buffer.alloc(data.length < 126 ? 2 : data.length < 65536 ? 4 : 10);
    head[0] = 0x80 | opcode;
    head[1] = 0x80 | (head.length === 2 ? data.length : head.length === 4 ? 126 : 127);
    if (head.length === 4) head.writeUInt16BE(data.length, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(data.length), 2);
    this.socket.write(Buffer.concat([head, mask, masked]));
  }

  #take(data) {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    for (;;) {
      const bytes = this.#bytes;
      if (bytes.length < 2) return;
      const short = bytes[1] & 0x7f;
      const begin = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < begin) return;
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (length > LARGEST_BODY) this.socket.destroy();
      if (bytes.length < begin + length) return;
      this.#bytes = bytes.subarray(begin + length);
      this.#handle(bytes[0], bytes.subarray(begin, begin + length));
    }
  }

  #handle(head, data) {
    const opcode = head & 0x0f;
    if (opcode === 8) {
      this.#inOrder = data.length >= 2 && data.readUInt16BE(0) === 1000;
      this.#frame(8, data.subarray(0, 2));
      this.socket.end();
    } else if (opcode === 9) {
      this.#frame(10, data);
    } else if (opcode <= 1) {
      this.#text.push(Buffer.from(data));
      if (head & 0x80) this.received(Buffer.concat(this.#text.splice(0)).toString('utf8'));
    }
  }
}
