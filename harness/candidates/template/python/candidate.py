#!/usr/bin/env python3
"""The upper tester of NAME OF YOUR MESSENGER: lines of JSON on standard input and output, or `--http HOST:PORT`.

Python 3.9 or later and nothing else. Standard output carries replies and nothing else; use `contract.say` to speak to people.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from contract import LONGEST_LINE, Problem, problem_of
from operations import Candidate


def parse(data):
    try:
        return json.loads(data)
    except ValueError:
        raise Problem("malformed", "not JSON") from None


def answer_line(candidate, line):
    """One reply for one request. A request that is wrong elsewhere is still answered under its id; 0 is no request's."""
    request_id = 0
    try:
        request = parse(line)
        if isinstance(request, dict) and type(request.get("id")) is int:
            request_id = request["id"]
        if not isinstance(request, dict) or set(request) != {"id", "op", "args"} or not isinstance(request["op"], str):
            raise Problem("malformed", "a request has the members id, op and args")
        return {"id": request_id, "ok": candidate.call(request["op"], request["args"])}
    except Exception as error:  # whatever it is, the call is answered
        return {"id": request_id, "problem": problem_of(error).json()}


def serve_lines(candidate, lines, out):
    """Every call has its own thread: an `events` or `settle` that waits must not hold up the others."""
    writing = threading.Lock()

    def reply(line):
        text = json.dumps(answer_line(candidate, line)) + "\n"
        with writing:
            out.write(text.encode())
            out.flush()

    while True:
        line = lines.readline(LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > LONGEST_LINE:
            raise SystemExit(f"a line of more than {LONGEST_LINE} bytes")
        if line.strip():
            threading.Thread(target=reply, args=(line,), daemon=True).start()


def serve_http(candidate, host, port):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self):
            try:
                length = int(self.headers.get("Content-Length") or 0)
                if not 0 <= length <= LONGEST_LINE:
                    self.close_connection = True  # what is left of it is not read
                    raise Problem("too-large", f"a body of more than {LONGEST_LINE} bytes")
                body = parse(self.rfile.read(length))
                self.write(200, "application/json", candidate.call(self.path.lstrip("/"), body))
            except Exception as error:  # whatever it is, the call is answered
                problem = problem_of(error)
                self.write(problem.status, "application/problem+json", problem.json())

        def write(self, status, content_type, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    print(f"listening on http://{host}:{server.server_address[1]}", file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--http" and sys.argv[2].rpartition(":")[2].isdigit():
        host, _, port = sys.argv[2].rpartition(":")
        serve_http(Candidate(), host, int(port))
    elif len(sys.argv) == 1:
        serve_lines(Candidate(), sys.stdin.buffer, sys.stdout.buffer)
    else:
        raise SystemExit("usage: candidate.py [--http HOST:PORT]")
