// Peers' identity keys: the newest known one, those before it, and the one that the user accepts.
import { Problem } from './reasons.mjs';
import { copied } from './copied.mjs';
import { defect } from './defects.mjs';

// Keys are bytes.
const hex = (key) => key.toString('hex');

export class Identities {
  #peers = new Map();

  /** Becomes what `other` is. */
  put(other) {
    this.#peers = copied(other.#peers);
  }

  /** All of it, a line for each peer: newest key, accepted key, and those before. */
  lines() {
    return [...this.#peers].map(([peer, { current, accepted, earlier }]) => [peer, hex(current), accepted, ...earlier].join(' '));
  }

  /** The newest known identity key of a peer, or `null`. */
  current(peer) {
    return this.#peers.get(peer)?.current ?? null;
  }

  /** Whether anything may be sent to this key of a peer. A first key is accepted as it comes. */
  mayReceive(peer, key) {
    const known = this.#peers.get(peer);
    return known === undefined || hex(key) === known.accepted;
  }

  /** Throws `untrusted-identity` while a changed key waits for the user. */
  requireAccepted(peer) {
    const known = this.#peers.get(peer);
    if (known !== undefined && hex(known.current) !== known.accepted) {
      throw new Problem('untrusted-identity', `the identity key of ${peer} changed and is not accepted`);
    }
  }

  /** The user accepts the newest key. */
  accept(peer) {
    const known = this.#peers.get(peer);
    if (known === undefined) throw new Problem('no-session', `no identity of ${peer} is known`);
    known.accepted = hex(known.current);
  }

  /** The gateway's directory says that this is the peer's key now. True if it is another one than before. */
  published(peer, key) {
    return this.#observe(peer, key);
  }

  /**
   * A message arrived under this key. A key that was replaced before stays replaced: a late message does not bring it back.
   * True if it is a new key.
   */
  receivedUnder(peer, key) {
    if (this.#peers.get(peer)?.earlier.has(hex(key))) return false;
    return this.#observe(peer, key);
  }

  #observe(peer, key) {
    const known = this.#peers.get(peer);
    if (known === undefined) {
      this.#peers.set(peer, { current: key, accepted: hex(key), earlier: new Set() });
      return false;
    }
    if (known.current.equals(key)) return false;
    known.earlier.add(hex(known.current));
    known.earlier.delete(hex(key));
    known.current = key;
    if (!defect('silent-identity-change')) return true;
    known.accepted = hex(key);
    return false;
  }
}
