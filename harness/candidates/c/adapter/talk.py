"""Conversations: what may be said about a message, what is answered, and whom the user has blocked. After the contract's module
`conversation`; times are those of this client's own clock."""

from types import SimpleNamespace

from .problems import Problem

LONGEST_EMOJI = 64  # bytes of UTF-8
EDIT_WITHIN_MS = 15 * 60 * 1000
DELETE_WITHIN_MS = 2 * 24 * 60 * 60 * 1000
OWN, PEER = "own", "peer"

STANDS = ("text", "media", "reply")
UNANSWERED = ("typing", "read")


def is_answered(content):
    """Whether a content that was shown is answered with a delivery receipt."""
    return content["kind"] not in UNANSWERED


class Talk:
    def __init__(self, clock):
        self.clock = clock
        # By peer, and by message: who wrote it, whether it is a file, when it was shown or sent, and the other side's reaction.
        self.peers = {}
        self.blocked = frozenset()

    def known(self, peer):
        return self.peers.setdefault(peer, {})

    def check(self, peer, by, content):
        """Raises the reason why `by` cannot say this in the conversation with `peer`."""
        kind = content["kind"]
        if kind == "reaction":
            self.check_reaction(peer, by, content)
        elif kind == "edit":
            if self.find(peer, content["of"]).is_file:
                raise Problem("not-permitted", "a file has no text to edit")
            self.require_may_change(peer, by, content["of"], EDIT_WITHIN_MS)
        elif kind == "delete":
            self.require_may_change(peer, by, content["of"], DELETE_WITHIN_MS)
        elif kind == "read":
            if not content["of"]:
                raise Problem("malformed", "a read receipt for nothing")
            for message in content["of"]:
                if self.find(peer, message).by == by:
                    raise Problem("unknown-message", f"message {message} is not one that was received")

    def find(self, peer, message):
        found = self.known(peer).get(message)
        if found is None:
            raise Problem("unknown-message", f"no message {message} in this conversation")
        return found

    def check_reaction(self, peer, by, content):
        length = len(content["emoji"].encode())
        if length == 0:
            raise Problem("malformed", "an empty reaction")
        if length > LONGEST_EMOJI:
            raise Problem("too-large", f"a reaction of {length} bytes")
        message = self.find(peer, content["of"])
        if message.by == by:
            raise Problem("not-permitted", "a reaction to one's own message")
        same = message.reaction == content["emoji"]
        if same and not content["remove"]:
            raise Problem("duplicate", "the same reaction again")
        if not same and content["remove"]:
            raise Problem("unknown-message", "no such reaction to take back")

    def require_may_change(self, peer, by, message, within):
        found = self.find(peer, message)
        if found.by != by:
            raise Problem("not-permitted", "a message of somebody else")
        if self.clock() - found.at > within:
            raise Problem("too-late", f"more than {within} ms ago")

    def take(self, peer, by, message, content):
        """Takes in what was shown or sent."""
        known, kind = self.known(peer), content["kind"]
        if kind in STANDS:
            known.setdefault(message, SimpleNamespace(by=by, is_file=kind == "media", at=self.clock(), reaction=None))
        elif kind == "reaction" and content["of"] in known:
            known[content["of"]].reaction = None if content["remove"] else content["emoji"]
        elif kind == "delete":
            known.pop(content["of"], None)

    def receive(self, peer, message, content):
        """Raises the reason why this is not shown; else it is part of the conversation."""
        self.check(peer, PEER, content)
        self.take(peer, PEER, message, content)

    # A message is noted before it goes out, since the answer may come at once; what is said of one, once the gateway took it.

    def sending(self, peer, message, content):
        if content["kind"] in STANDS:
            self.take(peer, OWN, message, content)

    def sent(self, peer, message, content):
        if content["kind"] not in STANDS:
            self.take(peer, OWN, message, content)

    def unsent(self, peer, message):
        self.known(peer).pop(message, None)
