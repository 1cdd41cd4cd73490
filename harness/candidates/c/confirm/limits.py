"""How far ahead and how far back does the library read, how many sessions does it keep, and what follows when one falls out?"""

from pair import pair, report


def conversation():
    alice, bob = pair()
    bob.decrypt(alice, *alice.encrypt(bob, "first"))
    alice.decrypt(bob, *bob.encrypt(alice, "answer"))
    return alice, bob


for ahead in (2000, 2001):
    alice, bob = conversation()
    messages = [alice.encrypt(bob, f"message {i}") for i in range(ahead + 1)]
    report(f"one message, {ahead} before it not there yet", bob.decrypt, alice, *messages[-1])
    report("  the first of those", bob.decrypt, alice, *messages[0])

alice, bob = conversation()
messages = [alice.encrypt(bob, f"message {i}") for i in range(4001)]
bob.decrypt(alice, *messages[2000])
bob.decrypt(alice, *messages[4000])
report("3,999 skipped in two steps: the newest", bob.decrypt, alice, *messages[3999])
report("  the 2,000th from the end", bob.decrypt, alice, *messages[2000 - 1])
report("  the oldest", bob.decrypt, alice, *messages[0])

for chains in (5, 6):
    alice, bob = conversation()
    late = alice.encrypt(bob, "late")
    for _ in range(chains):
        bob.decrypt(alice, *alice.encrypt(bob, "ping"))
        alice.decrypt(bob, *bob.encrypt(alice, "pong"))
    report(f"a message of a chain, {chains - 1} chains later", bob.decrypt, alice, *late)

for sessions in (40, 41):
    alice, bob = conversation()
    under_way = alice.encrypt(bob, "under way")
    for _ in range(sessions):
        alice.process(bob, bob.bundle(one_time=False))
        bob.decrypt(alice, *alice.encrypt(bob, "new session"))
    report(f"a message of a session, {sessions} sessions later", bob.decrypt, alice, *under_way)

print("A first message without a one-time prekey, read once:")
alice, bob = pair()
alice.process(bob, bob.bundle(one_time=False))
first = alice.encrypt(bob, "pay 100")
report("  as it was made", bob.decrypt, alice, *first)
report("  the same again", bob.decrypt, alice, *first)
for _ in range(41):
    alice.process(bob, bob.bundle(one_time=False))
    bob.decrypt(alice, *alice.encrypt(bob, "new session"))
report("  the same again, 41 sessions later", bob.decrypt, alice, *first)
