"""A request and its answer on a connection. A whole answer is one write."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

Headers = Iterable[tuple[bytes, bytes]]


class _HeadWithBody:
    """The transport for an answer of unknown length; it joins the head to the first piece of the body. uvicorn writes
    them one after the other: two system calls, two packets, and a client that wakes up for the first and then has to
    wait for the second. Here a head waits for the write that follows it, but never longer than one turn of the event
    loop."""

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        if not self._head and data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1":
            # Not a "100 Continue", because the client waits for it before it sends the body.
            self._head = data
            self._loop.call_soon(self._send_head)
            return
        head, self._head = self._head, b""
        self._transport.write(head + data if head else data)

    def close(self) -> None:
        self._send_head()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _send_head(self) -> None:
        if self._head:
            self.write(b"")


class Cycle(RequestResponseCycle):
    """uvicorn's, with a shorter way for an answer that comes as a whole, which is any but a download.

    Such an answer announces its length, and its head is kept until its body follows.
    """

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._head: bytes | None = None

    async def send(self, message: Any) -> None:
        if self._head is not None:
            await self._send_whole(self._head, message)
            return
        if message["type"] == "http.response.start" and not self.response_started and not self.disconnected:
            headers = message.get("headers", ())
            for name, _ in headers:
                if name == b"content-length":
                    self.response_started, self.waiting_for_100_continue = True, False
                    self._head = self._written_head(message["status"], headers)
                    return
            self.transport = cast("asyncio.Transport", _HeadWithBody(self.transport, asyncio.get_running_loop()))
        await super().send(message)

    async def _send_whole(self, head: bytes, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            # The rest goes uvicorn's way, as if it had written the head.
            self._head = None
            self.transport.write(head)
            await super().send(message)
            return
        is_head = self.scope["method"] == "HEAD"
        if not is_head and len(body) != self.expected_content_length:
            raise RuntimeError("The body of the answer does not have the length in its head.")
        self._head, self.response_complete = None, True
        self.transport.write(head if is_head else head + body)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _written_head(self, status: int, headers: Headers) -> bytes:
        parts = [STATUS_LINE[status]]
        is_closing = False
        for name, value in (*self.default_headers, *headers):
            if name == b"content-length":
                self.expected_content_length, self.chunked_encoding = int(value), False
            elif name == b"connection" and value.lower() == b"close":
                self.keep_alive, is_closing = False, True
            parts += (name, b": ", value, b"\r\n")
        # All at once, because one search of a long text is faster than two for each header.
        if HEADER_RE.search(b"".join(parts[1::4])) or HEADER_VALUE_RE.search(b"".join(parts[3::4])):
            raise RuntimeError("A header of the answer contains a control character.")
        parts.append(b"\r\n" if self.keep_alive or is_closing else b"connection: close\r\n\r\n")
        return b"".join(parts)
