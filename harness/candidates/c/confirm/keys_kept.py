"""Which one-time prekeys does the library leave in the store, and how does it read private keys that it did not make?"""

from pair import Party, report

from adapter import library

for number in (1, 0xFFFFFE, 0xFFFFFF, 0x1000000):
    alice, bob = Party("alice"), Party("bob", prekey_id=number)
    alice.process(bob, bob.bundle())
    report(f"a first message under one-time prekey 0x{number:x}", bob.decrypt, alice, *alice.encrypt(bob, "first"))
    print(f"  the prekey is {'STILL THERE' if bob.client.prekey_exists(number) else 'gone'}")

print("The public key of the private key 0x00..0x1f (X25519 gives 8f40c5ad…, since it clamps):")
raw, clamped = bytes(range(32)), library.scalar(bytes(range(32)))
client = library.Client()
for what, given in (("as it is", raw), ("clamped before", clamped)):
    public = library.ctypes.create_string_buffer(33)
    library.shim.cs_identity_set(client.handle, 1, given, public)
    print(f"  {what:<16} {public.raw[1:].hex()}")
