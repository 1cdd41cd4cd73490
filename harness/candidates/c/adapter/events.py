"""What a user saw, and what the client refused to show: numbered from 1, read from a cursor."""

from .waiting import Changes

MOST_AT_ONCE = 256


class Events:
    def __init__(self):
        self.entries = []
        self.changes = Changes()
        self.ended = False

    def message(self, message, sender, content):
        self.add({"kind": "message", "message": message, "from": sender, "content": content})

    def receipt(self, sender, message):
        self.add({"kind": "receipt", "from": sender, "of": [message]})

    def notice(self, notice, about):
        self.add({"kind": "notice", "notice": notice, "about": about})

    def refused(self, stanza, reason):
        self.add({"kind": "refused", "stanza": stanza, "reason": reason})

    def add(self, what):
        self.entries.append({"seq": len(self.entries) + 1, "what": what})
        self.changes.changed()

    async def after(self, cursor, seconds):
        """Entries after the cursor; waits for the first one, for so long at most."""
        if seconds > 0:
            await self.changes.until(lambda: len(self.entries) > cursor or self.ended, seconds)
        return self.entries[cursor:cursor + MOST_AT_ONCE]

    def end(self):
        """Answers all who wait: the user or the instance is gone."""
        self.ended = True
        self.changes.changed()
