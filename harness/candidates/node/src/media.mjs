// Encrypted files, in the format of the contract: one key a file, encrypt-then-MAC, and a digest over the whole.
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Problem } from './reasons.mjs';
import { defect } from './defects.mjs';

export const KEY_BYTES = 32;
export const MAC_BYTES = 32;
export const LARGEST_BLOB = 80 * 1024 * 1024;
/** Largest file in plaintext: what fits into a blob after PKCS#7 and the MAC. */
export const LARGEST_FILE = LARGEST_BLOB - MAC_BYTES - 16;
const OKM_BYTES = 112;
const BLOCK = 16;

/** Bytes that are encrypted or decrypted at once. */
const PIECE = 64 * 1024;

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

function derive(key, media) {
  const okm = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `countersign media ${media}`, OKM_BYTES));
  return { iv: okm.subarray(0, 16), aes: okm.subarray(16, 48), mac: okm.subarray(48, 80) };
}

const macOf = (keys, ciphertext) => createHmac('sha256', keys.mac).update(keys.iv).update(ciphertext).digest();

/** Makes keys, a new one for each file. */
export class MediaKeys {
  #first = null;

  /** The key for a file; only a defect looks at its digest. */
  next(digest) {
    if (defect('convergent-media-key')) return sha256(digest);
    if (!defect('reuses-media-key')) return randomBytes(KEY_BYTES);
    this.#first ??= randomBytes(KEY_BYTES);
    return this.#first;
  }
}

/** Encrypts a file; the key must be used for no other. */
export function seal(plaintext, media, key) {
  const keys = derive(key, media);
  const cipher = createCipheriv('aes-256-cbc', keys.aes, keys.iv);
  const end = plaintext.length - (plaintext.length % BLOCK) + BLOCK;
  // One buffer for the whole blob: parts that are put together at the end would be there twice.
  const blob = Buffer.allocUnsafe(end + MAC_BYTES);
  let at = 0;
  for (const piece of pieces(plaintext)) at += cipher.update(piece).copy(blob, at);
  cipher.final().copy(blob, at);
  macOf(keys, blob.subarray(0, end)).copy(blob, end);
  return { blob, digest: sha256(blob) };
}

/** Refuses an attachment that cannot be right, before anything is fetched for it. */
export function checkAttachment({ key, digest, length }) {
  if (key.length !== KEY_BYTES || digest.length !== 32) throw new Problem('malformed', 'media key or digest of a wrong length');
  if (length === 0 && defect('refuses-empty-file')) throw new Problem('malformed', 'no file');
  if (length > LARGEST_FILE) throw new Problem('too-large', `a file of ${length} bytes`);
}

/** Checks digest, MAC and length in that order, and decrypts in between: digest and length of the plaintext, which is never held. */
export function open(blob, attachment) {
  if (defect('ignores-appended-bytes') && !sha256(blob).equals(attachment.digest)) {
    blob = blob.subarray(0, attachment.length - (attachment.length % BLOCK) + BLOCK + MAC_BYTES);
  }
  const kinds = defect('guesses-media-kind') ? [attachment.media, 'image', 'video', 'voice', 'file'] : [attachment.media];
  let refused;
  for (const media of kinds) {
    try {
      return openAs(blob, { ...attachment, media });
    } catch (error) {
      refused ??= error;
    }
  }
  throw refused;
}

function openAs(blob, { media, key, digest, length }) {
  if (!timingSafeEqual(sha256(blob), digest)) throw new Problem('bad-digest', 'the blob has another digest than the message says');
  if (blob.length < BLOCK + MAC_BYTES || (blob.length - MAC_BYTES) % BLOCK !== 0) {
    throw new Problem('malformed', `a blob of ${blob.length} bytes`);
  }
  const keys = derive(key, media);
  const ciphertext = blob.subarray(0, -MAC_BYTES);
  const compared = defect('compares-ten-mac-bytes') ? 10 : MAC_BYTES;
  const stated = blob.subarray(-MAC_BYTES).subarray(0, compared);
  if (!timingSafeEqual(macOf(keys, ciphertext).subarray(0, compared), stated) && !defect('skips-media-mac')) {
    throw new Problem('bad-mac', 'the MAC of the file does not match');
  }
  const plaintext = decrypt(keys, ciphertext);
  if (plaintext.length !== length) throw new Problem('malformed', `${plaintext.length} bytes instead of ${length}`);
  return plaintext;
}

function decrypt(keys, ciphertext) {
  const decipher = createDecipheriv('aes-256-cbc', keys.aes, keys.iv);
  const hash = createHash('sha256');
  let length = 0;
  const take = (plain) => {
    hash.update(plain);
    length += plain.length;
  };
  try {
    for (const piece of pieces(ciphertext)) take(decipher.update(piece));
    take(decipher.final());
  } catch {
    throw new Problem('malformed', 'the padding of the file is wrong');
  }
  return { sha256: hash.digest(), length };
}

function* pieces(bytes) {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}
