import asyncio
import hashlib
import os
import unittest
import uuid

from cast import Cast, encode, new_id, octets
from weak_keys import WEAK_EC_KEYS

from adapter.library import Client
from adapter.safety_number import safety_number


def is_message(stanza):
    return stanza["kind"] == "message"


def imported(**changes):
    maker = Client()
    secret, private = os.urandom(32), os.urandom(32)
    maker.identity_set(1, secret)
    _, signature = maker.signed_prekey_add(7, 0, private)
    return {"registration_id": 4711, "identity_private": encode(secret),
            "signed_prekey": {"id": 7, "private": encode(private), "signature": encode(signature)},
            "one_time_prekeys": [{"id": number, "private": encode(os.urandom(32))} for number in (3, 0xFFFFFF)],
            "one_time_kyber_prekeys": [], **changes}


class Identity(Cast):
    async def test_both_sides_see_the_same_safety_number(self):
        await self.fails("no-session", self.call("verify_identity", self.alice, peer=self.bob))
        await self.talk(self.alice, self.bob, "hello")
        seen = await self.call("verify_identity", self.alice, peer=self.bob)
        self.assertRegex(seen["digits"], r"^\d{60}$")
        self.assertEqual(await self.call("verify_identity", self.bob, peer=self.alice), seen)

    async def test_a_reinstalled_peer_gets_nothing_until_it_is_accepted(self):
        await self.talk(self.alice, self.bob, "hello")
        before = await self.call("verify_identity", self.alice, peer=self.bob)
        await self.join(self.bob)
        await self.fails("untrusted-identity", self.call("fetch_keys", self.alice, of=self.bob))
        await self.fails("untrusted-identity", self.send(self.alice, self.bob, "not yet"))
        self.assertEqual(await self.notices(self.alice), ["identity-changed"])
        self.assertNotEqual(await self.call("verify_identity", self.alice, peer=self.bob), before)
        await self.call("accept_identity", self.alice, peer=self.bob)
        await self.talk(self.alice, self.bob, "now")
        self.assertEqual(await self.texts(self.bob), ["now"])

    async def test_a_reinstalled_user_starts_with_an_empty_log_and_numbers_it_from_1(self):
        await self.talk(self.alice, self.bob, "hello")
        waiting = asyncio.create_task(self.call("events", self.bob, after=1, wait_ms=10_000))
        await asyncio.sleep(0)
        await self.join(self.bob)
        self.assertEqual(await waiting, {"events": []})
        await self.talk(await self.join(), self.bob, "welcome")
        events = (await self.call("events", self.bob, after=0, wait_ms=0))["events"]
        self.assertEqual([(event["seq"], event["what"]["content"]["text"]) for event in events], [(1, "welcome")])

    async def test_another_identity_key_outside_a_later_first_message_changes_nothing(self):
        await self.talk(self.alice, self.bob, "one")
        before = await self.call("verify_identity", self.bob, peer=self.alice)
        other = Client().identity_set(1)

        def once(stanza):
            if not is_message(stanza):
                return [stanza]
            self.gateway.disturb = lambda later: [later]
            body = octets(stanza["body"], "body")
            at = body.index(bytes([0x1A, 33, 5])) + 2
            return [{**stanza, "body": encode(body[:at] + other + body[at + 33:])}]
        self.gateway.disturb = once
        # Bob never answered, so this is a first message again.
        await self.talk(self.alice, self.bob, "two")
        self.assertEqual(await self.refusals(self.bob), ["bad-mac"])
        self.assertEqual(await self.call("verify_identity", self.bob, peer=self.alice), before)
        await self.talk(self.alice, self.bob, "three")
        self.assertIn("three", await self.texts(self.bob))
        self.assertNotIn("identity-changed", await self.notices(self.bob))

    async def test_a_first_message_under_a_new_identity_is_shown_after_the_notice_and_not_answered_until_accepted(self):
        await self.talk(self.alice, self.bob, "hello")
        await self.join(self.bob)
        await self.talk(self.bob, self.alice, "new phone")
        self.assertEqual([what["kind"] for what in await self.events(self.alice)], ["receipt", "notice", "message"])
        await self.fails("untrusted-identity", self.send(self.alice, self.bob, "not yet"))
        await self.call("accept_identity", self.alice, peer=self.bob)
        await self.talk(self.alice, self.bob, "welcome")
        self.assertEqual(await self.texts(self.bob), ["welcome"])

    async def test_a_late_message_of_a_replaced_identity_is_shown_and_changes_nothing(self):
        await self.talk(self.alice, self.bob, "hello")
        held = []
        self.gateway.disturb = lambda stanza: held.append(stanza) or [] if is_message(stanza) else [stanza]
        await self.send(self.bob, self.alice, "from the old phone")
        self.gateway.disturb = lambda stanza: [stanza]
        await self.join(self.bob)
        await self.talk(self.bob, self.alice, "from the new phone")
        await self.call("accept_identity", self.alice, peer=self.bob)
        number = await self.call("verify_identity", self.alice, peer=self.bob)
        self.gateway.deliver(self.alice, held[0])
        await self.settle(self.alice, held[0]["id"])
        self.assertEqual(await self.texts(self.alice), ["from the new phone", "from the old phone"])
        self.assertEqual(await self.call("verify_identity", self.alice, peer=self.bob), number)
        # The library would go on in the session of the old identity.
        await self.talk(self.alice, self.bob, "to the new phone")
        self.assertEqual(await self.texts(self.bob), ["to the new phone"])

    async def test_a_resend_to_a_changed_identity_waits_for_the_user(self):
        await self.talk(self.alice, self.bob, "hello")
        await self.talk(self.bob, self.alice, "hi")
        await self.join(self.bob)
        lost = await self.send(self.alice, self.bob, "for the old phone")
        retry = await self.sent_by(self.bob, lambda stanza: stanza.get("type") == "retry" and stanza["of"] == lost)
        await self.settle(self.alice, retry["id"])
        self.assertEqual(await self.notices(self.alice), ["identity-changed"])
        self.assertEqual(len(self.sent(self.alice, kind="message")), 2)
        await self.call("accept_identity", self.alice, peer=self.bob)
        await self.settle(self.alice, retry["id"])
        self.assertEqual(len(self.sent(self.alice, kind="message")), 3)
        await self.settle(self.bob, self.sent(self.alice, kind="message")[-1]["id"])
        self.assertEqual(await self.texts(self.bob), ["for the old phone"])

    async def test_a_retry_for_what_was_never_sent_to_that_peer_gets_nothing(self):
        carol = await self.join()
        sent = await self.talk(self.alice, self.bob, "for bob")
        for of in (sent, new_id()):
            number = new_id()
            self.gateway.deliver(self.alice, {"kind": "receipt", "id": number, "from": carol, "type": "retry", "of": of, "count": 1})
            await self.settle(self.alice, number)
        self.assertEqual(len(self.sent(kind="message")), 1)


