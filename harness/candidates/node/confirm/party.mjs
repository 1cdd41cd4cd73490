// The library called directly, with plain in-memory stores and none of the adapter's guards.
import { randomUUID } from 'node:crypto';
import * as signal from '@signalapp/libsignal-client';

class Sessions extends signal.SessionStore {
  map = new Map();

  async saveSession(address, record) {
    this.map.set(address.toString(), record.serialize());
  }

  async getSession(address) {
    const bytes = this.map.get(address.toString());
    return bytes ? signal.SessionRecord.deserialize(bytes) : null;
  }
}

class Identities extends signal.IdentityKeyStore {
  key = signal.PrivateKey.generate();
  registrationId = 4711;
  map = new Map();

  async getIdentityKey() {
    return this.key;
  }

  async getLocalRegistrationId() {
    return this.registrationId;
  }

  async saveIdentity(address, key) {
    this.map.set(address.toString(), key);
    return signal.IdentityChange.NewOrUnchanged;
  }

  async isTrustedIdentity() {
    return true;
  }

  async getIdentity(address) {
    return this.map.get(address.toString()) ?? null;
  }
}

const found = (map, id) => map.get(id) ?? Promise.reject(new Error('no such prekey'));

export class Party {
  address = signal.ProtocolAddress.new(randomUUID(), 1);
  sessions = new Sessions();
  identity = new Identities();
  ec = signal.PrivateKey.generate();
  signed = signal.PrivateKey.generate();
  kyber = signal.KEMKeyPair.generate();
  /** Calls of the stores that change something, by name. */
  calls = [];
  prekeyMap = new Map([[1, signal.PreKeyRecord.new(1, this.ec.getPublicKey(), this.ec)]]);

  sign(bytes) {
    return this.identity.key.sign(bytes);
  }

  /** Our bundle, with any part replaced. */
  bundle(parts = {}) {
    const signed = parts.signed ?? this.signed.getPublicKey();
    const kyber = parts.kyber ?? this.kyber.getPublicKey();
    return signal.PreKeyBundle.new(
      parts.registrationId ?? this.identity.registrationId, 1, 1, parts.oneTime ?? this.ec.getPublicKey(),
      2, signed, this.sign(signed.serialize()), parts.identity ?? this.identity.key.getPublicKey(),
      3, kyber, this.sign(kyber.serialize()),
    );
  }

  process(bundle, peer) {
    return signal.processPreKeyBundle(bundle, peer.address, this.address, this.sessions, this.identity);
  }

  async encrypt(peer, text) {
    return Buffer.from((await signal.signalEncrypt(Buffer.from(text), peer.address, this.address, this.sessions, this.identity)).serialize());
  }

  async decrypt(peer, type, bytes) {
    const common = [peer.address, this.address, this.sessions, this.identity];
    const plain = type === 'normal'
      ? await signal.signalDecrypt(signal.SignalMessage.deserialize(bytes), ...common)
      : await signal.signalDecryptPreKey(signal.PreKeySignalMessage.deserialize(bytes), ...common, ...this.#prekeyStores());
    return Buffer.from(plain).toString();
  }

  #note(call) {
    this.calls.push(call);
  }

  #prekeyStores() {
    const signed = signal.SignedPreKeyRecord.new(2, 0, this.signed.getPublicKey(), this.signed, this.sign(this.signed.getPublicKey().serialize()));
    const kyber = signal.KyberPreKeyRecord.new(3, 0, this.kyber, this.sign(this.kyber.getPublicKey().serialize()));
    return [
      { getPreKey: async (id) => found(this.prekeyMap, id), removePreKey: async (id) => this.#note(`removePreKey ${id}`) },
      { getSignedPreKey: async (id) => found(new Map([[2, signed]]), id) },
      {
        getKyberPreKey: async (id) => found(new Map([[3, kyber]]), id),
        markKyberPreKeyUsed: async (id, signedId) => this.#note(`markKyberPreKeyUsed ${id} ${signedId}`),
      },
    ];
  }
}

/** Prints what a call came to: what it answered, or the error's code and text. */
export async function report(what, action) {
  let outcome;
  try {
    outcome = `accepted ${(await action()) ?? ''}`;
  } catch (error) {
    outcome = error.code === undefined ? String(error) : `refused, code ${signal.ErrorCode[error.code]}: ${error.message}`;
  }
  console.log(`${what.padEnd(64)} ${outcome}`);
}
