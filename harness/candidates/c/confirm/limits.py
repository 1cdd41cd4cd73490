"""How far ahead and how far back does the library read, how many sessions does it keep, and what follows when one falls out?"""

from pair import confirm, pair

from adapter.library import DUPLICATE, INVALID_MESSAGE


def conversation():
    alice, bob = pair()
    bob.decrypt(alice, *alice.encrypt(bob, "first"))
    alice.decrypt(bob, *bob.encrypt(alice, "answer"))
    return alice, bob


for ahead, expected in ((2000, "accepted"), (2001, INVALID_MESSAGE)):
    alice, bob = conversation()
    messages = [alice.encrypt(bob, f"message {i}") for i in range(ahead + 1)]
    confirm(f"one message, {ahead} before it not there yet", expected, bob.decrypt, alice, *messages[-1])
    confirm("  the first of those", "accepted", bob.decrypt, alice, *messages[0])

alice, bob = conversation()
messages = [alice.encrypt(bob, f"message {i}") for i in range(4001)]
bob.decrypt(alice, *messages[2000])
bob.decrypt(alice, *messages[4000])
confirm("3,999 skipped in two steps: the newest", "accepted", bob.decrypt, alice, *messages[3999])
confirm("  the 2,000th before that", "accepted", bob.decrypt, alice, *messages[1999])
confirm("  the oldest", DUPLICATE, bob.decrypt, alice, *messages[0])

for chains, expected in ((5, "accepted"), (6, INVALID_MESSAGE)):
    alice, bob = conversation()
    late = alice.encrypt(bob, "late")
    for _ in range(chains):
        bob.decrypt(alice, *alice.encrypt(bob, "ping"))
        alice.decrypt(bob, *bob.encrypt(alice, "pong"))
    confirm(f"a message of a chain, {chains - 1} chains later", expected, bob.decrypt, alice, *late)

for sessions, expected in ((40, "accepted"), (41, INVALID_MESSAGE)):
    alice, bob = conversation()
    under_way = alice.encrypt(bob, "under way")
    for _ in range(sessions):
        alice.process(bob, bob.bundle(one_time=False))
        bob.decrypt(alice, *alice.encrypt(bob, "new session"))
    confirm(f"a message of a session, {sessions} sessions later", expected, bob.decrypt, alice, *under_way)

print("A first message without a one-time prekey, read once:")
alice, bob = pair()
alice.process(bob, bob.bundle(one_time=False))
first = alice.encrypt(bob, "pay 100")
confirm("  as it was made", "accepted", bob.decrypt, alice, *first)
confirm("  the same again", DUPLICATE, bob.decrypt, alice, *first)
for _ in range(41):
    alice.process(bob, bob.bundle(one_time=False))
    bob.decrypt(alice, *alice.encrypt(bob, "new session"))
confirm("  the same again, 41 sessions later", "accepted", bob.decrypt, alice, *first)
