"""One user of an instance: keys, sessions, the chat channel, and what the user does and sees."""

import asyncio
import hashlib
import re
import uuid

from . import content, media, shape
from .chat import Chat
from .events import Events
from .keys import OwnKeys
from .library import Client
from .problems import Problem
from .receiving import Receiving
from .sent import Sent
from .sessions import Sessions
from .talk import OWN, Talk

TOKEN = re.compile(r"[\x21-\x7e]+")


class User:
    def __init__(self, name, instance, batch, imported=None):
        def clock():
            return instance.clock

        self.name, self.gateway, self.clock = name, instance.gateway, clock
        self.token = None
        client = Client()
        self.keys = OwnKeys(client, batch, clock, imported)
        self.events = Events()
        self.sent = Sent()
        self.talk = Talk(clock)
        self.receiving = Receiving(self)
        self.sessions = Sessions(name, client, self.keys, clock, fetch_bundle=lambda peer: self.request("GET", f"/keys/{peer}"),
                                 changed=lambda peer: self.events.notice("identity-changed", peer))
        self.chat = Chat(self.gateway, delivered=self.receiving.deliver, left=self.receiving.stop)
        # Messages that a peer asked for again, and that wait for the user to accept the peer's new identity key.
        self.held = {}
        self.blocking = asyncio.Lock()

    async def request(self, method, path, body=None):
        return await self.gateway.json(method, path, self.token, body)

    async def download(self, folder, path):
        return await self.gateway.download(self.token, folder, path)

    async def enlist(self):
        answer = await self.request("POST", "/enlist", self.keys.enlistment(self.name))
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or TOKEN.fullmatch(token) is None:
            raise Problem("gateway-error", "enlistment gave no token")
        self.token = token

    async def delete(self):
        await self.request("DELETE", "/user")
        await self.leave()
        self.events.end()

    async def leave(self):
        """Goes offline for good; the gateway is not asked."""
        await self.chat.close()
        self.chat.forget()

    async def connect(self):
        await self.chat.open(self.token)
        for peer in list(self.held):
            self.release(peer)

    async def disconnect(self):
        await self.chat.close()

    # Sending.

    async def send(self, to, stanza, what):
        """Sends content under the given stanza id; returns when the gateway has accepted it."""
        if not self.chat.online:
            raise Problem("not-connected", "the user is offline")
        if to == self.name:
            raise Problem("malformed", "a message to oneself")
        self.require_unblocked(to)
        self.talk.check(to, OWN, what)
        attachment = await self.upload(what) if what["kind"] == "media" else None
        plaintext = content.write(stanza, self.clock(), what, attachment)
        self.sent.add(stanza, to, plaintext)
        self.talk.sending(to, stanza, what)
        try:
            async with self.sessions.alone:
                waiting = await self.encrypt_and_begin(to, stanza, plaintext, lasting=False)
            await self.chat.accepted(waiting)
        except BaseException:
            self.sent.forget(stanza)
            self.talk.unsent(to, stanza)
            raise
        self.talk.sent(to, stanza, what)

    def require_unblocked(self, peer):
        if peer in self.talk.blocked:
            raise Problem("blocked", f"the user has blocked {peer}")

    async def encrypt_and_begin(self, to, stanza, plaintext, lasting):
        kind, body = await self.sessions.encrypt(to, plaintext)
        self.require_unblocked(to)
        return self.chat.begin({"kind": "message", "id": stanza, "to": to, "type": kind, "body": shape.encode(body)}, lasting)

    async def upload(self, what):
        file = what["file"]
        content.file_name(what["name"])
        content.media_type(what["mime"])
        if file["url"] is None:
            raise Problem("malformed", "a file to send without its `url`")
        if file["length"] > media.LARGEST_FILE:
            raise Problem("too-large", f"a file of {file['length']} bytes")
        plaintext = await self.download("files", file["url"])
        if len(plaintext) != file["length"]:
            raise Problem("malformed", f"a file of {len(plaintext)} bytes instead of {file['length']}")
        if await asyncio.to_thread(lambda: hashlib.sha256(plaintext).digest()) != file["sha256"]:
            raise Problem("bad-digest", "the file to send has another digest")
        blob, key, digest = await asyncio.to_thread(media.seal, what["media"], plaintext)
        url = await self.gateway.upload(self.token, blob)
        return content.attachment(what, url, key, digest)

    async def resend(self, message):
        """A peer could not read a message: new session, same content, new stanza. Held back if the identity key changed."""
        if not self.sent.may_resend(message):
            return
        stanza = str(uuid.uuid4())
        try:
            async with self.sessions.alone:
                await self.sessions.establish(message.to)
                self.sent.resent_under(message, stanza)
                waiting = await self.encrypt_and_begin(message.to, stanza, message.plaintext, lasting=True)
        except Problem as problem:
            if problem.reason != "untrusted-identity":
                raise
            self.held.setdefault(message.to, {})[message.id] = message
            return
        self.receiving.follow(self.chat.accepted(waiting))

    def accept_identity(self, peer):
        self.sessions.identities.accept(peer)
        if self.chat.online:
            self.release(peer)

    def release(self, peer):
        for message in self.held.pop(peer, {}).values():
            self.receiving.follow(self.resend(message))

    # Keys, and whom the user has blocked.

    async def block(self, peer, blocked):
        """Blocks a peer, or ends that; the gateway gets the whole list. One change after the other."""
        if peer == self.name:
            raise Problem("malformed", "nobody blocks himself")
        async with self.blocking:
            users = self.talk.blocked | {peer} if blocked else self.talk.blocked - {peer}
            await self.request("PUT", "/blocks", {"users": sorted(users)})
            self.talk.blocked = users

    async def refill(self):
        """The gateway has run out of our one-time prekeys: as many again."""
        if self.keys.batch > 0:
            await self.request("PUT", "/keys", self.keys.one_time(self.keys.batch))

    async def rotate(self, new_signed, one_time_prekeys):
        fresh = self.keys.one_time(one_time_prekeys)
        if new_signed:
            fresh["signed_prekey"] = self.keys.signed_prekey()
        await self.request("PUT", "/keys", fresh)

    async def fetch_keys(self, peer):
        async with self.sessions.alone:
            return await self.sessions.establish(peer)
