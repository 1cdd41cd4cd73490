// The checks of keys that come from outside, and of whole bundles.
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { Problem } from './reasons.mjs';
import * as shape from './shape.mjs';

export const LARGEST_REGISTRATION_ID = 16380;
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
  kyber_prekey: shape.optional(signedKey),
});

// A pair of our own, to see whether agreement with a public key gives anything but zero.
const probe = generateKeyPairSync('x25519').privateKey;

/**
 * Refuses a public EC key of a wrong type or length, and one of low order (all zero is one of these): agreement with it gives
 * zero, whatever the private key. Node's X25519 decides that, not a list.
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

/** Refuses a Kyber key of a wrong type or length, or all zero: the official library takes that one, and all of 0xff. */
export function checkKyberKey(key, what) {
  if (key.length !== KYBER_BYTES || key[0] !== KYBER_TYPE) throw new Problem('bad-key', `${what}: wrong type or length`);
  if (key.subarray(1).every((byte) => byte === 0)) throw new Problem('bad-key', `${what}: all zero`);
}

/** Reads a bundle as the gateway serves it, and checks every key and signature. `suite` says whether a Kyber prekey belongs in it. */
export function readBundle(json, peer, { usesKyber }, library) {
  const bundle = keyBundle(json, 'bundle');
  const { user, registration_id, identity_key, signed_prekey, one_time_prekey, kyber_prekey } = bundle;
  if (user !== peer) throw new Problem('malformed', 'the bundle of another user');
  if (registration_id < 1 || registration_id > LARGEST_REGISTRATION_ID) throw new Problem('malformed', `registration id ${registration_id}`);
  if (usesKyber !== (kyber_prekey !== undefined)) {
    throw new Problem('malformed', usesKyber ? 'a bundle without a Kyber prekey' : 'a Kyber prekey in a bundle of a suite without one');
  }
  checkEcKey(identity_key, 'identity key');
  checkEcKey(signed_prekey.key, 'signed prekey');
  if (one_time_prekey) checkEcKey(one_time_prekey.key, 'one-time prekey');
  if (kyber_prekey) checkKyberKey(kyber_prekey.key, 'Kyber prekey');
  const checkSignature = ({ key, signature }, what) => {
    if (signature.length !== SIGNATURE_BYTES || !library.verify(identity_key, key, signature)) {
      throw new Problem('bad-signature', `${what}: the signature does not verify`);
    }
  };
  checkSignature(signed_prekey, 'signed prekey');
  if (kyber_prekey) checkSignature(kyber_prekey, 'Kyber prekey');
  return bundle;
}
