"""How the client talks to the gateway: requests with the retries of the contract, and a WebSocket. Use those of your own client
where it has them."""

import base64
import http.client
import json
import os
import random
import re
import struct
import time
from urllib.parse import urlsplit

from contract import REASONS, Problem

ATTEMPTS = 6
FIRST_PAUSE = 0.05
LARGEST_BODY = 1024 * 1024
LARGEST_BLOB = 80 * 1024 * 1024
FALLBACK = {401: "unauthorized", 413: "too-large", 429: "busy", 503: "busy"}


def with_retries(action):
    """Tries again what failed with `busy` or `gateway-error`, after pauses that grow, six times in all."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return action()
        except Problem as problem:
            if problem.reason not in ("busy", "gateway-error"):
                raise
            if attempt == ATTEMPTS:
                raise Problem("gateway-error", f"{attempt} attempts: {problem.detail}") from None
            growing = FIRST_PAUSE * 2 ** (attempt - 1) * (1 + random.random() / 4)
            time.sleep(max(growing, getattr(problem, "retry_after", 0)))


class Gateway:
    """The gateway of one instance, at the base URL that `open` gave."""

    def __init__(self, base):
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Problem("unsupported", "a gateway that is not at http: or https:")
        self.tls = parts.scheme == "https"
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path.rstrip("/")

    def connection(self):
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=10)

    def json(self, method, path, token=None, body=None):
        data = None if body is None else json.dumps(body).encode()
        answer = self.bytes(method, path, token, data, "application/json", LARGEST_BODY)
        try:
            return json.loads(answer)
        except ValueError:
            raise Problem("gateway-error", f"{method} {path}: the answer is not JSON") from None

    def bytes(self, method, path, token=None, data=None, content_type="application/octet-stream", most=LARGEST_BLOB):
        return with_retries(lambda: self.once(method, path, token, data, content_type, most))

    def download(self, folder, path, token):
        """Bytes from a path under `/media` or `/files`. A peer named it: the token must not travel elsewhere."""
        if not re.fullmatch(rf"/{folder}/[A-Za-z0-9_~-][A-Za-z0-9._~-]*", path or ""):
            raise Problem("malformed", f"not a path under /{folder}")
        return self.bytes("GET", path, token)

    def once(self, method, path, token, data, content_type, most):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if data is not None:
            headers["Content-Type"] = content_type
        connection = self.connection()
        try:
            connection.request(method, self.path + path, body=data, headers=headers)
            response = connection.getresponse()
            answer = response.read(most + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Problem("gateway-error", f"{method} {path}: {error}") from None
        finally:
            connection.close()
        if len(answer) > most:
            raise Problem("too-large", f"an answer of more than {most} bytes")
        if not 200 <= response.status < 300:
            raise problem_from(response.status, response.headers, answer)
        return answer

    def chat(self, token):
        return with_retries(lambda: WebSocket(self, token))


def problem_from(status, headers, body):
    """The problem as the gateway answered it; an answer that is none is judged by its status."""
    try:
        answer = json.loads(body)
        reason, detail = answer["reason"], str(answer.get("detail", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        reason, detail = None, f"the gateway answered {status}"
    problem = Problem(reason if reason in REASONS else FALLBACK.get(status, "gateway-error"), detail)
    after = headers.get("Retry-After") or ""
    problem.retry_after = int(after) if after.isdigit() else 0
    return problem


class WebSocket:
    """The client's half of RFC 6455, as far as text frames need it. One thread reads; writing is left to the caller to order."""

    def __init__(self, gateway, token):
        self.connection = gateway.connection()
        try:
            self.connection.request("GET", gateway.path + "/chat", headers={
                "Authorization": f"Bearer {token}", "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            })
            response = self.connection.getresponse()
            if response.status != 101:
                raise problem_from(response.status, response.headers, response.read(LARGEST_BODY))
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Problem("gateway-error", f"chat channel: {error}") from None
        except Problem:
            self.connection.close()
            raise
        # From here on it is a stream of frames. `fp` may hold the first of them already.
        self.socket, self.stream = self.connection.sock, response.fp
        response.fp = None
        self.socket.settimeout(None)

    def send(self, text):
        self.frame(1, text.encode())

    def close(self):
        """Says goodbye; the reading side ends when the gateway has answered."""
        try:
            self.frame(8, struct.pack("!H", 1000))
        except OSError:
            pass

    def frame(self, opcode, data):
        mask = os.urandom(4)
        length = len(data)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", length)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", length)
        whole = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(length, "big")
        self.socket.sendall(head + mask + masked)

    def receive(self):
        """The next text, or `None` at the end. `closed` then says whether the gateway closed it in order."""
        self.closed = False
        text = b""
        while True:
            head = self.exactly(2)
            if head is None:
                return None
            length = head[1] & 0x7F
            if length > 125:
                more = self.exactly(2 if length == 126 else 8)
                length = int.from_bytes(more or b"", "big")
            if len(text) + length > LARGEST_BODY:
                return None
            data = self.exactly(length) if length else b""
            if data is None:
                return None
            opcode = head[0] & 0x0F
            if opcode == 8:
                self.closed = data[:2] == struct.pack("!H", 1000)
                self.close()
                return None
            if opcode == 9:
                self.frame(10, data)
            elif opcode in (0, 1):
                text += data
                if head[0] & 0x80:
                    return text.decode("utf-8", "replace")

    def exactly(self, length):
        try:
            data = self.stream.read(length)
        except (OSError, ValueError):
            return None
        return data if len(data) == length else None

    def end(self):
        self.connection.close()
        self.stream.close()
        self.socket.close()
