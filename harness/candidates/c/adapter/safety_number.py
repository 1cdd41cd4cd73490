"""The safety number: Signal's displayable fingerprint, 60 digits."""

import hashlib
import uuid

from .guards import guards

ITERATIONS = 5200
FINGERPRINT_VERSION = bytes(2)


def half(identifier, key):
    """The 30 digits of one side."""
    digest = FINGERPRINT_VERSION + key + identifier
    for _ in range(ITERATIONS):
        digest = hashlib.sha512(digest + key).digest()
    return "".join(f"{int.from_bytes(digest[at:at + 5], 'big') % 100_000:05}" for at in range(0, 30, 5))


def safety_number(client, user, own_key, peer, peer_key):
    """Both users' halves, the smaller one first; identifiers are the 16 bytes of the users' UUIDs. The library makes it, but where
    an identifier has a zero byte: it takes identifiers for C strings, and would leave out what follows."""
    local, remote = uuid.UUID(user).bytes, uuid.UUID(peer).bytes
    if guards("zero-bytes") and (0 in local or 0 in remote):
        return "".join(sorted((half(local, own_key), half(remote, peer_key))))
    return client.fingerprint(ITERATIONS, local, own_key, remote, peer_key)
