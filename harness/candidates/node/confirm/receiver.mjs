// The user of a stored vector on the official binary alone: its keys as they are imported, and what the binary makes of each message.
import { fileURLToPath } from 'node:url';
import * as signal from '@signalapp/libsignal-client';
import { unpad } from '../src/content.mjs';
import { kyberRecordBytes } from '../src/kyber-record.mjs';
import { protobuf } from '../src/packages.mjs';

const SCHEMA = fileURLToPath(new URL('../../../contract/proto/content.proto', import.meta.url));
const Content = protobuf.loadSync(SCHEMA).lookupType('countersign.content.v1.Content');
/** When sealed messages are opened: 2033. Certificates in vectors are over since 2000, or hold until 2100. */
const OPENED_AT = 2_000_000_000_000;
const bytes = (text) => Buffer.from(text, 'base64url');

class SenderKeys extends signal.SenderKeyStore {
  keys = new Map();

  async saveSenderKey(sender, id, record) {
    this.keys.set(`${sender.name()} ${id}`, record);
  }

  async getSenderKey(sender, id) {
    return this.keys.get(`${sender.name()} ${id}`) ?? null;
  }
}

const device = (address) => `${address.name()} ${address.deviceId()}`;

class Sessions extends signal.SessionStore {
  sessions = new Map();

  async saveSession(address, record) {
    this.sessions.set(device(address), record);
  }

  async getSession(address) {
    return this.sessions.get(device(address)) ?? null;
  }

  async getExistingSessions(addresses) {
    return addresses.map((address) => this.sessions.get(device(address))).filter(Boolean);
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
export class Receiver {
  constructor(user, keys, trustRoot) {
    this.own = signal.ProtocolAddress.new(user, 1);
    this.trustRoot = trustRoot && signal.PublicKey.deserialize(bytes(trustRoot));
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

  /** The text of a message that came sealed or not, and whose it is: of a sealed one as its certificate says. */
  async open(from, message) {
    if (!message.sealed) {
      return { user: from.name(), text: await this.receive(from, message) };
    }
    const { own, trustRoot, sessions, identities, stores } = this;
    const who = [null, own.name(), own.deviceId()];
    const opened = await signal.sealedSenderDecryptMessage(
      bytes(message.body), trustRoot, OPENED_AT, ...who, sessions, identities, ...stores,
    );
    return { user: opened.senderUuid(), text: contentOf(opened.message()).text?.text };
  }
}
