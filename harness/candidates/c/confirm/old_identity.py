"""After a peer's identity key has changed: which session does the library send in once a late message of the old one has arrived?"""

from pair import Party, confirm, confirm_fact, pair

alice, bob = pair()
confirm("first message to the old phone", "accepted", bob.decrypt, alice, *alice.encrypt(bob, "first"))
late = bob.encrypt(alice, "late")
reinstalled = Party("bob")
alice.process(reinstalled, reinstalled.bundle())
confirm_fact("the session is of the new identity", True, alice.client.session("bob").identity_key == reinstalled.identity)
confirm("a late message of the old phone", "accepted", alice.decrypt, bob, *late)
confirm_fact("the session is of the old identity again", True, alice.client.session("bob").identity_key == bob.identity)
