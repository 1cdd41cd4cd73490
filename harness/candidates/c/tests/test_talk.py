"""The rules of conversations, on both sides, and blocking."""

import unittest

from cast import Cast, Problem, new_id, tampered

from adapter.talk import DELETE_WITHIN_MS, EDIT_WITHIN_MS, Talk


def reaction(of, emoji="👍", remove=False):
    return {"kind": "reaction", "of": of, "emoji": emoji, "remove": remove}


class Rules(unittest.TestCase):
    def setUp(self):
        self.now = 1_000_000
        self.talk = Talk(lambda: self.now)
        self.talk.take("bob", "own", "mine", {"kind": "text", "text": ""})
        self.talk.take("bob", "peer", "theirs", {"kind": "text", "text": ""})
        self.talk.take("bob", "peer", "file", {"kind": "media"})

    def refuses(self, reason, by, content):
        with self.assertRaises(Problem) as raised:
            self.talk.check("bob", by, content)
        self.assertEqual(raised.exception.reason, reason, content)

    def test_what_refers_to_nothing_or_may_not_be_done_is_refused(self):
        cases = [
            ("unknown-message", "own", reaction("none")), ("malformed", "own", reaction("theirs", "")),
            ("too-large", "own", reaction("theirs", "x" * 65)), ("not-permitted", "own", reaction("mine")),
            ("not-permitted", "peer", reaction("theirs")), ("unknown-message", "own", reaction("theirs", remove=True)),
            ("unknown-message", "own", {"kind": "edit", "of": "none"}), ("not-permitted", "own", {"kind": "edit", "of": "theirs"}),
            ("not-permitted", "peer", {"kind": "edit", "of": "file"}), ("unknown-message", "peer", {"kind": "delete", "of": "none"}),
            ("not-permitted", "peer", {"kind": "delete", "of": "mine"}), ("malformed", "own", {"kind": "read", "of": []}),
            ("unknown-message", "own", {"kind": "read", "of": ["theirs", "none"]}), ("unknown-message", "own", {"kind": "read", "of": ["mine"]}),
        ]
        for reason, by, content in cases:
            self.refuses(reason, by, content)
        with self.assertRaises(Problem):
            self.talk.check("carol", "own", reaction("theirs"))

    def test_one_reaction_at_a_time(self):
        self.talk.take("bob", "own", "r", reaction("theirs"))
        self.refuses("duplicate", "own", reaction("theirs"))
        self.refuses("unknown-message", "own", reaction("theirs", "🎉", remove=True))
        self.talk.check("bob", "own", reaction("theirs", "x" * 64))
        self.talk.check("bob", "own", reaction("theirs", remove=True))

    def test_time_runs_out(self):
        self.now += EDIT_WITHIN_MS
        self.talk.check("bob", "own", {"kind": "edit", "of": "mine"})
        self.now += 1
        self.refuses("too-late", "own", {"kind": "edit", "of": "mine"})
        self.now += DELETE_WITHIN_MS - EDIT_WITHIN_MS - 1
        self.talk.check("bob", "peer", {"kind": "delete", "of": "file"})
        self.now += 1
        self.refuses("too-late", "peer", {"kind": "delete", "of": "file"})

    def test_what_was_deleted_is_gone(self):
        self.talk.receive("bob", "d", {"kind": "delete", "of": "theirs"})
        for content in ({"kind": "delete", "of": "theirs"}, reaction("theirs")):
            self.refuses("unknown-message", "peer" if content["kind"] == "delete" else "own", content)


class Blocking(Cast):
    async def test_what_is_refused_before_sending_does_not_go_out(self):
        number = await self.talk(self.alice, self.bob, "mine")
        for reason, content in (("not-permitted", reaction(number)), ("unknown-message", {"kind": "edit", "of": new_id(), "text": ""}),
                                ("malformed", {"kind": "read", "of": []})):
            await self.fails(reason, self.send(self.alice, self.bob, content))
        self.assertEqual(len(self.sent(self.alice, kind="message")), 1)

    async def test_what_is_refused_on_arrival_is_not_shown_and_not_answered(self):
        number = await self.talk(self.alice, self.bob, "mine")
        # Alice deletes twice: her client refuses the second, so the first is delivered again under other ids of stanza and message.
        await self.talk(self.alice, self.bob, {"kind": "delete", "of": number})
        user = self.candidate.user(self.instance, self.alice)
        user.talk.take(self.bob, "own", number, {"kind": "text", "text": ""})
        await self.talk(self.alice, self.bob, {"kind": "delete", "of": number})
        self.assertEqual(await self.refusals(self.bob), ["unknown-message"])
        self.assertEqual(len(self.sent(self.bob, kind="receipt")), 2)

    async def test_a_blocked_user_is_told_nothing_and_gets_nothing(self):
        await self.talk(self.alice, self.bob, "before")
        await self.call("block", self.bob, peer=self.alice, blocked=True)
        self.assertEqual(self.gateway.users[self.bob].blocks, [self.alice])
        # This gateway delivers all the same.
        await self.talk(self.alice, self.bob, "unwanted")
        self.gateway.disturb = lambda stanza: [tampered(stanza)] if stanza["kind"] == "message" else [stanza]
        await self.talk(self.alice, self.bob, "unreadable")
        self.gateway.disturb = lambda stanza: [stanza]
        self.assertEqual(await self.refusals(self.bob), ["blocked", "blocked"])
        self.assertEqual(await self.texts(self.bob), ["before"])
        self.assertEqual(await self.notices(self.bob), [])
        self.assertEqual(len(self.sent(self.bob, kind="receipt")), 1)
        for content in ("x", {"kind": "typing", "active": True}):
            await self.fails("blocked", self.send(self.bob, self.alice, content))
        await self.call("block", self.bob, peer=self.alice, blocked=False)
        await self.talk(self.alice, self.bob, "welcome back")
        await self.talk(self.bob, self.alice, "thanks")
        self.assertEqual(await self.texts(self.bob), ["before", "welcome back"])

    async def test_a_receipt_of_a_blocked_user_has_no_effect(self):
        number = await self.talk(self.alice, self.bob, "before")
        await self.call("block", self.alice, peer=self.bob, blocked=True)
        events = len(await self.events(self.alice))
        for kind in ("delivered", "retry"):
            receipt = new_id()
            self.gateway.deliver(self.alice, {"kind": "receipt", "id": receipt, "from": self.bob, "type": kind, "of": number})
            await self.settle(self.alice, receipt)
        self.assertEqual(len(await self.events(self.alice)), events)
        self.assertEqual(len(self.sent(self.alice, kind="message")), 1)

    async def test_blocking_twice_succeeds_and_nobody_blocks_himself(self):
        for _ in range(2):
            await self.call("block", self.bob, peer=self.alice, blocked=True)
        await self.call("block", self.bob, peer=new_id(), blocked=False)
        self.assertEqual(self.gateway.users[self.bob].blocks, [self.alice])
        await self.fails("malformed", self.call("block", self.bob, peer=self.bob, blocked=True))
        # A list that the gateway did not take is not in force.
        self.gateway.faults = [(lambda request: request.path == "/blocks", 404, "unknown-user", {})]
        await self.fails("unknown-user", self.call("block", self.bob, peer=self.alice, blocked=False))
        await self.fails("blocked", self.send(self.bob, self.alice, "x"))


if __name__ == "__main__":
    unittest.main()
