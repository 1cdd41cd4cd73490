"""What arrives on a user's chat channel: processed one after another, answered, and then acknowledged."""

import asyncio
import uuid
from collections import deque

from . import content, media, shape
from .problems import Problem, problem_of, say
from .talk import is_answered
from .waiting import Changes

MOST_RETRIES = 5
SETTLE_WITHIN = 28.0  # seconds: before the deadline of `settle`

# Refusals after which the message is asked for again: no session, no key, or a MAC that does not match.
ASKED_AGAIN = ("no-session", "unknown-prekey", "bad-mac")

message_stanza = shape.members(**{"kind": shape.text, "id": shape.uuid, "type": shape.one_of("prekey", "normal"), "from": shape.uuid,
                                  "body": shape.octets})
receipt_stanza = shape.members(**{"kind": shape.text, "id": shape.uuid, "type": shape.one_of("delivered", "retry"), "from": shape.uuid,
                                  "of": shape.uuid, "count": shape.Optional(shape.u64)})


class Receiving:
    def __init__(self, user):
        self.user = user
        self.changes = Changes()
        self.queue = deque()
        self.working = None  # the task that empties the queue
        self.processed = set()
        self.unacknowledged = set()  # processed, but the channel was gone before that could be said
        self.decrypted = set()  # stanzas
        self.shown = set()  # sender and message id: a resend travels under another stanza id
        self.asked = {}  # stanza: how often it was asked for again
        self.follow_ups = set()

    def deliver(self, stanza):
        """Takes a stanza as it is delivered."""
        self.queue.append(stanza)
        if self.working is None:
            self.working = asyncio.create_task(self.work())

    async def work(self):
        while self.queue:
            await self.process_and_acknowledge(self.queue.popleft())
        self.working = None
        self.changes.changed()

    def stop(self):
        """The user went offline: what was not begun is delivered again later."""
        self.queue.clear()
        self.changes.changed()

    def follow(self, what):
        """Registers what followed from a stanza: `settle` waits for it."""
        task = asyncio.create_task(self.followed(what))
        self.follow_ups.add(task)
        task.add_done_callback(self.ended)

    async def followed(self, what):
        try:
            await what
        except Exception as error:  # the client goes on
            say(f"what followed from a stanza failed: {problem_of(error)}")

    def ended(self, task):
        self.follow_ups.discard(task)
        self.changes.changed()

    async def settle(self, through):
        """Waits until this stanza is processed, and whatever else has arrived, and the gateway has accepted what followed."""
        def done():
            return through in self.processed and self.working is None and not self.follow_ups

        if not await self.changes.until(lambda: done() or not self.user.chat.online, SETTLE_WITHIN):
            raise Problem("timeout", f"{through} or what followed from it is not done")
        if not self.user.chat.online:
            raise Problem("not-connected", "the user is offline")

    async def process_and_acknowledge(self, stanza):
        number = stanza["id"]
        if number not in self.unacknowledged:
            try:
                await self.process(stanza)
            except Exception as error:  # nothing of it is shown, and the client goes on
                self.user.events.refused(number, problem_of(error).reason)
        self.processed.add(number)
        if self.user.chat.acknowledge(number):
            self.unacknowledged.discard(number)
        else:
            self.unacknowledged.add(number)

    async def process(self, stanza):
        kind = stanza["kind"]
        if kind == "message":
            await self.message(message_stanza(stanza, "message"))
        elif kind == "receipt":
            await self.receipt(receipt_stanza(stanza, "receipt"))
        elif kind == "keys-low":
            await self.user.refill()
        else:
            raise Problem(stanza.get("reason", "malformed"), "not a stanza of this version")

    async def message(self, stanza):
        number, sender = stanza["id"], stanza["from"]
        if number in self.decrypted:
            raise Problem("duplicate", "this stanza was delivered before")
        # Whether it could be read does not matter, and nobody is told.
        self.refuse_blocked(sender)
        sessions = self.user.sessions
        try:
            async with sessions.alone:
                plaintext = sessions.decrypt(sender, stanza["type"], stanza["body"])
        except Problem as problem:
            self.refuse_blocked(sender)
            if problem.reason in ASKED_AGAIN:
                self.ask_again(number, sender)
            raise
        self.decrypted.add(number)
        message, shown, attachment = content.read(plaintext)
        if (sender, message) in self.shown:
            raise Problem("duplicate", "this message was shown before")
        if attachment is not None:
            shown = await self.file(attachment)
        self.refuse_blocked(sender)
        self.user.talk.receive(sender, message, shown)
        self.shown.add((sender, message))
        self.user.events.message(message, sender, shown)
        if is_answered(shown):
            self.answer({"type": "delivered", "to": sender, "of": number})

    def refuse_blocked(self, sender):
        if sender in self.user.talk.blocked:
            raise Problem("blocked", "a message of a blocked user")

    def ask_again(self, number, sender):
        count = self.asked.get(number, 0) + 1
        if count > MOST_RETRIES:
            return
        self.asked[number] = count
        if count == 1:
            self.user.events.notice("undecryptable", sender)
        self.answer({"type": "retry", "to": sender, "of": number, "count": count})

    def answer(self, receipt):
        # Written now, in the order of what is answered; the gateway's word is waited for beside it.
        waiting = self.user.chat.begin({"kind": "receipt", "id": str(uuid.uuid4()), **receipt}, lasting=True)
        self.follow(self.user.chat.accepted(waiting))

    async def file(self, attachment):
        media.check_attachment(attachment)
        blob = await self.user.download("media", attachment["url"])
        # Long work on many bytes must not hold up the other users of this process.
        sha256 = await asyncio.to_thread(media.open_blob, blob, attachment)
        return content.seen_file(attachment, sha256)

    async def receipt(self, stanza):
        sender = stanza["from"]
        if sender in self.user.talk.blocked:
            return
        sent = self.user.sent.find(stanza["of"], sender)
        # About a message that this user did not send to that peer: nothing to show, and nothing to send.
        if sent is None:
            return
        if stanza["type"] == "retry":
            await self.user.resend(sent)
        elif not sent.delivered:
            sent.delivered = True
            self.user.events.receipt(sender, sent.id)
