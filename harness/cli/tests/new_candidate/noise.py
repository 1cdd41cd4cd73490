"""In the place of a Signal library: the right lengths, and nothing but noise inside. It shows that everything around a library
works, and that noise passes for nothing."""

import os

from contract import Problem


class Signal:
    def __init__(self, user, clock, identity_changed):
        self.identity = b"\x05" + os.urandom(32)
        self.count = 0

    def number(self):
        self.count += 1
        return self.count

    def identity_key(self):
        return self.identity

    def registration_id(self):
        return 1

    def new_signed_prekey(self):
        return self.number(), b"\x05" + os.urandom(32), os.urandom(64)

    def new_kyber_prekey(self, last_resort):
        return self.number(), b"\x08" + os.urandom(1568), os.urandom(64)

    def new_one_time_prekey(self):
        return self.number(), b"\x05" + os.urandom(32)

    def has_session(self, peer):
        return False

    def establish(self, peer, bundle):
        return bundle["identity_key"]

    def encrypt(self, peer, plaintext):
        return "prekey", b"\x44" + os.urandom(len(plaintext))

    def decrypt(self, peer, message_type, body):
        raise Problem("bad-mac", "this is noise")

    def safety_number(self, peer):
        return "0" * 60

    def accept_identity(self, peer):
        pass
