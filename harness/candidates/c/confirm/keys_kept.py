"""Which one-time prekeys does the library leave in the store, and how does it read private keys that it did not make?"""

from pair import Party, confirm, confirm_fact

from adapter import library

for number in (1, 0xFFFFFE, 0xFFFFFF, 0x1000000):
    alice, bob = Party("alice"), Party("bob", prekey_id=number)
    alice.process(bob, bob.bundle())
    confirm(f"a first message under one-time prekey 0x{number:x}", "accepted", bob.decrypt, alice, *alice.encrypt(bob, "first"))
    confirm_fact("  the prekey is still there", number == 0xFFFFFF, bob.client.prekey_exists(number))

print("The public key of the private key 0x00..0x1f is that of X25519, which clamps:")
X25519 = "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
raw = bytes(range(32))
client = library.Client()
for what, given, expected in (("as it is", raw, False), ("clamped before", library.scalar(raw), True)):
    public = library.ctypes.create_string_buffer(33)
    library.shim.cs_identity_set(client.handle, 1, given, public)
    confirm_fact(f"  {what}", expected, public.raw[1:].hex() == X25519)
