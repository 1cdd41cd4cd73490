"""The program as it is started: lines and HTTP; and what it says of itself against the contract's document."""

import asyncio
import json
import os
import sys
import unittest

from cast import new_id

from adapter.operations import OPERATIONS

HERE = os.path.dirname(os.path.abspath(__file__))
CANDIDATE = os.path.join(HERE, os.pardir, "candidate.py")
DOCUMENT = os.path.join(HERE, *[os.pardir] * 3, "contract", "openapi", "upper-tester.json")


class Lines(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.process = await asyncio.create_subprocess_exec(sys.executable, CANDIDATE, stdin=asyncio.subprocess.PIPE,
                                                            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=1 << 23)

    async def asyncTearDown(self):
        self.process.stdin.close()
        self.assertEqual(await asyncio.wait_for(self.process.wait(), 10), 0)

    async def say(self, line):
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def reply(self):
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 10))

    async def test_requests_are_answered_under_their_ids(self):
        await self.say(json.dumps({"id": 7, "op": "describe", "args": {}}).encode())
        reply = await self.reply()
        self.assertEqual((reply["id"], reply["ok"]["suites"]), (7, ["signal-classic"]))
        bad = [(b"{", 0, "malformed"), (b"[]", 0, "malformed"), (b'{"id":3,"op":1,"args":{}}', 3, "malformed"),
               (b'{"id":4,"op":"teleport","args":{}}', 4, "unsupported"), (b'{"id":5,"op":"close","args":{"instance":"x"}}', 5, "malformed"),
               (b'{"id":-1,"op":"describe","args":{}}', 0, "malformed"), (b"[" * 100_000, 0, "malformed"), (b"x" * (1 << 22), 0, "too-large")]
        for line, number, reason in bad:
            await self.say(line)
            reply = await self.reply()
            self.assertEqual((reply["id"], reply["problem"]["reason"]), (number, reason), line[:40])

    async def test_a_call_that_waits_does_not_hold_up_the_others(self):
        instance, user = new_id(), new_id()
        calls = [("open", {"instance": instance, "gateway": "http://127.0.0.1:9", "clock": 0}),
                 ("connect", {"instance": instance, "user": user}), ("describe", {})]
        for number, (op, args) in enumerate(calls, 1):
            await self.say(json.dumps({"id": number, "op": op, "args": args}).encode())
        replies = {reply["id"]: reply for reply in [await self.reply() for _ in calls]}
        self.assertEqual(replies[1]["ok"], {})
        self.assertEqual(replies[2]["problem"]["reason"], "unknown-user")
        self.assertIn("ok", replies[3])


class EndOfInput(unittest.IsolatedAsyncioTestCase):
    async def test_what_was_asked_before_the_end_is_answered(self):
        asked = b"".join(json.dumps({"id": number, "op": "describe", "args": {}}).encode() + b"\n" for number in range(1, 20))
        process = await asyncio.create_subprocess_exec(sys.executable, CANDIDATE, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                                                       env={})
        answered, _ = await asyncio.wait_for(process.communicate(asked), 10)
        self.assertEqual(sorted(json.loads(line)["id"] for line in answered.splitlines()), list(range(1, 20)))
        self.assertEqual(process.returncode, 0)


class Http(unittest.IsolatedAsyncioTestCase):
    async def test_operations_over_http(self):
        process = await asyncio.create_subprocess_exec(sys.executable, CANDIDATE, "--http", "127.0.0.1:0", stderr=asyncio.subprocess.PIPE)
        port = int((await process.stderr.readline()).decode().rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def post(path, body, method="POST"):
            writer.write(f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
            return int(head.split(" ")[1]), json.loads(await reader.readexactly(length))

        self.assertEqual((await post("/describe", b"{}"))[1]["name"], "Countersign sample (C)")
        for path, body, status, reason in (("/describe", b"{", 400, "malformed"), ("/teleport", b"{}", 501, "unsupported"),
                                           ("/close", json.dumps({"instance": new_id()}).encode(), 404, "unknown-instance")):
            answer = await post(path, body)
            self.assertEqual((answer[0], answer[1]["reason"]), (status, reason))
        self.assertEqual((await post("/describe", b"{}", "PUT"))[0], 501)
        writer.close()
        process.terminate()
        await process.wait()


class Contract(unittest.TestCase):
    def test_every_operation_of_the_contract_is_there(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            document = json.load(file)
        # Groups are a feature that is not claimed: their operations are answered `unsupported`, as any that does not exist.
        groups = {"create_group", "change_group", "send_to_group"}
        # So are those of test capabilities that are not claimed.
        state = {"snapshot", "restore", "clone", "deliver", "export"}
        self.assertEqual({path.lstrip("/") for path in document["paths"]}, set(OPERATIONS) | groups | state)

    def test_an_unbuilt_library_is_said_plainly(self):
        from adapter.library import load
        with self.assertRaises(SystemExit) as raised:
            load("/nowhere/libcountersign_shim.so")
        self.assertIn("setup", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
