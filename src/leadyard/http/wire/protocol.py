"""HTTP below the application: endless heads, abandoned bodies, slow readers.

uvicorn's protocol does not limit these, and sends its own refusals in plain text. This one limits them, and refuses
them in the envelope, like all other refusals.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

import httptools
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
from leadyard.http.answer.errors import error_response
from leadyard.http.wire.cycle import Cycle
from leadyard.http.wire.lazy_timer import LazyTimer
from leadyard.http.wire.leaving import let_go
from leadyard.http.wire.trace import Trace
from leadyard.http.wire.upgrades import DecliningParser
from leadyard.watching import metrics

MAX_HEAD_BYTES = 64 * 1024
# How long a refused client may continue to send before it reads the answer.
_LINGER_S = 2.0
_VERSIONS = ("1.0", "1.1")
_log = structlog.get_logger("leadyard.http")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """`read_s` limits the head of a request, and the rest of a body after its answer. `write_s` limits how long a
    client may pause reading. Both are in seconds. A process with more than `connections` refuses the requests of new
    ones, except on `admin_port`."""

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
    # Any client can cause this warning as often as it likes; our log has connection_refused instead.
    return record.msg != "Invalid HTTP request received."


# uvicorn configures its logs before it loads the application, and does not remove filters.
logging.getLogger("uvicorn.error").addFilter(_is_news)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A timer runs whenever it is the client's turn.

    `_arrival` is the timer while the client has to send, `_idle` is the timer between two requests, and `_reading` is
    the timer while the client has to read.
    """

    def __init__(self, *arguments: Any, limits: ConnectionLimits, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self.parser: DecliningParser = DecliningParser(self)  # type: ignore[assignment]
        self._limits = limits
        self._arrival = LazyTimer(self.loop, self._on_nothing)
        self._idle = LazyTimer(self.loop, self.timeout_keep_alive_handler)
        self._reading: asyncio.TimerHandle | None = None
        self._in_head = True
        self._in_message = False
        self._heads = 0
        # Bytes of the incoming head: those that arrived, and those that the parser has already passed on.
        self._head_bytes = 0
        self._counted = 0
        self._problem: LeadyardError | None = None
        self._refused = False
        # Oldest first. uvicorn keeps only the last request. If several arrived at once, another one is being answered.
        self._unanswered: deque[Cycle] = deque()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Probes are never refused. Otherwise a client could get the process restarted by opening many connections.
        is_admin = self.server is not None and self.server[1] == self._limits.admin_port
        if len(self.connections) > self._limits.connections and not is_admin:
            self.app = _overloaded
        self._expect_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrival.close()
        self._idle.close()
        for cycle in self._unanswered:
            # Otherwise the answer would go to a closed connection, which would look like a bug of ours.
            cycle.disconnected = True
            cycle.message_event.set()
            let_go(cast("Scope", cycle.scope))
        self.resume_writing()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """uvicorn calls this when the service stops. A request that waits for something ends now; others finish."""
        super().shutdown()
        for cycle in self._unanswered:
            let_go(cast("Scope", cycle.scope))

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        was_in_head, heads_before = self._in_head, self._heads
        super().data_received(data)
        if was_in_head and self._heads == heads_before:
            # The parser buffers an unfinished header, so its input is counted here, and not its output.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(_too_large())
        # Here and not at the beginning of each head, because most heads arrive as a whole.
        is_awaited = self._in_message or (self._is_idle() and not self._idle.is_set)
        if self._in_head and is_awaited and not self._refused:
            self._expect_more()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True

    def on_url(self, url: bytes) -> None:
        self.url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + len(b": \r\n"))
        if not self._in_head:
            # A trailer, after a chunked body. uvicorn would add it to the headers, where an X-Forwarded-For or an
            # Authorization would look as if a proxy had written or checked it.
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._arrival.cancel()
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            # The parser also accepts 0.9 and 2.0, but reads them as if they were 1.1.
            raise ValueError
        self._counted = 0
        method = self.parser.get_method()
        if method == b"CONNECT":
            # A client that is refused may go on with what it wants to send through the tunnel.
            self._problem = _not_a_proxy()
            raise ValueError
        if self.parser.offers_upgrade:
            return
        self._in_head, self._head_bytes = False, 0
        self._heads += 1
        self._complete_scope(version, method)
        self._begin_cycle(keeps_alive=version != "1.0" and self.parser.should_keep_alive())

    def _complete_scope(self, version: str, method: bytes) -> None:
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope = self.scope
        scope["http_version"] = version
        scope["method"] = method.decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""

    def _begin_cycle(self, *, keeps_alive: bool) -> None:
        """Starts the application on the request, or lets the request wait until those before it are answered."""
        before: RequestResponseCycle | None = self.cycle
        self.cycle = cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keeps_alive,
            on_response=self.on_response_complete,
        )
        self._unanswered.append(cycle)
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_message_complete(self) -> None:
        if self.parser.offers_upgrade:
            return
        super().on_message_complete()
        self._in_head, self._in_message = True, False
        self._arrival.cancel()

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
            else:
                self._idle.set(self.timeout_keep_alive)
        if self._in_message and not self._in_head:
            # The rest of a refused body is read and dropped, but only for a limited time.
            self._expect_more()

    def _unset_keepalive_if_required(self) -> None:
        self._idle.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reading is None:
            # Not close(), which would wait until the client has read everything.
            self._reading = self.loop.call_later(self._limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this when the parser fails."""
        self._refuse(self._problem or InvalidRequest([Violation(path="", code="NOT_HTTP", message=msg)]))

    def _count(self, size: int) -> None:
        self._counted += size
        if self._counted > MAX_HEAD_BYTES:
            self._problem = _too_large()
            # Any exception in its callback makes the parser fail, and uvicorn then calls send_400_response.
            raise ValueError

    def _is_idle(self) -> bool:
        return not self._unanswered

    def _expect_more(self) -> None:
        if not self._arrival.is_set:
            self._arrival.set(self._limits.read_s)

    def _on_nothing(self) -> None:
        if self._refused:
            # The client of a refusal has had its time to read it.
            self.transport.abort()
        elif self._in_message and self._in_head:
            self._refuse(RequestTimeout(f"Send the head of the request within {self._limits.read_s:g} s."))
        else:
            self.transport.abort()

    def _refuse(self, error: LeadyardError) -> None:
        """Answers input that never became a request, and closes. While another answer is being sent, it only closes."""
        self._arrival.cancel()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if not self._is_idle():
            self.transport.close()
            return
        self.transport.write(self._raw_answer(error))
        # If we closed at once with unread input, the system would reset the connection and the answer would be lost.
        self.transport.write_eof()
        self._arrival.set(_LINGER_S)

    def _raw_answer(self, error: LeadyardError) -> bytes:
        trace_id = secrets.token_hex(16)
        response = error_response(error, trace_id, {"Connection": "close"})
        metrics.connection_refused(response.status_code)
        _log.info("connection_refused", trace_id=trace_id, status=response.status_code, code=error.code)
        headers = [*self.server_state.default_headers, *response.raw_headers]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body)


def _not_a_proxy() -> InvalidRequest:
    message = "The service is not a proxy: it does not support CONNECT."
    return InvalidRequest([Violation(path="", code="NOT_HTTP", message=message)])


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"Send at most {MAX_HEAD_BYTES // 1024} KiB of path and headers.")
