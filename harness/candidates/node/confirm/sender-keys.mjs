// Stored vectors of sender keys, given to the official binary directly: what it has to read it reads, and what is wrong with keys,
// signatures and ciphertexts it refuses by itself. Who is a member of which group is not its to know.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as signal from '@signalapp/libsignal-client';
import { unpad } from '../src/content.mjs';
import { kyberRecordBytes } from '../src/kyber-record.mjs';
import { protobuf } from '../src/packages.mjs';

const SCHEMA = fileURLToPath(new URL('../../../contract/proto/content.proto', import.meta.url));
const Content = protobuf.loadSync(SCHEMA).lookupType('countersign.content.v1.Content');
const PATH = new URL('../../../../vectors/sender-keys/pq.json', import.meta.url);
const bytes = (text) => Buffer.from(text, 'base64url');

/** Vectors that are wrong by the rules for groups alone. */
export const BY_THE_RULES = [
  'as-pairwise',
  'ciphertext-flipped',
  'key-in-group',
  'key-of-other-group',
  'later-list',
  'list-digest-cut',
  'moved',
  'no-group-inside',
  'not-padded',
  'other-group-inside',
  'other-list',
  'pairwise-in-group',
  'removed-sender',
  'stale-list',
  'stranger',
  'typing',
  'unknown-group',
];

class SenderKeys extends signal.SenderKeyStore {
  keys = new Map();

  async saveSenderKey(sender, id, record) {
    this.keys.set(`${sender.name()} ${id}`, record);
  }

  async getSenderKey(sender, id) {
    return this.keys.get(`${sender.name()} ${id}`) ?? null;
  }
}

class Sessions extends signal.SessionStore {
  sessions = new Map();

  async saveSession(address, record) {
    this.sessions.set(address.name(), record);
  }

  async getSession(address) {
    return this.sessions.get(address.name()) ?? null;
  }

  async getExistingSessions(addresses) {
    return addresses.map((address) => this.sessions.get(address.name())).filter(Boolean);
  }
}

class Identities extends signal.IdentityKeyStore {
  constructor(keys) {
    super();
    this.own = signal.PrivateKey.deserialize(bytes(keys.identity_private));
    this.registrationId = keys.registration_id;
  }

  async getIdentityKey() {
    return this.own;
  }

  async getLocalRegistrationId() {
    return this.registrationId;
  }

  async saveIdentity() {
    return signal.IdentityChange.NewOrUnchanged;
  }

  async isTrustedIdentity() {
    return true;
  }

  async getIdentity() {
    return null;
  }
}

class Prekeys extends signal.PreKeyStore {
  constructor(keys) {
    super();
    this.keys = new Map(keys.one_time_prekeys.map((key) => [key.id, signal.PrivateKey.deserialize(bytes(key.private))]));
  }

  async savePreKey() {}

  async getPreKey(id) {
    const key = this.keys.get(id);
    return signal.PreKeyRecord.new(id, key.getPublicKey(), key);
  }

  async removePreKey(id) {
    this.keys.delete(id);
  }
}

class SignedPrekeys extends signal.SignedPreKeyStore {
  constructor({ signed_prekey: key }) {
    super();
    this.key = key;
  }

  async saveSignedPreKey() {}

  async getSignedPreKey(id) {
    const key = signal.PrivateKey.deserialize(bytes(this.key.private));
    return signal.SignedPreKeyRecord.new(id, 0, key.getPublicKey(), key, bytes(this.key.signature));
  }
}

class KyberPrekeys extends signal.KyberPreKeyStore {
  constructor(keys) {
    super();
    this.keys = new Map([keys.kyber_prekey, ...keys.one_time_kyber_prekeys].map((key) => [key.id, key]));
  }

  async saveKyberPreKey() {}

  async getKyberPreKey(id) {
    const { public: key, private: secret, signature } = this.keys.get(id);
    const record = { id, public: bytes(key), private: bytes(secret), signature: bytes(signature) };
    return signal.KyberPreKeyRecord.deserialize(kyberRecordBytes(record));
  }

  async markKyberPreKeyUsed() {}
}

/** What a plaintext holds; nothing, if it is no content of the contract. */
function contentOf(padded) {
  try {
    return Content.decode(unpad(Buffer.from(padded)));
  } catch {
    return {};
  }
}

/** The user of a vector, on the binary alone. */
class Receiver {
  constructor(user, keys) {
    this.own = signal.ProtocolAddress.new(user, 1);
    this.sessions = new Sessions();
    this.identities = new Identities(keys);
    this.stores = [new Prekeys(keys), new SignedPrekeys(keys), new KyberPrekeys(keys)];
    this.senderKeys = new SenderKeys();
  }

  #pairwise(from, message) {
    const { sessions, identities, own } = this;
    const body = bytes(message.body);
    if (message.type !== 'prekey') {
      return signal.signalDecrypt(signal.SignalMessage.deserialize(body), from, own, sessions, identities);
    }
    const first = signal.PreKeySignalMessage.deserialize(body);
    return signal.signalDecryptPreKey(first, from, own, sessions, identities, ...this.stores);
  }

  /** The text of a message; `undefined` for a sender key, which is taken. */
  async receive(from, message) {
    const padded = message.group
      ? await signal.groupDecrypt(from, this.senderKeys, bytes(message.body))
      : await this.#pairwise(from, message);
    const content = contentOf(padded);
    if (content.senderKey && !message.group) {
      const key = signal.SenderKeyDistributionMessage.deserialize(content.senderKey.distribution);
      await signal.processSenderKeyDistributionMessage(from, key, this.senderKeys);
      return undefined;
    }
    return content.text?.text;
  }
}

/** Every message of every vector: vector, what is expected, and what came of it. */
export async function* received() {
  for (const group of JSON.parse(readFileSync(PATH, 'utf8')).groups) {
    for (const vector of group.tests) {
      const receiver = new Receiver(group.receiver, group.keys);
      for (const message of vector.messages) {
        const from = signal.ProtocolAddress.new(group.peers[message.from].user, 1);
        const outcome = await receiver.receive(from, message).then(
          (text) => ({ text }),
          (error) => ({ error }),
        );
        yield { id: vector.about.id, message, ...outcome };
      }
    }
  }
}
