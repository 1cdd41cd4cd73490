// What one client keeps: sessions, peers' identity keys, its own prekeys. The library works on a draft, so that a message that is
// refused in the end leaves nothing behind.
import { Direction, IdentityChange, IdentityKeyStore, KyberPreKeyStore, PreKeyStore, SessionRecord, SessionStore, SignedPreKeyStore } from '@signalapp/libsignal-client';
import { Identities } from './identities.mjs';
import { Problem } from './reasons.mjs';
import { defect } from './defects.mjs';

export class Stores {
  sessions = new Map();
  prekeys = new Map();
  signedPrekeys = new Map();
  kyberPrekeys = new Map();
  // Uses of last-resort Kyber prekeys: Kyber id, signed prekey id and base key of the first message.
  lastResortUses = new Set();
  identities = new Identities();

  hasSession(peer, now) {
    const bytes = this.sessions.get(peer);
    return bytes !== undefined && SessionRecord.deserialize(bytes).hasCurrentState(now);
  }

  /** Ends the current session for sending; messages that are under way in it can still be read. */
  archiveSession(peer) {
    const bytes = this.sessions.get(peer);
    if (bytes === undefined) return;
    const record = SessionRecord.deserialize(bytes);
    record.archiveCurrentState();
    this.sessions.set(peer, record.serialize());
  }

  draft(own) {
    return new Draft(this, own);
  }
}

/** The library's view of the stores for one call, and what the call changed. `commit` makes the changes real. */
export class Draft {
  /** Id and kind of a prekey that the library asked for and that is not there. The library's own error does not tell. */
  missing = null;
  #sessions = new Map();
  #identities = new Map();
  #usedPrekeys = new Set();
  #usedKyberPrekeys = new Set();
  #lastResortUses = new Set();

  constructor(base, own) {
    this.base = base;
    this.sessions = new DraftSessions(this);
    this.identity = new DraftIdentities(this, own);
    this.prekeys = new DraftPrekeys(this);
    this.signedPrekeys = new DraftSignedPrekeys(this);
    this.kyberPrekeys = new DraftKyberPrekeys(this);
  }

  session(peer) {
    return this.#sessions.get(peer) ?? this.base.sessions.get(peer);
  }

  saveSession(peer, bytes) {
    this.#sessions.set(peer, bytes);
  }

  saveIdentity(peer, key) {
    this.#identities.set(peer, key);
  }

  find(kind, map, id) {
    const found = map.get(id);
    if (found !== undefined) return found;
    this.missing = { kind, id };
    throw new Problem('unknown-prekey', `${kind} ${id}`);
  }

  usePrekey(id) {
    this.#usedPrekeys.add(id);
  }

  useKyberPrekey(id, signedPrekeyId, baseKey) {
    if (!this.base.kyberPrekeys.get(id)?.lastResort) {
      this.#usedKyberPrekeys.add(id);
      return;
    }
    const use = `${id} ${signedPrekeyId} ${Buffer.from(baseKey).toString('hex')}`;
    if (this.base.lastResortUses.has(use)) {
      this.reused = true;
      throw new Problem('duplicate', 'this use of a last-resort prekey is known');
    }
    this.#lastResortUses.add(use);
  }

  /** Makes the changes real. Answers the peers whose identity key proved to be another one than before. */
  commit() {
    for (const [peer, bytes] of this.#sessions) this.base.sessions.set(peer, bytes);
    for (const use of this.#lastResortUses) this.base.lastResortUses.add(use);
    if (!defect('keeps-used-one-time-prekey')) {
      for (const id of this.#usedPrekeys) this.base.prekeys.delete(id);
      for (const id of this.#usedKyberPrekeys) this.base.kyberPrekeys.delete(id);
    }
    return [...this.#identities].filter(([peer, key]) => this.base.identities.receivedUnder(peer, key)).map(([peer]) => peer);
  }
}

class DraftSessions extends SessionStore {
  constructor(draft) {
    super();
    this.draft = draft;
  }

  async saveSession(address, record) {
    this.draft.saveSession(address.name(), record.serialize());
  }

  async getSession(address) {
    const bytes = this.draft.session(address.name());
    return bytes === undefined ? null : SessionRecord.deserialize(bytes);
  }

  async getExistingSessions(addresses) {
    return Promise.all(addresses.map((address) => this.getSession(address)));
  }
}

class DraftIdentities extends IdentityKeyStore {
  constructor(draft, own) {
    super();
    this.draft = draft;
    this.own = own;
  }

  async getIdentityKey() {
    return this.own.identity.privateKey;
  }

  async getLocalRegistrationId() {
    return this.own.registrationId;
  }

  async saveIdentity(address, key) {
    const known = this.draft.base.identities.current(address.name());
    this.draft.saveIdentity(address.name(), key);
    return known !== null && !known.equals(key) ? IdentityChange.ReplacedExisting : IdentityChange.NewOrUnchanged;
  }

  // What arrives is read under any key, and the user is told of a new one. Nothing is sent to it before the user has accepted.
  async isTrustedIdentity(address, key, direction) {
    return direction === Direction.Receiving || this.draft.base.identities.mayReceive(address.name(), key);
  }

  async getIdentity(address) {
    return this.draft.base.identities.current(address.name());
  }
}

class DraftPrekeys extends PreKeyStore {
  constructor(draft) {
    super();
    this.draft = draft;
  }

  async savePreKey(id, record) {
    this.draft.base.prekeys.set(id, record);
  }

  async getPreKey(id) {
    return this.draft.find('one-time prekey', this.draft.base.prekeys, id);
  }

  async removePreKey(id) {
    this.draft.usePrekey(id);
  }
}

class DraftSignedPrekeys extends SignedPreKeyStore {
  constructor(draft) {
    super();
    this.draft = draft;
  }

  async saveSignedPreKey(id, record) {
    this.draft.base.signedPrekeys.set(id, record);
  }

  async getSignedPreKey(id) {
    return this.draft.find('signed prekey', this.draft.base.signedPrekeys, id);
  }
}

class DraftKyberPrekeys extends KyberPreKeyStore {
  constructor(draft) {
    super();
    this.draft = draft;
  }

  async saveKyberPreKey(id, record) {
    this.draft.base.kyberPrekeys.set(id, { record, lastResort: false });
  }

  async getKyberPreKey(id) {
    return this.draft.find('Kyber prekey', this.draft.base.kyberPrekeys, id).record;
  }

  async markKyberPreKeyUsed(id, signedPrekeyId, baseKey) {
    this.draft.useKyberPrekey(id, signedPrekeyId, baseKey.serialize());
  }
}
