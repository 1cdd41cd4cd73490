"""In a session that exists: does the library notice that the identity key on the outside of a further prekey message was changed?"""

from pair import Party, confirm, confirm_fact, pair

from adapter.library import INVALID_MESSAGE


def with_identity(body, key):
    at = body.index(bytes([0x1A, 33, 5])) + 2
    return body[:at] + key + body[at + 33:]


stranger = Party("stranger").identity
alice, bob = pair()
first, (kind, second), third = (alice.encrypt(bob, text) for text in ("first", "second", "third"))
confirm("the first, as it was made", "accepted", bob.decrypt, alice, *first)
confirm("the second, another valid key in place of the identity key", "accepted", bob.decrypt, alice, kind, with_identity(second, stranger))
confirm_fact("the identity key that the library has saved is the stranger's", True, bob.identities["alice"] == stranger)
confirm("the third, as it was made", "accepted", bob.decrypt, alice, *third)

print("The same with a message that is refused:")
alice, bob = pair()
first, (kind, second) = (alice.encrypt(bob, text) for text in ("first", "second"))
confirm("the first, as it was made", "accepted", bob.decrypt, alice, *first)
changed = with_identity(second, stranger)
changed = changed[:-20] + bytes([changed[-20] ^ 1]) + changed[-19:]
confirm("the second, another identity key outside and a flipped bit inside", INVALID_MESSAGE, bob.decrypt, alice, kind, changed)
confirm_fact("the library has asked for the stranger's key to be saved", True, bob.client.outcome().identity_key == stranger)
