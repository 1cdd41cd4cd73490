"""The plaintext of a message: the protobuf of `contract/content.proto`, written out by hand, and its padding. A protobuf library
does the first part as well."""

from contract import Problem, encode, is_uuid

BLOCK = 160
LARGEST = 128 * 1024
KINDS = ["image", "video", "voice", "file"]

# Field numbers of `Content`, and of the messages inside: number, name and type of each field.
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
    name = "attachment" if content["kind"] == "media" else content["kind"]
    number, fields = NUMBERS[name]
    values = attachment if attachment is not None else content
    body = b"".join(field(n, values[member]) for n, member, _ in fields)
    encoded = field(1, message) + field(2, sent_at) + tag(number, 2) + varint(len(body)) + body
    if len(encoded) > LARGEST:
        raise Problem("too-large", f"a content of {len(encoded)} bytes")
    return pad(encoded)


def read(padded):
    """The message id, what the user is to see, and the attachment that must be fetched before, if it is a file."""
    try:
        return parsed(unpad(padded))
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise Problem("malformed", f"not a content: {error}") from None


def parsed(data):
    if len(data) > LARGEST:
        raise Problem("too-large", f"a content of {len(data)} bytes")
    message, body = None, None
    for number, value in members(data):
        if number == 1:
            message = value.decode()
        elif number in BODIES and isinstance(value, bytes):
            if body is not None:
                raise Problem("malformed", "more than one body")
            body = (number, value)
    if not is_uuid(message) or body is None:
        raise Problem("malformed", "no message id, or no body")
    name, fields = BODIES[body[0]]
    shown = {member: kind() for _, member, kind in fields}
    for number, value in members(body[1]):
        for n, member, kind in fields:
            if n == number:
                if isinstance(value, bytes) != (kind in (str, bytes, list)):
                    raise Problem("malformed", f"{member} has another type")
                shown[member] = shown[member] + [value.decode()] if kind is list else value.decode() if kind is str else kind(value)
    for reference in [shown["of"]] if isinstance(shown.get("of"), str) else shown.get("of", []):
        if not is_uuid(reference):
            raise Problem("malformed", "a reference that is not a UUID")
    if name == "attachment":
        if not 1 <= shown["kind"] <= len(KINDS) or any(c in shown["name"] for c in "/\\\0"):
            raise Problem("malformed", "an attachment of unknown kind, or with a path for a name")
        return message.lower(), None, {**shown, "kind": KINDS[shown["kind"] - 1]}
    return message.lower(), {"kind": name, **shown}, None


def attachment(content, url, key, digest):
    """What a content says of an uploaded file."""
    return {"kind": KINDS.index(content["media"]) + 1, "url": url, "key": key, "digest": digest,
            "length": content["file"]["length"], "mime": content["mime"], "name": content["name"]}


def seen_file(attachment, sha256):
    """What the user sees of a file."""
    return {"kind": "media", "media": attachment["kind"], "mime": attachment["mime"], "name": attachment["name"],
            "file": {"sha256": encode(sha256), "length": attachment["length"]}}


# Protobuf: a varint has wire type 0, bytes have 2. A value of zero or nothing is left out.

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def field(number, value):
    if isinstance(value, list):
        return b"".join(tag(number, 2) + varint(len(v.encode())) + v.encode() for v in value)
    if isinstance(value, int):
        return tag(number, 0) + varint(int(value)) if value else b""
    data = value.encode() if isinstance(value, str) else value
    return tag(number, 2) + varint(len(data)) + data if data else b""


def read_varint(data, at):
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError("a varint of more than 10 bytes")


def members(data):
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
        elif key & 7 in (1, 2, 5):
            length, at = read_varint(data, at) if key & 7 == 2 else (8 if key & 7 == 1 else 4, at)
            value, at = data[at:at + length], at + length
        else:
            raise ValueError("an unknown wire type")
        if at > len(data):
            raise ValueError("cut off")
        yield key >> 3, value
