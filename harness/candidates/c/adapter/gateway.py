"""Requests to the gateway of one instance, with the retries that the contract asks for."""

import asyncio
import json
import random
import re

from . import shape
from .http import BrokenOff, Origin, Pool
from .problems import STATUS, Problem

MOST_ATTEMPTS = 6
FIRST_PAUSE = 0.05  # seconds
LARGEST_BODY = 1024 * 1024
LARGEST_BLOB = 80 * 1024 * 1024
JSON_TYPE = "application/json"
OCTETS = "application/octet-stream"
FALLBACK = {401: "unauthorized", 403: "not-enlisted", 413: "too-large", 429: "busy", 503: "busy"}
NAME = re.compile(r"[A-Za-z0-9._~-]+")


async def with_retries(action, stopped=lambda: False):
    """Tries until it succeeds, fails for good, or has failed six times with `busy` or `gateway-error`. The pause doubles each time,
    with a little chance; what the gateway asked for is its lower bound. `stopped` ends it early."""
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            return await action()
        except Problem as problem:
            if not problem.is_passing or stopped():
                raise
            if attempt == MOST_ATTEMPTS:
                raise Problem("gateway-error", f"{attempt} attempts: {problem.detail}") from None
            growing = FIRST_PAUSE * 2 ** (attempt - 1) * (1 + random.random() / 4)
            await asyncio.sleep(max(growing, problem.retry_after))


def problem_from(status, headers, body):
    """A problem as the gateway answered it; an answer that is none is judged by its status."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    reason, detail = answer.get("reason"), answer.get("detail")
    known = isinstance(reason, str) and reason in STATUS
    problem = Problem(reason if known else FALLBACK.get(status, "gateway-error"),
                      detail if isinstance(detail, str) else f"the gateway answered {status}")
    after = headers.get("retry-after", "")
    problem.retry_after = float(after) if after.isdigit() else 0.0
    return problem


def path_under(folder, path):
    """A path that a peer or the gateway named stays under its folder: a token must not travel elsewhere."""
    prefix = f"/{folder}/"
    name = path[len(prefix):] if isinstance(path, str) and path.startswith(prefix) else ""
    if NAME.fullmatch(name) is None or not name.strip("."):
        raise Problem("malformed", f"not a path under /{folder}")
    return path


class Gateway:
    """The gateway of one instance, at the base URL that `open` gave."""

    def __init__(self, base, trust_anchors):
        self.origin = Origin(base, trust_anchors)
        self.pool = Pool(self.origin)

    def close(self):
        self.pool.close()

    async def json(self, method, path, token=None, body=None):
        """Sends JSON, if any, and reads JSON."""
        data = None if body is None else json.dumps(body).encode()
        answer = await self.request(method, path, token, data, JSON_TYPE, LARGEST_BODY)
        try:
            return json.loads(answer)
        except ValueError:
            raise Problem("gateway-error", f"{method} {path}: the answer is not JSON") from None

    async def upload(self, token, blob):
        """The path under which the gateway serves the blob."""
        answer = await self.request("PUT", "/media", token, blob, OCTETS, LARGEST_BODY)
        try:
            return path_under("media", shape.members(url=shape.text)(json.loads(answer), "answer")["url"])
        except (ValueError, Problem):
            raise Problem("gateway-error", "the answer to an upload names no place") from None

    async def download(self, token, folder, path):
        """Bytes from a path under `/media` or `/files`."""
        return await self.request("GET", path_under(folder, path), token, None, None, LARGEST_BLOB)

    async def request(self, method, path, token, data, content_type, most):
        return await with_retries(lambda: self.once(method, path, token, data, content_type, most))

    async def once(self, method, path, token, data, content_type, most):
        headers = {"Host": self.origin.authority, "Accept": "*/*"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if data is not None:
            headers["Content-Type"] = content_type
        if data is not None or method in ("POST", "PUT"):
            headers["Content-Length"] = str(len(data or b""))
        try:
            status, answer_headers, answer = await self.pool.exchange(method, self.origin.path + path, headers, data, most)
        except BrokenOff as error:
            raise Problem("gateway-error", f"{method} {path}: {error}") from None
        if not 200 <= status < 300:
            raise problem_from(status, answer_headers, answer)
        return answer
