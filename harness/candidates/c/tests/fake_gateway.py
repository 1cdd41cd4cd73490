"""A small gateway for the tests, written from the contract's documentation. It keeps the rules that a client can notice, and lets a
test change what passes: `disturb(stanza)` answers the stanzas to deliver instead of one."""

import asyncio
import base64
import hashlib
import json
import struct
import time
import uuid
from types import SimpleNamespace

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BASE = "/an/instance"


class FakeGateway:
    def __init__(self):
        self.users = {}
        self.media = {}
        self.files = {}
        self.requests = []
        self.sent = []  # stanzas that clients sent, acknowledgements included
        self.news = asyncio.Condition()
        self.faults = []  # answers that come before the real ones, each used once: (fits(request), status, reason, headers)
        self.breaks = []  # the next downloads break off after so many bytes
        self.refusals = []  # reasons with which the next stanzas of clients are refused
        self.closed_doors = []  # statuses with which the next requests for a chat channel are answered
        self.disturb = lambda stanza: [stanza]
        self.bundle = lambda bundle: bundle
        self.connections = {}

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20)
        port = self.server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}{BASE}"

    async def stop(self):
        self.server.close()
        serving = list(self.connections.values())
        for writer in self.connections:
            writer.transport.abort()
        await asyncio.gather(*serving)
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        self.connections[writer] = asyncio.current_task()
        try:
            while await self.exchange(reader, writer):
                pass
        except (OSError, EOFError):
            pass
        finally:
            del self.connections[writer]
            writer.close()

    async def exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        assert target.startswith(BASE), target
        request = SimpleNamespace(method=method, path=target[len(BASE):], headers=headers, body=body, at=time.monotonic())
        if headers.get("upgrade") == "websocket":
            return await self.open_chat(request, reader, writer)
        self.requests.append(request)
        fault = next((fault for fault in self.faults if fault[0](request)), None)
        if fault is not None:
            self.faults.remove(fault)
            _, status, reason, more = fault
            answer = problem(status, reason, more)
        else:
            answer = self.route(request)
        status, data, more = answer
        lines = [f"HTTP/1.1 {status} -", f"content-length: {len(data)}"] + [f"{name}: {value}" for name, value in more.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        if method == "GET" and request.path.startswith("/media/") and self.breaks:
            writer.write(data[:self.breaks.pop(0)])
            return False
        writer.write(data)
        await writer.drain()
        return True

    def by_token(self, headers):
        return next((user for user in self.users.values() if headers.get("authorization") == f"Bearer {user.token}"), None)

    def route(self, request):
        method, path = request.method, request.path
        if (method, path) == ("POST", "/enlist"):
            return self.enlist(json.loads(request.body))
        user = self.by_token(request.headers)
        if user is None:
            return problem(401, "unauthorized")
        _, folder, *rest = path.split("/")
        if (method, folder) == ("GET", "keys"):
            return self.keys(rest[0])
        if (method, folder) == ("PUT", "keys"):
            return self.publish(user, json.loads(request.body))
        if (method, folder) == ("PUT", "blocks"):
            user.blocks = json.loads(request.body)["users"]
            return answer({"users": user.blocks})
        if (method, folder) == ("DELETE", "user"):
            del self.users[user.keys["user"]]
            self.close_channel(user, 4000)
            return answer({})
        if (method, folder) == ("PUT", "media"):
            name = str(uuid.uuid4())
            self.media[name] = request.body
            return answer({"url": f"/media/{name}"})
        data = {"media": self.media, "files": self.files}.get(folder, {}).get(rest[0] if rest else "")
        return (200, data, {}) if data is not None else problem(404, "media-missing")

    def enlist(self, keys):
        assert keys["one_time_kyber_prekeys"] == [] and "kyber_prekey" not in keys, "a Kyber key in signal-classic"
        before = self.users.get(keys["user"])
        if before is not None:
            self.close_channel(before, 4000)
        self.users[keys["user"]] = SimpleNamespace(keys=keys, token=str(uuid.uuid4()), mailbox={}, channel=None, blocks=[])
        return answer({"token": self.users[keys["user"]].token})

    def keys(self, name):
        user = self.users.get(name)
        if user is None:
            return problem(404, "unknown-user")
        bundle = {member: user.keys[member] for member in ("user", "registration_id", "identity_key", "signed_prekey")}
        if user.keys["one_time_prekeys"]:
            bundle["one_time_prekey"] = user.keys["one_time_prekeys"].pop(0)
            if not user.keys["one_time_prekeys"]:
                self.deliver(name, {"kind": "keys-low", "id": str(uuid.uuid4()), "one_time_prekeys": 0, "one_time_kyber_prekeys": 0})
        return answer(self.bundle(bundle))

    def publish(self, user, keys):
        user.keys["one_time_prekeys"] += keys.get("one_time_prekeys", [])
        if "signed_prekey" in keys:
            user.keys["signed_prekey"] = keys["signed_prekey"]
        return answer({"one_time_prekeys": len(user.keys["one_time_prekeys"]), "one_time_kyber_prekeys": 0})

    # The chat channel.

    async def open_chat(self, request, reader, writer):
        user = self.by_token(request.headers)
        if self.closed_doors or user is None:
            status, data, _ = door(self.closed_doors.pop(0)) if self.closed_doors else problem(401, "unauthorized")
            writer.write(f"HTTP/1.1 {status} -\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)
            await writer.drain()
            return False
        proof = base64.b64encode(hashlib.sha1(request.headers["sec-websocket-key"].encode() + GUID).digest()).decode()
        writer.write(f"HTTP/1.1 101 -\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {proof}\r\n\r\n".encode())
        self.close_channel(user, 4001)
        user.channel = writer
        for stanza in user.mailbox.values():
            self.write(user, stanza)
        while True:
            first, second = await reader.readexactly(2)
            length = second & 0x7F
            if length > 125:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
            assert second & 0x80, "a client masks its frames"
            mask = await reader.readexactly(4)
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(await reader.readexactly(length)))
            if first & 0x0F == 8:
                if user.channel is writer:
                    user.channel = None
                writer.write(frame(8, data))
                return False
            if first & 0x0F == 1:
                await self.stanza(user, json.loads(data))

    def close_channel(self, user, code):
        if user.channel is not None:
            user.channel.write(frame(8, struct.pack("!H", code)))
            user.channel = None

    async def stanza(self, user, stanza):
        sender = user.keys["user"]
        self.sent.append({**stanza, "from": sender})
        if stanza["kind"] == "ack":
            user.mailbox.pop(stanza["id"], None)
        else:
            rest = {name: value for name, value in stanza.items() if name != "to"}
            reason = self.refusals.pop(0) if self.refusals else None if stanza["to"] in self.users else "unknown-user"
            if reason is not None:
                self.write(user, {"kind": "refused", "id": stanza["id"], "problem": {"reason": reason, "detail": ""}})
            else:
                self.write(user, {"kind": "accepted", "id": stanza["id"]})
                for changed in self.disturb({**rest, "from": sender}):
                    self.deliver(stanza["to"], changed)
        async with self.news:
            self.news.notify_all()

    def deliver(self, to, stanza):
        user = self.users[to]
        user.mailbox[stanza["id"]] = stanza
        self.write(user, stanza)

    @staticmethod
    def write(user, stanza):
        if user.channel is not None:
            user.channel.write(frame(1, json.dumps(stanza).encode()))


def frame(opcode, data):
    length = len(data)
    if length < 126:
        head = bytes([length])
    elif length < 65536:
        head = bytes([126]) + struct.pack("!H", length)
    else:
        head = bytes([127]) + struct.pack("!Q", length)
    return bytes([0x80 | opcode]) + head + data


def answer(value):
    return 200, json.dumps(value).encode(), {"content-type": "application/json"}


def door(status):
    return problem(status, {403: "not-enlisted", 502: "gateway-error", 503: "busy"}[status])


def problem(status, reason, headers=None):
    body = json.dumps({"reason": reason, "detail": "by the test"}).encode()
    return status, body, {"content-type": "application/problem+json", **(headers or {})}
