"""The client's half of RFC 6455, as far as text frames need it."""

import base64
import hashlib
import os
import struct

from .http import BrokenOff, Connection

LARGEST_MESSAGE = 1024 * 1024
LARGEST_REFUSAL = 64 * 1024
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NORMAL_CLOSURE = 1000
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The server answered the handshake with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"status {status}")
        self.status, self.headers, self.body = status, headers, body


class WebSocket:
    def __init__(self, connection: Connection):
        self.connection = connection
        self.is_open = True
        self.close_code = None

    @classmethod
    async def open(cls, origin, path, token):
        """`Refused`, `BrokenOff` or `OSError` if it cannot be opened."""
        connection = await origin.open()
        key = base64.b64encode(os.urandom(16)).decode()
        try:
            await connection.send("GET", origin.path + path, {
                "Host": origin.authority, "Authorization": f"Bearer {token}", "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
            })
            status, headers = await connection.head()
            if status != 101:
                raise Refused(status, headers, await connection.body(status, headers, LARGEST_REFUSAL))
            proof = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
            if headers.get("sec-websocket-accept") != proof:
                raise BrokenOff("the answer to the handshake is not for this key")
        except EOFError as error:
            connection.close()
            raise BrokenOff(str(error) or "ended within the handshake") from None
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def send(self, text):
        """Whether it could be written; it goes out in the order of the calls."""
        return self.frame(TEXT, text.encode())

    def frame(self, opcode, data):
        if not self.is_open or self.connection.writer.is_closing():
            return False
        length = len(data)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", length)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", length)
        mask = os.urandom(4)
        whole = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(length, "big")
        self.connection.writer.write(head + mask + masked)
        return True

    async def receive(self):
        """The next text, or None at the end; `close_code` then says how the server closed it, if it did. A binary message is an
        empty text."""
        message, opcode_of_message = bytearray(), None
        try:
            while True:
                first, second = await self.connection.reader.readexactly(2)
                length = second & 0x7F
                if length > 125:
                    length = int.from_bytes(await self.connection.reader.readexactly(2 if length == 126 else 8), "big")
                if second & 0x80 or len(message) + length > LARGEST_MESSAGE:
                    return self.ended()  # a masked frame, or one that is too large
                data = await self.connection.reader.readexactly(length)
                opcode = first & 0x0F
                if opcode == CLOSE:
                    self.close_code = int.from_bytes(data[:2], "big") if len(data) >= 2 else None
                    self.frame(CLOSE, data[:2])
                    return self.ended()
                if opcode == PING:
                    self.frame(PONG, data)
                elif opcode in (0, TEXT, BINARY):
                    message += data
                    opcode_of_message = opcode or opcode_of_message
                    if first & 0x80:
                        return message.decode("utf-8", "replace") if opcode_of_message == TEXT else ""
        except (OSError, EOFError):
            return self.ended()

    def close(self):
        """Says goodbye; `receive` ends when the server has answered."""
        self.frame(CLOSE, struct.pack("!H", NORMAL_CLOSURE))

    def ended(self):
        self.is_open = False
        self.connection.close()
