"""Checks of JSON that comes from outside: each check takes a value and where it stood, and returns the value in the form that the
rest of the candidate uses, or raises `malformed`."""

import base64
import binascii
import re

from .problems import Problem

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def refuse(at, what):
    raise Problem("malformed", f"{at}: {what}")


def text(value, at):
    if not isinstance(value, str):
        refuse(at, "not a string")
    # A lone surrogate has no UTF-8 form: it would be sent as another text than the one asked for.
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        refuse(at, "not well-formed Unicode")
    return value


def flag(value, at):
    return value if isinstance(value, bool) else refuse(at, "not true or false")


def is_uuid(value):
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def uuid(value, at):
    return value.lower() if is_uuid(value) else refuse(at, "not a UUID")


def whole(most, least=0):
    """A whole number from `least` to `most`."""
    def check(value, at):
        if type(value) is not int or not least <= value <= most:
            refuse(at, f"not a whole number from {least} to {most}")
        return value
    return check


u32 = whole(2**32 - 1)
u64 = whole(2**64 - 1)


def encode(data):
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def octets(value, at):
    """Unpadded base64url, in its one spelling."""
    if not isinstance(value, str) or BASE64URL.fullmatch(value) is None:
        refuse(at, "not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (ValueError, binascii.Error):
        refuse(at, "not base64url")
    return data if encode(data) == value else refuse(at, "not base64url in its one spelling")


def octets_of(length):
    """That many bytes."""
    def check(value, at):
        data = octets(value, at)
        return data if len(data) == length else refuse(at, f"{len(data)} bytes instead of {length}")
    return check


def one_of(*words):
    return lambda value, at: value if isinstance(value, str) and value in words else refuse(at, f"not one of {', '.join(words)}")


def list_of(check, most=None):
    def checked(value, at):
        if not isinstance(value, list):
            refuse(at, "not a list")
        if most is not None and len(value) > most:
            refuse(at, f"more than {most} entries")
        return [check(entry, f"{at}[{i}]") for i, entry in enumerate(value)]
    return checked


class Optional:
    """Marks a member that may be absent or null: it is None then."""

    def __init__(self, check):
        self.check = check

    def __call__(self, value, at):
        return None if value is None else self.check(value, at)


def as_it_is(value, at):
    """Checked later, or not at all."""
    return value


def members(**checks):
    """An object with exactly these members."""
    def check(value, at):
        if not isinstance(value, dict):
            refuse(at, "not an object")
        for name in value:
            if name not in checks:
                refuse(at, f"unknown member `{name}`")
        result = {}
        for name, member in checks.items():
            if name in value:
                result[name] = member(value[name], f"{at}.{name}")
            elif isinstance(member, Optional):
                result[name] = None
            else:
                refuse(at, f"`{name}` is missing")
        return result
    return check


def tagged(kinds):
    """An object whose members depend on its `kind`."""
    checks = {kind: members(kind=text, **own) for kind, own in kinds.items()}

    def check(value, at):
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in checks:
            refuse(at, "unknown `kind`")
        return checks[kind](value, at)
    return check


def tagged_by_newer(kinds):
    """The same from somebody who may be newer: unknown members are left out, and an unknown `kind` is `unsupported`."""
    checks = {kind: members(kind=text, **own) for kind, own in kinds.items()}

    def check(value, at):
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in checks:
            raise Problem("unsupported", f"{at}: unknown `kind`")
        known = {name: member for name, member in value.items() if name == "kind" or name in kinds[kind]}
        return checks[kind](known, at)
    return check