class Prekeys(Cast):
    async def test_a_used_one_time_prekey_is_gone(self):
        carol = await self.join()
        kept = []

        def same(bundle):
            kept.append(bundle)
            return kept[0]
        self.gateway.bundle = same
        await self.talk(self.alice, self.bob, "mine")
        await self.talk(carol, self.bob, "stolen")
        self.assertEqual((await self.refusals(self.bob))[0], "unknown-prekey")

    async def test_prekeys_that_ran_out_are_refilled_under_new_ids(self):
        dora = await self.join(one_time=2)
        seen = []
        self.gateway.bundle = lambda bundle: seen.append(bundle["one_time_prekey"]["id"]) or bundle
        for _ in range(5):
            await self.call("fetch_keys", self.alice, of=dora)
            low = next((stanza for stanza in self.gateway.users[dora].mailbox.values() if stanza["kind"] == "keys-low"), None)
            if low:
                await self.settle(dora, low["id"])
        self.assertEqual(len(set(seen)), 5)

    async def test_without_one_time_prekeys_a_first_message_is_read_and_its_replay_a_duplicate(self):
        dora = await self.join(one_time=0)
        caught = []
        self.gateway.disturb = lambda stanza: [caught.append(stanza) or stanza] if is_message(stanza) else [stanza]
        await self.talk(self.alice, dora, "hello")
        await self.talk(self.bob, dora, "hello too")
        number = new_id()
        self.gateway.deliver(dora, {**caught[0], "id": number})
        await self.settle(dora, number)
        self.assertEqual(await self.texts(dora), ["hello", "hello too"])
        self.assertEqual(await self.refusals(dora), ["duplicate"])

    async def test_a_message_under_the_old_signed_prekey_is_read_after_a_rotation(self):
        held = []
        self.gateway.disturb = lambda stanza: held.append(stanza) or [] if is_message(stanza) else [stanza]
        old = self.gateway.users[self.bob].keys["signed_prekey"]["id"]
        await self.send(self.alice, self.bob, "under way")
        self.gateway.disturb = lambda stanza: [stanza]
        await self.call("rotate_keys", self.bob, signed=True, kyber=True, one_time_prekeys=1)
        self.gateway.deliver(self.bob, held[0])
        await self.settle(self.bob, held[0]["id"])
        self.assertEqual(await self.texts(self.bob), ["under way"])
        self.assertNotEqual(self.gateway.users[self.bob].keys["signed_prekey"]["id"], old)

    async def test_a_bundle_with_a_bad_key_or_signature_is_refused_and_a_good_one_taken_after_it(self):
        dora = await self.join(one_time=100)
        impostor = Client()
        impostor.identity_set(1)

        def with_key(name, **members):
            return lambda bundle: {**bundle, name: {**bundle[name], **members}}

        def forged(bundle):
            key = octets(bundle["signed_prekey"]["key"], "key")
            return {**bundle, "signed_prekey": {**bundle["signed_prekey"], "signature": encode(impostor.sign(key))}}
        cases = [
            ("bad-signature", forged),
            ("bad-signature", with_key("signed_prekey", signature=encode(bytes(63)))),
            ("bad-signature", with_key("signed_prekey", signature="")),
            ("bad-key", with_key("signed_prekey", key=encode(bytes([5]) * 32))),
            ("bad-key", with_key("one_time_prekey", key=encode(bytes([6]) * 33))),
            ("malformed", lambda bundle: {**bundle, "registration_id": 0}),
            ("malformed", lambda bundle: {**bundle, "registration_id": 16381}),
            ("malformed", lambda bundle: {**bundle, "user": self.alice}),
            ("malformed", lambda bundle: {**bundle, "surprise": 1}),
            ("malformed", lambda bundle: {**bundle, "kyber_prekey": bundle["signed_prekey"]}),
        ]
        for weak in WEAK_EC_KEYS:
            cases += [("bad-key", lambda bundle, weak=weak: {**bundle, "identity_key": encode(weak)}),
                      ("bad-key", with_key("signed_prekey", key=encode(weak))), ("bad-key", with_key("one_time_prekey", key=encode(weak)))]
        for reason, bend in cases:
            self.gateway.bundle = bend
            await self.fails(reason, self.send(self.alice, dora, "x"))
        self.assertEqual(self.sent(kind="message"), [])
        self.assertEqual(await self.notices(self.alice), [])
        self.gateway.bundle = lambda bundle: bundle
        await self.talk(self.alice, dora, "good")
        self.assertEqual(await self.texts(dora), ["good"])

    async def test_weak_keys_in_a_first_message_are_refused_and_the_honest_one_is_read_after_it(self):
        for start in (bytes([0x12, 33]), bytes([0x1A, 33]), bytes([0x0A, 33])):
            for weak in WEAK_EC_KEYS:
                dora = await self.join()
                caught = []
                self.gateway.disturb = lambda stanza: [] if is_message(stanza) and not caught.append(stanza) else [stanza]
                await self.send(dora, self.bob, "honest")
                body = octets(caught[0]["body"], "body")
                at = body.index(start + b"\x05") + 2
                bad = {**caught[0], "id": new_id(), "body": encode(body[:at] + weak + body[at + 33:])}
                for stanza in (bad, caught[0]):
                    self.gateway.deliver(self.bob, stanza)
                    await self.settle(self.bob, stanza["id"])
        refusals = await self.refusals(self.bob)
        self.assertEqual(set(refusals), {"bad-key"})
        self.assertEqual(len(refusals), 3 * len(WEAK_EC_KEYS))
        self.assertEqual(await self.texts(self.bob), ["honest"] * len(refusals))


