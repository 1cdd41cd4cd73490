"""In a session that exists: does the library notice that the identity key on the outside of a further prekey message was changed?"""

from pair import Party, pair, report

alice, bob = pair()
first, second, third = (alice.encrypt(bob, text) for text in ("first", "second", "third"))
report("the first, as it was made", bob.decrypt, alice, *first)

stranger = Party("stranger").identity
kind, body = second
at = body.index(bytes([0x1A, 33, 5])) + 2
report("the second, another valid key in place of the identity key", bob.decrypt, alice, kind, body[:at] + stranger + body[at + 33:])
print(f"the identity key that the library has saved is {'the right one' if bob.identities['alice'] == alice.identity else 'THE STRANGER’S'}")
report("the third, as it was made", bob.decrypt, alice, *third)

print("With a wrong MAC as well:")
alice, bob = pair()
report("the first, as it was made", bob.decrypt, alice, *alice.encrypt(bob, "first"))
kind, body = alice.encrypt(bob, "second")
at = body.index(bytes([0x1A, 33, 5])) + 2
changed = body[:at] + stranger + body[at + 33:]
changed = changed[:-20] + bytes([changed[-20] ^ 1]) + changed[-19:]
report("the second, another identity key outside and a flipped bit inside", bob.decrypt, alice, kind, changed)
asked = bob.client.outcome()
print(f"the library asked for {'the stranger’s key' if asked.identity_key == stranger else 'no other key'} to be saved, before it refused the message")
