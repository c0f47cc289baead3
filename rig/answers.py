"""Checks the parts that all answers share (contract section 2), wherever a test reads one."""

from __future__ import annotations

import re
from typing import Any

import httpx

ID = re.compile("[0-9a-f]{24}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TRACE_ID = re.compile("[0-9a-f]{32}")
AUDIENCE_KEYS = {"id", "name", "type", "description", "folderId", "prospectCount", "createdAt"}
UNKNOWN_ID = "507f1f77bcf86cd799439011"

# Details that only a person inside the service should ever see.
_INSIDES = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|asyncpg|sqlite|sqlalchemy|pydantic|starlette|fastapi|postgres"
    r"|\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|COMMIT|ROLLBACK)\b|account_group_id|memberships"
    r"|/(tmp|usr|home|work|root|var|opt)/|0x[0-9a-f]{6,}"
)


def data_of(answer: httpx.Response, status: int = 200) -> Any:
    """Returns the data of a success whose envelope is exactly as documented."""
    assert answer.status_code == status, answer.text
    body = _envelope(answer)
    assert body["success"] is True
    assert body["error"] is None
    assert body["data"] is not None
    return body["data"]


def refusal(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Returns the error of a refusal whose envelope is exactly as documented and which discloses no internals."""
    body = _envelope(answer)
    assert body["success"] is False
    assert body["data"] is None
    error: dict[str, Any] = body["error"]
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    assert set(error) == {"code", "message", "details", *ADDED_KEYS.get(code, ())}
    for sentence in (error["message"], error["details"]):
        assert isinstance(sentence, str)
        assert len(sentence) > 10
        assert sentence.endswith(".")
    assert not _INSIDES.search(answer.text), answer.text
    if code in ("AUDIENCE_NOT_READY", "RATE_LIMITED", "SERVICE_UNAVAILABLE", "PROVIDER_UNAVAILABLE"):
        assert int(answer.headers["Retry-After"]) >= 1
    elif code != "IDEMPOTENCY_CONFLICT":  # Present only while the first request is in flight.
        assert "Retry-After" not in answer.headers
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    return error


def violations(answer: httpx.Response) -> set[tuple[str, str]]:
    """Returns (path, code) of everything that a 400 found wrong."""
    listed = refusal(answer, 400, "VALIDATION_ERROR")["violations"]
    for violation in listed:
        assert set(violation) == {"path", "code", "message"}
        assert violation["path"]
        assert violation["message"].endswith(".")
    found = {(violation["path"], violation["code"]) for violation in listed}
    assert len(found) == len(listed)
    return found


def without_trace_id(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """Returns everything that a client gets, except the trace id and the time of day. For answers that must be the same
    to the byte."""
    trace_id = answer.json()["traceId"]
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.text.replace(trace_id, ""), headers


ADDED_KEYS = {
    "NOBODY_IDENTIFIED": ("columns",),
    "TOO_MANY_WEBHOOKS": ("maxWebhooks",),
    "VALIDATION_ERROR": ("violations",),
    "AUDIENCE_NOT_READY": ("audienceId", "jobId"),
    "JOB_NOT_CANCELLABLE": ("status",),
    "MAX_RESULTS_TOO_LARGE": ("maxResults",),
    "LEADS_NOT_IN_SOURCE": ("leadIds", "leadCount"),
    "CHANGED_SINCE": ("leadIds", "leadCount"),
    "ALREADY_UNDONE": ("undoneByChangeId",),
    "SELECTION_CHANGED": ("count",),
    "IDENTITY_CONFLICT": ("leadId",),
    "INVALID_PROSPECT": ("reason",),
    "PROVIDER_UNAVAILABLE": ("reason",),
}


def _envelope(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"success", "data", "error", "traceId"}
    assert TRACE_ID.fullmatch(body["traceId"])
    return body
