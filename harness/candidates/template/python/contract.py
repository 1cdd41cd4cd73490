"""The contract: what `contract/upper-tester.json` says, read from there. The command `countersign schema upper-tester` prints a
newer one; replace the file, and `selfcheck.py` names what is missing here."""

import base64
import json
import os
import re
import sys
import traceback
import uuid

LONGEST_LINE = 4 * 1024 * 1024

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contract", "upper-tester.json"), encoding="utf-8") as file:
    DOCUMENT = json.load(file)

VERSION = DOCUMENT["info"]["version"]
SCHEMAS = DOCUMENT["components"]["schemas"]
# The name of each operation, with the schema of its arguments.
OPERATIONS = {
    path.lstrip("/"): item["post"]["requestBody"]["content"]["application/json"]["schema"]
    for path, item in DOCUMENT["paths"].items()
}
REASONS = [reason["const"] for reason in SCHEMAS["Reason"]["oneOf"]]

STATUS = {
    "malformed": 400, "unauthorized": 401, "unknown-user": 404, "unknown-instance": 404, "media-missing": 404, "duplicate": 409,
    "too-old": 409, "untrusted-identity": 409, "not-connected": 409, "deleted-user": 410, "too-large": 413, "internal": 500,
    "unsupported": 501, "gateway-error": 502, "busy": 503, "timeout": 504,
}


class Problem(Exception):
    """A failure with one of the contract's reasons. `detail` is for people and never matched."""

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}")
        if reason not in REASONS:
            raise ValueError(f"`{reason}` is not one of the contract's reasons")
        self.reason, self.detail, self.status = reason, detail, STATUS.get(reason, 422)

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


def encode(data):
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    """The bytes of unpadded base64url, in its one spelling."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise Problem("malformed", "not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        data = None
    if data is None or encode(data) != text:
        raise Problem("malformed", "not base64url in its one spelling")
    return data


def is_uuid(text):
    return isinstance(text, str) and re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


def new_id():
    return str(uuid.uuid4())


TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str) and not re.search("[\ud800-\udfff]", v),
    "integer": lambda v: type(v) is int,
    "boolean": lambda v: type(v) is bool,
    "null": lambda v: v is None,
}
LARGEST = {"uint8": 2**8, "uint16": 2**16, "uint32": 2**32, "uint64": 2**64}


def check(value, schema, at):
    """Raises `malformed` unless the value fits the schema. The keywords that the contract uses, and no others."""
    if "$ref" in schema:
        return check(value, SCHEMAS[schema["$ref"].rpartition("/")[2]], at)
    for choice in ("oneOf", "anyOf"):
        if choice in schema and not any(fits(value, one, at) for one in schema[choice]):
            raise Problem("malformed", f"{at}: fits no form of the contract")
    if "const" in schema and value != schema["const"]:
        raise Problem("malformed", f"{at}: not {schema['const']!r}")
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[name](value) for name in types):
        raise Problem("malformed", f"{at}: not of type {' or '.join(types)}")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        raise Problem("malformed", f"{at}: of another form")
    if schema.get("format") == "uuid" and not is_uuid(value):
        raise Problem("malformed", f"{at}: not a UUID")
    if type(value) is int and not schema.get("minimum", value) <= value < LARGEST.get(schema.get("format"), value + 1):
        raise Problem("malformed", f"{at}: out of range")
    if isinstance(value, list) and "items" in schema:
        for i, entry in enumerate(value):
            check(entry, schema["items"], f"{at}[{i}]")
    if isinstance(value, dict):
        members = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                raise Problem("malformed", f"{at}: `{name}` is missing")
        for name, member in value.items():
            if name in members:
                check(member, members[name], f"{at}.{name}")
            elif schema.get("additionalProperties") is False:
                raise Problem("malformed", f"{at}: there is no member `{name}`")


def fits(value, schema, at):
    try:
        check(value, schema, at)
        return True
    except Problem:
        return False
