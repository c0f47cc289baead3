"""A receiver of webhooks that does nothing: answers 204 at once, and counts. Its own process, so that its work is not
counted as the worker's.

    python -m benchmarks.suite.bare_receiver

It prints its port. GET returns how many requests came.
"""

from __future__ import annotations

import asyncio
import re

_LENGTH = re.compile(rb"[Cc]ontent-[Ll]ength: (\d+)")
_count = 0


class Receiver(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        global _count
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            if head.startswith(b"GET"):
                text = str(_count).encode()
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
                self._buffer = self._buffer[end + 4 :]
                continue
            length = _LENGTH.search(head)
            assert length is not None
            whole = end + 4 + int(length[1])
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            _count += 1
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
