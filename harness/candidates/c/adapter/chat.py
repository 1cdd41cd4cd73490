"""The chat channel of one user: a WebSocket, the stanzas that wait for the gateway's word, and coming back after a loss."""

import asyncio
import json

from . import shape
from .gateway import problem_from, with_retries
from .http import BrokenOff
from .problems import STATUS, Problem, say
from .websocket import NORMAL_CLOSURE, Refused, WebSocket

OPEN_WITHIN = 8.0  # seconds
CLOSED_WITHIN = 2.0

# What the gateway sends. Members of `message` and `receipt` beyond the id are checked when the stanza is processed, so that a stanza
# that is wrong inside is refused and acknowledged under its id.
LATER = shape.Optional(shape.as_it_is)
INCOMING = {
    "message": {"id": shape.uuid, "from": LATER, "type": LATER, "body": LATER},
    "receipt": {"id": shape.uuid, "from": LATER, "type": LATER, "of": LATER, "count": LATER},
    "accepted": {"id": shape.uuid},
    "refused": {"id": shape.uuid, "problem": shape.members(
        reason=shape.one_of(*STATUS), detail=shape.Optional(shape.text), status=shape.Optional(shape.whole(999)))},
    "keys-low": {"id": shape.uuid, "one_time_prekeys": shape.u32, "one_time_kyber_prekeys": shape.u32},
}
read_incoming = shape.tagged_by_newer(INCOMING)


def read_frame(text):
    """A stanza, as from a newer gateway. A delivered one that is still none of the contract is refused under its id, if it has one;
    other frames are dropped."""
    frame = None
    try:
        frame = json.loads(text)
        return read_incoming(frame, "stanza")
    except (ValueError, RecursionError, Problem) as error:
        say(f"a frame of the gateway is not a stanza: {error}")
        frame = frame if isinstance(frame, dict) else {}
        if frame.get("kind") in ("accepted", "refused") or not shape.is_uuid(frame.get("id")):
            return None
        reason = error.reason if isinstance(error, Problem) else "malformed"
        return {"kind": "unreadable", "id": frame["id"].lower(), "reason": reason}


class Waiting:
    """A stanza on its way. `lasting` ones are the client's own, and survive a loss of the channel; those of an operation end with
    `disconnect`."""

    def __init__(self, stanza, lasting):
        self.stanza, self.lasting = stanza, lasting
        self.said = asyncio.get_running_loop().create_future()


class Chat:
    def __init__(self, gateway, delivered, left):
        """`delivered(stanza)` gets what arrives, in order; `left()` is called when the user is no longer online."""
        self.gateway, self.delivered, self.left = gateway, delivered, left
        self.online = False
        self.socket = None
        self.reading = None
        self.token = None
        self.waiting = {}
        self.stay = 0  # counts up whenever the user goes offline: a dial of an earlier stay is of no use any more

    async def open(self, token):
        """Opens the channel, or does nothing if it is open."""
        if self.online:
            return
        self.token, self.online = token, True
        stay = self.stay
        try:
            await self.dial()
        except BaseException:
            if stay == self.stay:
                self.leave()
            raise

    async def close(self):
        """Closes the channel. What the client itself has to say is said when the user is back."""
        socket, reading = self.socket, self.reading
        self.leave()
        if socket is None:
            return
        socket.close()
        try:
            await asyncio.wait_for(asyncio.shield(reading), CLOSED_WITHIN)
        except asyncio.TimeoutError:
            socket.ended()

    async def submit(self, stanza, lasting=False):
        """Sends a stanza; returns when the gateway has accepted it. One that is refused with `busy` goes out again, after growing
        pauses."""
        await self.accepted(self.begin(stanza, lasting))

    def begin(self, stanza, lasting=False):
        """Sends a stanza at once; `accepted` waits for the gateway's word."""
        if not self.online and not lasting:
            raise Problem("not-connected", "the user is offline")
        waiting = self.waiting[stanza["id"]] = Waiting(stanza, lasting)
        self.write(stanza)
        return waiting

    async def accepted(self, waiting):
        first = True

        async def attempt():
            nonlocal first
            if not first:
                waiting.said = asyncio.get_running_loop().create_future()
                self.require(waiting)
                self.write(waiting.stanza)
            first = False
            await waiting.said
        try:
            await with_retries(attempt)
        finally:
            if self.waiting.get(waiting.stanza["id"]) is waiting:
                del self.waiting[waiting.stanza["id"]]

    def require(self, waiting):
        if waiting.stanza["id"] not in self.waiting or not (self.online or waiting.lasting):
            raise Problem("not-connected", "the user went offline")

    def acknowledge(self, number):
        """Says that a stanza is processed. False if it could not be said: the gateway will deliver the stanza again."""
        return self.write({"kind": "ack", "id": number})

    def forget(self):
        """Drops what waits: the user is gone."""
        for waiting in list(self.waiting.values()):
            self.say_to(waiting, Problem("not-connected", "the user is gone"))
        self.waiting.clear()

    def write(self, stanza):
        return self.socket is not None and self.socket.send(json.dumps(stanza))

    @staticmethod
    def say_to(waiting, problem):
        if not waiting.said.done():
            waiting.said.set_result(None) if problem is None else waiting.said.set_exception(problem)
            # Whoever awaits it sees the failure; until then it must not count as unhandled.
            waiting.said.exception()

    async def dial(self):
        stay = self.stay
        await with_retries(lambda: self.dial_once(stay), lambda: stay != self.stay)

    async def dial_once(self, stay):
        try:
            socket = await asyncio.wait_for(WebSocket.open(self.gateway.origin, "/chat", self.token), OPEN_WITHIN)
        except Refused as refused:
            raise problem_from(refused.status, refused.headers, refused.body) from None
        except (OSError, BrokenOff) as error:
            raise Problem("gateway-error", f"chat channel: {error or 'no answer in time'}") from None
        if stay != self.stay:
            socket.ended()
            raise Problem("not-connected", "the user went offline")
        self.socket = socket
        for waiting in list(self.waiting.values()):
            self.write(waiting.stanza)
        self.reading = asyncio.create_task(self.read(socket))

    async def read(self, socket):
        while (text := await socket.receive()) is not None:
            if socket is not self.socket:
                continue
            stanza = read_frame(text)
            if stanza is None:
                continue
            if stanza["kind"] in ("accepted", "refused"):
                waiting = self.waiting.get(stanza["id"])
                refusal = stanza.get("problem")
                if waiting is not None:
                    self.say_to(waiting, refusal and Problem(refusal["reason"], refusal["detail"] or ""))
            else:
                self.delivered(stanza)
        await self.lost(socket)

    async def lost(self, socket):
        if socket is not self.socket:
            return
        self.socket = None
        if not self.online:
            return
        # A normal closure is the gateway's word; anything else was a loss, and the client comes back.
        if socket.close_code == NORMAL_CLOSURE:
            self.leave()
            return
        stay = self.stay
        try:
            await self.dial()
        except Problem as problem:
            say(f"the channel is lost: {problem}")
            if stay == self.stay:
                self.leave()

    def leave(self):
        if not self.online:
            return
        self.online = False
        self.socket = None
        self.stay += 1
        for waiting in list(self.waiting.values()):
            if not waiting.lasting:
                self.say_to(waiting, Problem("not-connected", "the user went offline"))
        self.left()
