"""Somebody who knows none of the private keys that belong to a base key or a ratchet key of low order sends a first message under it, its MAC
right. Does the library read it? X3DH and the Double Ratchet are written out here from Signal's specifications; the library is the receiver."""

import hashlib
import hmac
import os

from pair import PREKEY, Party, confirm
from weak_keys import WEAK_EC_KEYS

from adapter import library
from adapter.protobuf import delimited, varint

ZERO = bytes(32)


def hkdf(key, salt, info, length):
    extracted, okm, block = hmac.digest(salt, key, "sha256"), b"", b""
    for counter in range(1, 5):
        block = hmac.digest(extracted, block + info + bytes([counter]), "sha256")
        okm += block
    return okm[:length]


def number(field, value):
    return varint(field << 3) + varint(value)


class Sender:
    """The identity is an honest one; base key and ratchet key are its own, unless they are given: then every agreement with them is zero."""

    def __init__(self, receiver, base=None, ratchet=None):
        self.tools, self.receiver, self.private = library.Client(), receiver, os.urandom(32)
        self.identity = self.tools.identity_set(1, self.private)
        self.base, self.base_private = self.key(base)
        self.ratchet, self.ratchet_private = self.key(ratchet)

    def key(self, given):
        private = os.urandom(32)
        return (given, None) if given else (library.Client().identity_set(1, private), private)

    def agree(self, private, public):
        return ZERO if private is None else self.tools.agree(public, private)

    def first_message(self, text):
        signed = self.receiver.signed[0]
        secret = b"\xff" * 32 + self.tools.agree(signed, self.private) + b"".join(
            self.agree(self.base_private, public) for public in (self.receiver.identity, signed, self.receiver.prekey))
        root = hkdf(secret, ZERO, b"WhisperText", 64)[:32]
        chain = hkdf(self.agree(self.ratchet_private, signed), root, b"WhisperRatchet", 64)[32:]
        keys = hkdf(hmac.digest(chain, b"\x01", "sha256"), ZERO, b"WhisperMessageKeys", 80)
        ciphertext = bytes(library.aes_cbc(True, keys[:32], keys[64:], text))
        inner = b"\x33" + delimited(1, self.ratchet) + number(2, 0) + number(3, 0) + delimited(4, ciphertext)
        inner += hmac.new(keys[32:64], self.identity + self.receiver.identity + inner, hashlib.sha256).digest()[:8]
        return b"\x33" + number(1, 1) + delimited(2, self.base) + delimited(3, self.identity) + delimited(4, inner) + number(5, 1) + number(6, 2)


def read(text, **keys):
    bob, alice = Party("bob"), Party("alice")
    return bob.decrypt(alice, PREKEY, Sender(bob, **keys).first_message(text))


confirm("honest keys", "accepted", read, b"honest")
for weak in WEAK_EC_KEYS:
    confirm(f"base key {weak[1:5].hex()}…", "accepted", lambda: read(b"under nobody's key", base=weak))
    confirm(f"ratchet key {weak[1:5].hex()}…", "accepted", lambda: read(b"under nobody's key", ratchet=weak))
