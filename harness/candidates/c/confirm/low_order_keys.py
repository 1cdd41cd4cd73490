"""Does the library take public keys of low order? Agreement with them gives the same secret to everybody, who need not know any key."""

from pair import Party, confirm, confirm_fact, pair
from weak_keys import WEAK_EC_KEYS

from adapter.library import INVALID_KEY, INVALID_MESSAGE

print("In a bundle, signed properly where there is a signature; an identity key of low order signs nothing:")
for weak in WEAK_EC_KEYS:
    for part, expected in (("signed", "accepted"), ("prekey", "accepted"), ("identity", INVALID_KEY)):
        alice, bob = Party("alice"), Party("bob")
        confirm(f"  {part:<8} {weak[1:5].hex()}…", expected, alice.process, bob, bob.bundle(**{part: weak}))

print("In a first message that arrives, in place of the right key: taken, and then the MAC is not right, as with any other key:")
for name, field in (("base key", 0x12), ("identity key", 0x1A), ("ratchet key", 0x0A)):
    for weak in WEAK_EC_KEYS:
        alice, bob = pair()
        kind, body = alice.encrypt(bob, "hello")
        at = body.index(bytes([field, 33, 5])) + 2
        confirm(f"  {name:<12} {weak[1:5].hex()}…", INVALID_MESSAGE, bob.decrypt, alice, kind, body[:at] + weak + body[at + 33:])

print("The agreement itself is no error, and all zero:")
for weak in WEAK_EC_KEYS:
    confirm_fact(f"  {weak[1:5].hex()}…", bytes(32), Party("carol").client.agree(weak, bytes(range(32))))
