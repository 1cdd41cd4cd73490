// Parties on one version of the official library, called directly. The module of the library is an argument, since each version has a
// folder of its own; so is what differs between versions.
import { kyberRecordBytes } from '../src/kyber-record.mjs';

const DEVICE = 1;

/** The five stores over a party's records. Every identity key is trusted. */
function storesOver(signal, party) {
  const read = (type, name) => {
    const bytes = party.get(name);
    return bytes === undefined ? null : type.deserialize(bytes);
  };
  const prekey = (type, name) => read(type, name) ?? Promise.reject(new Error(`no record \`${name}\``));

  class Sessions extends signal.SessionStore {
    async saveSession(address, record) {
      party.set(`session ${address.name()}`, record.serialize());
    }

    async getSession(address) {
      return read(signal.SessionRecord, `session ${address.name()}`);
    }
  }

  class Identities extends signal.IdentityKeyStore {
    async getIdentityKey() {
      return signal.PrivateKey.deserialize(party.get('own identity'));
    }

    async getLocalRegistrationId() {
      return party.get('own registration').readUInt32BE(0);
    }

    async saveIdentity(address, key) {
      party.set(`identity ${address.name()}`, key.serialize());
      return signal.IdentityChange?.NewOrUnchanged ?? false;
    }

    async isTrustedIdentity() {
      return true;
    }

    async getIdentity(address) {
      return read(signal.PublicKey, `identity ${address.name()}`);
    }
  }

  class Prekeys extends signal.PreKeyStore {
    async getPreKey(id) {
      return prekey(signal.PreKeyRecord, `prekey ${id}`);
    }

    async removePreKey(id) {
      party.delete(`prekey ${id}`);
    }
  }

  class SignedPrekeys extends signal.SignedPreKeyStore {
    async getSignedPreKey(id) {
      return prekey(signal.SignedPreKeyRecord, `signed prekey ${id}`);
    }
  }

  class KyberPrekeys extends (signal.KyberPreKeyStore ?? Object) {
    async getKyberPreKey(id) {
      return prekey(signal.KyberPreKeyRecord, `Kyber prekey ${id}`);
    }

    async markKyberPreKeyUsed(id) {
      if (party.get(`last resort ${id}`) === undefined) party.delete(`Kyber prekey ${id}`);
    }
  }

  return { sessions: new Sessions(), identities: new Identities(), prekeys: new Prekeys(), signed: new SignedPrekeys(), kyber: new KyberPrekeys() };
}

/**
 * `signal`: the library. `kyber`: whether it knows Kyber prekeys; `own`: whether calls take the own address after the peer's.
 */
