"""The library called directly, with plain in-memory stores and none of the adapter's guards: whatever it asks of a store, it gets."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tests")]

from adapter.library import NORMAL, PREKEY, Client, LibraryError  # noqa: E402

__all__ = ["NORMAL", "PREKEY", "Party", "confirm", "confirm_fact", "flipped", "pair"]


class Party:
    def __init__(self, name, prekey_id=1):
        self.name, self.client = name, Client()
        self.identity = self.client.identity_set(4711)
        self.signed = self.client.signed_prekey_add(2, 0)
        self.prekey_id, self.prekey = prekey_id, self.client.prekey_add(prekey_id)
        # The identity keys that the library saved, by peer.
        self.identities = {}

    def bundle(self, registration_id=4711, identity=None, signed=None, prekey=None, one_time=True):
        """Our bundle, with any part replaced. A signed prekey that is replaced is signed properly."""
        key, signature = (signed, self.client.sign(signed)) if signed else self.signed
        return {"registration_id": registration_id, "identity": identity or self.identity, "signed_prekey": (2, key, signature),
                "prekey": (self.prekey_id, prekey or self.prekey) if one_time else None}

    def process(self, peer, bundle):
        self.client.bundle_process(peer.name, **bundle)
        self.done(peer)

    def encrypt(self, peer, text):
        made = self.client.encrypt(peer.name, text.encode())
        self.done(peer)
        return made

    def decrypt(self, peer, kind, body):
        text = self.client.decrypt(peer.name, kind, body).decode()
        self.done(peer)
        return text

    def done(self, peer):
        saved = self.client.outcome().identity_key
        if saved:
            self.identities[peer.name] = saved
        self.client.commit()


def pair():
    """Two parties; the first has processed the second's bundle."""
    alice, bob = Party("alice"), Party("bob")
    alice.process(bob, bob.bundle())
    return alice, bob


def flipped(body, from_end):
    return body[:-from_end] + bytes([body[-from_end] ^ 1]) + body[len(body) - from_end + 1:]


def outcome(action, *arguments):
    try:
        answer = action(*arguments)
        return "accepted", "accepted" if answer is None else f"accepted: {answer}"
    except LibraryError as error:
        return error.code, f"refused: {error}"


def confirm(what, expected, action, *arguments):
    """Prints what a call came to; ends the script unless that is what is written down: `accepted`, or the library's error."""
    found, text = outcome(action, *arguments)
    print(f"{what:<72} {text}")
    if found != expected:
        raise SystemExit(f"{what.strip()}: expected {expected}, and found {found}")


def confirm_fact(what, expected, found):
    print(f"{what:<72} {found}")
    if found != expected:
        raise SystemExit(f"{what.strip()}: expected {expected}, and found {found}")
