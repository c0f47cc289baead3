"""Decides whether an attempt of a request is the last one, and how long to wait before the next. It sends nothing.

A repetition must never do a thing twice. So after an attempt of unknown outcome only those requests are repeated that
have an Idempotency-Key or are idempotent by themselves.
"""

from __future__ import annotations

import random
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

import httpx

from leadyard_client.refusal import NoAnswer
from leadyard_client.request import Request, refusal, retry_after_s

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
TOO_MANY = 429
IN_FLIGHT = 409
TEMPORARY = (408, 502, 503, 504)
"""After these the request may have been carried out. 502 and 504 come from a proxy before the service."""


LONGEST_TOTAL_S = 12 * 60 * 60
"""The service keeps an Idempotency-Key for 24 hours. Half of that leaves room for the last attempt and for clocks."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long a call goes on trying. All times are in seconds. Raises ValueError for a `total_s` above 12 hours.

    `total_s` limits the waits of one call, counted from its start: an attempt that would begin later is not made.
    `longest_wait_s` limits a single wait; when the service requests a longer one, the call raises the error at once.
    Without a request by the service, the waits double from `first_wait_s` up to `longest_backoff_s`.
    """

    total_s: float = 120
    longest_wait_s: float = 60
    first_wait_s: float = 0.1
    longest_backoff_s: float = 5

    def __post_init__(self) -> None:
        if not 0 <= self.total_s <= LONGEST_TOTAL_S:
            raise ValueError(f"total_s is {self.total_s:g}. Choose 0 to {LONGEST_TOTAL_S}: keys are kept for 24 hours.")


USUAL_RETRIES = RetryPolicy()
NO_RETRIES = RetryPolicy(total_s=0)
"""Every error reaches you at once."""


class Attempts:
    """The attempts of one request so far."""

    def __init__(self, request: Request[Any], policy: RetryPolicy) -> None:
        self._request = request
        self._policy = policy
        self._ends_at = time.monotonic() + policy.total_s
        self._count = 0
        self._is_outcome_open = False

    def wait_after_answer(self, response: httpx.Response) -> float | None:
        """Returns the seconds to wait before the next attempt, None if the answer is a success.

        Raises ApiError or UnexpectedAnswer for an answer that is final.
        """
        if response.is_success:
            return None
        wait = self._wait(retry_after_s(response)) if self._is_temporary(response) else None
        if wait is None:
            raise refusal(response, self._request, was_repeated=self._is_outcome_open)
        self._is_outcome_open |= response.status_code in TEMPORARY and not self._request.reads
        return wait

    def wait_after_break(self, error: httpx.TransportError) -> float:
        """Returns the seconds to wait after a broken connection. Raises NoAnswer if the request is not repeated."""
        was_sent = not isinstance(error, NEVER_SENT)
        is_allowed = self._request.is_repeatable and self._request.can_be_sent_again if was_sent else True
        is_allowed &= not _is_permanent(error)
        wait = self._wait(None) if is_allowed else None
        self._is_outcome_open |= was_sent and not self._request.reads
        if wait is None:
            raise NoAnswer(
                f"{type(error).__name__}: {error}".rstrip(": .") + ".",
                may_have_happened=self._is_outcome_open,
                idempotency_key=self._request.idempotency_key,
            ) from error
        return wait

    def _is_temporary(self, response: httpx.Response) -> bool:
        if not self._request.can_be_sent_again:
            return False
        if response.status_code == TOO_MANY:
            return True
        if response.status_code == IN_FLIGHT:
            # The service adds Retry-After while the first request with this key runs. A conflict has none.
            return b'"IDEMPOTENCY_CONFLICT"' in response.content and "Retry-After" in response.headers
        return response.status_code in TEMPORARY and self._request.is_repeatable

    def _wait(self, requested_s: float | None) -> float | None:
        """Returns a wait with jitter, so that clients that were refused together do not come back together.

        Returns None if it is longer than the policy allows.
        """
        policy = self._policy
        if requested_s is None:
            longest = min(policy.first_wait_s * 2**self._count, policy.longest_backoff_s)
            wait = longest * random.uniform(0.5, 1)  # noqa: S311
        else:
            # Never earlier than requested.
            wait = requested_s + random.uniform(0, min(1.0, 0.1 + requested_s / 4))  # noqa: S311
        self._count += 1
        is_too_long = requested_s is not None and requested_s > policy.longest_wait_s
        return None if is_too_long or time.monotonic() + wait > self._ends_at else wait


def _is_permanent(error: httpx.TransportError) -> bool:
    """Returns whether the next attempt would fail in the same way: a wrong certificate, or a name that is unknown."""
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return True
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
            return True
        cause = cause.__cause__ or cause.__context__
    return False
