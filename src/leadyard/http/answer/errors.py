"""Refusals over HTTP: the table from code to status, and the envelope of all failed requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from leadyard import errors
from leadyard.errors import InvalidRequest, LeadyardError, Violation
from leadyard.http.answer.idempotency_key import key_violation
from leadyard.model import HANDMADE_AUDIENCE_TYPES, AudienceType

_log = structlog.get_logger("leadyard.http")

STATUS_OF_CODE: Mapping[str, int] = {
    errors.InvalidRequest.code: 400,
    errors.Unauthorized.code: 401,
    errors.Forbidden.code: 403,
    errors.NotFound.code: 404,
    errors.MethodNotAllowed.code: 405,
    errors.RequestTimeout.code: 408,
    errors.AudienceNotReady.code: 409,
    errors.IdempotencyConflict.code: 409,
    errors.SelectionChanged.code: 409,
    errors.BodyTooLarge.code: 413,
    errors.UnsupportedMediaType.code: 415,
    errors.SameAudience.code: 422,
    errors.SameProspect.code: 422,
    errors.LeadsNotInSource.code: 422,
    errors.ChangedSince.code: 422,
    errors.AlreadyUndone.code: 422,
    errors.NotUndoable.code: 422,
    errors.EventsGone.code: 422,
    errors.AudienceTypeReserved.code: 422,
    errors.FolderTypeMismatch.code: 422,
    errors.IdentityConflict.code: 422,
    errors.InvalidProspect.code: 422,
    errors.UnreadableFile.code: 422,
    errors.UnknownColumn.code: 422,
    errors.NobodyIdentified.code: 422,
    errors.SourceNotConfigured.code: 422,
    errors.SecretKeyMissing.code: 422,
    errors.SecretKeyDiffers.code: 422,
    errors.JobNotCancellable.code: 422,
    errors.MaxResultsTooLarge.code: 422,
    errors.TooManyJobs.code: 422,
    errors.UrlNotAllowed.code: 422,
    errors.TooManyWebhooks.code: 422,
    errors.SecretUnreadable.code: 422,
    errors.RateLimited.code: 429,
    errors.TooManyReaders.code: 429,
    errors.HeadersTooLarge.code: 431,
    errors.Internal.code: 500,
    errors.ServiceUnavailable.code: 503,
    errors.ProviderUnavailable.code: 503,
}

# All lead ids of a move may be wrong. Without a limit, the answer to 1 MiB of unknown fields would be 5 MiB of
# violations, and other requests would wait while the service writes them.
_MAX_VIOLATIONS = 10_000

# Pydantic's name of a broken rule → our code, which stays the same when Pydantic changes its names.
_VIOLATION_CODES = {
    "missing": "MISSING",
    "extra_forbidden": "UNKNOWN_FIELD",
    "string_pattern_mismatch": "WRONG_FORMAT",
    "too_short": "TOO_SHORT",
    "too_long": "TOO_LONG",
    "string_too_short": "TOO_SHORT",
    "string_too_long": "TOO_LONG",
    "enum": "UNKNOWN_VALUE",
    "literal_error": "UNKNOWN_VALUE",
    "value_error": "NOT_ALLOWED",
    "greater_than_equal": "TOO_SMALL",
    "less_than_equal": "TOO_LARGE",
    "int_parsing_size": "TOO_LARGE",
    "string_unicode": "NOT_ALLOWED",
    "wrong_cursor": "WRONG_CURSOR",
    "duplicate": "DUPLICATE",
    "union_tag_invalid": "UNKNOWN_VALUE",
    "union_tag_not_found": "MISSING",
}


_JOB_TYPES = tuple(str(each) for each in AudienceType if each not in HANDMADE_AUDIENCE_TYPES)


class ErrorDetail(BaseModel):
    """Why the service refused the request. Some codes have additional fields."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    code: Annotated[str, Field(description="A stable code for programs.", examples=["NOT_FOUND"])]
    message: Annotated[str, Field(description="The problem.")]
    details: Annotated[str, Field(description="How to fix it.")]


class ViolationShape(BaseModel):
    """One problem in the request."""

    model_config = ConfigDict(defer_build=True)

    path: Annotated[str, Field(examples=["leadIds[3]"])]
    code: Annotated[str, Field(examples=["WRONG_FORMAT"])]
    message: str


class ValidationErrorDetail(BaseModel):
    """All problems in the request, not only the first."""

    model_config = ConfigDict(defer_build=True)

    code: Literal["VALIDATION_ERROR"]
    message: str
    details: str
    violations: list[ViolationShape]


class _Refusal(BaseModel):
    model_config = ConfigDict(defer_build=True)

    success: Literal[False]
    data: None
    traceId: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]  # noqa: N815  (the name on the wire)


class ErrorResponse(_Refusal):
    """Every error except a 400."""

    error: ErrorDetail


class ValidationErrorResponse(_Refusal):
    """The error for an invalid request."""

    error: ValidationErrorDetail


