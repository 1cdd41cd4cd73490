// A user's own keys, and the checks of keys that come from outside.
import { createPublicKey, diffieHellman, generateKeyPairSync, randomInt } from 'node:crypto';
import {
  IdentityKeyPair, KEMKeyPair, KEMPublicKey, KyberPreKeyRecord, PreKeyBundle, PreKeyRecord, PrivateKey, PublicKey,
  SignedPreKeyRecord,
} from '@signalapp/libsignal-client';
import { Problem } from './reasons.mjs';
import * as shape from './shape.mjs';

export const DEVICE = 1;
export const MOST_PREKEYS = 100;
const LARGEST_REGISTRATION_ID = 16380;
const EC_TYPE = 0x05;
const EC_BYTES = 33;
const KYBER_TYPE = 0x08;
const KYBER_BYTES = 1569;
const SIGNATURE_BYTES = 64;

const prekey = shape.object({ id: shape.u32, key: shape.bytes });
const signedKey = shape.object({ id: shape.u32, key: shape.bytes, signature: shape.bytes });
const keyBundle = shape.object({
  user: shape.uuid,
  registration_id: shape.u32,
  identity_key: shape.bytes,
  signed_prekey: signedKey,
  one_time_prekey: shape.optional(prekey),
  kyber_prekey: signedKey,
});

// A pair of our own, to see whether agreement with a public key gives anything but zero.
const probe = generateKeyPairSync('x25519').privateKey;

/**
 * Refuses a public EC key of a wrong type or length, and one of low order (all zero is one of these): agreement with it gives
 * zero, whatever the private key. The library refuses such keys too, but under the code of any other failure: see `confirm/`.
 */
export function checkEcKey(key, what) {
  if (key.length !== EC_BYTES || key[0] !== EC_TYPE) throw new Problem('bad-key', `${what}: wrong type or length`);
  const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.from(key).subarray(1).toString('base64url') };
  try {
    diffieHellman({ privateKey: probe, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) });
  } catch {
    throw new Problem('bad-key', `${what}: of low order`);
  }
}

/** Refuses a Kyber key of a wrong type or length, or all zero: the library takes that one, and all of 0xff. */
export function checkKyberKey(key, what) {
  if (key.length !== KYBER_BYTES || key[0] !== KYBER_TYPE) throw new Problem('bad-key', `${what}: wrong type or length`);
  if (key.subarray(1).every((byte) => byte === 0)) throw new Problem('bad-key', `${what}: all zero`);
}

function checkSignature(identity, key, what) {
  if (key.signature.length !== SIGNATURE_BYTES || !identity.verify(key.key, key.signature)) {
    throw new Problem('bad-signature', `${what}: the signature does not verify`);
  }
}

/** Reads a bundle as the gateway serves it, and checks every key and signature. */
export function readBundle(json, peer) {
  const bundle = keyBundle(json, 'bundle');
  if (bundle.user !== peer) throw new Problem('malformed', 'the bundle of another user');
  // The library takes any number.
  if (bundle.registration_id < 1 || bundle.registration_id > LARGEST_REGISTRATION_ID) {
    throw new Problem('malformed', `registration id ${bundle.registration_id}`);
  }
  checkEcKey(bundle.identity_key, 'identity key');
  checkEcKey(bundle.signed_prekey.key, 'signed prekey');
  if (bundle.one_time_prekey) checkEcKey(bundle.one_time_prekey.key, 'one-time prekey');
  checkKyberKey(bundle.kyber_prekey.key, 'Kyber prekey');
  const identity = PublicKey.deserialize(bundle.identity_key);
  checkSignature(identity, bundle.signed_prekey, 'signed prekey');
  checkSignature(identity, bundle.kyber_prekey, 'Kyber prekey');
  return { identity, forLibrary: forLibrary(bundle, identity) };
}

function forLibrary({ registration_id, one_time_prekey, signed_prekey, kyber_prekey }, identity) {
  return PreKeyBundle.new(
    registration_id,
    DEVICE,
    one_time_prekey?.id ?? null,
    one_time_prekey ? PublicKey.deserialize(one_time_prekey.key) : null,
    signed_prekey.id,
    PublicKey.deserialize(signed_prekey.key),
    signed_prekey.signature,
    identity,
    kyber_prekey.id,
    KEMPublicKey.deserialize(kyber_prekey.key),
    kyber_prekey.signature,
  );
}

const wire = (bytes) => Buffer.from(bytes).toString('base64url');

/** The user's own keys. What it makes goes into `stores`, and comes back in the form in which it is published. */
export class OwnKeys {
  // Ids start anywhere, so that a message for somebody else seldom names a key that we have.
  #nextId = { ec: randomInt(1, 0x800000), signed: randomInt(1, 0x800000), kyber: randomInt(1, 0x800000) };

  constructor(stores, batch, clock) {
    this.identity = IdentityKeyPair.generate();
    this.registrationId = randomInt(1, LARGEST_REGISTRATION_ID + 1);
    this.stores = stores;
    this.batch = batch;
    this.clock = clock;
  }

  #id(kind) {
    const id = this.#nextId[kind];
    this.#nextId[kind] += 1;
    return id;
  }

  oneTimePrekey() {
    const [id, key] = [this.#id('ec'), PrivateKey.generate()];
    this.stores.prekeys.set(id, PreKeyRecord.new(id, key.getPublicKey(), key));
    return { id, key: wire(key.getPublicKey().serialize()) };
  }

  signedPrekey() {
    const [id, key] = [this.#id('signed'), PrivateKey.generate()];
    const signature = this.identity.privateKey.sign(key.getPublicKey().serialize());
    this.stores.signedPrekeys.set(id, SignedPreKeyRecord.new(id, this.clock(), key.getPublicKey(), key, signature));
    return { id, key: wire(key.getPublicKey().serialize()), signature: wire(signature) };
  }

  kyberPrekey(lastResort) {
    const [id, pair] = [this.#id('kyber'), KEMKeyPair.generate()];
    const signature = this.identity.privateKey.sign(pair.getPublicKey().serialize());
    this.stores.kyberPrekeys.set(id, { record: KyberPreKeyRecord.new(id, this.clock(), pair, signature), lastResort });
    return { id, key: wire(pair.getPublicKey().serialize()), signature: wire(signature) };
  }

  /** Only for the defect: the last-resort Kyber prekeys that there are. */
  forgetLastResort() {
    for (const [id, { lastResort }] of this.stores.kyberPrekeys) if (lastResort) this.stores.kyberPrekeys.delete(id);
  }

  /** A batch of one-time prekeys, as many of each kind. */
  oneTime(count) {
    return {
      one_time_prekeys: Array.from({ length: count }, () => this.oneTimePrekey()),
      one_time_kyber_prekeys: Array.from({ length: count }, () => this.kyberPrekey(false)),
    };
  }

  /** The body of an enlistment. */
  enlistment(user) {
    return {
      user,
      registration_id: this.registrationId,
      identity_key: wire(this.identity.publicKey.serialize()),
      signed_prekey: this.signedPrekey(),
      kyber_prekey: this.kyberPrekey(true),
      ...this.oneTime(this.batch),
    };
  }
}
