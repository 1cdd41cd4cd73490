// Here your Signal library takes over: one object for each user, and nothing else of this skeleton knows about keys.
//
// All bytes are as they go on the wire: EC keys 33 bytes (0x05 first), Kyber keys 1569 (0x08 first), signatures 64 (XEdDSA by the
// identity key over all bytes of the key). Both addresses of a session are the user's UUID and device 1. Refuse with a `Problem`
// and the contract's reason, and change nothing then. Every method may be asynchronous; calls for one user never overlap.
import { Problem } from './contract.mjs';

function missing(what) {
  return new Problem('unsupported', `${what}: here your Signal library, in signal-library.mjs`);
}

export class Signal {
  /**
   * `clock()` is the instance's time in milliseconds: give it to the library wherever that asks for the time. Call
   * `identityChanged(peer)` when a peer's identity key is another one than before, before you do anything else.
   */
  constructor(user, clock, identityChanged) {
    throw missing('no user without an identity key pair and a registration id (1 to 16380)');
  }

  // Step 1: own keys. Ids are unique among keys of one kind, and never used again.

  /** The public identity key. */
  identityKey() {
    throw missing('identity key');
  }

  registrationId() {
    throw missing('registration id');
  }

  /** `{ id, key, signature }`. Earlier ones stay usable for messages that are under way. */
  newSignedPrekey() {
    throw missing('signed prekey');
  }

  /**
   * `{ id, key, signature }`. A one-time one is deleted when it was used. A last-resort one stays, and the same use of it again
   * (same signed prekey, same base key) is `duplicate`.
   */
  newKyberPrekey(lastResort) {
    throw missing('Kyber prekey');
  }

  /** `{ id, key }`. It is deleted when it was used. */
  newOneTimePrekey() {
    throw missing('one-time prekey');
  }

  // Step 1: sessions.

  /** Whether there is a current session to send in. */
  hasSession(peer) {
    throw missing('sessions');
  }

  /**
   * Checks a bundle (a `KeyBundle` of contract/gateway.json, its bytes decoded already) and sets up a session from it, even if there
   * is one. Answers the peer's identity key. `bad-signature`; `bad-key` for a key of wrong type or length, all zero or of low
   * order; `malformed` for a registration id out of range; `untrusted-identity`, after `identityChanged`, for an identity key that
   * the user has not accepted. The first one is accepted as it comes.
   */
  establish(peer, bundle) {
    throw missing('sessions from a bundle');
  }

  /** `{ type: 'prekey' or 'normal', body }`; `untrusted-identity` while a changed key is not accepted. */
  encrypt(peer, plaintext) {
    throw missing('encryption');
  }

  /**
   * The plaintext; a message under a new identity key is read, after `identityChanged`. Else one of `malformed`, `bad-version`,
   * `bad-mac`, `no-session`, `unknown-prekey`, `duplicate`, `too-old`, `bad-key`, `wrong-recipient`.
   */
  decrypt(peer, type, body) {
    throw missing('decryption');
  }

  // Step 3.

  /**
   * 60 digits: displayable fingerprint, version 2, 5200 iterations, identifiers: the 16 bytes of the users' UUIDs. `no-session` if
   * the peer's identity key is not known yet.
   */
  safetyNumber(peer) {
    throw missing('safety number');
  }

  /** The user accepts the peer's newest identity key. */
  acceptIdentity(peer) {
    throw missing('accepting an identity key');
  }
}
