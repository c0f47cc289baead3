"""A client that walks a list to its end again and again until it is stopped. It is a separate process, so that its work
does not delay the client that is measured.

    python -m benchmarks.suite.walker PORT PATH        the key comes from standard input
"""

from __future__ import annotations

import json
import sys

from benchmarks.suite.connection import Connection


def main() -> None:
    port, path, key = int(sys.argv[1]), sys.argv[2], sys.stdin.readline().strip()
    with Connection(port) as connection:
        cursor: str | None = None
        while True:
            query = f"?limit=200&cursor={cursor}" if cursor else "?limit=200"
            head = f"GET {path}{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n"
            cursor = json.loads(connection.ask(head.encode(), 200))["data"]["nextCursor"]


if __name__ == "__main__":
    main()
