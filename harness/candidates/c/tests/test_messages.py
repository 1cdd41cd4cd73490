import asyncio
import unittest

from cast import Cast, new_id, tampered


def is_message(stanza):
    return stanza["kind"] == "message"


class Messages(Cast):
    async def test_first_messages_and_ping_pong_both_ways_with_receipts(self):
        for turn in range(4):
            await self.talk(self.alice, self.bob, f"ping {turn}")
            await self.talk(self.bob, self.alice, f"pong {turn}")
        self.assertEqual(await self.texts(self.bob), ["ping 0", "ping 1", "ping 2", "ping 3"])
        self.assertEqual(await self.texts(self.alice), ["pong 0", "pong 1", "pong 2", "pong 3"])
        receipts = [what for what in await self.events(self.alice) if what["kind"] == "receipt"]
        self.assertEqual(receipts[0]["from"], self.bob)
        entries = (await self.call("events", self.alice, after=0, wait_ms=0))["events"]
        self.assertEqual([entry["seq"] for entry in entries], list(range(1, len(entries) + 1)))
        types = [stanza["type"] for stanza in self.sent(kind="message")]
        self.assertEqual(types, ["prekey"] + ["normal"] * 7)
        self.assertEqual({stanza["body"][0] for stanza in self.sent(kind="message")}, {"M"})  # 0x33

    async def test_both_start_at_once(self):
        a, b = await asyncio.gather(self.send(self.alice, self.bob, "from alice"), self.send(self.bob, self.alice, "from bob"))
        await asyncio.gather(self.settle(self.bob, a), self.settle(self.alice, b))
        for turn in range(3):
            await self.talk(self.alice, self.bob, f"on {turn}")
            await self.talk(self.bob, self.alice, f"and {turn}")
        self.assertEqual(await self.texts(self.bob), ["from alice", "on 0", "on 1", "on 2"])
        self.assertEqual(await self.texts(self.alice), ["from bob", "and 0", "and 1", "and 2"])

    async def test_messages_that_overtake_each_other_are_shown_once_each(self):
        held = []
        self.gateway.disturb = lambda stanza: (held.append(stanza) or []) if is_message(stanza) and len(held) < 2 else [stanza]
        await self.send(self.alice, self.bob, "one")
        await self.send(self.alice, self.bob, "two")
        await self.talk(self.alice, self.bob, "three")
        for stanza in reversed(held):
            self.gateway.deliver(self.bob, stanza)
            await self.settle(self.bob, stanza["id"])
        self.assertEqual(await self.texts(self.bob), ["three", "two", "one"])
        self.assertEqual(await self.refusals(self.bob), [])

    async def test_every_kind_of_content_arrives_as_it_was_sent(self):
        of = await self.talk(self.alice, self.bob, "mine")
        other = await self.talk(self.bob, self.alice, "yours")
        contents = [
            {"kind": "text", "text": ""},
            {"kind": "text", "text": "\ufeffae\u0301 \U0001f9d1\u200d\U0001f680\U0010ffff\0 "},
            {"kind": "text", "text": "x" * 65536},
            {"kind": "reaction", "of": other, "emoji": "👍", "remove": False},
            {"kind": "reaction", "of": other, "emoji": "👍", "remove": True},
            {"kind": "reply", "of": new_id(), "text": "yes"},
            {"kind": "edit", "of": of, "text": "no"},
            {"kind": "delete", "of": of},
            {"kind": "typing", "active": False},
            {"kind": "read", "of": [other]},
        ]
        for content in contents:
            await self.talk(self.alice, self.bob, content)
        shown = [what["content"] for what in await self.events(self.bob) if what["kind"] == "message"]
        self.assertEqual(shown[1:], contents)
        # Neither the indicator nor the read receipt is answered.
        self.assertEqual(len(self.sent(self.bob, kind="receipt")), len(contents) - 1)
        await self.fails("too-large", self.send(self.alice, self.bob, "x" * 200_000))

    async def test_a_repeated_stanza_and_a_replay_under_another_id_are_duplicates(self):
        again = new_id()
        self.gateway.disturb = lambda stanza: [stanza, stanza, {**stanza, "id": again}] if is_message(stanza) else [stanza]
        await self.send(self.alice, self.bob, "once")
        await self.settle(self.bob, again)
        self.assertEqual(await self.texts(self.bob), ["once"])
        self.assertEqual(await self.refusals(self.bob), ["duplicate", "duplicate"])
        self.assertEqual(len(self.sent(self.bob, kind="receipt")), 1)

    async def test_a_reflected_message_is_refused_and_not_asked_for_again(self):
        caught = []
        self.gateway.disturb = lambda stanza: [caught.append(stanza) or stanza] if is_message(stanza) else [stanza]
        await self.talk(self.alice, self.bob, "first")
        await self.talk(self.bob, self.alice, "answer")
        await self.talk(self.alice, self.bob, "later")
        for stanza in (caught[0], caught[2]):
            number = new_id()
            self.gateway.deliver(self.alice, {**stanza, "id": number, "from": self.bob})
            await self.settle(self.alice, number)
        self.assertEqual(await self.refusals(self.alice), ["wrong-recipient", "wrong-recipient"])
        self.assertEqual(self.sent(type="retry"), [])
        await self.talk(self.bob, self.alice, "on")
        self.assertEqual((await self.texts(self.alice))[-1], "on")

    async def test_a_message_for_somebody_else_is_refused(self):
        carol = await self.join()
        await self.talk(self.alice, carol, "hello carol")
        caught = []
        self.gateway.disturb = lambda stanza: [caught.append(stanza) or stanza] if is_message(stanza) else [stanza]
        await self.talk(self.alice, self.bob, "hello bob")
        number = new_id()
        self.gateway.deliver(carol, {**caught[0], "id": number})
        await self.settle(carol, number)
        self.assertIn((await self.refusals(carol))[0], ("unknown-prekey", "bad-mac"))
        await self.talk(self.alice, carol, "still here")
        self.assertEqual((await self.texts(carol))[-1], "still here")

    async def test_a_tampered_message_is_asked_for_again_and_the_resend_shown_once(self):
        # Confirmed in both directions first: the last bytes of a message are its MAC then.
        await self.talk(self.alice, self.bob, "before")
        await self.talk(self.bob, self.alice, "yes")

        def once(stanza):
            if not is_message(stanza):
                return [stanza]
            self.gateway.disturb = lambda later: [later]
            return [tampered(stanza)]
        self.gateway.disturb = once
        number = await self.send(self.alice, self.bob, "precious")
        retry = await self.sent_by(self.bob, lambda stanza: stanza.get("type") == "retry")
        self.assertEqual((retry["of"], retry["count"]), (number, 1))
        resend = await self.sent_by(self.alice, lambda stanza: is_message(stanza)
                                    and self.gateway.sent.index(stanza) > self.gateway.sent.index(retry))
        await self.settle(self.bob, resend["id"])
        self.assertEqual(await self.texts(self.bob), ["before", "precious"])
        self.assertEqual([what for what in await self.events(self.bob) if what["kind"] == "message"][-1]["message"], number)
        self.assertEqual(await self.refusals(self.bob), ["bad-mac"])
        self.assertEqual(await self.notices(self.bob), ["undecryptable"])

    async def test_a_stanza_is_asked_for_five_times_at_most_with_a_count(self):
        await self.talk(self.alice, self.bob, "before")
        await self.talk(self.bob, self.alice, "yes")
        broken = []

        def disturb(stanza):
            if stanza.get("type") == "retry":
                return []  # kept from Alice, so that nothing is sent again
            if is_message(stanza):
                broken.append(tampered(stanza))
                return broken[:1]
            return [stanza]
        self.gateway.disturb = disturb
        await self.send(self.alice, self.bob, "lost")
        for _ in range(7):
            self.gateway.deliver(self.bob, broken[0])
        await self.sent_by(self.bob, lambda stanza: stanza.get("count") == 5)
        self.gateway.disturb = lambda stanza: [stanza]
        await self.talk(self.alice, self.bob, "after")
        self.assertEqual([stanza["count"] for stanza in self.sent(type="retry")], [1, 2, 3, 4, 5])
        self.assertEqual((await self.texts(self.bob))[-1], "after")

    async def test_a_content_is_sent_again_five_times_at_most(self):
        number = await self.talk(self.alice, self.bob, "again and again")
        for _ in range(8):
            retry = new_id()
            self.gateway.deliver(self.alice, {"kind": "receipt", "id": retry, "from": self.bob, "type": "retry", "of": number, "count": 1})
            await self.settle(self.alice, retry)
        self.assertEqual(len(self.sent(self.alice, kind="message")), 6)

    async def test_a_user_who_is_offline_gets_the_mailbox_on_return(self):
        await self.call("disconnect", self.bob)
        await self.fails("not-connected", self.settle(self.bob, new_id()))
        await self.fails("not-connected", self.send(self.bob, self.alice, "x"))
        await self.send(self.alice, self.bob, "one")
        last = await self.send(self.alice, self.bob, "two")
        await self.call("connect", self.bob)
        await self.settle(self.bob, last)
        self.assertEqual(await self.texts(self.bob), ["one", "two"])

    async def test_the_client_comes_back_after_a_lost_channel_and_loses_nothing(self):
        await self.talk(self.alice, self.bob, "one")
        self.gateway.users[self.bob].channel.transport.abort()
        await self.talk(self.alice, self.bob, "two")
        self.assertEqual(await self.texts(self.bob), ["one", "two"])

    async def test_a_normal_closure_is_the_gateways_word(self):
        user = self.gateway.users[self.bob]
        waiting = asyncio.create_task(self.settle(self.bob, new_id()))
        await asyncio.sleep(0)
        self.gateway.close_channel(user, 1000)
        await self.fails("not-connected", waiting)

    async def test_a_stanza_that_is_none_is_refused_under_its_id(self):
        bad = [
            ({"kind": "message", "from": self.alice, "type": "normal", "body": "AA=="}, "malformed"),
            ({"kind": "message", "from": self.alice, "type": "normal", "body": ""}, "malformed"),
            ({"kind": "message", "type": "normal", "body": "MwAA"}, "malformed"),
            ({"kind": "message", "from": self.alice, "type": "normal", "body": "RAAA"}, "bad-version"),
            ({"kind": "message", "from": self.alice, "type": "normal", "body": "IgAA"}, "bad-version"),
            ({"kind": "message", "from": self.alice, "type": "prekey", "body": "M_________"}, "malformed"),
            ({"kind": "wave", "hand": "left"}, "unsupported"),
        ]
        for stanza, _ in bad:
            number = new_id()
            self.gateway.deliver(self.bob, {**stanza, "id": number})
            await self.settle(self.bob, number)
        self.assertEqual(await self.refusals(self.bob), [reason for _, reason in bad])
        self.assertEqual(self.sent(type="retry"), [])

    async def test_a_newer_gateway_may_say_more(self):
        self.gateway.disturb = lambda stanza: [{**stanza, "added-later": {"at": 1}}]
        await self.talk(self.alice, self.bob, "hello")
        self.assertEqual(await self.texts(self.bob), ["hello"])

    async def test_a_stanza_refused_with_busy_goes_out_again_and_one_refused_for_good_fails(self):
        self.gateway.refusals = ["busy", "gateway-error"]
        number = await self.talk(self.alice, self.bob, "patience")
        self.assertEqual(len(self.sent(self.alice, kind="message", id=number)), 3)
        self.gateway.refusals = ["duplicate"]
        await self.fails("duplicate", self.send(self.alice, self.bob, "x"))
        self.gateway.refusals = ["busy"] * 6
        await self.fails("gateway-error", self.send(self.alice, self.bob, "x"))
        self.assertEqual(await self.texts(self.bob), ["patience"])

    async def test_a_chat_channel_that_cannot_be_opened_now_is_asked_for_again(self):
        await self.call("disconnect", self.bob)
        self.gateway.closed_doors = [503, 502]
        await self.call("connect", self.bob)
        await self.talk(self.alice, self.bob, "hello")
        await self.call("disconnect", self.bob)
        self.gateway.users[self.bob].token = "another"
        await self.fails("unauthorized", self.call("connect", self.bob))
        await self.fails("not-connected", self.settle(self.bob, self.alice))

    async def test_an_unanswered_session_is_not_sent_in_after_thirty_days(self):
        for days, fetches in ((0, 1), (30, 1), (1, 2), (0, 2)):
            await self.candidate.call("advance_clock", {"instance": self.instance, "by_ms": days * 86_400_000})
            await self.talk(self.alice, self.bob, f"after {days} more days")
            self.assertEqual(sum(request.path == f"/keys/{self.bob}" for request in self.gateway.requests), fetches)
        await self.talk(self.bob, self.alice, "answered")
        await self.candidate.call("advance_clock", {"instance": self.instance, "by_ms": 100 * 86_400_000})
        await self.talk(self.alice, self.bob, "in the same session")
        self.assertEqual(sum(request.path == f"/keys/{self.bob}" for request in self.gateway.requests), 2)
        self.assertEqual(await self.refusals(self.bob), [])


if __name__ == "__main__":
    unittest.main()
