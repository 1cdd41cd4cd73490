"""Which error does the library give for which fault, and what does it ask of the stores on the way?"""

from pair import NORMAL, Party, flipped, pair, report

carol = Party("carol")


def first_message(what, change=lambda body: body, reader=None):
    """A first message, changed on its way, to a party that has read nothing yet."""
    alice, bob = pair()
    kind, body = alice.encrypt(bob, "first")
    reader = reader or bob
    report(f"  {what}", reader.decrypt, alice, kind, change(body))


def inside(byte):
    def change(body):
        at = body.index(bytes([0x33, 0x0A, 33]), 1)
        return body[:at] + bytes([byte]) + body[at + 1:]
    return change


print("First messages:")
first_message("as it was made")
first_message("read by somebody else with the same prekey ids", reader=carol)
for byte in (0x34, 0x3F, 0x23, 0x44, 0x55, 0x13):
    first_message(f"first byte 0x{byte:02x} outside", lambda body, byte=byte: bytes([byte]) + body[1:])
for byte in (0x34, 0x23, 0x44):
    first_message(f"first byte 0x{byte:02x} inside", inside(byte))
first_message("cut by one byte", lambda body: body[:-1])
first_message("junk", lambda body: b"3" + b"\xff" * 40)
alice, bob = pair()
kind, first = alice.encrypt(bob, "first")
bob.client.prekey_remove(1)
report("  one-time prekey not there", bob.decrypt, alice, kind, first)
print(f"    it says which: missing {bob.client.outcome().missing_prekey}, id {bob.client.outcome().prekey_id}")
alice, bob = pair()
kind, first = alice.encrypt(bob, "first")
report("  as it was made", bob.decrypt, alice, kind, first)
report("  the same again", bob.decrypt, alice, kind, first)
asked = bob.client.outcome()
print(f"    asked to save an identity key on the way: {bool(asked.saved_identity)}; a session: {bool(asked.saved_session)}")

print("Later messages:")
kind, reply = bob.encrypt(alice, "reply")
report("  no session", carol.decrypt, bob, kind, reply)
report("  our own, reflected", bob.decrypt, alice, kind, reply)
report("  MAC flipped", alice.decrypt, bob, kind, flipped(reply, 1))
report("  first byte 0x34", alice.decrypt, bob, kind, b"\x34" + reply[1:])
report("  first byte 0x44", alice.decrypt, bob, kind, b"\x44" + reply[1:])
report("  first byte 0x23", alice.decrypt, bob, kind, b"\x23" + reply[1:])
report("  as it was made", alice.decrypt, bob, kind, reply)
report("  the same again", alice.decrypt, bob, kind, reply)
report("  the same again, MAC flipped", alice.decrypt, bob, kind, flipped(reply, 1))
report("  junk", alice.decrypt, bob, NORMAL, b"3" * 40)

print("Bundles:")
for what, parts in (("registration id 0", {"registration_id": 0}), ("registration id 2^32 - 1", {"registration_id": 2**32 - 1}),
                    ("no one-time prekey", {"one_time": False})):
    report(f"  {what}", carol.process, bob, bob.bundle(**parts))
bundle = bob.bundle()
number, key, signature = bundle["signed_prekey"]
for what, changed in (("signature flipped", flipped(signature, 1)), ("signature of 63 bytes", signature[:-1]), ("signature all zero", bytes(64))):
    report(f"  {what}", carol.process, bob, {**bundle, "signed_prekey": (number, key, changed)})
