"""Why something was refused: the contract's closed list, and the problem document that carries a reason."""

import sys
import traceback

STATUS = {
    "bad-signature": 422, "bad-mac": 422, "bad-digest": 422, "bad-padding": 422, "bad-key": 422, "bad-version": 422, "duplicate": 409,
    "too-old": 409, "unknown-prekey": 422, "no-session": 422, "wrong-recipient": 422, "untrusted-identity": 409, "malformed": 400,
    "too-large": 413, "unknown-user": 404, "deleted-user": 410, "not-enlisted": 403, "unknown-instance": 404, "not-connected": 409,
    "media-missing": 404, "unknown-message": 404, "not-permitted": 403, "too-late": 409, "blocked": 403, "unauthorized": 401,
    "unsupported": 501, "gateway-error": 502, "busy": 503, "timeout": 504, "internal": 500,
}


class Problem(Exception):
    """A failure with one of the contract's reasons. `detail` is for people and never matched."""

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.status = reason, detail, STATUS[reason]
        self.retry_after = 0.0  # seconds: what the gateway asked for

    @property
    def is_passing(self):
        """Whether the contract says to try again."""
        return self.reason in ("busy", "gateway-error")

    def json(self):
        return {"reason": self.reason, "detail": self.detail, "status": self.status}


def problem_of(error):
    """The problem that an error stands for. What is none yet is a fault of our own: people read it on standard error."""
    if isinstance(error, Problem):
        return error
    traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
    return Problem("internal", "a fault of the candidate; see its standard error")


def say(text):
    """To people: standard error, never standard output."""
    print(text, file=sys.stderr, flush=True)
