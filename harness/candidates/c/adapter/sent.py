"""What a user sent, kept so that it can be sent again when a receiver could not read it."""

from types import SimpleNamespace

MOST_RESENDS = 5
MOST_KEPT = 4096


class Sent:
    def __init__(self):
        self.messages = {}
        self.by_stanza = {}

    def add(self, message, to, plaintext):
        """Remembers a message before it goes out. The first stanza's id is the message's id."""
        self.messages[message] = SimpleNamespace(id=message, to=to, plaintext=plaintext, resends=0, delivered=False, stanzas=[message])
        self.by_stanza[message] = message
        if len(self.messages) > MOST_KEPT:
            self.forget(next(iter(self.messages)))

    def forget(self, message):
        gone = self.messages.pop(message, None)
        for stanza in gone.stanzas if gone else ():
            self.by_stanza.pop(stanza, None)

    def find(self, stanza, peer):
        """The message that travelled under this stanza to this peer, or None."""
        found = self.messages.get(self.by_stanza.get(stanza))
        return found if found is not None and found.to == peer else None

    def may_resend(self, message):
        """Whether it may be sent once more; counts."""
        if message.resends >= MOST_RESENDS:
            return False
        message.resends += 1
        return True

    def resent_under(self, message, stanza):
        message.stanzas.append(stanza)
        self.by_stanza[stanza] = message.id
