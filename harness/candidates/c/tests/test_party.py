"""The party: the library alone, over its lines. It shows that the party works, and pins what the library does that the adapter guards."""

import json
import os
import random
import unittest

from cast import encode, new_id, octets

from party import Parties


class PartyLines(unittest.TestCase):
    def setUp(self):
        self.parties = Parties()
        self.count = 0

    def reply(self, **request):
        self.count += 1
        reply = self.parties.reply(json.dumps({"id": self.count, **request}))
        self.assertEqual(reply.pop("id"), self.count)
        return reply

    def do(self, op, party, **members):
        reply = self.reply(op=op, party=party, **members)
        self.assertIn("ok", reply, reply)
        return reply["ok"]

    def refused(self, op, party, **members):
        reply = self.reply(op=op, party=party, **members)
        self.assertIn("refused", reply, reply)
        return reply["refused"].split(":")[0]

    def pair(self):
        alice, bob = new_id(), new_id()
        for name in (alice, bob):
            self.do("new", name, profile="v3", one_time=3)
        self.do("process", alice, peer=bob, bundle=self.do("bundle", bob, one_time=True))
        return alice, bob

    def send(self, sender, receiver, text):
        message = self.do("encrypt", sender, peer=receiver, plaintext=encode(text))
        return {"peer": sender, **message}

    def read(self, receiver, message):
        return octets(self.do("decrypt", receiver, **message)["plaintext"], "plaintext")

    def test_a_random_conversation_with_loss_reordering_repeats_restarts_and_new_sessions(self):
        seed = int(os.environ.get("COUNTERSIGN_SEED", "7"))
        chance = random.Random(seed)
        alice, bob = self.pair()
        self.read(bob, self.send(alice, bob, b"begin"))
        way, read, lost = [], 0, 0
        for turn in range(400):
            sender, receiver = (alice, bob) if chance.random() < 0.5 else (bob, alice)
            try:
                message = self.send(sender, receiver, b"%d" % turn)
            except AssertionError:
                self.do("process", sender, peer=receiver, bundle=self.do("bundle", receiver, one_time=False))
                message = self.send(sender, receiver, b"%d" % turn)
            way.append((receiver, message, b"%d" % turn))
            while way and chance.random() < 0.6:
                receiver, message, text = way.pop(chance.randrange(len(way)) if chance.random() < 0.3 else 0)
                if chance.random() < 0.1:
                    lost += 1
                    continue
                self.assertEqual(self.read(receiver, message), text, f"seed {seed}, turn {turn}")
                read += 1
                if chance.random() < 0.2:
                    self.assertEqual(self.refused("decrypt", receiver, **message), "-1001")
            if chance.random() < 0.1:
                self.do("restart", sender)
            if chance.random() < 0.02:
                self.do("archive", sender, peer=receiver if sender != receiver else alice)
        self.assertGreater(read, 200)
        self.assertGreater(lost, 10)

    def test_a_refusal_changes_nothing(self):
        alice, bob = self.pair()
        first = self.send(alice, bob, b"first")
        body = bytearray(octets(first["body"], "body"))
        for at in range(len(body)):
            changed = bytes(body[:at]) + bytes([body[at] ^ 1]) + bytes(body[at + 1:])
            reply = self.reply(op="decrypt", party=bob, **{**first, "body": encode(changed)})
            # The registration id is not authenticated: a changed one passes.
            if "ok" in reply:
                self.assertEqual(octets(reply["ok"]["plaintext"], "plaintext"), b"first")
                alice, bob = self.pair()
                first = self.send(alice, bob, b"first")
                body = bytearray(octets(first["body"], "body"))
        self.assertEqual(self.read(bob, first), b"first")
        self.assertEqual(self.refused("decrypt", bob, **first), "-1001")

    def test_imported_keys_are_used_as_they_are(self):
        alice, bob = new_id(), new_id()
        self.do("new", alice, profile="v3", one_time=0)
        keys = {"registration_id": 5, "identity_private": encode(bytes([255]) * 32),
                "signed_prekey": {"id": 9, "private": encode(bytes(range(32))), "signature": encode(bytes(64))},
                "one_time_prekeys": [{"id": 1, "private": encode(os.urandom(32))}], "one_time_kyber_prekeys": []}
        first = self.do("import", bob, profile="v3", keys=keys)
        # The X25519 public key of 0x00..0x1f, clamped.
        self.assertEqual(octets(first["signed_prekey"]["key"], "key").hex(), "058f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f")
        # The signature that was given is none of this identity.
        self.assertEqual(self.refused("process", alice, peer=bob, bundle=self.do("bundle", bob, one_time=True)), "-1002")

    def test_what_is_no_request_is_a_fault(self):
        alice, bob = self.pair()
        for request in ({"op": "teleport"}, {"op": "about", "more": 1}, {"op": "new", "party": alice, "profile": "v4", "one_time": 1},
                        {"op": "bundle", "party": new_id(), "one_time": True}, {"op": "encrypt", "party": alice, "peer": bob, "plaintext": "="}):
            self.assertIn("fault", self.reply(**request), request)
        for _ in range(2):
            self.do("bundle", bob, one_time=True)
        self.assertIn("fault", self.reply(op="bundle", party=bob, one_time=True))
        self.assertEqual(self.parties.reply("{")["id"], None)
        self.assertEqual(self.refused("encrypt", bob, peer=alice, plaintext=""), "-1008")


if __name__ == "__main__":
    unittest.main()
