#!/usr/bin/env python3
"""Sample candidate for Countersign on Debian's libsignal-protocol-c: lines of JSON on standard input and output, or with
`--http HOST:PORT` the same operations over HTTP. Python 3.11 or later; `./setup` builds what it needs."""

import argparse
import asyncio
import sys

from adapter.carriers import serve_http, stdio
from adapter.guards import GUARDS, missing
from adapter.operations import Candidate
from adapter.problems import say


def address(text):
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"`{text}` is not HOST:PORT")
    return host.strip("[]"), int(port)


async def main(arguments):
    candidate = Candidate()
    if arguments.http is None:
        await stdio(candidate)
        return
    server = await serve_http(candidate, *arguments.http)
    host, port = server.sockets[0].getsockname()[:2]
    say(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")
    await server.serve_forever()


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        raise SystemExit("Python 3.11 or later is needed")
    parser = argparse.ArgumentParser(description="Sample candidate on libsignal-protocol-c.")
    parser.add_argument("--http", metavar="HOST:PORT", type=address, help="serve POST /{operation} there, instead of lines")
    parser.add_argument("--without", metavar="GUARD", action="append", default=[], choices=[*GUARDS, "any"],
                        help=f"take away a guard of the adapter: {', '.join(GUARDS)}; or `any`, to take away all")
    options = parser.parse_args()
    missing.update(GUARDS if "any" in options.without else options.without)
    try:
        asyncio.run(main(options))
    except KeyboardInterrupt:
        sys.exit(130)
