"""One user of an instance: keys at the gateway, the chat channel, what the user does, and what the user sees."""

import hashlib
import json
import threading
import time
from collections import deque
from types import SimpleNamespace

import content
import media
from contract import Problem, decode, encode, is_uuid, new_id, problem_of, say
from gateway import ATTEMPTS, FIRST_PAUSE
from signal_library import Signal

MOST_RETRIES = 5  # requests for one message, and resends of one message
SETTLE_WITHIN = 28  # seconds: before the deadline of `settle`
MOST_EVENTS = 256
# Refusals after which a message is asked for again.
ASKED_AGAIN = ("no-session", "unknown-prekey", "bad-mac")


class User:
    def __init__(self, name, instance, batch):
        self.name, self.instance, self.gateway, self.batch = name, instance, instance.gateway, batch
        self.token = None
        self.socket = None
        # One lock guards all of the state; `changed` wakes those who wait for something in it.
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        # Encrypting and writing is one turn, so that stanzas leave in the order of the ratchet.
        self.turn = threading.RLock()
        self.events = []
        self.queue = deque()  # stanzas that were delivered and are not processed
        self.busy = False  # one is being processed
        self.processed = set()
        self.unacknowledged = set()  # processed, and the channel was gone before that could be said
        self.decrypted = set()  # stanzas
        self.shown = set()  # sender and message id: a resend has another stanza id
        self.asked = {}  # stanza: how often it was asked for again
        self.sent = {}  # stanza: the message that it carried
        self.held = []  # resends that wait for the user to accept an identity key
        self.waiting = {}  # stanza: what the gateway has said of it
        self.follow_ups = 0  # what followed from a stanza and is not accepted yet
        self.signal = Signal(name, lambda: instance.clock, lambda peer: self.notice("identity-changed", peer))

    # Keys at the gateway.

    def identity_key(self):
        return encode(self.signal.identity_key())

    def enlist(self):
        body = {
            "user": self.name,
            "registration_id": self.signal.registration_id(),
            "identity_key": self.identity_key(),
            "signed_prekey": signed(self.signal.new_signed_prekey()),
            "kyber_prekey": signed(self.signal.new_kyber_prekey(last_resort=True)),
            **self.one_time(self.batch),
        }
        self.token = self.gateway.json("POST", "/enlist", body=body)["token"]

    def one_time(self, count):
        prekeys = [self.signal.new_one_time_prekey() for _ in range(count)]
        return {
            "one_time_prekeys": [{"id": number, "key": encode(key)} for number, key in prekeys],
            "one_time_kyber_prekeys": [signed(self.signal.new_kyber_prekey(last_resort=False)) for _ in range(count)],
        }

    def rotate(self, new_signed, kyber, count):
        with self.turn:
            body = self.one_time(count)
            if new_signed:
                body["signed_prekey"] = signed(self.signal.new_signed_prekey())
            if kyber:
                body["kyber_prekey"] = signed(self.signal.new_kyber_prekey(last_resort=True))
        self.gateway.json("PUT", "/keys", self.token, body)

    def delete(self):
        self.gateway.json("DELETE", "/user", self.token)
        self.leave()

    # The chat channel.

    def connect(self):
        if self.socket is None:
            self.open_channel()
            with self.turn:
                held, self.held = self.held, []
                for message in held:
                    self.resend(message)

    def open_channel(self):
        socket = self.gateway.chat(self.token)
        with self.lock:
            self.socket = socket
            unsaid = [entry.stanza for entry in self.waiting.values()]
        for stanza in unsaid:  # what the client itself had to say when the channel was lost
            self.write(stanza)
        for work in (self.read_stanzas, self.process_stanzas):
            threading.Thread(target=work, args=(socket,), daemon=True).start()

    def disconnect(self):
        with self.lock:
            socket, self.socket = self.socket, None
            self.queue.clear()  # not acknowledged: it will be delivered again
            for entry in self.waiting.values():
                if not entry.own:
                    entry.said = Problem("not-connected", "the user went offline")
            self.changed.notify_all()
            if socket is not None:
                socket.close()
                self.changed.wait_for(lambda: getattr(socket, "ended", False), timeout=5)

    def leave(self):
        """Goes offline for good."""
        self.disconnect()
        with self.lock:
            for entry in self.waiting.values():
                entry.said = Problem("not-connected", "the user is gone")
            self.gone = True
            self.changed.notify_all()

    def write(self, stanza):
        """Whether it could be written."""
        with self.lock:
            try:
                if self.socket is not None:
                    self.socket.send(json.dumps(stanza))
                    return True
            except OSError:
                pass
            return False

    def read_stanzas(self, socket):
        while True:
            text = socket.receive()
            if text is None:
                break
            try:
                stanza = json.loads(text)
                kind, number = stanza["kind"], stanza["id"].lower()
            except (ValueError, KeyError, TypeError, AttributeError):
                say("a frame of the gateway is not a stanza")
                continue
            with self.lock:
                if kind in ("accepted", "refused"):
                    if number in self.waiting:
                        problem = stanza.get("problem", {})
                        refusal = lambda: Problem(problem.get("reason", "gateway-error"), problem.get("detail", ""))
                        self.waiting[number].said = True if kind == "accepted" else refusal()
                else:
                    self.queue.append(stanza)
                self.changed.notify_all()
        with self.lock:
            socket.ended = True
            socket.end()
            lost = self.socket is socket
            if lost:
                self.socket = None
            self.changed.notify_all()
        # In order, it is the gateway's word; anything else was a loss, and the client comes back.
        if lost and not socket.closed:
            try:
                self.open_channel()
            except Problem as problem:
                say(f"the channel is lost: {problem}")

    def submit(self, stanza, own):
        """Writes a stanza. `accepted` waits for the gateway's word; `own` ones outlive a loss of the channel."""
        with self.lock:
            if self.socket is None and not own:
                raise Problem("not-connected", "the user is offline")
            entry = self.waiting[stanza["id"]] = SimpleNamespace(stanza=stanza, own=own, said=None)
        self.write(stanza)
        return entry

    def accepted(self, entry):
        """Waits until the gateway has accepted the stanza. One that was refused as `busy` goes out again, after a pause."""
        for attempt in range(1, ATTEMPTS + 1):
            with self.lock:
                self.changed.wait_for(lambda: entry.said is not None)
                said, entry.said = entry.said, None
                passing = isinstance(said, Problem) and said.reason in ("busy", "gateway-error")
                if not passing or attempt == ATTEMPTS:
                    self.waiting.pop(entry.stanza["id"], None)
                    if said is True:
                        return
                    raise Problem("gateway-error", "six attempts") if passing else said
            time.sleep(FIRST_PAUSE * 2 ** (attempt - 1) * 1.1)
            self.write(entry.stanza)

    def follow(self, work):
        """What follows from a stanza, on its own: `settle` waits for it."""
        def run():
            try:
                work()
            except Exception as error:  # the client goes on
                say(f"what followed from a stanza failed: {problem_of(error)}")
            with self.lock:
                self.follow_ups -= 1
                self.changed.notify_all()

        with self.lock:
            self.follow_ups += 1
        threading.Thread(target=run, daemon=True).start()

    def settle(self, through):
        def done():
            return self.socket is None or (through in self.processed and not self.queue and not self.busy and not self.follow_ups)

        with self.lock:
            if not self.changed.wait_for(done, timeout=SETTLE_WITHIN):
                raise Problem("timeout", f"{through} or what followed from it is not done")
            if self.socket is None:
                raise Problem("not-connected", "the user is offline")

    # Sending.

    def send(self, to, stanza, what):
        if self.socket is None:
            raise Problem("not-connected", "the user is offline")
        attachment = self.upload(what) if what["kind"] == "media" else None
        plaintext = content.write(stanza, self.instance.clock, what, attachment)
        message = SimpleNamespace(id=stanza, to=to, plaintext=plaintext, resends=0, delivered=False)
        with self.turn:
            entry = self.encrypt_and_submit(message, stanza, own=False)
        self.accepted(entry)

    def encrypt_and_submit(self, message, stanza, own):
        if not self.signal.has_session(message.to):
            self.establish(message.to)
        message_type, body = self.signal.encrypt(message.to, message.plaintext)
        self.sent[stanza] = message
        return self.submit({"kind": "message", "id": stanza, "to": message.to, "type": message_type, "body": encode(body)}, own)

    def establish(self, peer):
        bundle = self.gateway.json("GET", f"/keys/{peer}", self.token)
        try:
            if bundle["user"].lower() != peer:
                raise Problem("malformed", "the bundle of another user")
            return self.signal.establish(peer, with_bytes(bundle))
        except (KeyError, TypeError, AttributeError) as error:
            raise Problem("malformed", f"not a bundle: {error}") from None

    def fetch_keys(self, peer):
        with self.turn:
            return encode(self.establish(peer))

    def resend(self, message):
        """A peer could not read a message: new session, same content, another stanza. Held back if the identity key changed."""
        if message.resends >= MOST_RETRIES:
            return
        with self.turn:
            try:
                self.establish(message.to)
                entry = self.encrypt_and_submit(message, new_id(), own=True)
            except Problem as problem:
                if problem.reason != "untrusted-identity":
                    raise
                self.held.append(message)
                return
        message.resends += 1
        self.follow(lambda: self.accepted(entry))

    def safety_number(self, peer):
        with self.turn:
            return self.signal.safety_number(peer)

    def accept_identity(self, peer):
        with self.turn:
            self.signal.accept_identity(peer)
            if self.socket is not None:
                ready, self.held = [m for m in self.held if m.to == peer], [m for m in self.held if m.to != peer]
                for message in ready:
                    self.resend(message)

    def upload(self, what):
        plaintext = self.gateway.download("files", what["file"].get("url"), self.token)
        if encode(hashlib.sha256(plaintext).digest()) != what["file"]["sha256"]:
            raise Problem("bad-digest", "the file to send has another digest")
        blob, key, digest = media.seal(what["media"], plaintext)
        answer = self.gateway.bytes("PUT", "/media", self.token, blob)
        return content.attachment(what, json.loads(answer)["url"], key, digest)

    # Receiving: one stanza after another, each acknowledged when it is processed, whatever came of it.

    def process_stanzas(self, socket):
        while True:
            with self.lock:
                self.changed.wait_for(lambda: self.queue or self.socket is not socket)
                if self.socket is not socket:
                    return
                stanza, self.busy = self.queue.popleft(), True
            number = stanza["id"].lower()
            if number not in self.unacknowledged:
                try:
                    self.process(stanza, number)
                except Exception as error:  # nothing of it is shown, and the client goes on
                    self.event({"kind": "refused", "stanza": number, "reason": problem_of(error).reason})
            said = self.write({"kind": "ack", "id": number})
            with self.lock:
                (self.unacknowledged.discard if said else self.unacknowledged.add)(number)
                self.processed.add(number)
                self.busy = False
                self.changed.notify_all()

    def process(self, stanza, number):
        if stanza["kind"] == "keys-low":
            return self.rotate(False, False, self.batch)
        if stanza["kind"] not in ("message", "receipt"):
            return None  # of a newer gateway: acknowledged, and otherwise without effect
        sender = stanza.get("from")
        if stanza["kind"] == "message" and is_uuid(sender) and stanza.get("type") in ("prekey", "normal"):
            return self.message(number, sender.lower(), stanza["type"], decode(stanza.get("body")))
        if stanza["kind"] == "receipt" and is_uuid(sender) and is_uuid(stanza.get("of")):
            return self.receipt(sender.lower(), stanza.get("type"), stanza["of"].lower())
        raise Problem("malformed", "not a stanza")

    def message(self, number, sender, message_type, body):
        if number in self.decrypted:
            raise Problem("duplicate", "this stanza was delivered before")
        try:
            with self.turn:
                plaintext = self.signal.decrypt(sender, message_type, body)
        except Problem as problem:
            if problem.reason in ASKED_AGAIN:
                self.ask_again(number, sender)
            raise
        self.decrypted.add(number)
        message, shown, attachment = content.read(plaintext)
        if (sender, message) in self.shown:
            raise Problem("duplicate", "this message was shown before")
        if attachment is not None:
            shown = self.file(attachment)
        self.shown.add((sender, message))
        self.event({"kind": "message", "message": message, "from": sender, "content": shown})
        self.answer({"type": "delivered", "to": sender, "of": number})

    def ask_again(self, number, sender):
        count = self.asked[number] = self.asked.get(number, 0) + 1
        if count == 1:
            self.notice("undecryptable", sender)
        if count <= MOST_RETRIES:
            self.answer({"type": "retry", "to": sender, "of": number, "count": count})

    def answer(self, receipt):
        entry = self.submit({"kind": "receipt", "id": new_id(), **receipt}, own=True)
        self.follow(lambda: self.accepted(entry))

    def file(self, attachment):
        blob = self.gateway.download("media", attachment["url"], self.token)
        plaintext = media.open_blob(attachment["kind"], blob, attachment["key"], attachment["digest"], attachment["length"])
        return content.seen_file(attachment, hashlib.sha256(plaintext).digest())

    def receipt(self, sender, receipt_type, of):
        message = self.sent.get(of)
        # About a message that this user did not send to that peer: nothing to show, and nothing to send.
        if message is None or message.to != sender:
            return
        if receipt_type == "retry":
            self.resend(message)
        elif receipt_type == "delivered" and not message.delivered:
            message.delivered = True
            self.event({"kind": "receipt", "from": sender, "of": [message.id]})

    # What the user sees.

    def notice(self, notice, about):
        self.event({"kind": "notice", "notice": notice, "about": about})

    def event(self, what):
        with self.lock:
            self.events.append({"seq": len(self.events) + 1, "what": what})
            self.changed.notify_all()

    gone = False

    def events_after(self, cursor, seconds):
        with self.lock:
            self.changed.wait_for(lambda: len(self.events) > cursor or self.gone, timeout=seconds)
            return self.events[cursor:cursor + MOST_EVENTS]


def signed(key):
    number, public, signature = key
    return {"id": number, "key": encode(public), "signature": encode(signature)}


def with_bytes(value):
    """A bundle with its byte strings decoded."""
    if not isinstance(value, dict):
        return value
    named = ("key", "signature", "identity_key")
    return {name: decode(member) if name in named else with_bytes(member) for name, member in value.items()}
