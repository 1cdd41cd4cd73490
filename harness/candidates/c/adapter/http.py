"""One HTTP/1.1 exchange, and a small pool of kept-alive connections: the client's half of RFC 9112, as far as a gateway needs it."""

import asyncio
import ssl
from urllib.parse import urlsplit

from .problems import Problem

LONGEST_HEAD = 64 * 1024
ANSWER_WITHIN = 10.0  # seconds


class BrokenOff(Exception):
    """The connection ended within an exchange."""


class Origin:
    """Scheme, host and port of a base URL, and whom to trust there."""

    def __init__(self, base, trust_anchors):
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Problem("unsupported", "a gateway that is not at http: or https:")
        self.host, self.path = parts.hostname, parts.path.rstrip("/")
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.authority = parts.netloc.rpartition("@")[2]
        self.tls = None
        if parts.scheme == "https":
            try:
                # Anchors that are given take the place of the system's.
                self.tls = ssl.create_default_context(cadata=trust_anchors) if trust_anchors else ssl.create_default_context()
            except ssl.SSLError as error:
                raise Problem("malformed", f"trust anchors: {error}") from None

    async def open(self):
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self.tls, limit=LONGEST_HEAD)
        return Connection(reader, writer)


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.reusable = False

    def close(self):
        self.writer.close()

    async def send(self, method, target, headers, body=None):
        lines = [f"{method} {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join(lines).encode("ascii") + b"\r\n\r\n")
        if body is not None:
            self.writer.write(body)
        await self.writer.drain()

    async def head(self):
        """The status and the headers of an answer, in lower case; those of an interim answer are passed over."""
        while True:
            try:
                raw = await self.reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                raise BrokenOff("headers of more than 64 KiB") from None
            lines = raw.decode("latin-1").split("\r\n")
            version, _, rest = lines[0].partition(" ")
            if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
                raise BrokenOff("not an answer of HTTP/1.1")
            status = int(rest[:3])
            headers = {}
            for line in lines[1:]:
                name, colon, value = line.partition(":")
                if colon:
                    headers[name.strip().lower()] = value.strip()
            if status == 101 or status >= 200:
                return status, headers

    async def body(self, status, headers, most):
        """The body of an answer to a request other than HEAD."""
        self.reusable = headers.get("connection", "").lower() != "close"
        if status in (204, 304):
            return b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self.chunks(most)
        if "content-length" in headers:
            length = headers["content-length"]
            if not length.isdigit() or int(length) > most:
                self.reusable = False
                raise Problem("too-large", f"an answer of {length} bytes")
            return await self.reader.readexactly(int(length))
        self.reusable = False
        data = await self.reader.read(most + 1)
        while len(data) <= most and not self.reader.at_eof():
            data += await self.reader.read(most + 1 - len(data))
        if len(data) > most:
            raise Problem("too-large", f"an answer of more than {most} bytes")
        return data

    async def chunks(self, most):
        data = bytearray()
        while True:
            line = (await self.reader.readuntil(b"\r\n")).split(b";")[0].strip()
            try:
                length = int(line, 16)
            except ValueError:
                raise BrokenOff("not a chunk") from None
            if length < 0 or len(data) + length > most:
                self.reusable = False
                raise Problem("too-large", f"an answer of more than {most} bytes")
            data += await self.reader.readexactly(length)
            await self.reader.readuntil(b"\r\n")
            if length == 0:
                return bytes(data)


class Pool:
    """Connections to one origin: idle ones are used again."""

    def __init__(self, origin):
        self.origin = origin
        self.idle = []
        self.closed = False

    async def exchange(self, method, target, headers, body, most):
        """Status, headers and body. `BrokenOff` if it did not come to an end; `Problem` if the answer is too large."""
        connection = await self.connection()
        kept = False
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await connection.send(method, target, headers, body)
                status, answer_headers = await connection.head()
                answer = await connection.body(status, answer_headers, most)
            kept = connection.reusable and not self.closed
            return status, answer_headers, answer
        except (OSError, EOFError) as error:
            raise BrokenOff(str(error) or type(error).__name__) from None
        finally:
            if kept:
                self.idle.append(connection)
            else:
                connection.close()

    async def connection(self):
        while self.idle:
            connection = self.idle.pop()
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.close()
        try:
            return await asyncio.wait_for(self.origin.open(), ANSWER_WITHIN)
        except OSError as error:
            raise BrokenOff(f"no connection: {error or 'no answer in time'}") from None

    def close(self):
        self.closed = True
        for connection in self.idle:
            connection.close()
        self.idle.clear()
