"""The outside of a serialised message. The library reads messages itself; these fields are read to say why it refused one, and to
check keys before it meets them."""

from .problems import Problem
from .protobuf import BYTES, VARINT, fields_of

VERSION = 3
MAC_BYTES = 8

PREKEY_MESSAGE = {(2, BYTES): "base_key", (3, BYTES): "identity_key", (4, BYTES): "message", (6, VARINT): "signed_prekey_id"}
MESSAGE = {(1, BYTES): "ratchet_key", (2, VARINT): "counter", (4, BYTES): "ciphertext"}


def named(data, names):
    try:
        found = {names[number, kind]: value for number, kind, value in fields_of(data) if (number, kind) in names}
    except (IndexError, ValueError) as error:
        raise Problem("malformed", f"not a protobuf: {error}") from None
    for name in names.values():
        if name not in found:
            raise Problem("malformed", f"a message without its {name}")
    return found


def check_version(data):
    if not data:
        raise Problem("malformed", "an empty message")
    # The low half is the sender's own latest version, and no reason to refuse anything.
    if data[0] >> 4 != VERSION:
        raise Problem("bad-version", f"message version {data[0] >> 4}")


def read_message(data):
    check_version(data)
    return named(data[1:max(1, len(data) - MAC_BYTES)], MESSAGE)


def read_outside(kind, data):
    """The outside of a message of the given kind, `prekey` or `normal`."""
    if kind == "normal":
        return read_message(data)
    check_version(data)
    outside = named(data[1:], PREKEY_MESSAGE)
    return {**read_message(outside["message"]), **outside}
