"""One connection to a receiver: sends requests on it one by one, and reads the beginning of each answer.

It is written for this one purpose, because an answer counts only by its status: no cookies, no redirects, no proxies,
nothing unpacked, and at most 4 kB in memory.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

import httptools

MAX_ANSWER_BYTES = 4_096
# How long to wait for the rest of an answer whose status is known, so that the connection can be used again.
_REST_WITHIN_S = 0.5


class NoAnswer(Exception):
    """The connection ended, or brought something else than HTTP, before there was a status. `is_garbage` tells which,
    and `is_untouched` whether not a single byte came."""

    def __init__(self, *, is_garbage: bool = False, is_untouched: bool = False) -> None:
        self.is_garbage = is_garbage
        self.is_untouched = is_untouched
        super().__init__()


class Exchange(asyncio.Protocol):
    """A connection to a receiver. It sends one request at a time."""

    def __init__(self) -> None:
        self.made_at = time.monotonic()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._has_status: asyncio.Future[None] | None = None
        self._is_complete: asyncio.Future[None] | None = None
        self._is_open = False
        self._keeps_open = False
        self._read = 0
        self._status = 0
        self._retry_after: str | None = None

    @property
    def can_be_used(self) -> bool:
        """Whether another request can be sent: the connection is open, and the last answer was read completely."""
        return self._is_open and self._parser is None

    async def ask(self, request: bytes) -> tuple[int, str | None]:
        """Sends the request. Returns the status of the answer, and its Retry-After. Raises NoAnswer. The caller limits
        the time, and closes the connection when it gives up."""
        loop = asyncio.get_running_loop()
        if self._transport is None or not self._is_open:
            raise NoAnswer(is_untouched=True)
        self._has_status, self._is_complete = loop.create_future(), loop.create_future()
        self._read, self._status, self._retry_after = 0, 0, None
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)
        await self._has_status
        if not self._is_complete.done():
            await asyncio.wait((self._is_complete,), timeout=_REST_WITHIN_S)
        if not (self._is_complete.done() and self._keeps_open):
            self.close()
        self._parser = None
        return self._status, self._retry_after

    def close(self) -> None:
        """Closes the connection at once, without a wait for the receiver."""
        self._is_open = False
        if self._transport is not None:
            self._transport.abort()

    # For the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._is_open = True

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            # Bytes that were not asked for.
            self.close()
            return
        taken = data[: MAX_ANSWER_BYTES - self._read]
        self._read += len(taken)
        try:
            self._parser.feed_data(taken)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end(NoAnswer(is_garbage=True))
            return
        if self._read >= MAX_ANSWER_BYTES and not (self._is_complete and self._is_complete.done()):
            # The head alone may be longer. The status is in its first line.
            self._end(NoAnswer(is_garbage=True))

    def eof_received(self) -> None:
        self._is_open = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_open = False
        self._end(NoAnswer(is_untouched=self._read == 0))

    def _end(self, failure: NoAnswer) -> None:
        """Ends the request: with the status if the answer had one, otherwise with the failure."""
        self._is_open = False
        if self._has_status is not None and not self._has_status.done():
            if self._status >= 200:
                self._has_status.set_result(None)
            else:
                self._has_status.set_exception(failure)
                # The caller may have given up a moment ago.
                self._has_status.exception()
        if self._is_complete is not None and not self._is_complete.done():
            self._is_complete.set_result(None)
        if self._transport is not None:
            self._transport.abort()

    # For the parser.

    def on_status(self, _reason: bytes) -> None:
        assert self._parser is not None and self._is_complete is not None
        if self._is_complete.done():
            # A second answer, although there was one request. It must not count for the next one.
            self._keeps_open = False
            return
        self._status = self._parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")[:100]

    def on_headers_complete(self) -> None:
        assert self._has_status is not None
        # A status below 200 announces the answer itself.
        if self._status >= 200 and not self._has_status.done():
            self._has_status.set_result(None)

    def on_message_complete(self) -> None:
        assert self._parser is not None and self._is_complete is not None
        if self._status >= 200 and not self._is_complete.done():
            self._keeps_open = self._parser.should_keep_alive()
            self._is_complete.set_result(None)
