import hashlib
import os
import unittest

from cast import Cast, Problem, encode, new_id

from adapter import content, media


class Files(Cast):
    def file(self, data, kind="image"):
        name = new_id()
        self.gateway.files[name] = data
        reference = {"url": f"/files/{name}", "sha256": encode(hashlib.sha256(data).digest()), "length": len(data)}
        return {"kind": "media", "media": kind, "mime": "image/png", "name": "cat.png", "file": reference}

    async def test_files_of_each_kind_and_of_awkward_lengths_arrive(self):
        for kind, length in (("image", 0), ("video", 15), ("voice", 16), ("file", 3_000_000)):
            what = self.file(os.urandom(length), kind)
            number = await self.talk(self.alice, self.bob, what)
            seen = {name: value for name, value in what["file"].items() if name != "url"}
            self.assertEqual((await self.events(self.bob))[-1], {"kind": "message", "message": number, "from": self.alice,
                                                                 "content": {**what, "file": seen}})

    async def test_the_same_file_twice_travels_under_different_keys(self):
        data = os.urandom(100)
        await self.send(self.alice, self.bob, self.file(data))
        await self.send(self.alice, self.bob, self.file(data))
        self.assertEqual(len(set(self.gateway.media.values())), 2)

    async def test_a_blob_that_was_flipped_cut_or_lost_is_refused_and_nothing_is_shown(self):
        bends = [("bad-digest", lambda blob: bytes([blob[0] ^ 1]) + blob[1:]), ("bad-digest", lambda blob: blob[:-1]),
                 ("media-missing", lambda blob: None)]
        for _, bend in bends:
            await self.call("disconnect", self.bob)
            number = await self.send(self.alice, self.bob, self.file(os.urandom(100)))
            name = list(self.gateway.media)[-1]
            self.gateway.media[name] = bend(self.gateway.media[name])
            await self.call("connect", self.bob)
            await self.settle(self.bob, number)
        self.assertEqual(await self.refusals(self.bob), [reason for reason, _ in bends])
        self.assertEqual(await self.texts(self.bob), [])
        self.assertEqual(self.sent(self.bob, kind="receipt"), [])

    async def test_a_place_outside_the_gateway_is_never_asked(self):
        before = len(self.gateway.requests)
        for url in ("http://127.0.0.1:1/media/x", "/media/../keys", "//elsewhere/media/x", "/media/a/b", "/media/..", "/files/x"):
            what = {**self.file(b"x"), "file": {"url": url, "sha256": "AAAA", "length": 1}}
            await self.fails("media-missing" if url == "/files/x" else "malformed", self.send(self.alice, self.bob, what))
        self.assertEqual(len(self.gateway.requests), before + 1)

    async def test_requests_that_the_gateway_cannot_serve_now_are_made_again_six_times_in_all(self):
        def is_upload(request):
            return (request.method, request.path) == ("PUT", "/media")

        def uploads():
            return [request for request in self.gateway.requests if is_upload(request)]
        for status, reason in ((503, "busy"), (502, "gateway-error")):
            self.gateway.faults.append((is_upload, status, reason, {}))
        await self.talk(self.alice, self.bob, self.file(os.urandom(10)))
        self.assertEqual(len(uploads()), 3)
        self.gateway.faults = [(is_upload, 503, "busy", {}) for _ in range(7)]
        await self.fails("gateway-error", self.send(self.alice, self.bob, self.file(os.urandom(10))))
        pauses = [later.at - earlier.at for earlier, later in zip(uploads()[3:], uploads()[4:])]
        self.assertEqual(len(pauses), 5)
        for i, pause in enumerate(pauses):
            self.assertGreaterEqual(pause, 0.05 * 2**i)

    async def test_retry_after_is_a_lower_bound(self):
        self.gateway.faults = [(lambda request: request.path == "/blocks", 503, "busy", {"retry-after": "1"})]
        await self.call("block", self.alice, peer=self.bob, blocked=True)
        first, second = (request.at for request in self.gateway.requests if request.path == "/blocks")
        self.assertGreaterEqual(second - first, 1)

    async def test_a_download_that_breaks_off_is_made_again(self):
        self.gateway.breaks.append(3)
        number = await self.talk(self.alice, self.bob, self.file(os.urandom(100)))
        self.assertEqual(await self.refusals(self.bob), [])
        self.assertEqual((await self.events(self.bob))[-1]["message"], number)


