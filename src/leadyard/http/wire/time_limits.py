"""Time limits for a request, to arrive and to be answered, so that no client holds a place indefinitely."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadyard.errors import LeadyardError, RequestTimeout, ServiceUnavailable
from leadyard.http.answer.errors import error_response

# A body may take longer than the limit if it arrives at least this fast, for example a big file over a slow line.
SLOWEST_BYTES_PER_S = 10_000
# How much later than at its limit a request may be given up.
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """In seconds. `read_s` limits the wait for the head of a request, and the wait for its body. `request_s` limits the
    work on it: from its head, or the latest piece of its body, to the beginning of the answer."""

    read_s: float
    request_s: float


class Limits:
    """ASGI middleware. It is inside of Trace, so that its refusals have a trace id and a log line.

    One timer looks at all running requests now and then. A timer for each request, which nearly always ends unused,
    would cost a twelfth of the processor time of a move.
    """

    def __init__(self, app: ASGIApp, *, limits: TimeLimits) -> None:
        self.app = app
        self.limits = limits
        self._look_every_s = min(_LOOK_EVERY_S, limits.read_s / 20, limits.request_s / 20)
        self._running: set[_Request] = set()
        self._look: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = _Request(receive, send, self.limits)
        self._running.add(request)
        if self._look is None:
            self._look = request.loop.call_later(self._look_every_s, self._give_up_late_ones)
        refusal: LeadyardError
        try:
            await self.app(scope, request.receive, request.send)
            return
        except asyncio.CancelledError:
            if request.was_given_up():
                refusal = _given_up(f"The request timed out after {self.limits.request_s:g} s.")
            else:
                # The server cancels running requests only when its time to stop is over. The client still gets an
                # answer. Swallowing the cancellation is fine here, because it is the last thing that the task does.
                refusal = _given_up("The service is stopping.")
        finally:
            self._running.discard(request)
        if not request.answering:
            await error_response(refusal, scope["state"]["trace_id"])(scope, receive, send)

    def _give_up_late_ones(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for request in self._running:
            request.give_up_if_late(now)
        self._look = loop.call_later(self._look_every_s, self._give_up_late_ones) if self._running else None


def _given_up(why: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"{why} Its changes were made either completely or not at all: read the current state before you retry.",
        message="The request could not be completed.",
        retry_after_s=2,
    )


class _Request:
    """The clock of one request: the moment at which it is late, if any, and the task to cancel then."""

    def __init__(self, receive: Receive, send: Send, limits: TimeLimits) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.loop = task.get_loop()
        self._task = task
        self._cancellations = task.cancelling()
        self._late_at: float | None = self.loop.time() + limits.request_s
        self._is_given_up = False
        self._receive = receive
        self._send = send
        self._limits = limits
        self._arrived = False
        self._patience_s = limits.read_s
        self.answering = False

    def give_up_if_late(self, now: float) -> None:
        """Cancels the request, once, if it is late."""
        if self._late_at is not None and self._late_at <= now:
            self._late_at, self._is_given_up = None, True
            self._task.cancel()

    def was_given_up(self) -> bool:
        """Returns whether a CancelledError is the one of `give_up_if_late`. Call it once for each such error."""
        given_up, self._is_given_up = self._is_given_up, False
        # As in asyncio.timeout: the server may have cancelled the task, too.
        return given_up and self._task.uncancel() <= self._cancellations

    async def receive(self) -> Message:
        """Returns the next piece of the body. Raises RequestTimeout if the body takes too long. After the whole body,
        or once the answer has begun, the caller waits for the client to disconnect, and has no time limit."""
        if self._arrived or self.answering:
            return await self._receive()
        # An upload of a GiB is stored while it arrives. Our work on a piece does not count against the client, nor do
        # its pauses count against our work. Each piece is progress, so the time for the work then starts again.
        waiting_since = self.loop.time()
        self._late_at = waiting_since + self._patience_s
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if self.was_given_up():
                raise RequestTimeout.of_body(within_s=self._limits.read_s, bytes_per_s=SLOWEST_BYTES_PER_S) from None
            raise
        finally:
            now = self.loop.time()
            self._late_at = now + self._limits.request_s
        self._patience_s += waiting_since - now + len(message.get("body", b"")) / SLOWEST_BYTES_PER_S
        self._arrived = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Sends a message. An answer that has begun may take as long as the client reads, as a big export does."""
        self.answering = True
        self._late_at = None
        await self._send(message)
