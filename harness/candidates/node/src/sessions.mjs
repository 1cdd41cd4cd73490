// One user's end-to-end encryption: sessions with peers, on whatever library. What a library has to be is said at `official.mjs`.
import { checkEcKey, readBundle } from './bundles.mjs';
import { copied } from './copied.mjs';
import { defect } from './defects.mjs';
import { Problem } from './reasons.mjs';
import { namesOthers, readOutside } from './wire.mjs';

// A session that a peer has not answered for so long is not sent in any more. Some libraries see to it, some know no time.
const UNANSWERED_MS = 30 * 24 * 60 * 60 * 1000;

const hex = (bytes) => Buffer.from(bytes).toString('hex');

export class Sessions {
  #turn = Promise.resolve();
  // Ratchet keys that we sent under, and the highest counter read in each chain of a peer: to name the reason of a refusal.
  #sentUnder = new Set();
  #readUpTo = new Map();
  // When the session with each peer was set up from a bundle, last.
  #setUpAt = new Map();

  /** `fetchBundle(peer)` asks the gateway; `changed(peer)` is told of a new identity key, before anything follows. */
  constructor({ library, suite, user, keys, stores, clock, fetchBundle, changed }) {
    Object.assign(this, { library, suite, user, keys, stores, clock, fetchBundle, changed });
  }

  /** What is known beside the stores. */
  kept() {
    return copied({ sentUnder: this.#sentUnder, readUpTo: this.#readUpTo, setUpAt: this.#setUpAt });
  }

  /** Puts back what was `kept`. */
  put(kept) {
    const { sentUnder, readUpTo, setUpAt } = copied(kept);
    this.#sentUnder = sentUnder;
    this.#readUpTo = readUpTo;
    this.#setUpAt = setUpAt;
  }

  /** The same as lines of text. */
  lines() {
    const of = (map) => [...map].map((entry) => entry.join(' '));
    return [...this.#sentUnder, ...of(this.#readUpTo), ...of(this.#setUpAt)];
  }

  /** Runs `action` alone: no other call touches the sessions meanwhile. */
  alone(action) {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => {});
    return result;
  }

  #draft() {
    return this.stores.draft({ name: this.user, identity: this.keys.identity, registrationId: this.keys.registrationId });
  }

  #now() {
    return new Date(this.clock());
  }

  #hasSession(peer) {
    const serialized = this.stores.sessions.get(peer);
    return serialized !== undefined && this.library.hasSession(serialized, this.#now());
  }

