// One user's end-to-end encryption: sessions with peers, on the official library.
import {
  ErrorCode, Fingerprint, LibSignalErrorBase, PreKeySignalMessage, ProtocolAddress, SignalMessage,
  CiphertextMessageType, processPreKeyBundle, signalDecrypt, signalDecryptPreKey, signalEncrypt,
} from '@signalapp/libsignal-client';
import { DEVICE, checkEcKey, readBundle } from './keys.mjs';
import { defect } from './defects.mjs';
import { Problem } from './reasons.mjs';
import { namesOthers, readOutside } from './wire.mjs';

const SAFETY_NUMBER_ITERATIONS = 5200;
const SAFETY_NUMBER_VERSION = 2;
// How far ahead in a chain the library goes, and it says nothing but "decryption failed" beyond.
const FARTHEST_AHEAD = 25_000;

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const uuidBytes = (uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex');

export class Sessions {
  #turn = Promise.resolve();
  // Ratchet keys that we sent under, and the highest counter read in each chain of a peer: to name the reason of a refusal.
  #sentUnder = new Set();
  #readUpTo = new Map();

  /** `fetchBundle(peer)` asks the gateway; `changed(peer)` is told of a new identity key, before anything follows. */
  constructor({ user, keys, stores, clock, fetchBundle, changed }) {
    this.me = ProtocolAddress.new(user, DEVICE);
    Object.assign(this, { user, keys, stores, clock, fetchBundle, changed });
  }

  /** Runs `action` alone: no other call touches the sessions meanwhile. */
  alone(action) {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => {});
    return result;
  }

  #address(peer) {
    return ProtocolAddress.new(peer, DEVICE);
  }

  #now() {
    return new Date(this.clock());
  }

  /** Fetches a bundle, checks it, and sets up a session from it. Answers the peer's identity key. Call it inside `alone`. */
  async establish(peer) {
    const bundle = readBundle(await this.fetchBundle(peer), peer);
    if (this.stores.identities.published(peer, bundle.identity)) {
      this.stores.archiveSession(peer);
      this.changed(peer);
    }
    this.stores.identities.requireAccepted(peer);
    if (defect('forgets-old-session-on-fetch')) this.stores.sessions.delete(peer);
    const draft = this.stores.draft(this.keys);
    try {
      await processPreKeyBundle(bundle.forLibrary, this.#address(peer), this.me, draft.sessions, draft.identity, this.#now());
    } catch (error) {
      if (!(error instanceof LibSignalErrorBase)) throw error;
      if (error.is(ErrorCode.UntrustedIdentity)) throw new Problem('untrusted-identity', error.message);
      // Form, order and signatures were checked above: what is left is an agreement that the library refuses.
      throw new Problem('bad-key', error.message);
    }
    draft.commit();
    return bundle.identity;
  }

  /** Encrypts under the current session, or a new one. Call it inside `alone`. */
  async encrypt(peer, plaintext) {
    this.stores.identities.requireAccepted(peer);
    if (!this.stores.hasSession(peer, this.#now())) await this.establish(peer);
    try {
      return await this.#encrypt(peer, plaintext);
    } catch (error) {
      if (!LibSignalErrorBase.is(error, ErrorCode.UntrustedIdentity)) throw error;
      // A late message made the session of a replaced identity key the current one again.
      this.stores.archiveSession(peer);
      await this.establish(peer);
      return this.#encrypt(peer, plaintext);
    }
  }

  async #encrypt(peer, plaintext) {
    const draft = this.stores.draft(this.keys);
    const message = await signalEncrypt(plaintext, this.#address(peer), this.me, draft.sessions, draft.identity, this.#now());
    draft.commit();
    const type = message.type() === CiphertextMessageType.PreKey ? 'prekey' : 'normal';
    const body = Buffer.from(message.serialize());
    this.#sentUnder.add(hex(readOutside(type, body).ratchetKey));
    return { type, body };
  }

  /** Decrypts a message from `peer`, or throws the reason why not; nothing changes then. Call it inside `alone`. */
  async decrypt(peer, type, received) {
    const body = defect('ignores-message-version') ? withOwnVersion(received) : received;
    const outside = readOutside(type, body);
    this.#checkOutside(type, outside, peer);
    const draft = this.stores.draft(this.keys);
    let plaintext;
    try {
      plaintext = await this.#decryptBy(type, body, peer, draft);
    } catch (error) {
      throw this.#reasonOf(error, draft, outside, peer);
    }
    for (const changed of draft.commit()) this.changed(changed);
    const chain = `${peer} ${hex(outside.ratchetKey)}`;
    this.#readUpTo.set(chain, Math.max(outside.counter, this.#readUpTo.get(chain) ?? 0));
    return Buffer.from(plaintext);
  }

  #checkOutside(type, outside, peer) {
    if (type === 'prekey') {
      checkEcKey(outside.identityKey, 'identity key');
      checkEcKey(outside.baseKey, 'base key');
      if (outside.identityKey.equals(this.keys.identity.publicKey.serialize())) {
        throw new Problem('wrong-recipient', 'a message of our own');
      }
    } else if (!this.stores.sessions.has(peer)) {
      throw new Problem('no-session', `no session with ${peer}`);
    }
    checkEcKey(outside.ratchetKey, 'ratchet key');
  }

  #decryptBy(type, body, peer, draft) {
    const common = [this.#address(peer), this.me, draft.sessions, draft.identity];
    if (type === 'normal') return signalDecrypt(parsed(SignalMessage, body), ...common);
    return signalDecryptPreKey(parsed(PreKeySignalMessage, body), ...common, draft.prekeys, draft.signedPrekeys, draft.kyberPrekeys);
  }

  #reasonOf(error, draft, outside, peer) {
    if (!(error instanceof LibSignalErrorBase)) return error;
    if (error.is(ErrorCode.DuplicatedMessage)) return new Problem('duplicate', error.message);
    if (error.is(ErrorCode.UntrustedIdentity)) return new Problem('untrusted-identity', error.message);
    if (namesOthers(outside, peer, this.user)) return new Problem('wrong-recipient', 'the message names other parties');
    if (draft.missing) return new Problem('unknown-prekey', `${draft.missing.kind} ${draft.missing.id}`);
    if (draft.reused) return new Problem('duplicate', 'this use of a last-resort prekey is known');
    if (this.#sentUnder.has(hex(outside.ratchetKey))) return new Problem('wrong-recipient', 'a message of our own');
    const read = this.#readUpTo.get(`${peer} ${hex(outside.ratchetKey)}`) ?? 0;
    if (outside.counter - read > FARTHEST_AHEAD) return new Problem('too-old', `counter ${outside.counter} after ${read}`);
    // The library's answer is "decryption failed" under code `Generic`, for a MAC that matches under none of the sessions.
    return new Problem('bad-mac', error.message);
  }

  safetyNumber(peer) {
    const identity = this.stores.identities.current(peer);
    if (identity === null) throw new Problem('no-session', `no identity of ${peer} is known`);
    return Fingerprint.new(SAFETY_NUMBER_ITERATIONS, SAFETY_NUMBER_VERSION, uuidBytes(this.user), this.keys.identity.publicKey, uuidBytes(peer), identity)
      .displayableFingerprint()
      .toString();
  }
}

// Only for the defect.
function withOwnVersion(body) {
  const copy = Buffer.from(body);
  if (copy.length > 0 && copy[0] >> 4 !== 4) copy[0] = 0x44;
  return copy;
}

function parsed(type, body) {
  try {
    return type.deserialize(body);
  } catch (error) {
    throw new Problem('malformed', error.message);
  }
}
