// The library's half of a candidate, on WhiskeySockets' `libsignal`. `../node/src/official.mjs` says what it has to be.
import { createHash } from 'node:crypto';
import signal from 'libsignal';
import { Problem } from '../node/src/reasons.mjs';

const DEVICE = 1;
const PREKEY_MESSAGE = 3;
const FARTHEST_AHEAD = 2_000;
const SAFETY_NUMBER_ITERATIONS = 5200;
const SAFETY_NUMBER_VERSION = Buffer.alloc(2);

// The library prints sessions, private keys included, to standard output, which carries replies. There is no other way to stop it.
console.log = () => {};
console.info = () => {};

const uuidBytes = (uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex');
const address = (name) => new signal.ProtocolAddress(name, DEVICE);
const pairFor = ({ private: privKey, public: pubKey }) => ({ privKey, pubKey });
const pairOf = ({ privKey, pubKey }) => ({ private: privKey, public: pubKey });
const read = (serialized) => signal.SessionRecord.deserialize(JSON.parse(serialized));
const written = (record) => JSON.stringify(record.serialize());

/** Keeps what the library swallows: the session that read a message, and why the others could not. */
class Cipher extends signal.SessionCipher {
  errors = [];
  session = null;

  async doDecryptWhisperMessage(message, session) {
    try {
      const plaintext = await super.doDecryptWhisperMessage(message, session);
      this.session = session;
      return plaintext;
    } catch (error) {
      this.errors.push(error);
      throw error;
    }
  }
}

/** An error of the library, with all that it was caused by. */
class Refusal extends Error {
  constructor(error, errors) {
    super(error.message);
    this.errors = [error, ...errors];
  }
}

// The library gives a name with or without the device in its calls about identities.
function storageOver(draft, peer, isSending) {
  return {
    loadSession: async () => {
      const serialized = draft.session(peer);
      return serialized === undefined ? undefined : read(serialized);
    },
    storeSession: async (_, record) => draft.saveSession(peer, written(record)),
    isTrustedIdentity: async (_, key) => draft.trusts(peer, key, isSending),
    // Absent and 0 are the same to the library.
    loadPreKey: async (id) => (id === 0 ? undefined : pairFor(draft.prekey(id))),
    removePreKey: async (id) => draft.usePrekey(id),
    loadSignedPreKey: async (id) => pairFor(draft.signedPrekey(id)),
    getOurRegistrationId: async () => draft.own.registrationId,
    getOurIdentity: async () => pairFor(draft.own.identity),
  };
}

async function refusing(action, errors = []) {
  try {
    return await action();
  } catch (error) {
    throw error instanceof Problem ? error : new Refusal(error, errors);
  }
}

const decoder = { prekey: 'decryptPreKeyWhisperMessage', normal: 'decryptWhisperMessage' };

// The library has the function, but does not export it, and it fails on what it gets: this is Signal's definition of it.
function displayed({ name, identity }) {
  let hash = Buffer.concat([SAFETY_NUMBER_VERSION, identity, uuidBytes(name)]);
  for (let i = 0; i < SAFETY_NUMBER_ITERATIONS; i += 1) hash = createHash('sha512').update(hash).update(identity).digest();
  return Array.from({ length: 6 }, (_, i) => String(hash.readUIntBE(5 * i, 5) % 100_000).padStart(5, '0')).join('');
}

export const library = {
  farthestAhead: FARTHEST_AHEAD,
  generateEc: () => pairOf(signal.curve.generateKeyPair()),
  publicOf: (secret) => signal.curve.getPublicFromPrivateKey(secret),
  sign: (secret, message) => signal.curve.calculateSignature(secret, message),
  // Its own `initOutgoing` asks for no answer here: see ../RESULTS.md.
  verify: (key, message, signature) => signal.curve.verifySignature(key, message, signature),

  async process(draft, peer, { registration_id, identity_key, signed_prekey, one_time_prekey }) {
    const bundle = {
      registrationId: registration_id,
      identityKey: identity_key,
      signedPreKey: { keyId: signed_prekey.id, publicKey: signed_prekey.key, signature: signed_prekey.signature },
    };
    if (one_time_prekey) bundle.preKey = { keyId: one_time_prekey.id, publicKey: one_time_prekey.key };
    await refusing(() => new signal.SessionBuilder(storageOver(draft, peer, true), address(peer)).initOutgoing(bundle));
    draft.saveIdentity(peer, identity_key);
  },

  async encrypt(draft, peer, plaintext) {
    const cipher = new signal.SessionCipher(storageOver(draft, peer, true), address(peer));
    const { type, body } = await refusing(() => cipher.encrypt(plaintext));
    return { type: type === PREKEY_MESSAGE ? 'prekey' : 'normal', body };
  },

  async decrypt(draft, peer, type, body) {
    const cipher = new Cipher(storageOver(draft, peer, false), address(peer));
    const plaintext = await refusing(() => cipher[decoder[type]](body), cipher.errors);
    // The identity key on the outside of a prekey message is not that of the session, if the session was there before.
    draft.saveIdentity(peer, cipher.session.indexInfo.remoteIdentityKey);
    return plaintext;
  },

  hasSession: (serialized) => read(serialized).haveOpenSession(),

  archived(serialized) {
    const record = read(serialized);
    const open = record.getOpenSession();
    if (open) record.closeSession(open);
    return written(record);
  },

  safetyNumber: (mine, theirs) => [displayed(mine), displayed(theirs)].sort().join(''),

  // Names are the library's; for the rest there is nothing but its words.
  reason(error) {
    if (!(error instanceof Refusal)) return undefined;
    const some = (fits) => error.errors.some(fits);
    if (some(({ name }) => name === 'UntrustedIdentityKeyError')) return 'untrusted-identity';
    if (some(({ name }) => name === 'MessageCounterError')) return 'duplicate';
    if (some(({ message }) => message.startsWith('Incompatible version number'))) return 'bad-version';
    return null;
  },
};
