"""The carriers of a candidate outside Countersign's process: lines on standard input and output, and HTTP."""

import asyncio
import json
import sys

from .http import LONGEST_HEAD
from .problems import Problem, problem_of
from .shape import refuse

LONGEST_LINE = 4 * 1024 * 1024
HEADERS_WITHIN = 10.0  # seconds
ANSWERED_WITHIN = 1.0  # after the end of the input


def parse(data):
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Problem("malformed", "not JSON") from None


async def answer_line(candidate, line):
    """One reply for one request. A request that is wrong elsewhere is still answered under its id; 0 is no request's."""
    number = 0
    try:
        request = parse(line)
        if isinstance(request, dict) and type(request.get("id")) is int and 0 <= request["id"] < 2**64:
            number = request["id"]
        if not isinstance(request, dict) or set(request) != {"id", "op", "args"} or request["id"] != number or not isinstance(request["op"], str):
            refuse("request", "it has the members id, op and args")
        return {"id": number, "ok": await candidate.call(request["op"], request["args"])}
    except Exception as error:  # whatever it is, the call is answered
        return {"id": number, "problem": problem_of(error).json()}


async def serve_lines(candidate, read, write):
    """Serves newline-delimited JSON until the input ends. `read` is a stream; `write(bytes)` gets whole lines, and nothing else does."""
    tasks = set()

    async def reply(line):
        write(json.dumps(await answer_line(candidate, line)).encode() + b"\n")

    def begin(coroutine):
        task = asyncio.create_task(coroutine)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async for line in lines(read):
        if line is None:
            write(json.dumps({"id": 0, "problem": Problem("too-large", f"a line of more than {LONGEST_LINE} bytes").json()}).encode() + b"\n")
        elif line.strip():
            begin(reply(line))
    # What can be answered at once, is; then all instances end, and with them whatever waits in them.
    if tasks:
        await asyncio.wait(tasks, timeout=ANSWERED_WITHIN)
    await candidate.end()
    if tasks:
        await asyncio.wait(tasks, timeout=ANSWERED_WITHIN)


async def lines(read):
    """Lines without their line feeds; None for one that is too long. What follows the last line feed is none."""
    parts, length, skipping = [], 0, False
    while chunk := await read(256 * 1024):
        while True:
            head, feed, rest = chunk.partition(b"\n")
            if not skipping:
                parts.append(head)
                length += len(head)
                if length + len(feed) > LONGEST_LINE:
                    yield None
                    parts, skipping = [], True
            if not feed:
                break
            if not skipping:
                yield b"".join(parts)
            parts, length, skipping, chunk = [], 0, False, rest


async def stdio(candidate):
    """Lines on standard input and output."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    out = sys.stdout.buffer

    def write(data):
        # Blocking: whoever does not read our replies gets no more of them.
        out.write(data)
        out.flush()

    await serve_lines(candidate, reader.read, write)


async def serve_http(candidate, host, port):
    """Serves `POST /{operation}`; returns the server once it listens."""
    async def serve(reader, writer):
        try:
            while await exchange(candidate, reader, writer):
                pass
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass  # the other side is gone, or speaks no HTTP
        finally:
            writer.close()

    return await asyncio.start_server(serve, host, port, limit=LONGEST_HEAD)


async def exchange(candidate, reader, writer):
    """One request and its answer. Whether another one may follow on this connection."""
    async with asyncio.timeout(HEADERS_WITHIN):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, _, target = head[0].partition(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    goes_on = headers.get("connection", "").lower() != "close"
    try:
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit() or int(length) > LONGEST_LINE:
            goes_on = False  # what is left of it is not read
            raise Problem("too-large", f"a body of more than {LONGEST_LINE} bytes, or of no stated length")
        body = await reader.readexactly(int(length))
        if method != "POST":
            raise Problem("unsupported", "operations are called with POST")
        operation = target.split(" ")[0].split("?")[0].lstrip("/")
        status, kind, answer = 200, "application/json", await candidate.call(operation, parse(body))
    except (OSError, EOFError):
        raise
    except Exception as error:  # whatever it is, the call is answered
        problem = problem_of(error)
        status, kind, answer = problem.status, "application/problem+json", problem.json()
    data = json.dumps(answer).encode()
    connection = "" if goes_on else "connection: close\r\n"
    writer.write(f"HTTP/1.1 {status} \r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n{connection}\r\n".encode() + data)
    await writer.drain()
    return goes_on
