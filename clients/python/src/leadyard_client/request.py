"""One request to the API, before it is sent, and what becomes of its answer. Both clients share it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from leadyard_client.json_values import from_json, time_text, to_json
from leadyard_client.refusal import ApiError, UnexpectedAnswer
from leadyard_client.refusals import REFUSALS
from leadyard_client.unset import UNSET
from leadyard_client.uploads import Upload
from leadyard_client.version import __version__

T = TypeVar("T")
USER_AGENT = f"leadyard-client/{__version__}"
IDEMPOTENT_METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE")
"""A repetition of these has the same result. The service has no PATCH that adds to a value: each one sets it."""


@dataclass(frozen=True, kw_only=True)
class Request(Generic[T]):
    """A request. `path` begins below the account group, or below `/v1` if `in_group` is False.

    `answers` has the type of the answer for each status of success. `takes_key` is True if the service accepts an
    Idempotency-Key. `only_reads` is True for a POST that changes nothing, so that it can be repeated.
    """

    method: str
    path: str
    answers: Mapping[int, type[T]]
    in_group: bool = True
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: Mapping[str, Any] | object | None = None
    upload: Upload | None = None
    takes_key: bool = False
    only_reads: bool = False
    idempotency_key: str | None = None

    def with_key(self) -> Request[T]:
        """Returns the request with a new Idempotency-Key, if the service accepts one and you have not chosen one."""
        if self.takes_key and self.idempotency_key is None:
            return replace(self, idempotency_key=str(uuid.uuid4()))
        return self

    def at(self, cursor: str | None) -> Request[T]:
        """Returns the request for the page that begins at the cursor."""
        return replace(self, query={**self.query, "cursor": cursor})

    @property
    def reads(self) -> bool:
        """Whether the request changes nothing."""
        return self.only_reads or self.method in ("GET", "HEAD")

    @property
    def is_repeatable(self) -> bool:
        """Whether a repetition is harmless after an attempt of unknown outcome."""
        return self.method in IDEMPOTENT_METHODS or self.only_reads or self.idempotency_key is not None

    @property
    def can_be_sent_again(self) -> bool:
        """Whether the body is still there after an attempt. A stream that cannot go back to its start is not."""
        return self.upload is None or self.upload.can_restart

    def all_headers(self, key: str) -> dict[str, str]:
        """Returns the headers, with `key` as the API key."""
        headers = {"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT}
        headers |= {name: value for name, value in self.headers.items() if value is not None}
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.upload is not None and self.upload.size is not None:
            headers["Content-Length"] = str(self.upload.size)
        return headers

    def all_query(self) -> dict[str, str]:
        """Returns the query without the parameters that were left out."""
        return {name: _query_text(value) for name, value in self.query.items() if value is not None}

    def json_body(self) -> bytes | None:
        """Returns the body as JSON, None if it is an upload or there is none."""
        if self.body is None:
            return None
        return json.dumps(to_json(self.body), ensure_ascii=False, separators=(",", ":")).encode()

    def answered(self, response: httpx.Response) -> T:
        """Returns the data of a success. Raises UnexpectedAnswer for an answer of another shape."""
        kind = self.answers.get(response.status_code)
        try:
            if kind is None:
                raise KeyError(response.status_code)
            return from_json(kind, response.json()["data"], response.headers)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unexpected(response) from error


def segment(value: str) -> str:
    """Returns a part of a path, escaped. Raises ValueError for one that would lead to another path."""
    if value in ("", ".", ".."):
        raise ValueError(f"{value!r} is not an id. Pass the id of what you mean.")
    return quote(value, safe="")


def refusal(response: httpx.Response, request: Request[Any], *, was_repeated: bool) -> ApiError | UnexpectedAnswer:
    """Returns the error that describes a refusal, of the class of its code."""
    try:
        envelope = response.json()
        error = envelope["error"]
        kind = REFUSALS.get(error["code"], ApiError)
        return kind(
            status=response.status_code,
            error=error,
            trace_id=str(envelope["traceId"]),
            retry_after_s=retry_after_s(response),
            idempotency_key=request.idempotency_key,
            was_repeated=was_repeated,
        )
    except (KeyError, TypeError, ValueError):
        return unexpected(response)


def unexpected(response: httpx.Response) -> UnexpectedAnswer:
    """Returns the error for an answer that is not in the format of the API."""
    reason = "The answer is not in the format of this API. Check the URL, and that the service is not older"
    return UnexpectedAnswer(reason, status=response.status_code, excerpt=response.text)


def retry_after_s(response: httpx.Response) -> float | None:
    """Returns the wait in seconds that the service requests, None without a number there."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _query_text(value: Any) -> str:
    if value is UNSET:
        raise TypeError("Leave a query parameter out, or pass None.")
    if isinstance(value, bool):
        return "true" if value else "false"
    return time_text(value) if isinstance(value, datetime) else str(value)
