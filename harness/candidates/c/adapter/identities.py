"""Peers' identity keys: the newest known one, those before it, and the one that the user accepts."""

from types import SimpleNamespace

from .problems import Problem


class Identities:
    def __init__(self):
        self.peers = {}

    def current(self, peer):
        """The newest known identity key of a peer, or None."""
        known = self.peers.get(peer)
        return known and known.current

    def require_accepted(self, peer):
        """Raises `untrusted-identity` while a changed key waits for the user. A first key is accepted as it comes."""
        known = self.peers.get(peer)
        if known is not None and known.current != known.accepted:
            raise Problem("untrusted-identity", f"the identity key of {peer} changed and is not accepted")

    def accept(self, peer):
        """The user accepts the newest key."""
        known = self.peers.get(peer)
        if known is None:
            raise Problem("no-session", f"no identity of {peer} is known")
        known.accepted = known.current

    def published(self, peer, key):
        """The gateway's directory says that this is the peer's key now. True if it is another one than before."""
        return self.observe(peer, key)

    def received_under(self, peer, key):
        """A message arrived under this key. A key that was replaced before stays replaced: a late message does not bring it back.
        True if it is a new key."""
        known = self.peers.get(peer)
        if known is not None and key in known.earlier:
            return False
        return self.observe(peer, key)

    def observe(self, peer, key):
        known = self.peers.get(peer)
        if known is None:
            self.peers[peer] = SimpleNamespace(current=key, accepted=key, earlier=set())
            return False
        if known.current == key:
            return False
        known.earlier.add(known.current)
        known.earlier.discard(key)
        known.current = key
        return True
