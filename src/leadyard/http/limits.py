"""How long a request may take: to arrive, and to be answered. Nobody holds a place for ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadyard.errors import LeadyardError, RequestTimeout, ServiceUnavailable
from leadyard.http.errors import error_response

# A body may take longer than the limit if it keeps coming at least this fast, as a big file over a thin line does.
SLOWEST_BYTES_PER_S = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """In seconds: `read_s` for the head of a request, and again for waiting for its body; `request_s` for the work on
    it, from its head, or the last piece of its body that came in, to the beginning of the answer."""

    read_s: float
    request_s: float


class Limits:
    """ASGI middleware. Stands inside Trace, so that what it refuses has a trace id and a log line."""

    def __init__(self, app: ASGIApp, *, limits: TimeLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = _Request(receive, send, self.limits)
        refusal: LeadyardError
        try:
            async with asyncio.timeout(self.limits.request_s) as request.work:
                await self.app(scope, request.receive, request.send)
                return
        except TimeoutError:
            if not request.work.expired():
                raise
            refusal = _given_up(f"It took longer than {self.limits.request_s:g} s and was given up.")
        except asyncio.CancelledError:
            # The server only cancels what is still under way when it has no time left to stop. Its client gets an
            # answer nevertheless; swallowing the cancellation is all right for the last thing a task does.
            refusal = _given_up("The service is being stopped.")
        if not request.answering:
            await error_response(refusal, scope["state"]["trace_id"])(scope, receive, send)


def _given_up(why: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"{why} Whatever it was to change is either wholly there or wholly not: read the current state before you "
        "repeat the request.",
        message="The request could not be finished.",
        retry_after_s=2,
    )


class _Request:
    """One request's clock."""

    work: asyncio.Timeout

    def __init__(self, receive: Receive, send: Send, limits: TimeLimits) -> None:
        self._receive = receive
        self._send = send
        self._limits = limits
        self._arrived = False
        self._patience_s = limits.read_s
        self.answering = False

    async def receive(self) -> Message:
        """The next piece of the body. Raises RequestTimeout when the body takes too long. Once it is there, or the
        answer has begun, whoever calls this is waiting for the client to go away, and may."""
        if self._arrived or self.answering:
            return await self._receive()
        # An upload of a GiB is stored while it comes in: neither our work on a piece counts against the client, nor its
        # pauses against our work, and every piece is progress after which the time for the work begins anew.
        waiting_since = _now()
        self.work.reschedule(None)
        try:
            async with asyncio.timeout(self._patience_s):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout(
                f"Send the body within {self._limits.read_s:g} s, or at {SLOWEST_BYTES_PER_S:,} bytes a second."
            ) from None
        finally:
            self.work.reschedule(_now() + self._limits.request_s)
        self._patience_s += waiting_since - _now() + len(message.get("body", b"")) / SLOWEST_BYTES_PER_S
        self._arrived = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Once the answer begins it may take as long as the client reads: an export of a million leads does."""
        if not self.answering:
            self.answering = True
            self.work.reschedule(None)
        await self._send(message)


def _now() -> float:
    return asyncio.get_running_loop().time()
