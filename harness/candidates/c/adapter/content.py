"""The plaintext of a message: the contract's protobuf `content.proto`, written out by hand, and its padding."""

import re

from . import shape
from .problems import Problem
from .protobuf import delimited, field, fields_of, typed

BLOCK = 160
LARGEST = 128 * 1024
# The longest text: what is left of the largest content after ids, time and field headers.
LONGEST_TEXT = LARGEST - 256
KINDS = ("image", "video", "voice", "file")

# The upper tester's form of a content.
user_content = shape.tagged({
    "text": {"text": shape.text},
    "media": {"media": shape.one_of(*KINDS), "mime": shape.text, "name": shape.text,
              "file": shape.members(url=shape.Optional(shape.text), sha256=shape.octets, length=shape.u64)},
    "reaction": {"of": shape.uuid, "emoji": shape.text, "remove": shape.flag},
    "reply": {"of": shape.uuid, "text": shape.text},
    "edit": {"of": shape.uuid, "text": shape.text},
    "delete": {"of": shape.uuid},
    "typing": {"active": shape.flag},
    "read": {"of": shape.list_of(shape.uuid)},
})

# Field numbers of `Content`, and of the messages inside: number, name and type of each field. A list holds strings.
BODIES = {
    10: ("text", [(1, "text", str)]),
    11: ("attachment", [(1, "kind", int), (2, "url", str), (3, "key", bytes), (4, "digest", bytes), (5, "length", int),
                        (6, "mime", str), (7, "name", str)]),
    12: ("reaction", [(1, "of", str), (2, "emoji", str), (3, "remove", bool)]),
    13: ("reply", [(1, "of", str), (2, "text", str)]),
    14: ("edit", [(1, "of", str), (2, "text", str)]),
    15: ("delete", [(1, "of", str)]),
    16: ("typing", [(1, "active", bool)]),
    17: ("read", [(1, "of", list)]),
}
NUMBERS = {name: (number, fields) for number, (name, fields) in BODIES.items()}


def pad(content):
    return content + b"\x80" + bytes(-(len(content) + 1) % BLOCK)


def unpad(padded):
    content = padded.rstrip(b"\0")
    # More zeros than the block needs would be a second way to write the same content.
    if not padded or len(padded) % BLOCK or content[-1:] != b"\x80" or len(padded) - len(content) >= BLOCK:
        raise Problem("bad-padding", f"{len(padded)} bytes that are not padded by the rule")
    return content[:-1]


def write(message, sent_at, content, attachment=None):
    """The padded plaintext of what a user sends; `attachment` describes the uploaded file, if it is one."""
    number, fields = NUMBERS["attachment" if content["kind"] == "media" else content["kind"]]
    values = content if attachment is None else attachment
    body = b"".join(field(n, values[member]) for n, member, _ in fields)
    encoded = field(1, message) + field(2, sent_at) + delimited(number, body)
    if len(encoded) > LARGEST:
        raise Problem("too-large", f"a content of {len(encoded)} bytes")
    return pad(encoded)


def read(padded):
    """The message id, what the user is to see, and the attachment that must be fetched before, if it is a file."""
    plain = unpad(padded)
    if len(plain) > LARGEST:
        raise Problem("too-large", f"a content of {len(plain)} bytes")
    try:
        return parsed(plain)
    except (IndexError, ValueError) as error:
        raise Problem("malformed", f"not a content: {error}") from None


def parsed(data):
    message, bodies = "", []
    for number, kind, value in fields_of(data):
        if number == 1:
            message = typed(str, kind, value)
        elif number == 2:
            typed(int, kind, value)
        elif number in BODIES:
            bodies.append((number, typed(bytes, kind, value)))
    if len(bodies) != 1:
        raise ValueError(f"{len(bodies)} bodies in one content")
    name, fields = BODIES[bodies[0][0]]
    by_number = {number: (member, kind) for number, member, kind in fields}
    shown = {member: kind() for _, member, kind in fields}
    for number, kind, value in fields_of(bodies[0][1]):
        if number in by_number:
            member, wanted = by_number[number]
            if wanted is list:
                shown[member].append(typed(str, kind, value))
            else:
                shown[member] = typed(wanted, kind, value)
    message = shape.uuid(message, "message_id")
    if isinstance(shown.get("of"), str):
        shown["of"] = shape.uuid(shown["of"], f"{name}.of")
    elif "of" in shown:
        shown["of"] = [shape.uuid(one, "receipt.read") for one in shown["of"]]
    if name == "attachment":
        return message, None, attachment_of(shown)
    return message, {"kind": name, **shown}, None


def attachment_of(shown):
    if not 1 <= shown["kind"] <= len(KINDS):
        raise ValueError("an attachment of unknown kind")
    return {**shown, "kind": KINDS[shown["kind"] - 1], "mime": media_type(shown["mime"]), "name": file_name(shown["name"])}


def attachment(content, url, key, digest):
    """What a content says of an uploaded file."""
    return {"kind": KINDS.index(content["media"]) + 1, "url": url, "key": key, "digest": digest,
            "length": content["file"]["length"], "mime": content["mime"], "name": content["name"]}


def seen_file(attachment, sha256):
    """What the user sees of a file."""
    return {"kind": "media", "media": attachment["kind"], "mime": attachment["mime"], "name": attachment["name"],
            "file": {"sha256": shape.encode(sha256), "length": attachment["length"]}}


# Names and media types: neither sent nor shown but by the contract's rule.

LONGEST_NAME = 255
NOT_IN_NAMES = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+/[A-Za-z0-9!#$%&'*+.^_`|~-]+ *(;[ -~]*)?")


def file_name(name):
    if name in (".", "..") or NOT_IN_NAMES.search(name) or len(name.encode()) > LONGEST_NAME:
        raise Problem("malformed", "not a file name")
    return name


def media_type(mime):
    if len(mime) > LONGEST_NAME or MEDIA_TYPE.fullmatch(mime) is None:
        raise Problem("malformed", "not a media type")
    return mime
