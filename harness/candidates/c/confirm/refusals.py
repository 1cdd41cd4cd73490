"""Which error does the library give for which fault, and what does it ask of the stores on the way?"""

from pair import NORMAL, Party, confirm, confirm_fact, flipped, pair

from adapter.library import (DUPLICATE, INVALID_ARGUMENT, INVALID_KEY, INVALID_KEY_ID, INVALID_MESSAGE, INVALID_PROTOBUF, INVALID_VERSION,
                             LEGACY, NO_SESSION)

carol = Party("carol")


def first_message(what, expected, change=lambda body: body, reader=None):
    """A first message, changed on its way, to a party that has read nothing yet."""
    alice, bob = pair()
    kind, body = alice.encrypt(bob, "first")
    confirm(f"  {what}", expected, (reader or bob).decrypt, alice, kind, change(body))


def inside(byte):
    def change(body):
        at = body.index(bytes([0x33, 0x0A, 33]), 1)
        return body[:at] + bytes([byte]) + body[at + 1:]
    return change


print("First messages:")
first_message("as it was made", "accepted")
first_message("read by somebody else with the same prekey ids", INVALID_MESSAGE, reader=carol)
for byte, expected in ((0x34, "accepted"), (0x3F, "accepted"), (0x23, LEGACY), (0x13, LEGACY), (0x44, INVALID_VERSION), (0x55, INVALID_VERSION)):
    first_message(f"first byte 0x{byte:02x} outside", expected, lambda body, byte=byte: bytes([byte]) + body[1:])
for byte, expected in ((0x34, INVALID_MESSAGE), (0x23, INVALID_VERSION), (0x13, LEGACY), (0x44, INVALID_MESSAGE)):
    first_message(f"first byte 0x{byte:02x} inside", expected, inside(byte))
first_message("cut by one byte", INVALID_PROTOBUF, lambda body: body[:-1])
first_message("junk", INVALID_PROTOBUF, lambda body: b"3" + b"\xff" * 40)
alice, bob = pair()
kind, first = alice.encrypt(bob, "first")
bob.client.prekey_remove(1)
confirm("  one-time prekey not there", INVALID_KEY_ID, bob.decrypt, alice, kind, first)
confirm_fact("    the id of the prekey that it looked for", 1, bob.client.outcome().prekey_id)
alice, bob = pair()
kind, first = alice.encrypt(bob, "first")
confirm("  as it was made", "accepted", bob.decrypt, alice, kind, first)
confirm("  the same again", DUPLICATE, bob.decrypt, alice, kind, first)
confirm_fact("    it asked to save an identity key on the way", True, bob.client.outcome().identity_key == alice.identity)

print("Later messages:")
kind, reply = bob.encrypt(alice, "reply")
confirm("  no session", NO_SESSION, carol.decrypt, bob, kind, reply)
confirm("  our own, reflected", INVALID_MESSAGE, bob.decrypt, alice, kind, reply)
confirm("  MAC flipped", INVALID_MESSAGE, alice.decrypt, bob, kind, flipped(reply, 1))
for byte, expected in ((0x34, INVALID_MESSAGE), (0x44, INVALID_MESSAGE), (0x23, INVALID_MESSAGE), (0x13, LEGACY)):
    confirm(f"  first byte 0x{byte:02x}", expected, alice.decrypt, bob, kind, bytes([byte]) + reply[1:])
confirm("  as it was made", "accepted", alice.decrypt, bob, kind, reply)
confirm("  the same again", DUPLICATE, alice.decrypt, bob, kind, reply)
confirm("  the same again, MAC flipped", DUPLICATE, alice.decrypt, bob, kind, flipped(reply, 1))
confirm("  junk", INVALID_PROTOBUF, alice.decrypt, bob, NORMAL, b"3" * 40)

print("Bundles:")
for what, parts in (("registration id 0", {"registration_id": 0}), ("registration id 2^32 - 1", {"registration_id": 2**32 - 1}),
                    ("no one-time prekey", {"one_time": False})):
    confirm(f"  {what}", "accepted", carol.process, bob, bob.bundle(**parts))
bundle = bob.bundle()
number, key, signature = bundle["signed_prekey"]
for what, changed, expected in (("signature flipped", flipped(signature, 1), INVALID_KEY), ("signature of 63 bytes", signature[:-1], INVALID_ARGUMENT),
                                ("signature all zero", bytes(64), INVALID_KEY)):
    confirm(f"  {what}", expected, carol.process, bob, {**bundle, "signed_prekey": (number, key, changed)})
