// The library's half of a candidate, on the official library. Its module is an argument, since each version has a folder of its own.
//
// What a library has to be for the rest of a candidate. Keys are bytes, public EC ones with their type byte; a `draft` is the library's
// view of the stores (`stores.mjs`); sessions are stored as the library serialises them.
//   generateEc() -> { private, public }       publicOf(private)        generateKyber() -> { private, public }
//   sign(private, message)                    verify(public, message, signature)
//   process(draft, peer, bundle, now)         encrypt(draft, peer, plaintext, now) -> { type, body }
//   decrypt(draft, peer, type, body, outside) -> plaintext
//   hasSession(session, now)                  archived(session) -> session
//   safetyNumber(own, peer), of { name, identity } each
//   reason(error): `undefined` if it is not the library's, a reason that the error alone gives, or else `null`
//   farthestAhead: how far ahead in a chain the library goes
import { kyberRecordBytes } from './kyber-record.mjs';
import { Problem } from './reasons.mjs';

export const DEVICE = 1;
const SAFETY_NUMBER_ITERATIONS = 5200;
const SAFETY_NUMBER_VERSION = 2;
// It says nothing but "decryption failed" beyond.
const FARTHEST_AHEAD = 25_000;

const uuidBytes = (uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex');

/** The stores that the library asks for, over a draft. `outside` is that of a message that arrives. */
function storesOver(signal, draft, outside) {
  class Sessions extends signal.SessionStore {
    async saveSession(address, record) {
      draft.saveSession(address.name(), record.serialize());
    }

    async getSession(address) {
      const bytes = draft.session(address.name());
      return bytes === undefined ? null : signal.SessionRecord.deserialize(bytes);
    }

    async getExistingSessions(addresses) {
      return Promise.all(addresses.map((address) => this.getSession(address)));
    }
  }

  class Identities extends signal.IdentityKeyStore {
    async getIdentityKey() {
      return signal.PrivateKey.deserialize(draft.own.identity.private);
    }

    async getLocalRegistrationId() {
      return draft.own.registrationId;
    }

    async saveIdentity(address, key) {
      const bytes = Buffer.from(key.serialize());
      const known = draft.identity(address.name());
      draft.saveIdentity(address.name(), bytes);
      const replaced = known !== null && !known.equals(bytes);
      // Versions before 0.70 ask for a flag.
      if (signal.IdentityChange === undefined) return replaced;
      return replaced ? signal.IdentityChange.ReplacedExisting : signal.IdentityChange.NewOrUnchanged;
    }

    async isTrustedIdentity(address, key, direction) {
      return draft.trusts(address.name(), Buffer.from(key.serialize()), direction === signal.Direction.Sending);
    }

    async getIdentity(address) {
      const known = draft.identity(address.name());
      return known === null ? null : signal.PublicKey.deserialize(known);
    }
  }

  const ecPair = (prekey) => [signal.PublicKey.deserialize(prekey.public), signal.PrivateKey.deserialize(prekey.private)];

  class Prekeys extends signal.PreKeyStore {
    async getPreKey(id) {
      return signal.PreKeyRecord.new(id, ...ecPair(draft.prekey(id)));
    }

    async removePreKey(id) {
      draft.usePrekey(id);
    }
  }

  class SignedPrekeys extends signal.SignedPreKeyStore {
    async getSignedPreKey(id) {
      const prekey = draft.signedPrekey(id);
      return signal.SignedPreKeyRecord.new(id, 0, ...ecPair(prekey), prekey.signature);
    }
  }

  class KyberPrekeys extends (signal.KyberPreKeyStore ?? Object) {
    async getKyberPreKey(id) {
      return signal.KyberPreKeyRecord.deserialize(kyberRecordBytes(draft.kyberPrekey(id)));
    }

    // Versions before 0.80 name the id alone; the message has the rest.
    async markKyberPreKeyUsed(id, signedPrekeyId = outside.signedPrekeyId, baseKey = undefined) {
      draft.useKyberPrekey(id, signedPrekeyId, baseKey?.serialize() ?? outside.baseKey);
    }
  }

  return { sessions: new Sessions(), identities: new Identities(), prekeys: new Prekeys(), signed: new SignedPrekeys(), kyber: new KyberPrekeys() };
}

/** `signal`: the library. `kyber`: whether it knows Kyber prekeys. `own`: whether calls take the own address after the peer's. */
export function official(signal, { kyber, own }) {
  const address = (name) => signal.ProtocolAddress.new(name, DEVICE);
  const parties = (draft, peer) => (own ? [address(peer), address(draft.own.name)] : [address(peer)]);
  const pairOf = (privateKey) => ({ private: Buffer.from(privateKey.serialize()), public: Buffer.from(privateKey.getPublicKey().serialize()) });

  function parsed(type, body) {
    try {
      return type.deserialize(body);
    } catch (error) {
      throw new Problem('malformed', error.message);
    }
  }

  function bundleFor({ registration_id, identity_key, one_time_prekey, signed_prekey, kyber_prekey }) {
    const ofKyber = kyber_prekey ? [kyber_prekey.id, signal.KEMPublicKey.deserialize(kyber_prekey.key), kyber_prekey.signature] : [];
    return signal.PreKeyBundle.new(
      registration_id, DEVICE, one_time_prekey?.id ?? null, one_time_prekey ? signal.PublicKey.deserialize(one_time_prekey.key) : null,
      signed_prekey.id, signal.PublicKey.deserialize(signed_prekey.key), signed_prekey.signature,
      signal.PublicKey.deserialize(identity_key), ...ofKyber,
    );
  }

  return {
    farthestAhead: FARTHEST_AHEAD,
    generateEc: () => pairOf(signal.PrivateKey.generate()),
    publicOf: (secret) => pairOf(signal.PrivateKey.deserialize(secret)).public,
    generateKyber() {
      const pair = signal.KEMKeyPair.generate();
      return { private: Buffer.from(pair.getSecretKey().serialize()), public: Buffer.from(pair.getPublicKey().serialize()) };
    },
    sign: (secret, message) => Buffer.from(signal.PrivateKey.deserialize(secret).sign(message)),
    verify: (key, message, signature) => signal.PublicKey.deserialize(key).verify(message, signature),

    async process(draft, peer, bundle, now) {
      const stores = storesOver(signal, draft);
      await signal.processPreKeyBundle(bundleFor(bundle), ...parties(draft, peer), stores.sessions, stores.identities, now);
    },

    async encrypt(draft, peer, plaintext, now) {
      const stores = storesOver(signal, draft);
      const message = await signal.signalEncrypt(plaintext, ...parties(draft, peer), stores.sessions, stores.identities, now);
      return { type: message.type() === signal.CiphertextMessageType.PreKey ? 'prekey' : 'normal', body: Buffer.from(message.serialize()) };
    },

    decrypt(draft, peer, type, body, outside) {
      const stores = storesOver(signal, draft, outside);
      const common = [...parties(draft, peer), stores.sessions, stores.identities];
      if (type === 'normal') return signal.signalDecrypt(parsed(signal.SignalMessage, body), ...common);
      const prekeys = [stores.prekeys, stores.signed, ...(kyber ? [stores.kyber] : [])];
      return signal.signalDecryptPreKey(parsed(signal.PreKeySignalMessage, body), ...common, ...prekeys);
    },

    hasSession: (serialized, now) => signal.SessionRecord.deserialize(serialized).hasCurrentState(now),

    archived(serialized) {
      const record = signal.SessionRecord.deserialize(serialized);
      record.archiveCurrentState();
      return record.serialize();
    },

    safetyNumber: (mine, theirs) => signal.Fingerprint.new(
      SAFETY_NUMBER_ITERATIONS, SAFETY_NUMBER_VERSION, uuidBytes(mine.name), signal.PublicKey.deserialize(mine.identity),
      uuidBytes(theirs.name), signal.PublicKey.deserialize(theirs.identity),
    ).displayableFingerprint().toString(),

    // Most refusals share the code `Generic`: those are told apart by what the adapter saw.
    reason(error) {
      if (!(error instanceof signal.LibSignalErrorBase)) return undefined;
      if (error.code === signal.ErrorCode.DuplicatedMessage) return 'duplicate';
      return error.code === signal.ErrorCode.UntrustedIdentity ? 'untrusted-identity' : null;
    },
  };
}
