// The chat channel of one user: a WebSocket, the stanzas that wait for the gateway's word, and coming back after a loss.
import { isPassing, problemFrom, withRetries } from './gateway.mjs';
import { defect } from './defects.mjs';
import { WebSocket } from './packages.mjs';
import { Problem, REASONS } from './reasons.mjs';
import * as shape from './shape.mjs';

const LARGEST_STANZA = 1024 * 1024;
const OPEN_WITHIN_MS = 8_000;

const problem = shape.object({
  reason: shape.oneOf(...REASONS),
  detail: shape.optional(shape.text),
  status: shape.optional(shape.whole(999)),
});

// What the gateway sends. Members of `message` and `receipt` beyond the id are checked when the stanza is processed, so that a
// stanza that is wrong inside is refused and acknowledged under its id.
const INCOMING = {
  message: { id: shape.uuid, from: asIs(), type: asIs(), body: asIs() },
  receipt: { id: shape.uuid, from: asIs(), type: asIs(), of: asIs(), count: asIs() },
  accepted: { id: shape.uuid },
  refused: { id: shape.uuid, problem },
  'keys-low': { id: shape.uuid, one_time_prekeys: shape.u32, one_time_kyber_prekeys: shape.u32 },
};

const readIncoming = shape.taggedByNewer(INCOMING);
const readStrictly = shape.tagged(INCOMING);

/** A stanza as the gateway delivers it, from elsewhere. */
export const readDelivered = (value) => {
  const stanza = readIncoming(value, 'stanza');
  if (isAnswer(stanza)) throw new Problem('malformed', 'an answer of the gateway is delivered to nobody');
  return stanza;
};

const isAnswer = (frame) => frame?.kind === 'accepted' || frame?.kind === 'refused';

function asIs() {
  return shape.optional((value) => value);
}

// Read as from a newer gateway. A delivered stanza that is still no stanza of the contract is refused under its id, if it has one;
// other frames are dropped.
function readFrame(text) {
  let frame = null;
  try {
    frame = JSON.parse(text);
    const stanza = readIncoming(frame, 'stanza');
    if (!isAnswer(stanza) && defect('stumbles-over-new-members')) return readStrictly(frame, 'stanza');
    return stanza;
  } catch (error) {
    if (error.reason === 'unsupported' && defect('drops-unknown-stanzas')) return null;
    console.error(`a frame of the gateway is not a stanza: ${error.message}`);
    return !isAnswer(frame) && shape.isUuid(frame?.id) ? { kind: 'unreadable', id: frame.id.toLowerCase(), reason: error.reason } : null;
  }
}

export class Chat {
  online = false;
  #socket = null;
  #token = null;
  // Stanzas on their way: those of the client itself survive a loss of the channel; those of an operation end with `disconnect`.
  #waiting = new Map();

  /** `delivered(stanza)` gets what arrives, in order; `left()` is called when the user is no longer online. */
  constructor(url, { trustAnchors, delivered, left }) {
    Object.assign(this, { url, trustAnchors, delivered, left });
  }

