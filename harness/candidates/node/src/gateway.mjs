// Requests to the gateway of one instance: HTTP with kept-alive connections, and the retries that the contract asks for.
import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { Problem, REASONS } from './reasons.mjs';
import { LARGEST_BLOB } from './media.mjs';
import { defect } from './defects.mjs';

const MOST_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 50;
const LARGEST_BODY = 1024 * 1024;
const ANSWER_WITHIN_MS = 10_000;
const JSON_TYPE = 'application/json';
const OCTETS = 'application/octet-stream';

/** Whether the contract says to try again. */
export const isPassing = (error) => error instanceof Problem && (error.reason === 'busy' || error.reason === 'gateway-error');

/**
 * Tries `action` until it succeeds, fails for good, or has failed six times with `busy` or `gateway-error`. The pause doubles
 * each time, with a little chance; `error.retryAfterMs` is a lower bound. `stopped` ends it early.
 */
export async function withRetries(action, stopped = () => false) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (!isPassing(error) || stopped() || (error.brokenOff && defect('gives-up-broken-download'))) throw error;
      if (attempt === MOST_ATTEMPTS) throw new Problem('gateway-error', `${attempt} attempts: ${error.message}`);
      const growing = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (1 + Math.random() / 4);
      await pause(Math.max(growing, error.retryAfterMs ?? 0));
    }
  }
}

/** A problem as the gateway answered it; an answer that is none is a `gateway-error`. */
export function problemFrom(status, headers, body) {
  let answer = null;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch {
    // Not JSON: the status alone has to do.
  }
  const fallback = { 401: 'unauthorized', 403: 'not-enlisted', 413: 'too-large', 429: 'busy', 503: 'busy' }[status] ?? 'gateway-error';
  const reason = REASONS.includes(answer?.reason) ? answer.reason : fallback;
  const problem = new Problem(reason, typeof answer?.detail === 'string' ? answer.detail : `the gateway answered ${status}`);
  const seconds = Number(headers['retry-after']);
  if (Number.isFinite(seconds) && seconds > 0) problem.retryAfterMs = seconds * 1000;
  return problem;
}

export class Gateway {
  /** `trustAnchors`: certificates in PEM that are trusted there instead of the system's. */
  constructor(baseUrl, trustAnchors) {
    let base;
    try {
      base = new URL(baseUrl);
    } catch {
      throw new Problem('malformed', 'the gateway is not a URL');
    }
    if (base.protocol !== 'http:' && base.protocol !== 'https:') {
      throw new Problem('unsupported', `a gateway at ${base.protocol}: this candidate speaks HTTP`);
    }
    this.base = baseUrl;
    this.scheme = base.protocol === 'https:' ? https : http;
    this.agent = new this.scheme.Agent({ keepAlive: true, ca: trustAnchors });
    this.trustAnchors = trustAnchors;
  }

  /** Where the chat channel is. */
  get chatUrl() {
    return `${this.base.replace(/^http/, 'ws')}/chat`;
  }

  close() {
    this.agent.destroy();
  }

  /** Sends JSON, if any, and reads JSON. */
  async json(method, path, { token, json } = {}) {
    const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
    const answer = await this.#request(method, path, { token, body, type: JSON_TYPE, most: LARGEST_BODY });
    try {
      return JSON.parse(answer.toString('utf8'));
    } catch {
      throw new Problem('gateway-error', `${method} ${path}: the answer is not JSON`);
    }
  }

  async upload(token, blob) {
    const answer = await this.#request('PUT', '/media', { token, body: blob, type: OCTETS, most: LARGEST_BODY });
    try {
      return pathUnder('media', JSON.parse(answer.toString('utf8')).url);
    } catch {
      throw new Problem('gateway-error', 'the answer to an upload names no place');
    }
  }

  /** Fetches bytes from a path under `folder`: `media` or `files`. The path comes from outside and is checked. */
  async bytes(token, folder, path) {
    return this.#request('GET', pathUnder(folder, path), { token, most: LARGEST_BLOB });
  }

  #request(method, path, options) {
    return withRetries(() => this.#once(method, path, options));
  }

  #once(method, path, { token, body, type, most }) {
    const headers = { accept: '*/*' };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) Object.assign(headers, { 'content-type': type, 'content-length': body.length });
    return new Promise((resolve, reject) => {
      const failed = (error) => reject(error instanceof Problem ? error : new Problem('gateway-error', `${method} ${path}: ${error.message}`));
      const request = this.scheme.request(this.base + path, { method, headers, agent: this.agent }, (response) => {
        readBody(response, most).then((answer) => {
          if (response.statusCode >= 200 && response.statusCode < 300) resolve(answer);
          else reject(problemFrom(response.statusCode, response.headers, answer));
        }, (error) => failed(error instanceof Problem ? error : brokenOff(`${method} ${path}`, error)));
      });
      request.setTimeout(ANSWER_WITHIN_MS, () => request.destroy(new Error('no answer in time')));
      request.on('error', failed);
      request.end(body);
    });
  }
}

// A connection that breaks within an answer counts as `gateway-error`: the request is made again.
function brokenOff(what, error) {
  const problem = new Problem('gateway-error', `${what}: the answer broke off: ${error.message}`);
  problem.brokenOff = true;
  return problem;
}

function readBody(response, most) {
  return new Promise((resolve, reject) => {
    // A large answer says its length: parts that are put together at the end would be there twice.
    const stated = Number(response.headers['content-length'] ?? 0);
    let whole = Buffer.allocUnsafe(Math.min(Number.isSafeInteger(stated) && stated > 0 ? stated : 0, most));
    let length = 0;
    response.on('data', (part) => {
      if (length + part.length > most) {
        response.destroy(new Problem('too-large', `an answer of more than ${most} bytes`));
        return;
      }
      if (length + part.length > whole.length) whole = Buffer.concat([whole.subarray(0, length)], 2 * (length + part.length));
      part.copy(whole, length);
      length += part.length;
    });
    response.on('end', () => resolve(whole.subarray(0, length)));
    response.on('error', reject);
  });
}

// A path that a peer or the gateway named stays under its folder: a token must not travel elsewhere.
function pathUnder(folder, path) {
  const name = typeof path === 'string' && path.startsWith(`/${folder}/`) ? path.slice(folder.length + 2) : '';
  if (!/^[A-Za-z0-9._~-]+$/.test(name) || /^\.+$/.test(name)) throw new Problem('malformed', `not a path under /${folder}`);
  return path;
}