class Import(Cast):
    async def test_a_user_enlists_with_exactly_the_keys_that_are_given(self):
        given = imported()
        dora = new_id()
        created = await self.call("create_user", dora, one_time_prekeys=0, **{"import": given})
        await self.call("connect", dora)
        keys = self.gateway.users[dora].keys
        maker = Client()
        self.assertEqual(created["identity_key"], encode(maker.identity_set(1, octets(given["identity_private"], "identity"))))
        self.assertEqual(keys["registration_id"], 4711)
        self.assertEqual([one["id"] for one in keys["one_time_prekeys"]], [3, 0xFFFFFF])
        self.assertEqual(keys["signed_prekey"]["signature"], given["signed_prekey"]["signature"])
        # One session each, the second under the id that the library never removes.
        for sender in (self.alice, self.bob):
            await self.talk(sender, dora, "hello")
        self.assertEqual(await self.texts(dora), ["hello", "hello"])
        user = self.candidate.user(self.instance, dora)
        self.assertFalse(user.keys.client.prekey_exists(3) or user.keys.client.prekey_exists(0xFFFFFF))

    async def test_keys_that_cannot_be_right_are_malformed(self):
        short = encode(bytes(31))
        bad = [imported(registration_id=0), imported(identity_private=short), imported(more=1),
               imported(one_time_prekeys=[{"id": 1, "private": short}]), imported(kyber_prekey={}), imported(one_time_kyber_prekeys=[{}])]
        for keys in bad:
            await self.fails("malformed", self.call("create_user", new_id(), one_time_prekeys=0, **{"import": keys}))


