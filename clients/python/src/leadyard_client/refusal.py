"""The base classes of all errors, and what a refusal of the service contains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class LeadyardError(Exception):
    """Every error of this client that is not a mistake in an argument."""


class ApiError(LeadyardError):
    """The service has refused the request. The subclass is the code; this class itself is a code that is unknown here.

    `status` is the HTTP status, `code` the stable code, `message` states the problem, `details` what to do about it.
    `fields` has the additional keys of the code under the names of the API, for example `leadIds`. Quote `trace_id` to
    the operator of the service. `retry_after_s` is the wait in seconds that the service requests, or None.
    `idempotency_key` is the key of the request, or None. `was_repeated` is True if an earlier attempt was cut off, so
    that the attempt before may have been carried out.
    """

    def __init__(
        self,
        *,
        status: int,
        error: Mapping[str, Any],
        trace_id: str,
        retry_after_s: float | None = None,
        idempotency_key: str | None = None,
        was_repeated: bool = False,
    ) -> None:
        self.status = status
        self.code = str(error["code"])
        self.message = str(error["message"])
        self.details = str(error["details"])
        self.fields: Mapping[str, Any] = {
            name: value for name, value in error.items() if name not in ("code", "message", "details")
        }
        self.trace_id = trace_id
        self.retry_after_s = retry_after_s
        self.idempotency_key = idempotency_key
        self.was_repeated = was_repeated
        earlier = " An earlier attempt was cut off and may have done it." if was_repeated and status == 404 else ""
        super().__init__(f"{self.message} {self.details}{earlier} ({self.code}, trace id {trace_id})")


class NoAnswer(LeadyardError):
    """The connection broke, or the time ran out, before an answer came.

    `may_have_happened` is False if the request only reads, or was never sent. Otherwise the service may have carried it
    out: repeat the call with the same `idempotency_key` if there is one, or else look at the current state.
    """

    def __init__(self, reason: str, *, may_have_happened: bool, idempotency_key: str | None = None) -> None:
        self.reason = reason
        self.may_have_happened = may_have_happened
        self.idempotency_key = idempotency_key
        if not may_have_happened:
            advice = "Nothing has changed, so you can repeat the call."
        elif idempotency_key:
            advice = f"To find out what happened, repeat the call with idempotency_key={idempotency_key!r}."
        else:
            advice = "The service may have carried it out: look at the current state."
        super().__init__(f"The service did not answer: {reason} {advice}")


class UnexpectedAnswer(LeadyardError):
    """An answer that is not in the format of the API, for example the page of a proxy, or from a much older service.

    `status` is the HTTP status, and `excerpt` the first 200 characters of the body.
    """

    def __init__(self, reason: str, *, status: int, excerpt: str = "") -> None:
        self.status = status
        self.excerpt = excerpt[:200]
        shown = f" It begins with {self.excerpt!r}." if self.excerpt else ""
        super().__init__(f"{reason} (status {status}).{shown}")


class WrongAccountGroup(LeadyardError):
    """The key is valid for no account group, or for several, and the client was created without one."""


class JobNotCompleted(LeadyardError):
    """A job that you waited for has failed or was cancelled. `job` is its last state."""

    def __init__(self, job: Any) -> None:
        self.job = job
        error = job.error
        reason = f" {error.message} ({error.code})" if error is not None else ""
        super().__init__(f"Job {job.job_id} is {job.status}.{reason}")


class WaitTimeout(LeadyardError):
    """A job was still active when the timeout of `wait` was over. It goes on; `job` is its last state."""

    def __init__(self, job: Any, timeout_s: float) -> None:
        self.job = job
        super().__init__(f"Job {job.job_id} is still {job.status} after {timeout_s:g} s. Wait for it again.")


class WebhookVerificationError(LeadyardError):
    """A webhook that you must not trust: answer it with 401, and do nothing."""
