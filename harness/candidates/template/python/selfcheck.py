#!/usr/bin/env python3
"""Speaks the contract to this candidate, without Countersign: `python3 selfcheck.py`. It says nothing about conformance."""

import json
import os
import subprocess
import sys

import content
from contract import OPERATIONS, REASONS, SCHEMAS, Problem, check, decode, encode
from operations import Candidate

UUID = "6f2b1c3e-0000-4000-8000-000000000001"


class Child:
    def __init__(self):
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "candidate.py")
        self.process = subprocess.Popen([sys.executable, here], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.count = 0

    def call(self, op, args):
        self.count += 1
        self.process.stdin.write(json.dumps({"id": self.count, "op": op, "args": args}).encode() + b"\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert reply["id"] == self.count, "the reply to another request"
        check(reply, SCHEMAS["Reply"], "reply")
        assert ("ok" in reply) != ("problem" in reply), "either ok or problem"
        if "ok" in reply:
            return reply["ok"]
        return reply["problem"]["reason"]


def sample(schema):
    """Arguments that fit a schema."""
    if "$ref" in schema:
        return sample(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "oneOf" in schema:
        return sample(schema["oneOf"][0])
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", [])}
    if kind == "string":
        return UUID if schema.get("format") == "uuid" else "AA"
    return {"array": [], "integer": 0, "boolean": False}[kind]


def every_operation_has_its_method():
    methods = {name[3:] for name in dir(Candidate) if name.startswith("op_")}
    assert methods == set(OPERATIONS), f"methods and contract differ in {sorted(methods ^ set(OPERATIONS))}"


def every_operation_is_answered():
    child = Child()
    description = child.call("describe", {})
    check(description, SCHEMAS["Description"], "description")
    for op in sorted(set(OPERATIONS) - {"describe", "open"}):
        answer = child.call(op, sample(OPERATIONS[op]))
        assert answer == "unknown-instance", f"`{op}` on an instance that is not open was answered {answer}"
    child.process.stdin.close()
    assert child.process.wait(timeout=10) == 0, "it ends when its input ends"


def what_does_not_exist_is_refused():
    child = Child()
    assert child.call("invented", {}) == "unsupported"
    assert child.call("describe", {"invented": True}) == "malformed"
    assert child.call("close", {"instance": "not a UUID"}) == "malformed"
    opening = {"instance": UUID, "gateway": "http://127.0.0.1:9", "clock": 0}
    assert child.call("open", opening) == {}
    assert child.call("connect", {"instance": UUID, "user": UUID}) == "unknown-user"
    assert child.call("close", {"instance": UUID}) == {}
    assert child.call("close", {"instance": UUID}) == "unknown-instance"
    child.process.kill()


def contents_come_back():
    texts = ["", "x" * 159, "grüße 👋\0\n", "y" * 1000]
    kinds = [{"kind": "text", "text": text} for text in texts]
    kinds += [{"kind": "reaction", "of": UUID, "emoji": "👍", "remove": True}, {"kind": "read", "of": [UUID, UUID]}]
    kinds += [{"kind": "reply", "of": UUID, "text": "a"}, {"kind": "typing", "active": False}, {"kind": "delete", "of": UUID}]
    for what in kinds:
        padded = content.write(UUID, 1, what)
        assert len(padded) % content.BLOCK == 0
        assert content.read(padded) == (UUID, what, None), what
    # As a protobuf library writes it: message_id, sent_at 1 and the text "hi".
    known = bytes([10, 36]) + UUID.encode() + bytes([16, 1, 82, 4, 10, 2]) + b"hi" + b"\x80"
    assert content.write(UUID, 1, {"kind": "text", "text": "hi"}) == known + bytes(160 - len(known))


def bad_plaintexts_are_refused():
    padded = content.write(UUID, 1, {"kind": "text", "text": "hi"})
    identity = bytes([10, 36]) + UUID.encode()
    cases = [(b"", "bad-padding"), (padded[:-1], "bad-padding"), (padded + bytes(160), "bad-padding"),
             (content.pad(b"\xff"), "malformed"), (content.pad(b""), "malformed"),
             (content.pad(identity + bytes([80, 1])), "malformed"), (content.pad(identity + bytes([82, 0, 82, 0])), "malformed")]
    for plaintext, reason in cases:
        try:
            content.read(plaintext)
        except Problem as problem:
            assert problem.reason == reason, f"{problem.reason} instead of {reason}"
        else:
            raise AssertionError(f"{plaintext[:8]} was read")


def bytes_have_one_spelling():
    assert encode(b"\xfb\xff") == "-_8" and decode("-_8") == b"\xfb\xff"
    for text in ("AA==", "AB", "A", "+/8"):
        try:
            decode(text)
        except Problem:
            continue
        raise AssertionError(f"{text} was read")


def what_is_missing():
    """What the Signal library still answers `unsupported`."""
    from signal_library import Signal
    import inspect
    return [name for name, function in inspect.getmembers(Signal, inspect.isfunction) if "missing(" in inspect.getsource(function)]


if __name__ == "__main__":
    checks = [every_operation_has_its_method, every_operation_is_answered, what_does_not_exist_is_refused, contents_come_back,
              bad_plaintexts_are_refused, bytes_have_one_spelling]
    for one in checks:
        one()
        print(f"ok   {one.__name__.replace('_', ' ')}")
    assert "malformed" in REASONS
    missing = what_is_missing()
    print(f"still to fill in, in signal_library.py: {', '.join(missing)}" if missing else "signal_library.py is filled in")