class Formats(unittest.TestCase):
    def fails(self, reason, function, *arguments):
        with self.assertRaises(Problem) as raised:
            function(*arguments)
        self.assertEqual(raised.exception.reason, reason)

    def test_digest_mac_decryption_length_in_that_order(self):
        blob, key, digest = media.seal("image", b"picture")
        attachment = {"kind": "image", "key": key, "digest": digest, "length": 7}
        self.assertEqual(media.open_blob(blob, attachment), hashlib.sha256(b"picture").digest())
        flipped = bytes(blob[:3]) + bytes([blob[3] ^ 1]) + bytes(blob[4:])
        self.fails("bad-digest", media.open_blob, flipped, attachment)
        self.fails("bad-mac", media.open_blob, flipped, {**attachment, "digest": hashlib.sha256(flipped).digest()})
        self.fails("bad-mac", media.open_blob, blob, {**attachment, "kind": "voice"})
        self.fails("malformed", media.open_blob, blob, {**attachment, "length": 8})
        short = blob[:40]
        self.fails("malformed", media.open_blob, short, {**attachment, "digest": hashlib.sha256(short).digest()})

    def test_files_around_the_size_of_a_block_come_back(self):
        for length in (0, 1, 15, 16, 17, 65_536, 200_000):
            data = os.urandom(length)
            blob, key, digest = media.seal("file", data)
            self.assertEqual(len(blob), length // 16 * 16 + 48)
            attachment = {"kind": "file", "key": key, "digest": digest, "length": length}
            self.assertEqual(media.open_blob(bytes(blob), attachment), hashlib.sha256(data).digest())

    def test_the_key_derivation_is_rfc_5869(self):
        # Appendix A.3: no salt, no info.
        okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        self.assertEqual(media.hkdf(b"\x0b" * 22, b"", 42).hex(), okm)

    def test_padding_is_the_rule_and_every_other_way_to_pad_is_refused(self):
        for length in (0, 1, 158, 159, 160, 319, 320):
            padded = content.pad(bytes([7]) * length)
            self.assertEqual(len(padded), (length // 160 + 1) * 160)
            self.assertEqual(content.unpad(padded), bytes([7]) * length)
        one = content.pad(b"\x01")
        for wrong in (b"", bytes(160), one[:159], one + bytes(160), one[:1] + b"\x81" + one[2:]):
            self.fails("bad-padding", content.unpad, wrong)

    def test_contents_that_are_none_are_refused(self):
        identity = b"\x0a\x24" + new_id().encode()
        self.assertEqual(content.read(content.pad(identity + b"\x52\x03\x0a\x01A"))[1], {"kind": "text", "text": "A"})
        bad = [identity, identity + b"\x52\x03\x0a\x01\xff", identity + b"\x52\x00\x82\x01\x00", b"\x52\x03\x0a\x01A", b"\xff\xff\xff",
               identity + b"\x50\x01", identity + b"\x52\x02\x08\x01", b"\x08\x01" + b"\x52\x00", identity + b"\x53\x54", identity + b"\x62\x00",
               identity + b"\x5a\x00"]
        for data in bad:
            self.fails("malformed", content.read, content.pad(data))
        # Fields of a newer version are passed over.
        newer = identity + b"\x52\x05\x0a\x01A\x78\x01" + b"\xa0\x06\x01"
        self.assertEqual(content.read(content.pad(newer))[1], {"kind": "text", "text": "A"})

    def test_names_and_media_types_are_held_against_the_contract(self):
        for good in ("", "a", ".profile", "CON.txt", "\u6771\u4eac e\u0301", "é" * 127):
            self.assertEqual(content.file_name(good), good)
        for bad in ("..", ".", "a/b", "a\\b", "a\0", "a\n", "a\u0085", "\u202egpj", "\u2066", "é" * 128):
            self.fails("malformed", content.file_name, bad)
        for good in ("image/png", "audio/ogg; codecs=opus", "a/b "):
            self.assertEqual(content.media_type(good), good)
        for bad in ("", "image", "a/b/c", "../x/y", "a/b\r\nX: y", "a/b\0", "a/b;\n", "a/b\n", f"a/{'b' * 254}"):
            self.fails("malformed", content.media_type, bad)


if __name__ == "__main__":
    unittest.main()
