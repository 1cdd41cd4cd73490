"""Here your Signal library takes over: one object for each user, and nothing else of this skeleton knows about keys.

All bytes are as they go on the wire: EC keys 33 bytes (0x05 first), Kyber keys 1569 (0x08 first), signatures 64 (XEdDSA by the
identity key over all bytes of the key). Both addresses of a session are the user's UUID and device 1. Refuse with a `Problem`
and the contract's reason, and change nothing then. Calls for one user never overlap.
"""

from contract import Problem


def missing(what):
    return Problem("unsupported", f"{what}: here your Signal library, in signal_library.py")


class Signal:
    def __init__(self, user, clock, identity_changed):
        """`clock()` is the instance's time in milliseconds: give it to the library wherever that asks for the time.
        Call `identity_changed(peer)` when a peer's identity key is another one than before, before you do anything else."""
        raise missing("no user without an identity key pair and a registration id (1 to 16380)")

    # Step 1: own keys. Ids are unique among keys of one kind, and never used again.

    def identity_key(self):
        """The public identity key."""
        raise missing("identity key")

    def registration_id(self):
        raise missing("registration id")

    def new_signed_prekey(self):
        """`(id, key, signature)`. Earlier ones stay usable for messages that are under way."""
        raise missing("signed prekey")

    def new_kyber_prekey(self, last_resort):
        """`(id, key, signature)`. A one-time one is deleted when it was used. A last-resort one stays, and the same use of it
        again (same signed prekey, same base key) is `duplicate`."""
        raise missing("Kyber prekey")

    def new_one_time_prekey(self):
        """`(id, key)`. It is deleted when it was used."""
        raise missing("one-time prekey")

    # Step 1: sessions.

    def has_session(self, peer):
        """Whether there is a current session to send in."""
        raise missing("sessions")

    def establish(self, peer, bundle):
        """Checks a bundle (a `KeyBundle` of contract/gateway.json, its bytes decoded already) and sets up a session from it, even
        if there is one. Answers the peer's identity key. `bad-signature`; `bad-key` for a key of wrong type or length, all
        zero or of low order; `malformed` for a registration id out of range; `untrusted-identity`, after `identity_changed`,
        for an identity key that the user has not accepted. The first one is accepted as it comes."""
        raise missing("sessions from a bundle")

    def encrypt(self, peer, plaintext):
        """`("prekey" or "normal", serialised message)`; `untrusted-identity` while a changed key is not accepted."""
        raise missing("encryption")

    def decrypt(self, peer, message_type, body):
        """The plaintext; a message under a new identity key is read, after `identity_changed`. Else one of `malformed`,
        `bad-version`, `bad-mac`, `no-session`, `unknown-prekey`, `duplicate`, `too-old`, `bad-key`, `wrong-recipient`."""
        raise missing("decryption")

    # Step 3.

    def safety_number(self, peer):
        """60 digits: displayable fingerprint, version 2, 5200 iterations, identifiers: the 16 bytes of the users' UUIDs.
        `no-session` if the peer's identity key is not known yet."""
        raise missing("safety number")

    def accept_identity(self, peer):
        """The user accepts the peer's newest identity key."""
        raise missing("accepting an identity key")
