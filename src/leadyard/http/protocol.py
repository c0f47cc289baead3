"""HTTP below the application: heads that never end, bodies nobody wants any more, clients that do not read.

uvicorn's protocol has no limit for these, and answers what it refuses by itself in plain text. Here it is bounded, and
refused in the envelope, as everything else.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

import structlog
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from leadyard.errors import (
    HeadersTooLarge,
    InvalidRequest,
    LeadyardError,
    RequestTimeout,
    ServiceUnavailable,
    Violation,
)
from leadyard.http.errors import error_response
from leadyard.http.trace import Trace
from leadyard.watching import metrics

MAX_HEAD_BYTES = 64 * 1024
# How long a client that was refused may go on sending before it looks at the answer.
_LINGER_S = 2.0
_VERSIONS = ("1.0", "1.1")
_log = structlog.get_logger("leadyard.http")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """`read_s` for the head of a request, and for the rest of a body after its answer; `write_s` for a client to read
    on; both in seconds. `connections` of a process, beyond which requests are refused, but those by `admin_port`."""

    read_s: float
    write_s: float
    connections: int
    admin_port: int | None


async def _refuse_overload(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = ServiceUnavailable(
        "Try again in a moment, and use one connection for several requests.",
        message="The service has too many connections at the moment.",
        retry_after_s=2,
    )
    response = error_response(refusal, scope["state"]["trace_id"], {"Connection": "close"})
    await response(scope, receive, send)


_overloaded = Trace(_refuse_overload)


def _is_news(record: logging.LogRecord) -> bool:
    # What strangers can make uvicorn say as often as they like; connection_refused says it in our log.
    return record.msg != "Invalid HTTP request received."


# uvicorn sets up its logs before it loads the application, and leaves filters alone.
logging.getLogger("uvicorn.error").addFilter(_is_news)


class _HeadWithBody:
    """What an answer is written to. uvicorn writes its head and its body one after the other: two calls of the system,
    two packets, and a client that is woken by the first to find that it must wait for the second. Here a head waits for
    what follows it at once; it never waits longer than the loop takes for one turn."""

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        if not self._head and data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1":
            # Not a "100 Continue": that is what the client waits for before it sends its body.
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


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A timer runs whenever it is the client's turn and uvicorn's own, for idle connections, does not.

    `_arrival` is the timer for what the client is to send, `_reading` that for what it is to read.
    """

    def __init__(self, *arguments: Any, limits: ConnectionLimits, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self._limits = limits
        self._arrival: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._in_head = True
        self._in_message = False
        self._heads = 0
        # Of the head that is coming in: what arrived, and what the parser has already handed over.
        self._head_bytes = 0
        self._counted = 0
        self._problem: LeadyardError | None = None
        self._refused = False
        # Oldest first. uvicorn only knows the last one, which is not the one being answered if several came at once.
        self._unanswered: deque[RequestResponseCycle] = deque()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Were probes refused as well, whoever opens many connections could have the process restarted.
        is_admin = self.server is not None and self.server[1] == self._limits.admin_port
        if len(self.connections) > self._limits.connections and not is_admin:
            self.app = _overloaded
        self._expect_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        for cycle in self._unanswered:
            # Else it would be answered into a closed connection, and that would look like a bug of ours.
            cycle.disconnected = True
            cycle.message_event.set()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        was_in_head, heads_before = self._in_head, self._heads
        super().data_received(data)
        if was_in_head and self._heads == heads_before:
            # What the parser has not yet made a header of, it keeps; so what comes in is counted, not what comes out.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(_too_large())
        if self._in_head and self.timeout_keep_alive_task is None and self._is_idle() and not self._refused:
            self._expect_more()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True
        self._expect_more()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + len(b": \r\n"))
        if not self._in_head:
            # A trailer, behind a chunked body. uvicorn would put it among the headers, where one called
            # X-Forwarded-For or Authorization passes for what a proxy has written or looked at.
            return
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        if self.parser.get_http_version() not in _VERSIONS:
            # The parser knows 0.9 and 2.0 too, but reads them as if they were 1.1.
            raise ValueError
        self._in_head, self._head_bytes, self._counted = False, 0, 0
        self._heads += 1
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", _HeadWithBody(self.transport, self.loop))
        self._unanswered.append(self.cycle)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._in_message = True, False
        self._stop_waiting()

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        super().on_response_complete()
        if self._in_message and not self._in_head:
            # The rest of a body that was refused is read and dropped, but not for ever.
            self._expect_more()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reading is None:
            # Not close(), which would wait for what the client does not read.
            self._reading = self.loop.call_later(self._limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing: to stay with HTTP is the answer, and the request has its line in the log."""

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser gives up."""
        self._refuse(self._problem or InvalidRequest([Violation(path="", code="NOT_HTTP", message=msg)]))

    def _count(self, size: int) -> None:
        self._counted += size
        if self._counted > MAX_HEAD_BYTES:
            self._problem = _too_large()
            # The parser gives up on whatever its callback raises, and then send_400_response is called.
            raise ValueError

    def _is_idle(self) -> bool:
        return not self._unanswered

    def _expect_more(self) -> None:
        if self._arrival is None:
            self._arrival = self.loop.call_later(self._limits.read_s, self._on_nothing)

    def _stop_waiting(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _on_nothing(self) -> None:
        self._arrival = None
        if self._in_message and self._in_head:
            self._refuse(RequestTimeout(f"Send the head of the request within {self._limits.read_s:g} s."))
        else:
            self.transport.abort()

    def _refuse(self, error: LeadyardError) -> None:
        """Answers what never became a request, and closes. There is no place for that while an answer is under way."""
        self._stop_waiting()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if not self._is_idle():
            self.transport.close()
            return
        self.transport.write(self._raw_answer(error))
        # To close at once, with something of the client's still unread, would take the answer back from it.
        self.transport.write_eof()
        self._arrival = self.loop.call_later(_LINGER_S, self.transport.abort)

    def _raw_answer(self, error: LeadyardError) -> bytes:
        trace_id = secrets.token_hex(16)
        response = error_response(error, trace_id, {"Connection": "close"})
        metrics.connection_refused(response.status_code)
        _log.info("connection_refused", trace_id=trace_id, status=response.status_code, code=error.code)
        headers = [*self.server_state.default_headers, *response.raw_headers]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body)


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"Send at most {MAX_HEAD_BYTES // 1024} KiB of path and headers.")
