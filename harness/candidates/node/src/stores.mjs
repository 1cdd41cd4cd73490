// What one client keeps: sessions, peers' identity keys, its own prekeys. The library works on a draft, so that a message that is
// refused in the end leaves nothing behind. Sessions are bytes or text as the library serialises them; keys are bytes.
import { copied } from './copied.mjs';
import { Identities } from './identities.mjs';
import { Problem } from './reasons.mjs';
import { defect } from './defects.mjs';

export class Stores {
  sessions = new Map();
  // By id: `{ id, public, private }`, of signed ones with `signature`, of Kyber ones `{ prekey, lastResort }`.
  prekeys = new Map();
  signedPrekeys = new Map();
  kyberPrekeys = new Map();
  // Uses of last-resort Kyber prekeys: Kyber id, signed prekey id and base key of the first message.
  lastResortUses = new Set();
  identities = new Identities();

  /** The same, with a life of its own. */
  copy() {
    const copy = new Stores();
    copy.put(this);
    return copy;
  }

  /** Becomes what `other` is. */
  put(other) {
    for (const name of ['sessions', 'prekeys', 'signedPrekeys', 'kyberPrekeys', 'lastResortUses']) this[name] = copied(other[name]);
    this.identities.put(other.identities);
  }

  /** `own`: the user's name and keys. */
  draft(own) {
    return new Draft(this, own);
  }
}

/** The library's view of the stores for one call, and what the call changed. `commit` makes the changes real. */
export class Draft {
  /** Id and kind of a prekey that the library asked for and that is not there. The library's own error does not tell. */
  missing = null;
  /** Whether a use of a last-resort prekey was refused since it is known. */
  reused = false;
  #sessions = new Map();
  #identities = new Map();
  #usedPrekeys = new Set();
  #usedKyberPrekeys = new Set();
  #lastResortUses = new Set();

  constructor(base, own) {
    this.base = base;
    this.own = own;
  }

  /** The serialised session with a peer, or `undefined`. */
  session(peer) {
    return this.#sessions.get(peer) ?? this.base.sessions.get(peer);
  }

  saveSession(peer, serialized) {
    this.#sessions.set(peer, serialized);
  }

  /** The newest known identity key of a peer, or `null`. */
  identity(peer) {
    return this.base.identities.current(peer);
  }

  /** What arrives is read under any key, and the user is told of a new one. Nothing is sent to it before the user has accepted. */
  trusts(peer, key, isSending) {
    return !isSending || this.base.identities.mayReceive(peer, key);
  }

  /** A peer's message was read, or a session set up, under this key. */
  saveIdentity(peer, key) {
    this.#identities.set(peer, Buffer.from(key));
  }

  prekey(id) {
    return this.#find('one-time prekey', this.base.prekeys, id);
  }

  signedPrekey(id) {
    return this.#find('signed prekey', this.base.signedPrekeys, id);
  }

  kyberPrekey(id) {
    return this.#find('Kyber prekey', this.base.kyberPrekeys, id).prekey;
  }

  #find(kind, map, id) {
    const found = map.get(id);
    if (found !== undefined) return found;
    this.missing = { kind, id };
    throw new Problem('unknown-prekey', `${kind} ${id}`);
  }

  usePrekey(id) {
    this.#usedPrekeys.add(id);
  }

  useKyberPrekey(id, signedPrekeyId, baseKey) {
    if (!this.base.kyberPrekeys.get(id)?.lastResort) {
      this.#usedKyberPrekeys.add(id);
      return;
    }
    const use = `${id} ${signedPrekeyId} ${Buffer.from(baseKey).toString('hex')}`;
    if (this.base.lastResortUses.has(use)) {
      this.reused = true;
      throw new Problem('duplicate', 'this use of a last-resort prekey is known');
    }
    this.#lastResortUses.add(use);
  }

  /** Makes the changes real. Answers the peers whose identity key proved to be another one than before. */
  commit() {
    for (const [peer, serialized] of this.#sessions) this.base.sessions.set(peer, serialized);
    for (const use of this.#lastResortUses) this.base.lastResortUses.add(use);
    if (!defect('keeps-used-one-time-prekey')) {
      for (const id of this.#usedPrekeys) this.base.prekeys.delete(id);
      for (const id of this.#usedKyberPrekeys) this.base.kyberPrekeys.delete(id);
    }
    return [...this.#identities].filter(([peer, key]) => this.base.identities.receivedUnder(peer, key)).map(([peer]) => peer);
  }
}