class Users(Cast):
    async def test_users_and_instances_that_are_not_there(self):
        await self.fails("unknown-user", self.send(self.alice, new_id(), "x"))
        await self.call("delete_user", self.bob)
        self.assertNotIn(self.bob, self.gateway.users)
        await self.fails("deleted-user", self.call("connect", self.bob))
        await self.fails("unknown-user", self.call("connect", new_id()))
        await self.fails("unknown-instance", self.candidate.call("close", {"instance": new_id()}))
        await self.fails("unsupported", self.candidate.call("invented", {}))
        await self.fails("malformed", self.candidate.call("describe", {"invented": True}))
        await self.fails("unsupported", self.candidate.call("open", {
            "instance": new_id(), "gateway": "http://127.0.0.1:9", "clock": 0, "suite": "signal-pq"}))

    async def test_a_user_who_was_un_enlisted_hears_it_and_stays_offline(self):
        await self.call("disconnect", self.bob)
        self.gateway.closed_doors = [403]
        await self.fails("not-enlisted", self.call("connect", self.bob))
        await self.fails("not-connected", self.send(self.bob, self.alice, "x"))


class SafetyNumbers(unittest.TestCase):
    # Of the official test vectors for version 2 and 5200 iterations, with these identifiers and keys.
    OWN, PEER = (bytes.fromhex(key) for key in (
        "0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868", "05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b"))

    def test_the_digits_are_those_of_the_official_vector(self):
        digits = "300354477692869396892869876765458257569162576843440918079131"
        library = Client().fingerprint(5200, b"+14152222222", self.OWN, b"+14153333333", self.PEER)
        self.assertEqual(library, digits)

    def test_ours_is_the_librarys_and_goes_on_after_a_zero_byte(self):
        client, zeros = Client(), 0
        for count in range(40):
            user, peer = (str(uuid.UUID(bytes=hashlib.sha256(bytes([side, count])).digest()[:16])) for side in (1, 2))
            ours = safety_number(client, user, self.OWN, peer, self.PEER)
            self.assertRegex(ours, r"^\d{60}$")
            self.assertEqual(ours, safety_number(client, peer, self.PEER, user, self.OWN))
            zeros += b"\0" in uuid.UUID(user).bytes + uuid.UUID(peer).bytes
        self.assertGreater(zeros, 0)
        import adapter.safety_number as module
        halves = sorted((module.half(b"+14152222222", self.OWN), module.half(b"+14153333333", self.PEER)))
        self.assertEqual("".join(halves), client.fingerprint(5200, b"+14152222222", self.OWN, b"+14153333333", self.PEER))
        zero = "00112233-4455-4677-8899-aabbccddee00"
        other = "00112233-4455-4677-8899-aabbccddee11"
        self.assertNotEqual(safety_number(client, zero, self.OWN, other, self.PEER), safety_number(client, other, self.OWN, zero, self.PEER))


if __name__ == "__main__":
    unittest.main()
