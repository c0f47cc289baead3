"""Builds the OpenAPI document: FastAPI reads most of it from the routes, and this module adds the rest."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from copy import deepcopy
from importlib.metadata import version
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning

from leadyard.http.answer import idempotency_key
from leadyard.http.answer.envelope import ID_EXAMPLE
from leadyard.http.answer.errors import ErrorResponse, ValidationErrorResponse
from leadyard.http.document.events import add_events
from leadyard.http.document.examples import add_examples, add_links
from leadyard.http.document.generators import suit_generators
from leadyard.http.request.route import CSV, Route

_DESCRIPTION = """Lists of leads, with a move that is atomic, exact and fast.

Send your key as `Authorization: Bearer <key>`. Every answer is `{success, data, error, traceId}`. Ids are 24 hex
characters. Times are UTC with milliseconds. To page through a list, send `cursor` and `limit`."""

_REFUSALS = {
    400: "The request is invalid",
    401: "The API key is missing or invalid",
    403: "The API key lacks the required permission, or access to the account group",
    404: "The resource does not exist",
    408: "The body did not arrive in time",
    409: "A prospecting job is populating the audience (AUDIENCE_NOT_READY), or the Idempotency-Key belongs to another "
    "request or to one in progress (IDEMPOTENCY_CONFLICT)",
    413: "The body is too large",
    415: "This path does not accept the Content-Type of the body",
    422: "The request is valid but cannot be carried out. Each reason has its own code",
    429: "The rate limit is exceeded, or the key has too many readers that wait for events (TOO_MANY_READERS)",
    500: "The service has an internal error",
    503: "The database or the prospect provider is unreachable or too busy",
}
_ALWAYS = (400, 401, 429, 500, 503)
_RATE_LIMIT_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": "Each quota: its name, size (q) and window in seconds (w). Absent if rate limits are off.",
        "schema": {"type": "string", "examples": ['"key";q=1000;w=1, "group";q=2000;w=1']},
    },
    "RateLimit": {
        "description": "For each quota, what is left (r), and in how many seconds it is full again (t). On a 429, t of "
        "the exceeded quota is the number of seconds until you can repeat the request.",
        "schema": {"type": "string", "examples": ['"key";r=999;t=1, "group";r=1998;t=1']},
    },
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}},
    409: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until you can retry."}},
    429: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until you can retry."}},
    503: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until you can retry."}},
}


_REPLAYED: dict[str, dict[str, Any]] = {
    "Idempotency-Replayed": {
        "schema": {"type": "string", "const": "true"},
        "description": "Present when the service repeats the answer to an earlier request with the same key.",
    }
}
_IDEMPOTENCY_KEY = {
    "name": idempotency_key.HEADER,
    "in": "header",
    "required": False,
    "description": "Leave it out, or choose a new value, such as a UUID, for each request. For 24 hours the service "
    "runs the same request with the same key only once and repeats its answer. It refuses other requests with it.",
    "schema": {"type": "string", "pattern": idempotency_key.PATTERN},
}


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """Returns the OpenAPI 3.1 document of these routes."""
    described = [_described(route) for route in routes]
    with warnings.catch_warnings():
        # FastAPI passes aliases to Pydantic that Pydantic does not use.
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        document = get_openapi(
            title="Leadyard",
            version=version("leadyard"),
            openapi_version="3.1.0",
            description=_DESCRIPTION,
            routes=described,
            servers=[{"url": "/", "description": "The service that this document comes from."}],
        )
    document["components"]["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"apiKey": []}]
    for route in routes:
        _complete(document["paths"][route.path_format][route.method.lower()], route)
    _add_rate_limit_headers(document)
    # FastAPI documents its own 422 for every route with parameters. Leadyard answers with a 400.
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    suit_generators(document["components"]["schemas"])
    add_examples(document)
    add_events(document)
    return document


def written(document: dict[str, Any]) -> str:
    """Returns the text of openapi.json."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _add_rate_limit_headers(document: dict[str, Any]) -> None:
    document["components"]["headers"] = _RATE_LIMIT_HEADERS
    references = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_LIMIT_HEADERS}
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                response["headers"] = {**response.get("headers", {}), **references}


def _described(route: Route) -> APIRoute:
    """Returns FastAPI's route for this one. FastAPI only reads it for the document, and never serves it."""
    return APIRoute(
        route.path,
        route.endpoint,
        methods=[route.method],
        status_code=route.status,
        responses={**_success(route), **_refusals_of(route)},
        response_class=Response if route.answers == CSV else JSONResponse,
        name=route.name,
        operation_id=route.name,
        summary=route.title,
        openapi_extra=deepcopy(dict(route.document)),
        tags=[route.path.removeprefix("/v1/accounts/{accountGroupId}/").removeprefix("/v1/").partition("/")[0]],
    )


def _success(route: Route) -> dict[int | str, dict[str, Any]]:
    """Returns the documented answers of a route that are not refusals."""
    if isinstance(route.answers, str):
        success: dict[str, Any] = {"content": {route.answers: {"schema": {}}}, "description": "The CSV file."}
    else:
        success = {"model": route.answers, "description": route.answers.__doc__}
    headers = {**route.headers, **(_REPLAYED if route.method == "POST" and not route.only_reads else {})}
    if headers:
        success["headers"] = headers
    answers: dict[int | str, dict[str, Any]] = {route.status: success}
    if route.status_when_ended is not None:
        answers[route.status_when_ended] = {
            **success,
            "description": "The stored answer to an earlier request, repeated after its job has ended.",
        }
    for status, also in route.also.items():
        answers[status] = {"model": also, "description": also.__doc__}
        if route.method == "POST":
            answers[status]["headers"] = _REPLAYED
    return answers


def _refusals_of(route: Route) -> dict[int | str, dict[str, Any]]:
    """Returns the documented refusals of a route: its own, and those that every route of its kind has."""
    every = {*route.refuses, *_ALWAYS}
    if route.is_in_group:
        every |= {403}
    if route.parameters.has_body:
        every |= {408, 413, 415}
    documented: dict[int | str, dict[str, Any]] = {}
    for status in sorted(every):
        model = ValidationErrorResponse if status == 400 else ErrorResponse
        documented[status] = {"model": model, "description": _REFUSALS[status]}
        if status in _HEADERS:
            documented[status]["headers"] = _HEADERS[status]
    return documented


def _complete(operation: dict[str, Any], route: Route) -> None:
    if 422 not in route.refuses:
        operation["responses"].pop("422", None)
    if route.is_in_group:
        parameter = {
            "name": "accountGroupId",
            "in": "path",
            "required": True,
            "description": "ID of the account group that the request is limited to.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{24}$", "examples": [ID_EXAMPLE]},
        }
        operation["parameters"] = [parameter, *operation.get("parameters", [])]
    if route.method == "POST" and not route.only_reads:
        operation["parameters"] = [*operation.get("parameters", []), dict(_IDEMPOTENCY_KEY)]
    add_links(operation)
    if route.permissions:
        words = "permission" if len(route.permissions) == 1 else "permissions"
        names = ", ".join(f"`{permission}`" for permission in route.permissions)
        operation["description"] += f"\n\nRequired API {words}: {names}."
