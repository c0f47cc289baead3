"""Receivers of webhooks for tests: each on its own port, all in one thread, with the manners that they get."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

OK = 204
CLOSES = -1
"""Instead of a status: closes the connection without an answer."""
Manner = Callable[["Received"], int]


@dataclass(frozen=True)
class Received:
    """One request, and when it came, in seconds since 1970. `number` counts from 0."""

    number: int
    headers: dict[str, str]
    text: str
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.text)
        return body

    def verify(self, secret: str) -> None:
        """Raises WebhookVerificationError unless it is signed with the secret."""
        Webhook(secret).verify(self.text, self.headers)


@dataclass
class Receiver:
    """A receiver that answers with the status that `manner` returns, after `delay_s`."""

    manner: Manner
    delay_s: float
    more_headers: str = ""
    received: list[Received] = field(default_factory=list)
    port: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [each.id for each in list(self.received)]

    def times(self) -> Counter[str]:
        """Returns how often each id came."""
        return Counter(self.ids)

    def wait_for(self, count: int, *, within_s: float = 20) -> list[Received]:
        """Returns what came as soon as it is so much, of different ids."""
        deadline = time.monotonic() + within_s
        while len(set(self.ids)) < count:
            assert time.monotonic() < deadline, f"{len(set(self.ids))} of {count} events came within {within_s} s"
            time.sleep(0.02)
        return list(self.received)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
        }
        text = (await reader.readexactly(int(headers["content-length"]))).decode()
        one = Received(len(self.received), headers, text, time.time())
        self.received.append(one)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            status = self.manner(one)
        finally:
            self.at_once -= 1
        if status == CLOSES:
            return False
        writer.write(f"HTTP/1.1 {status} X\r\n{self.more_headers}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        return True


class Receivers:
    """Starts receivers. They run until `receivers()` ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._servers: list[asyncio.Server] = []

    async def stop(self) -> None:
        """Closes all ports and connections."""
        for server in self._servers:
            server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        # Closed connections leave the loop one round later.
        await asyncio.sleep(0)

    def start(self, manner: Manner | int = OK, *, delay_s: float = 0, more_headers: str = "") -> Receiver:
        """Returns a new receiver, which answers with this status, or as the function returns it."""
        answers = manner if callable(manner) else lambda _: manner
        receiver = Receiver(answers, delay_s, more_headers)

        async def listen() -> int:
            server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
            self._servers.append(server)
            port: int = server.sockets[0].getsockname()[1]
            return port

        receiver.port = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)
        return receiver


@contextmanager
def receivers() -> Iterator[Receivers]:
    """Yields a place for receivers, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = Receivers(loop)
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(made.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
