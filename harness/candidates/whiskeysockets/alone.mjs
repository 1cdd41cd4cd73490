// WhiskeySockets' library 6.0.0 alone, for `party.mjs` and `confirm/`.
import signal from 'libsignal';

const DEVICE = 1;

// The library prints sessions, private keys included, to both standard streams. Why it could not read a message in a session, it only
// prints: those lines are kept until the next call.
for (const level of ['log', 'info', 'warn']) console[level] = () => {};
let causes = [];
console.error = (line) => {
  if (String(line).startsWith('Session error:')) causes.push(String(line).slice('Session error:'.length));
};

const json = (value) => Buffer.from(JSON.stringify(value));
const pair = (privKey) => ({ privKey, pubKey: signal.curve.getPublicFromPrivateKey(privKey) });
const address = (name) => new signal.ProtocolAddress(name, DEVICE);

function storage(party) {
  const prekey = (name) => {
    const bytes = party.get(name);
    return bytes === undefined ? undefined : pair(bytes);
  };
  return {
    loadSession: async (of) => {
      const bytes = party.get(`session ${of}`);
      return bytes === undefined ? undefined : signal.SessionRecord.deserialize(JSON.parse(bytes.toString()));
    },
    storeSession: async (of, record) => party.set(`session ${of}`, json(record.serialize())),
    isTrustedIdentity: async () => true,
    loadPreKey: async (id) => prekey(`prekey ${id}`),
    removePreKey: async (id) => party.delete(`prekey ${id}`),
    loadSignedPreKey: async (id) => prekey(`signed prekey ${id}`),
    getOurRegistrationId: async () => party.get('own registration').readUInt32BE(0),
    getOurIdentity: async () => pair(party.get('own identity')),
  };
}

export const library = {
  name: 'libsignal (WhiskeySockets)',
  version: '6.0.0',
  profiles: ['v3'],

  generate({ registrationId, count }) {
    const identity = signal.keyhelper.generateIdentityKeyPair();
    const { keyId: id, keyPair, signature } = signal.keyhelper.generateSignedPreKey(identity, 1);
    return {
      registration_id: registrationId,
      identity_private: identity.privKey,
      signed_prekey: { id, private: keyPair.privKey, signature },
      one_time_prekeys: Array.from({ length: count }, (_, i) => ({ id: i + 1, private: signal.keyhelper.generatePreKey(i + 1).keyPair.privKey })),
      one_time_kyber_prekeys: [],
    };
  },

  sign: (secret, message) => signal.curve.calculateSignature(secret, message),

  install(party, keys) {
    const registration = Buffer.alloc(4);
    registration.writeUInt32BE(keys.registration_id);
    party.set('own registration', registration);
    party.set('own identity', keys.identity_private);
    const { id, private: secret, signature } = keys.signed_prekey;
    party.set(`signed prekey ${id}`, secret);
    return {
      registration_id: keys.registration_id,
      identity_key: pair(keys.identity_private).pubKey,
      signed_prekey: { id, key: pair(secret).pubKey, signature },
      one_time_prekeys: keys.one_time_prekeys.map((prekey) => {
        party.set(`prekey ${prekey.id}`, prekey.private);
        return { id: prekey.id, key: pair(prekey.private).pubKey };
      }),
      one_time_kyber_prekeys: [],
    };
  },

  process(party, peer, { registration_id, identity_key, signed_prekey, one_time_prekey }) {
    const bundle = {
      registrationId: registration_id,
      identityKey: identity_key,
      signedPreKey: { keyId: signed_prekey.id, publicKey: signed_prekey.key, signature: signed_prekey.signature },
    };
    if (one_time_prekey) bundle.preKey = { keyId: one_time_prekey.id, publicKey: one_time_prekey.key };
    return new signal.SessionBuilder(storage(party), address(peer)).initOutgoing(bundle);
  },

  async encrypt(party, peer, plaintext) {
    const { type, body } = await new signal.SessionCipher(storage(party), address(peer)).encrypt(plaintext);
    return { type: type === 3 ? 'prekey' : 'normal', body };
  },

  decrypt(party, peer, type, body) {
    causes = [];
    const cipher = new signal.SessionCipher(storage(party), address(peer));
    return type === 'prekey' ? cipher.decryptPreKeyWhisperMessage(body) : cipher.decryptWhisperMessage(body);
  },

  archive(party, peer) {
    return new signal.SessionCipher(storage(party), address(peer)).closeOpenSession();
  },

  text: (error) => [`${error.name}: ${error.message}`, ...causes].join(' | '),
};
