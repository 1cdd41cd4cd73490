"""One user's end-to-end encryption: sessions with peers on libsignal-protocol-c, with the guards that it leaves to its caller."""

import asyncio

from . import library
from .guards import guards
from .identities import Identities
from .keys import check_ec_key, read_bundle
from .library import LibraryError
from .problems import Problem
from .safety_number import safety_number
from .wire import read_outside

# How far ahead in a chain the library goes.
FARTHEST_AHEAD = 2000
# A session that the peer has not answered for longer is not sent in any more.
UNANSWERED_WITHIN_MS = 30 * 24 * 60 * 60 * 1000

TYPES = {"prekey": library.PREKEY, "normal": library.NORMAL}
NAMES = {number: name for name, number in TYPES.items()}

REASONS = {
    library.DUPLICATE: "duplicate", library.INVALID_KEY_ID: "unknown-prekey", library.NO_SESSION: "no-session",
    library.INVALID_VERSION: "bad-version", library.LEGACY: "bad-version", library.INVALID_PROTOBUF: "malformed",
    library.INVALID_ARGUMENT: "malformed", library.INVALID_KEY: "bad-key",
    # Behind a right MAC. Whether this or the MAC was wrong must not show in what is answered.
    library.CBC_PADDING: "bad-mac",
}


class Sessions:
    def __init__(self, user, client, keys, clock, fetch_bundle, changed):
        """`fetch_bundle(peer)` asks the gateway; `changed(peer)` is told of a new identity key, before anything follows."""
        self.user, self.client, self.keys, self.clock = user, client, keys, clock
        self.fetch_bundle, self.changed = fetch_bundle, changed
        self.identities = Identities()
        # Whoever touches sessions holds this: fetching, encrypting and writing is one turn, so that stanzas leave in the order of
        # the ratchet.
        self.alone = asyncio.Lock()
        # When the session that was set up last with a peer was set up.
        self.set_up = {}
        # Ratchet keys that were sent under, and the highest counter read in each chain of a peer: to name the reason of a refusal.
        self.sent_under = set()
        self.read_up_to = {}

    def may_send(self, peer):
        """Whether the current session can be sent in."""
        session = self.client.session(peer)
        if not session.can_send or (guards("replaced-identity") and session.identity_key != self.identities.current(peer)):
            return False
        return not session.unanswered or not guards("unanswered-session") or self.clock() - self.set_up.get(peer, 0) <= UNANSWERED_WITHIN_MS

    async def establish(self, peer):
        """Fetches a bundle, checks it, and sets up a session from it. Answers the peer's identity key."""
        bundle = read_bundle(self.client, await self.fetch_bundle(peer), peer)
        signed, prekey = bundle["signed_prekey"], bundle["one_time_prekey"]
        try:
            self.client.bundle_process(
                peer, registration_id=bundle["registration_id"], identity=bundle["identity_key"],
                signed_prekey=(signed["id"], signed["key"], signed["signature"]), prekey=prekey and (prekey["id"], prekey["key"]))
        except LibraryError as error:
            # Form and order of the keys were checked above. The library's code for a signature that does not verify is that for an
            # invalid key; one of a wrong length is an invalid argument.
            if error.code in (library.INVALID_KEY, library.INVALID_ARGUMENT):
                raise Problem("bad-signature", str(error)) from None
            raise
        if self.identities.published(peer, bundle["identity_key"]):
            self.changed(peer)
        try:
            self.identities.require_accepted(peer)
        except Problem:
            self.client.discard()
            raise
        self.client.commit()
        self.set_up[peer] = self.clock()
        return bundle["identity_key"]

    async def encrypt(self, peer, plaintext):
        """Type and message, under the current session or a new one."""
        self.identities.require_accepted(peer)
        if not self.may_send(peer):
            await self.establish(peer)
        kind, body = self.client.encrypt(peer, plaintext)
        self.client.commit()
        self.sent_under.add(read_outside(NAMES[kind], body)["ratchet_key"])
        return NAMES[kind], body

    def decrypt(self, peer, kind, body):
        """The plaintext of a message from `peer`. Raises the reason why there is none; nothing changes then."""
        outside = read_outside(kind, body)
        self.check_outside(peer, kind, outside)
        try:
            plaintext = self.client.decrypt(peer, TYPES[kind], body)
        except LibraryError as error:
            raise self.reason_of(error, peer, outside) from None
        # The library saves the identity key on the outside of any prekey message, also in a session of another identity. The
        # session's is the one that the MAC is over.
        identity = self.client.session(peer).identity_key
        if kind == "prekey" and outside["identity_key"] != identity and not guards("outer-identity"):
            identity = outside["identity_key"]
        if kind == "prekey" and outside["identity_key"] != identity:
            self.client.discard()
            raise Problem("bad-mac", "the identity key outside is not that of the session")
        used = self.client.outcome()
        self.client.commit()
        if used.loaded_prekey and guards("last-prekey-id"):
            # The library keeps the one with id 0xffffff.
            self.client.prekey_remove(used.prekey_id)
        if self.identities.received_under(peer, identity):
            self.changed(peer)
        chain = (peer, outside["ratchet_key"])
        self.read_up_to[chain] = max(outside["counter"], self.read_up_to.get(chain, -1))
        return plaintext

    def check_outside(self, peer, kind, outside):
        if kind == "prekey":
            check_ec_key(self.client, outside["identity_key"], "identity key")
            check_ec_key(self.client, outside["base_key"], "base key")
            if outside["identity_key"] == self.keys.identity:
                raise Problem("wrong-recipient", "a message of our own")
        elif not self.client.session(peer).exists:
            raise Problem("no-session", f"no session with {peer}")
        check_ec_key(self.client, outside["ratchet_key"], "ratchet key")

    def reason_of(self, error, peer, outside):
        if error.code != library.INVALID_MESSAGE:
            return Problem(REASONS[error.code], str(error)) if error.code in REASONS else error
        if outside["ratchet_key"] in self.sent_under:
            return Problem("wrong-recipient", "a message of our own")
        ahead = outside["counter"] - self.read_up_to.get((peer, outside["ratchet_key"]), -1) - 1
        if ahead > FARTHEST_AHEAD:
            return Problem("too-old", f"{ahead} messages ahead")
        return Problem("bad-mac", str(error))

    def safety_number(self, peer):
        identity = self.identities.current(peer)
        if identity is None:
            raise Problem("no-session", f"no identity of {peer} is known")
        return safety_number(self.client, self.user, self.keys.identity, peer, identity)