def error_response(error: LeadyardError, trace_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """Returns the refusal in its envelope, with the headers that belong to it."""
    more = dict(headers or {})
    if error.retry_after_s is not None:
        more["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.Unauthorized):
        more["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.RequestTimeout):
        # Otherwise the server would read and discard the rest of the body for as long as the client sends it.
        more["Connection"] = "close"
    body = error_envelope(error, trace_id)
    return Response(body, status_code=STATUS_OF_CODE[error.code], headers=more, media_type="application/json")


def error_envelope(error: LeadyardError, trace_id: str) -> bytes:
    """Returns the JSON text of the envelope of a refusal."""
    body = {
        "success": False,
        "data": None,
        "error": {"code": error.code, "message": error.message, "details": error.details, **error.extra},
        "traceId": trace_id,
    }
    return to_json(body)


async def on_leadyard_error(request: Request, error: Exception) -> Response:
    """Returns the answer for a refusal of Leadyard."""
    assert isinstance(error, LeadyardError)
    if isinstance(error, errors.ServiceUnavailable) and getattr(request.state, "is_operator", False):
        # The operator reads the answer itself, with the remedy, and the log of the process is on the same terminal.
        error.details = f"{error.details} {error.advice}".strip()
    elif isinstance(error, errors.ServiceUnavailable):
        # The client gets the refusal. The log has its cause for the operator: only the type of the error, because its
        # text may contain data.
        cause = error.__cause__
        kind = f"{type(cause).__module__}.{type(cause).__qualname__}" if cause else None
        _log.warning("service_unavailable", reason=error.reason or None, cause=kind, detail=error.detail or None)
    return error_response(error, request.state.trace_id)


def invalid_request(request: Request, problems: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """Returns the refusal that lists all these errors of Pydantic, and a malformed Idempotency-Key. The `loc` of each
    error begins with path, query or body."""
    not_json = getattr(request.state, "not_json", None)
    in_body = getattr(request.state, "body_violations", ())
    found = [violation_of(problem, not_json) for problem in problems[:_MAX_VIOLATIONS]]
    violations = [*found, *in_body[: _MAX_VIOLATIONS - len(found)]]
    wrong_key = key_violation(request) if request.method == "POST" else None
    return InvalidRequest(
        [*violations, *([wrong_key] if wrong_key else [])], left_out=len(problems) + len(in_body) - len(violations)
    )


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Returns the router's 404 and 405 in the envelope."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(_allowed_methods(request))
        refusal: LeadyardError = errors.MethodNotAllowed(f"Use one of: {allowed}.{_no_cors(request)}")
        return error_response(refusal, request.state.trace_id, {"Allow": allowed})
    if error.status_code == 404:
        return error_response(_unknown_path(), request.state.trace_id)
    return error_response(errors.Internal(), request.state.trace_id)


def _no_cors(request: Request) -> str:
    """Returns a sentence for a browser that asks in advance whether a page of another origin may send a request."""
    if request.method != "OPTIONS":
        return ""
    return " The service does not support CORS: call it from your server and not from a page of another origin."


def _unknown_path() -> LeadyardError:
    not_found = errors.NotFound("path", "")
    not_found.message = "There is nothing at this path."
    not_found.details = "GET /openapi.json or /docs lists every path."
    return not_found


def _allowed_methods(request: Request) -> list[str]:
    """Returns the methods of all routes with this path. The router itself only reports the first match."""
    methods: set[str] = set()
    # A mounted folder of files has moved its own path into the root path.
    scope = {**request.scope, "root_path": request.scope.get("app_root_path", "")}
    for route in request.app.router.routes:
        if route.matches(scope)[0] is not Match.NONE:
            # A mounted folder of files, such as for /docs, declares no methods.
            methods |= getattr(route, "methods", None) or {"GET", "HEAD"}
    return sorted(methods)


def violation_of(problem: Mapping[str, Any], not_json: str | None = None) -> Violation:
    """Returns an error of Pydantic as a violation. `not_json` is the reason why the body is not JSON, if it is not."""
    if not_json and problem["loc"] == ("body",):
        return Violation(path="body", code="NOT_JSON", message=not_json)
    kind = problem["type"]
    code = _VIOLATION_CODES.get(kind, "WRONG_TYPE")
    message = problem["msg"].removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        message = "must be an id: 24 characters, each 0-9 or a-f"
    if kind in ("bool_parsing", "bool_type"):
        message = "must be true or false"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return Violation(path="type", code=code, message=f"Must be one of: {', '.join(_JOB_TYPES)}.")
    return Violation(path=_path(problem["loc"]), code=code, message=message[:1].upper() + message[1:] + ".")


def _path(location: Sequence[str | int]) -> str:
    """Returns the place as an expression such as `prospects[3].email`. Leaves out the first part (body, path or query)
    unless the whole body is wrong."""
    path = ""
    # If the body is one of several shapes, Pydantic adds the shape that `type` has chosen before the field.
    start = 2 if location[1:2] and location[1] in _JOB_TYPES else 1
    for part in location[start:]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or str(location[0])
