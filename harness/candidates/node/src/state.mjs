// A user's state: kept and put back, copied for a thief, and written out. After the contract's module `state`.
import { randomUUID } from 'node:crypto';
import { readDelivered } from './chat.mjs';
import { Events } from './events.mjs';
import { Receiving } from './receiving.mjs';
import { Problem } from './reasons.mjs';
import { Sent } from './sent.mjs';
import { Sessions } from './sessions.mjs';
import { Talk } from './talk.mjs';
import * as shape from './shape.mjs';

// Most snapshots, and most copies, of one instance; longest export, all parts together.
const MOST_KEPT = 64;
const LARGEST_EXPORT = 2 * 1024 * 1024;

/** Snapshots or copies of an instance, by handle. */
export class Shelf {
  #things = new Map();

  constructor(kind) {
    this.kind = kind;
  }

  /** Answers the handle. */
  put(thing) {
    if (this.#things.size >= MOST_KEPT) throw new Problem('busy', `${MOST_KEPT} of kind \`${this.kind}\` are kept`);
    const handle = `${this.kind}-${randomUUID()}`;
    this.#things.set(handle, thing);
    return handle;
  }

  get(handle) {
    const thing = this.#things.get(handle);
    if (thing === undefined) throw new Problem('malformed', `there is no ${this.kind} \`${handle}\``);
    return thing;
  }
}

export const handle = (value, at) => {
  if (!/^[!-~]{1,128}$/.test(shape.text(value, at))) throw new Problem('malformed', `${at}: not a handle`);
  return value;
};

/** A detached copy of a user: it has the keys and no memory of what was shown, never connects, and what it would send is dropped. */
export class Copy {
  #events = new Events();
  #receiving;

  constructor({ name, clock, keys, sessions, talk }) {
    const events = this.#events;
    const ownTalk = new Talk(clock);
    ownTalk.blockAsIn(talk);
    const stores = keys.stores.copy();
    const ownSessions = new Sessions({
      library: sessions.library,
      suite: sessions.suite,
      user: name,
      keys,
      stores,
      clock,
      fetchBundle: () => { throw new Problem('not-connected', 'a copy never connects'); },
      changed: (peer) => events.notice('identity-changed', peer),
    });
    ownSessions.put(sessions.kept());
    this.#receiving = new Receiving({
      events,
      talk: ownTalk,
      sessions: ownSessions,
      sent: new Sent(),
      chat: { online: false, submit: async () => {}, acknowledge: () => true },
      refill: async () => {},
      resend: async () => {},
      download: () => { throw new Problem('media-missing', 'a copy fetches no file'); },
    });
  }

  /** Feeds one stanza to the copy. Answers what came of it, as events. */
  async feed(stanza) {
    const before = this.#events.count;
    this.#receiving.deliver(readDelivered(stanza));
    await this.#receiving.between(() => {});
    return this.#events.after(before, 0);
  }
}

const number = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

/** The stored bytes of a state, in parts. Keys stand as their bytes, one after another; sessions as the library serialises them. */
export function exported({ keys, sessions }) {
  const { stores } = keys;
  const pairs = (prekeys) => [...prekeys.values()].flatMap(({ id, public: open, private: secret, signature }) => [number(id), secret, open, signature ?? '']);
  const parts = [
    ['identity', [number(keys.registrationId), keys.identity.private, keys.identity.public]],
    ['one-time prekeys', pairs(stores.prekeys)],
    ['signed prekeys', pairs(stores.signedPrekeys)],
    ['Kyber prekeys', pairs(new Map([...stores.kyberPrekeys].map(([id, { prekey }]) => [id, prekey])))],
    ['uses of last-resort prekeys', [...stores.lastResortUses].map((use) => `${use}\n`)],
    ['identities of peers', stores.identities.lines().map((line) => `${line}\n`)],
    ['chains', sessions.lines().map((line) => `${line}\n`)],
    ...[...stores.sessions].map(([peer, serialized]) => [`session ${peer}`, [serialized]]),
  ].map(([name, pieces]) => ({ name, bytes: Buffer.concat(pieces.map((piece) => Buffer.from(piece))) }));
  const length = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (length > LARGEST_EXPORT) throw new Problem('too-large', `a state of ${length} bytes`);
  return parts.map(({ name, bytes }) => ({ name, bytes: bytes.toString('base64url') }));
}
