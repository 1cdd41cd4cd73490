"""What the adapter adds where the library leaves something to its caller. Each guard can be taken away from the command line, to see what
the library alone comes to: `confirm/` shows the same without Countersign."""

GUARDS = {
    "low-order-keys": "refuse EC keys of low order",
    "outer-identity": "hold the identity key outside a further prekey message against that of the session",
    "replaced-identity": "send nothing in the session of an identity key that was replaced",
    "last-prekey-id": "delete the one-time prekey with the id 0xffffff too",
    "registration-id": "refuse bundles with a registration id outside 1 to 16380",
    "zero-bytes": "make the safety number of identifiers with a zero byte",
    "unanswered-session": "leave a session that was not answered for 30 days",
}

missing = set()


def guards(name):
    """Whether this guard is there."""
    if name not in GUARDS:
        raise KeyError(name)
    return name not in missing