export function officialLibrary(signal, { version, profiles, kyber, own }) {
  const address = (name) => signal.ProtocolAddress.new(name, DEVICE);
  const parties = (party, peer) => (own ? [address(peer), address(party.name)] : [address(peer)]);
  const publicOf = (key) => signal.PrivateKey.deserialize(key).getPublicKey();

  // The same form as keys that are imported.
  function generate({ registrationId, kyber: withKyber, count }) {
    const identity = signal.PrivateKey.generate();
    const kyberPrekey = (id) => {
      const pair = signal.KEMKeyPair.generate();
      const publicKey = pair.getPublicKey().serialize();
      return { id, public: publicKey, private: pair.getSecretKey().serialize(), signature: identity.sign(publicKey) };
    };
    const some = (of) => Array.from({ length: count }, (_, i) => of(i + 1));
    const signed = signal.PrivateKey.generate();
    return {
      registration_id: registrationId,
      identity_private: identity.serialize(),
      signed_prekey: { id: 1, private: signed.serialize(), signature: identity.sign(signed.getPublicKey().serialize()) },
      kyber_prekey: withKyber ? kyberPrekey(count + 1) : undefined,
      one_time_prekeys: some((id) => ({ id, private: signal.PrivateKey.generate().serialize() })),
      one_time_kyber_prekeys: withKyber ? some(kyberPrekey) : [],
    };
  }

  function installKyber(party, prekey) {
    const record = signal.KyberPreKeyRecord.deserialize(kyberRecordBytes(prekey));
    party.set(`Kyber prekey ${prekey.id}`, record.serialize());
    return { id: prekey.id, key: record.publicKey().serialize(), signature: prekey.signature };
  }

  function install(party, keys) {
    const registration = Buffer.alloc(4);
    registration.writeUInt32BE(keys.registration_id);
    party.set('own registration', registration);
    party.set('own identity', keys.identity_private);
    const { id, private: secret, signature } = keys.signed_prekey;
    const signedPublic = publicOf(secret);
    const signed = signal.SignedPreKeyRecord.new(id, 0, signedPublic, signal.PrivateKey.deserialize(secret), signature);
    party.set(`signed prekey ${id}`, signed.serialize());
    const published = {
      registration_id: keys.registration_id,
      identity_key: publicOf(keys.identity_private).serialize(),
      signed_prekey: { id, key: signedPublic.serialize(), signature },
      one_time_prekeys: keys.one_time_prekeys.map((prekey) => {
        const key = publicOf(prekey.private);
        party.set(`prekey ${prekey.id}`, signal.PreKeyRecord.new(prekey.id, key, signal.PrivateKey.deserialize(prekey.private)).serialize());
        return { id: prekey.id, key: key.serialize() };
      }),
      one_time_kyber_prekeys: keys.one_time_kyber_prekeys.map((prekey) => installKyber(party, prekey)),
    };
    if (keys.kyber_prekey === undefined) return published;
    party.set(`last resort ${keys.kyber_prekey.id}`, []);
    return { ...published, kyber_prekey: installKyber(party, keys.kyber_prekey) };
  }

  async function process(party, peer, { registration_id, identity_key, signed_prekey, one_time_prekey, kyber_prekey }) {
    const ofKyber = kyber_prekey === undefined
      ? []
      : [kyber_prekey.id, signal.KEMPublicKey.deserialize(kyber_prekey.key), kyber_prekey.signature];
    const bundle = signal.PreKeyBundle.new(
      registration_id, DEVICE, one_time_prekey?.id ?? null, one_time_prekey ? signal.PublicKey.deserialize(one_time_prekey.key) : null,
      signed_prekey.id, signal.PublicKey.deserialize(signed_prekey.key), signed_prekey.signature,
      signal.PublicKey.deserialize(identity_key), ...(kyber ? ofKyber : []),
    );
    const stores = storesOver(signal, party);
    await signal.processPreKeyBundle(bundle, ...parties(party, peer), stores.sessions, stores.identities);
  }

  async function encrypt(party, peer, plaintext) {
    const stores = storesOver(signal, party);
    const message = await signal.signalEncrypt(plaintext, ...parties(party, peer), stores.sessions, stores.identities);
    return { type: message.type() === signal.CiphertextMessageType.PreKey ? 'prekey' : 'normal', body: message.serialize() };
  }

  function decrypt(party, peer, type, body) {
    const stores = storesOver(signal, party);
    const common = [...parties(party, peer), stores.sessions, stores.identities];
    if (type === 'normal') return signal.signalDecrypt(signal.SignalMessage.deserialize(body), ...common);
    const prekeys = [stores.prekeys, stores.signed, ...(kyber ? [stores.kyber] : [])];
    return signal.signalDecryptPreKey(signal.PreKeySignalMessage.deserialize(body), ...common, ...prekeys);
  }

  function archive(party, peer) {
    const bytes = party.get(`session ${peer}`);
    if (bytes === undefined) return;
    const record = signal.SessionRecord.deserialize(bytes);
    record.archiveCurrentState();
    party.set(`session ${peer}`, record.serialize());
  }

  const sign = (secret, message) => signal.PrivateKey.deserialize(secret).sign(message);
  const text = (error) => `${signal.ErrorCode[error.code] ?? error.name}: ${error.message}`;
  return { name: '@signalapp/libsignal-client', version, profiles, generate, sign, install, process, encrypt, decrypt, archive, text };
}
