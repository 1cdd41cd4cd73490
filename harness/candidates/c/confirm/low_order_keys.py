"""Does the library take public keys of low order? Agreement with them gives the same secret to everybody, who need not know any key."""

from pair import Party, pair, report
from weak_keys import WEAK_EC_KEYS

print("In a bundle, signed properly where there is a signature:")
for weak in WEAK_EC_KEYS:
    for part in ("signed", "prekey", "identity"):
        alice, bob = Party("alice"), Party("bob")
        report(f"  {part:<8} {weak[1:5].hex()}…", alice.process, bob, bob.bundle(**{part: weak}))

print("In a first message that arrives, in place of the right key (a bad MAC is what follows from another key, whatever it is):")
for name, field in (("base key", 0x12), ("identity key", 0x1A), ("ratchet key", 0x0A)):
    for weak in WEAK_EC_KEYS:
        alice, bob = pair()
        kind, body = alice.encrypt(bob, "hello")
        at = body.index(bytes([field, 33, 5])) + 2
        report(f"  {name:<12} {weak[1:5].hex()}…", bob.decrypt, alice, kind, body[:at] + weak + body[at + 33:])

print("The agreement itself, with a private key:")
for weak in WEAK_EC_KEYS:
    shared = Party("carol").client.agree(weak, bytes(range(32)))
    print(f"  {weak[1:5].hex()}…: {shared.hex()}")