  /** Opens the channel, or does nothing if it is open. */
  async open(token) {
    if (this.online) return;
    this.#token = token;
    this.online = true;
    try {
      await withRetries(() => this.#dial(), () => !this.online);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Closes the channel. What the client itself has to say is said when the user is back. */
  async close() {
    const socket = this.#socket;
    this.#leave();
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    await new Promise((resolve) => {
      const late = setTimeout(() => socket.terminate(), 2_000);
      socket.once('close', () => {
        clearTimeout(late);
        resolve();
      });
      socket.close(1000);
    });
  }

  /** Sends a stanza; resolves when the gateway has accepted it. `lasting` ones are kept until then, across channels. */
  submit(stanza, lasting = false) {
    return new Promise((resolve, reject) => {
      if (!this.online && !lasting) {
        reject(new Problem('not-connected', 'the user is offline'));
        return;
      }
      this.#waiting.set(stanza.id, { stanza, lasting, resolve, reject, attempts: [] });
      this.#write(stanza);
    });
  }

  /** Says that a stanza is processed. False if it could not be said: the gateway will deliver the stanza again. */
  acknowledge(id) {
    return this.#write({ kind: 'ack', id });
  }

  /** What waits of the client's own. */
  unsent() {
    return [...this.#waiting.values()].filter(({ lasting }) => lasting).map(({ stanza }) => stanza);
  }

  /** Drops what waits: the user is gone. */
  forget() {
    for (const waiting of this.#waiting.values()) waiting.reject(new Problem('not-connected', 'the user is gone'));
    this.#waiting.clear();
  }

  #write(stanza) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(stanza));
    return true;
  }

  #dial() {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.url, {
        headers: { authorization: `Bearer ${this.#token}` },
        handshakeTimeout: OPEN_WITHIN_MS,
        maxPayload: LARGEST_STANZA,
        perMessageDeflate: false,
        followRedirects: false,
        ca: this.trustAnchors,
      });
      let opened = false;
      socket.on('open', () => {
        if (!this.online) {
          socket.close(1000);
          reject(new Problem('not-connected', 'the user went offline'));
          return;
        }
        opened = true;
        this.#socket = socket;
        for (const { stanza } of this.#waiting.values()) this.#write(stanza);
        resolve();
      });
      socket.on('unexpected-response', (request, response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => reject(problemFrom(response.statusCode, response.headers, Buffer.concat(parts))));
        response.on('error', (error) => reject(new Problem('gateway-error', error.message)));
      });
      socket.on('message', (data, isBinary) => this.#receive(socket, data, isBinary));
      socket.on('error', (error) => reject(new Problem('gateway-error', `chat channel: ${error.message}`)));
      socket.on('close', (code) => opened && this.#lost(socket, code));
    });
  }

  #receive(socket, data, isBinary) {
    if (socket !== this.#socket) return;
    const stanza = isBinary ? null : readFrame(data.toString('utf8'));
    if (stanza === null) return;
    if (stanza.kind === 'accepted') this.#settle(stanza.id, null);
    else if (stanza.kind === 'refused') this.#settle(stanza.id, new Problem(stanza.problem.reason, stanza.problem.detail));
    else this.delivered(stanza);
  }

  #settle(id, refusal) {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    if (refusal !== null && waiting.retry !== undefined) {
      waiting.retry.reject(refusal);
    } else if (refusal !== null && isPassing(refusal)) {
      this.#again(waiting, refusal);
    } else if (waiting.retry !== undefined) {
      waiting.retry.resolve();
    } else {
      this.#end(waiting, refusal);
    }
  }

  // The first attempt was refused with `busy` or `gateway-error`: the same stanza again, after growing pauses.
  async #again(waiting, refusal) {
    let first = refusal;
    try {
      await withRetries(() => {
        if (first !== null) {
          const error = first;
          first = null;
          throw error;
        }
        return new Promise((resolve, reject) => {
          waiting.retry = { resolve, reject };
          this.#write(waiting.stanza);
        });
      });
      this.#end(waiting, null);
    } catch (error) {
      this.#end(waiting, error);
    }
  }

  #end(waiting, refusal) {
    this.#waiting.delete(waiting.stanza.id);
    if (refusal === null) waiting.resolve();
    else waiting.reject(refusal);
  }

  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    if (!this.online) return;
    // A normal closure is the gateway's word; anything else was a loss, and the client comes back.
    if (code === 1000) {
      this.#leave();
      return;
    }
    withRetries(() => this.#dial(), () => !this.online).catch(() => this.#leave());
  }

  #leave() {
    if (!this.online) return;
    this.online = false;
    this.#socket = null;
    for (const waiting of [...this.#waiting.values()]) {
      if (!waiting.lasting) this.#end(waiting, new Problem('not-connected', 'the user went offline'));
    }
    this.left();
  }
}
