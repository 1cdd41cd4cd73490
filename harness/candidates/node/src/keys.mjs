// A user's own keys: made by the library or given by the upper tester, and the form in which they are published.
import { randomInt } from 'node:crypto';
import { LARGEST_REGISTRATION_ID } from './bundles.mjs';
import { Problem } from './reasons.mjs';
import * as shape from './shape.mjs';

export const MOST_PREKEYS = 100;
const PRIVATE_BYTES = 32;
const KYBER_PRIVATE_BYTES = 3169;
const KYBER_PUBLIC_BYTES = 1569;
const SIGNATURE_BYTES = 64;

const exactly = (length) => (value, at) => {
  const bytes = shape.bytes(value, at);
  if (bytes.length !== length) throw new Problem('malformed', `${at}: ${bytes.length} bytes instead of ${length}`);
  return bytes;
};
const privateKey = exactly(PRIVATE_BYTES);
const signature = exactly(SIGNATURE_BYTES);
const kyberPair = shape.object({ id: shape.u32, public: exactly(KYBER_PUBLIC_BYTES), private: exactly(KYBER_PRIVATE_BYTES), signature });

/** The keys of `create_user` that are imported. */
export const importedKeys = shape.object({
  registration_id: shape.u32,
  identity_private: privateKey,
  signed_prekey: shape.object({ id: shape.u32, private: privateKey, signature }),
  kyber_prekey: shape.optional(kyberPair),
  one_time_prekeys: shape.list(shape.object({ id: shape.u32, private: privateKey }), MOST_PREKEYS),
  one_time_kyber_prekeys: shape.optional(shape.list(kyberPair, MOST_PREKEYS)),
});

const wire = (bytes) => Buffer.from(bytes).toString('base64url');
const published = ({ id, public: key, signature: signed }) => ({ id, key: wire(key), ...(signed && { signature: wire(signed) }) });

/** The user's own keys. What it makes goes into `stores`, and comes back in the form in which it is published. */
export class OwnKeys {
  // Ids start anywhere, so that a message for somebody else seldom names a key that we have.
  #nextId = { ec: randomInt(1, 0x800000), signed: randomInt(1, 0x800000), kyber: randomInt(1, 0x800000) };
  #imported;

  /** `batch`: how many one-time prekeys of each kind are published at once. With `imported` keys, no others are made unasked. */
  constructor({ library, suite, stores, batch, imported }) {
    Object.assign(this, { library, suite, stores, batch: imported === undefined ? batch : 0 });
    if (imported !== undefined && suite.usesKyber !== (imported.kyber_prekey !== undefined)) {
      throw new Problem('malformed', 'imported keys of another suite');
    }
    this.#imported = imported;
    this.identity = imported === undefined ? library.generateEc() : this.#pair(imported.identity_private);
    this.registrationId = imported?.registration_id ?? randomInt(1, LARGEST_REGISTRATION_ID + 1);
  }

  #pair(secret) {
    return { private: secret, public: this.library.publicOf(secret) };
  }

  #id(kind) {
    const id = this.#nextId[kind];
    this.#nextId[kind] += 1;
    return id;
  }

  #signed(key) {
    return this.library.sign(this.identity.private, key);
  }

  #keepOneTime(prekey) {
    this.stores.prekeys.set(prekey.id, prekey);
    return published(prekey);
  }

  #keepSigned(prekey) {
    this.stores.signedPrekeys.set(prekey.id, prekey);
    return published(prekey);
  }

  #keepKyber(prekey, lastResort) {
    this.stores.kyberPrekeys.set(prekey.id, { prekey, lastResort });
    return published(prekey);
  }

  oneTimePrekey() {
    return this.#keepOneTime({ id: this.#id('ec'), ...this.library.generateEc() });
  }

  signedPrekey() {
    const pair = this.library.generateEc();
    return this.#keepSigned({ id: this.#id('signed'), ...pair, signature: this.#signed(pair.public) });
  }

  kyberPrekey(lastResort) {
    if (!this.suite.usesKyber) throw new Problem('unsupported', 'a suite without Kyber prekeys');
    const pair = this.library.generateKyber();
    return this.#keepKyber({ id: this.#id('kyber'), ...pair, signature: this.#signed(pair.public) }, lastResort);
  }

  /** Only for the defect: the last-resort Kyber prekeys that there are. */
  forgetLastResort() {
    for (const [id, { lastResort }] of this.stores.kyberPrekeys) if (lastResort) this.stores.kyberPrekeys.delete(id);
  }

  /** A batch of one-time prekeys, as many of each kind that the suite has. */
  oneTime(count) {
    return {
      one_time_prekeys: Array.from({ length: count }, () => this.oneTimePrekey()),
      one_time_kyber_prekeys: Array.from({ length: this.suite.usesKyber ? count : 0 }, () => this.kyberPrekey(false)),
    };
  }

  /** The body of an enlistment. */
  enlistment(user) {
    const head = { user, registration_id: this.registrationId, identity_key: wire(this.identity.public) };
    if (this.#imported !== undefined) return { ...head, ...this.#install(this.#imported) };
    const keys = { ...head, signed_prekey: this.signedPrekey(), ...this.oneTime(this.batch) };
    return this.suite.usesKyber ? { ...keys, kyber_prekey: this.kyberPrekey(true) } : keys;
  }

  #install({ signed_prekey, kyber_prekey, one_time_prekeys, one_time_kyber_prekeys = [] }) {
    const keys = {
      signed_prekey: this.#keepSigned({ ...signed_prekey, ...this.#pair(signed_prekey.private) }),
      one_time_prekeys: one_time_prekeys.map((prekey) => this.#keepOneTime({ id: prekey.id, ...this.#pair(prekey.private) })),
      one_time_kyber_prekeys: one_time_kyber_prekeys.map((prekey) => this.#keepKyber(prekey, false)),
    };
    return kyber_prekey === undefined ? keys : { ...keys, kyber_prekey: this.#keepKyber(kyber_prekey, true) };
  }
}