  // Ends the current session for sending; messages that are under way in it can still be read.
  #archive(peer) {
    const serialized = this.stores.sessions.get(peer);
    if (serialized !== undefined) this.stores.sessions.set(peer, this.library.archived(serialized));
  }

  /** Fetches a bundle, checks it, and sets up a session from it. Answers the peer's identity key. Call it inside `alone`. */
  async establish(peer) {
    const bundle = readBundle(await this.fetchBundle(peer), peer, this.suite, this.library);
    if (this.stores.identities.published(peer, bundle.identity_key)) {
      this.#archive(peer);
      this.changed(peer);
    }
    this.stores.identities.requireAccepted(peer);
    if (defect('forgets-old-session-on-fetch')) this.stores.sessions.delete(peer);
    const draft = this.#draft();
    try {
      await this.library.process(draft, peer, bundle, this.#now());
    } catch (error) {
      const reason = this.library.reason(error);
      if (reason === undefined) throw error;
      // Form, order and signatures were checked above: what is left is an agreement that the library refuses.
      throw new Problem(reason ?? 'bad-key', error.message);
    }
    draft.commit();
    this.#setUpAt.set(peer, this.clock());
    return bundle.identity_key;
  }

  /** Encrypts under the current session, or a new one. Call it inside `alone`. */
  async encrypt(peer, plaintext) {
    this.stores.identities.requireAccepted(peer);
    if (!this.#hasSession(peer)) await this.establish(peer);
    try {
      return await this.#encrypt(peer, plaintext);
    } catch (error) {
      if (this.library.reason(error) !== 'untrusted-identity') throw error;
      // A late message made the session of a replaced identity key the current one again.
      this.#archive(peer);
      await this.establish(peer);
      return this.#encrypt(peer, plaintext);
    }
  }

  async #encrypt(peer, plaintext) {
    const draft = this.#draft();
    const { type, body } = await this.library.encrypt(draft, peer, plaintext, this.#now());
    // As long as it is a prekey message, the peer has not answered.
    if (type === 'prekey' && this.clock() - this.#setUpAt.get(peer) > UNANSWERED_MS) {
      await this.establish(peer);
      return this.#encrypt(peer, plaintext);
    }
    draft.commit();
    this.#sentUnder.add(hex(readOutside(type, body, this.suite.messageVersion).ratchetKey));
    return { type, body };
  }

  /** Decrypts a message from `peer`, or throws the reason why not; nothing changes then. Call it inside `alone`. */
  async decrypt(peer, type, received) {
    const body = defect('ignores-message-version') ? withVersion(received, this.suite.messageVersion) : received;
    const outside = readOutside(type, body, this.suite.messageVersion);
    this.#checkOutside(type, outside, peer);
    const draft = this.#draft();
    let plaintext;
    try {
      plaintext = await this.library.decrypt(draft, peer, type, body, outside);
    } catch (error) {
      throw this.#reasonOf(error, draft, outside, peer);
    }
    // Later libraries see to it themselves. What is inside is under the MAC: that is why it is looked at only now.
    if (namesOthers(outside, peer, this.user)) throw new Problem('wrong-recipient', 'the message names other parties');
    for (const changed of draft.commit()) this.changed(changed);
    const chain = `${peer} ${hex(outside.ratchetKey)}`;
    this.#readUpTo.set(chain, Math.max(outside.counter, this.#readUpTo.get(chain) ?? 0));
    return Buffer.from(plaintext);
  }

  #checkOutside(type, outside, peer) {
    if (type === 'prekey') {
      checkEcKey(outside.identityKey, 'identity key');
      checkEcKey(outside.baseKey, 'base key');
      if (outside.identityKey.equals(this.keys.identity.public)) throw new Problem('wrong-recipient', 'a message of our own');
    } else if (!this.stores.sessions.has(peer)) {
      throw new Problem('no-session', `no session with ${peer}`);
    }
    checkEcKey(outside.ratchetKey, 'ratchet key');
  }

  #reasonOf(error, draft, outside, peer) {
    const reason = this.library.reason(error);
    if (reason === undefined) return error;
    if (reason !== null) return new Problem(reason, error.message);
    if (namesOthers(outside, peer, this.user)) return new Problem('wrong-recipient', 'the message names other parties');
    if (draft.missing) return new Problem('unknown-prekey', `${draft.missing.kind} ${draft.missing.id}`);
    if (draft.reused) return new Problem('duplicate', 'this use of a last-resort prekey is known');
    if (this.#sentUnder.has(hex(outside.ratchetKey))) return new Problem('wrong-recipient', 'a message of our own');
    const read = this.#readUpTo.get(`${peer} ${hex(outside.ratchetKey)}`) ?? 0;
    if (outside.counter - read > this.library.farthestAhead) return new Problem('too-old', `counter ${outside.counter} after ${read}`);
    // What is left, for a message that is well-formed: a MAC that matches under none of the sessions.
    return new Problem('bad-mac', error.message);
  }

  safetyNumber(peer) {
    const identity = this.stores.identities.current(peer);
    if (identity === null) throw new Problem('no-session', `no identity of ${peer} is known`);
    return this.library.safetyNumber({ name: this.user, identity: this.keys.identity.public }, { name: peer, identity });
  }
}

// Only for the defect.
function withVersion(body, version) {
  const copy = Buffer.from(body);
  if (copy.length > 0 && copy[0] >> 4 !== version) copy[0] = version * 17;
  return copy;
}
