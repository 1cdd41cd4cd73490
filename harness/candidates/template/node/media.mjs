// Encryption of files, on Node's own cryptography. The format stands in the contract, module `media`.
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Problem } from './contract.mjs';

const MAC_BYTES = 32;

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

function derive(kind, key) {
  const okm = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `countersign media ${kind}`, 112));
  return { iv: okm.subarray(0, 16), aes: okm.subarray(16, 48), mac: okm.subarray(48, 80) };
}

const macOf = (keys, ciphertext) => createHmac('sha256', keys.mac).update(keys.iv).update(ciphertext).digest();

/** `{ blob, key, digest }`. */
export function seal(kind, plaintext) {
  const key = randomBytes(32);
  const keys = derive(kind, key);
  const cipher = createCipheriv('aes-256-cbc', keys.aes, keys.iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const blob = Buffer.concat([ciphertext, macOf(keys, ciphertext)]);
  return { blob, key, digest: sha256(blob) };
}

/** The plaintext: the digest is checked first, then the MAC, and only then is anything decrypted. */
export function open(kind, blob, { key, digest, length }) {
  if (key.length !== 32 || digest.length !== 32) throw new Problem('malformed', 'a key or digest of another length');
  if (!timingSafeEqual(sha256(blob), digest)) throw new Problem('bad-digest', 'the file has another digest');
  if (blob.length < MAC_BYTES + 16 || blob.length % 16 !== 0) throw new Problem('malformed', `a blob of ${blob.length} bytes`);
  const keys = derive(kind, key);
  const ciphertext = blob.subarray(0, -MAC_BYTES);
  if (!timingSafeEqual(macOf(keys, ciphertext), blob.subarray(-MAC_BYTES))) throw new Problem('bad-mac', 'the file has another MAC');
  let plaintext;
  try {
    const decipher = createDecipheriv('aes-256-cbc', keys.aes, keys.iv);
    plaintext = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    throw new Problem('malformed', 'padding that is none');
  }
  if (plaintext.length !== length) throw new Problem('malformed', `a file of ${plaintext.length} bytes instead of ${length}`);
  return plaintext;
}
