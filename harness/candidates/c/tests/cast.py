"""Two users of one candidate, behind a fake gateway, driven through the operations of the contract alone."""

import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

from adapter.operations import Candidate  # noqa: E402
from adapter.problems import Problem  # noqa: E402
from adapter.shape import encode, octets  # noqa: E402
from fake_gateway import FakeGateway  # noqa: E402

__all__ = ["Cast", "Problem", "encode", "new_id", "octets", "tampered"]


def new_id():
    return str(uuid.uuid4())


def tampered(stanza, from_end=1):
    """The stanza with a bit of its body flipped, so many bytes before its end."""
    body = bytearray(octets(stanza["body"], "body"))
    body[-from_end] ^= 1
    return {**stanza, "body": encode(bytes(body))}


class Cast(unittest.IsolatedAsyncioTestCase):
    one_time = 5

    async def asyncSetUp(self):
        self.gateway = FakeGateway()
        self.candidate = Candidate()
        self.instance = new_id()
        await self.candidate.call("open", {"instance": self.instance, "gateway": await self.gateway.start(), "clock": 1_700_000_000_000,
                                           "suite": "signal-classic"})
        self.alice, self.bob = await self.join(), await self.join()

    async def asyncTearDown(self):
        await self.candidate.end()
        await self.gateway.stop()

    async def join(self, name=None, one_time=None, **more):
        name = name or new_id()
        await self.call("create_user", name, one_time_prekeys=self.one_time if one_time is None else one_time, **more)
        await self.call("connect", name)
        return name

    async def call(self, op, user, **args):
        return await self.candidate.call(op, {"instance": self.instance, "user": user, **args})

    async def send(self, user, to, content, stanza=None):
        """Sends; answers the stanza's id."""
        stanza = stanza or new_id()
        what = {"kind": "text", "text": content} if isinstance(content, str) else content
        await self.call("send", user, to=to, stanza=stanza, content=what)
        return stanza

    async def settle(self, user, through):
        await self.call("settle", user, through=through)

    async def talk(self, user, to, content):
        """Sends, and waits until the receiver has processed it."""
        stanza = await self.send(user, to, content)
        await self.settle(to, stanza)
        return stanza

    async def events(self, user):
        return [event["what"] for event in (await self.call("events", user, after=0, wait_ms=0))["events"]]

    async def texts(self, user):
        return [what["content"].get("text") for what in await self.events(user) if what["kind"] == "message"]

    async def refusals(self, user):
        return [what["reason"] for what in await self.events(user) if what["kind"] == "refused"]

    async def notices(self, user):
        return [what["notice"] for what in await self.events(user) if what["kind"] == "notice"]

    async def sent_by(self, user, fits):
        """The first stanza of a user that fits."""
        def found():
            return next((stanza for stanza in self.gateway.sent if stanza["from"] == user and fits(stanza)), None)

        async with self.gateway.news:
            await self.gateway.news.wait_for(found)
        return found()

    def sent(self, user=None, **members):
        return [stanza for stanza in self.gateway.sent if user in (None, stanza["from"])
                and all(stanza.get(name) == value for name, value in members.items())]

    async def fails(self, reason, awaitable):
        with self.assertRaises(Problem) as raised:
            await awaitable
        self.assertEqual(raised.exception.reason, reason, raised.exception)
