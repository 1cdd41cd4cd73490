"""Protobuf as bytes: what the contract's content and the outside of a message need of it. A value of zero or nothing is left out
when writing."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def delimited(number, data):
    return varint(number << 3 | BYTES) + varint(len(data)) + data


def field(number, value):
    if isinstance(value, list):
        return b"".join(delimited(number, one.encode()) for one in value)
    if isinstance(value, int):
        return varint(number << 3 | VARINT) + varint(int(value)) if value else b""
    data = value.encode() if isinstance(value, str) else value
    return delimited(number, data) if data else b""


def typed(wanted, kind, value):
    if kind != (VARINT if wanted in (int, bool) else BYTES):
        raise ValueError("a field of another type")
    return str(value, "utf-8") if wanted is str else wanted(value)


def read_varint(data, at):
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError("a varint of more than 10 bytes")


def fields_of(data):
    """Number, wire type and value of each field."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise ValueError("a field number out of range")
        if kind == VARINT:
            value, at = read_varint(data, at)
        elif kind in (FIXED64, BYTES, FIXED32):
            length, at = read_varint(data, at) if kind == BYTES else (8 if kind == FIXED64 else 4, at)
            value, at = data[at:at + length], at + length
        else:
            raise ValueError("an unknown wire type")
        if at > len(data):
            raise ValueError("cut off")
        yield number, kind, value
