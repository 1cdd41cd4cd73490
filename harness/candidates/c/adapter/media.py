"""Encrypted files, in the format of the contract: one key a file, encrypt-then-MAC, and a digest over the whole."""

import hashlib
import hmac
import os

from .library import CBC_PADDING, LibraryError, aes_cbc
from .problems import Problem

KEY_BYTES = 32
MAC_BYTES = 32
OKM_BYTES = 112
BLOCK = 16
LARGEST_BLOB = 80 * 1024 * 1024
# The largest file in plaintext: what fits into a blob after PKCS#7 and the MAC.
LARGEST_FILE = LARGEST_BLOB - MAC_BYTES - BLOCK


def hkdf(key, info, length):
    """HKDF-SHA256 (RFC 5869) without a salt."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    okm, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(extracted, block + info + bytes([counter]), "sha256")
        okm += block
    return okm[:length]


def derive(key, kind):
    okm = hkdf(key, f"countersign media {kind}".encode(), OKM_BYTES)
    return okm[0:16], okm[16:48], okm[48:80]


def mac_of(mac_key, iv, ciphertext):
    made = hmac.new(mac_key, iv, "sha256")
    made.update(ciphertext)
    return made.digest()


def seal(kind, plaintext):
    """The blob, its key, made for it alone, and its digest."""
    key = os.urandom(KEY_BYTES)
    iv, aes_key, mac_key = derive(key, kind)
    blob = aes_cbc(True, aes_key, iv, plaintext)
    blob += mac_of(mac_key, iv, blob)
    return blob, key, hashlib.sha256(blob).digest()


def check_attachment(attachment):
    """Refuses an attachment that cannot be right, before anything is fetched for it."""
    if len(attachment["key"]) != KEY_BYTES or len(attachment["digest"]) != 32:
        raise Problem("malformed", "media key or digest of a wrong length")
    if attachment["length"] > LARGEST_FILE:
        raise Problem("too-large", f"a file of {attachment['length']} bytes")


def open_blob(blob, attachment):
    """SHA-256 of the plaintext. Checks the digest, then the MAC, decrypts, and checks the length, in that order."""
    if not hmac.compare_digest(hashlib.sha256(blob).digest(), attachment["digest"]):
        raise Problem("bad-digest", "the blob has another digest than the message says")
    if len(blob) < BLOCK + MAC_BYTES or (len(blob) - MAC_BYTES) % BLOCK:
        raise Problem("malformed", f"a blob of {len(blob)} bytes")
    iv, aes_key, mac_key = derive(attachment["key"], attachment["kind"])
    ciphertext, mac = blob[:-MAC_BYTES], blob[-MAC_BYTES:]
    if not hmac.compare_digest(mac_of(mac_key, iv, ciphertext), mac):
        raise Problem("bad-mac", "the MAC of the file does not match")
    try:
        plaintext = aes_cbc(False, aes_key, iv, ciphertext)
    except LibraryError as error:
        if error.code != CBC_PADDING:
            raise
        raise Problem("malformed", "the padding of the file is wrong") from None
    if len(plaintext) != attachment["length"]:
        raise Problem("malformed", f"{len(plaintext)} bytes instead of {attachment['length']}")
    return hashlib.sha256(plaintext).digest()
