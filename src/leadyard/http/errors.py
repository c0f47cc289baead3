"""Refusals on the wire: one table from code to status, and every way a request can fail turned into the envelope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.routing import Match

from leadyard import errors
from leadyard.errors import InvalidRequest, LeadyardError, Violation
from leadyard.http.idempotency_key import key_violation
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
    errors.BodyTooLarge.code: 413,
    errors.UnsupportedMediaType.code: 415,
    errors.SameAudience.code: 422,
    errors.LeadsNotInSource.code: 422,
    errors.AudienceTypeReserved.code: 422,
    errors.FolderTypeMismatch.code: 422,
    errors.IdentityConflict.code: 422,
    errors.InvalidProspect.code: 422,
    errors.UnreadableFile.code: 422,
    errors.UnknownColumn.code: 422,
    errors.SourceNotConfigured.code: 422,
    errors.JobNotCancellable.code: 422,
    errors.MaxResultsTooLarge.code: 422,
    errors.TooManyJobs.code: 422,
    errors.RateLimited.code: 429,
    errors.HeadersTooLarge.code: 431,
    errors.Internal.code: 500,
    errors.ServiceUnavailable.code: 503,
    errors.ProviderUnavailable.code: 503,
}

# Every lead id of a move may be wrong. Beyond that, 1 MiB of unknown fields would be answered with 5 MiB of violations,
# and nobody else served for as long as it takes to write them.
_MAX_VIOLATIONS = 10_000

# Pydantic's name of a broken rule → ours, which stay the same when Pydantic's change.
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
    "union_tag_invalid": "UNKNOWN_VALUE",
    "union_tag_not_found": "MISSING",
}


_JOB_TYPES = tuple(str(each) for each in AudienceType if each not in HANDMADE_AUDIENCE_TYPES)


class ErrorDetail(BaseModel):
    """Why a request was refused. Some codes add keys of their own."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    code: Annotated[str, Field(description="Stable and machine-readable.", examples=["NOT_FOUND"])]
    message: Annotated[str, Field(description="What is wrong.")]
    details: Annotated[str, Field(description="What to do about it.")]


class ViolationShape(BaseModel):
    """One thing wrong with the request."""

    model_config = ConfigDict(defer_build=True)

    path: Annotated[str, Field(examples=["leadIds[3]"])]
    code: Annotated[str, Field(examples=["WRONG_FORMAT"])]
    message: str


class ValidationErrorDetail(BaseModel):
    """Everything that is wrong with the request, not just the first thing."""

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
    """Every refusal but a 400."""

    error: ErrorDetail


class ValidationErrorResponse(_Refusal):
    """The refusal of a request that is not well-formed."""

    error: ValidationErrorDetail


def error_response(error: LeadyardError, trace_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """Returns the refusal in its envelope, with the headers that belong to it."""
    body = {
        "success": False,
        "data": None,
        "error": {"code": error.code, "message": error.message, "details": error.details, **error.extra},
        "traceId": trace_id,
    }
    more = dict(headers or {})
    if error.retry_after_s is not None:
        more["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.Unauthorized):
        more["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.RequestTimeout):
        # The rest of the body would be read and dropped for as long as the client likes to send it.
        more["Connection"] = "close"
    return Response(to_json(body), status_code=STATUS_OF_CODE[error.code], headers=more, media_type="application/json")


async def on_leadyard_error(request: Request, error: Exception) -> Response:
    """Turns a refusal of our own into an answer."""
    assert isinstance(error, LeadyardError)
    if isinstance(error, errors.ServiceUnavailable):
        # The client is told that, the operator is told why: by the kind of error, as its text may hold data.
        cause = error.__cause__
        kind = f"{type(cause).__module__}.{type(cause).__qualname__}" if cause else None
        _log.warning("service_unavailable", reason=error.reason or None, cause=kind)
    return error_response(error, request.state.trace_id)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """Turns what FastAPI found wrong with path, query and body into a 400 that names all of it."""
    assert isinstance(error, RequestValidationError)
    not_json = getattr(request.state, "not_json", None)
    problems = error.errors()
    violations = [_violation(problem, not_json) for problem in problems[:_MAX_VIOLATIONS]]
    wrong_key = key_violation(request) if request.method == "POST" else None
    invalid = InvalidRequest(
        [*violations, *([wrong_key] if wrong_key else [])], left_out=max(0, len(problems) - _MAX_VIOLATIONS)
    )
    return error_response(invalid, request.state.trace_id)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Turns the router's own 404 and 405 into the envelope."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(_allowed_methods(request))
        refusal: LeadyardError = errors.MethodNotAllowed(f"Use one of: {allowed}.")
        return error_response(refusal, request.state.trace_id, {"Allow": allowed})
    if error.status_code == 404:
        return error_response(_unknown_path(), request.state.trace_id)
    return error_response(errors.Internal(), request.state.trace_id)


def _unknown_path() -> LeadyardError:
    not_found = errors.NotFound("path", "")
    not_found.message = "There is nothing at this path."
    not_found.details = "GET /openapi.json or /docs lists every path."
    return not_found


def _allowed_methods(request: Request) -> list[str]:
    """The router only tells the methods of the first route that fits; several may share the path."""
    methods: set[str] = set()
    # A folder of files has put its own path in front of what is left.
    scope = {**request.scope, "root_path": request.scope.get("app_root_path", "")}
    for route in request.app.router.routes:
        if route.matches(scope)[0] is not Match.NONE:
            # A folder of files, that of /docs, has no methods of its own.
            methods |= getattr(route, "methods", None) or {"GET", "HEAD"}
    return sorted(methods)


def _violation(problem: Mapping[str, Any], not_json: str | None) -> Violation:
    if not_json and problem["loc"] == ("body",):
        return Violation(path="body", code="NOT_JSON", message=not_json)
    kind = problem["type"]
    code = _VIOLATION_CODES.get(kind, "WRONG_TYPE")
    message = problem["msg"].removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        message = "must be an id: 24 characters, each 0-9 or a-f"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return Violation(path="type", code=code, message=f"Must be one of: {', '.join(_JOB_TYPES)}.")
    return Violation(path=_path(problem["loc"]), code=code, message=message[:1].upper() + message[1:] + ".")


def _path(location: Sequence[str | int]) -> str:
    """Returns the place as one would write it in code, `prospects[3].email`; the part that says body, path or query is
    left out, but for a body that is wrong as a whole."""
    path = ""
    # Where the body is one of several shapes, Pydantic puts the one that `type` has chosen in front.
    start = 2 if location[1:2] and location[1] in _JOB_TYPES else 1
    for part in location[start:]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or str(location[0])
