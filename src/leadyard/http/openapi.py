"""The OpenAPI document: what FastAPI finds in the routes, plus what only we know."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from leadyard.http import idempotency_key
from leadyard.http.caller import Door
from leadyard.http.envelope import ID_EXAMPLE
from leadyard.http.errors import ErrorResponse, ValidationErrorResponse
from leadyard.http.examples import add_examples, add_links
from leadyard.model import Permission

_DESCRIPTION = """Lists of leads with a move that is atomic, exact and fast.

Send the key as `Authorization: Bearer <key>`. Every answer is `{success, data, error, traceId}`; ids are 24 hex
characters; times are UTC with milliseconds. Lists take `cursor` and `limit`."""

_REFUSALS = {
    400: "Request validation failed",
    401: "Invalid or missing API key",
    403: "Missing required permission",
    404: "Resource not found",
    408: "The body did not arrive in time",
    409: "An audience is still being populated by an active prospecting job (AUDIENCE_NOT_READY), or the "
    "Idempotency-Key belongs to another request or to one in flight (IDEMPOTENCY_CONFLICT)",
    413: "The body is too large",
    415: "The Content-Type of the body is not one that is taken here",
    422: "Well-formed, but not possible; one code per reason",
    429: "Rate limit exceeded",
    500: "Internal server error",
    503: "The database, or a prospect provider that is needed, is out of reach or too busy",
}
_ALWAYS = (401, 429, 500, 503)
_RATE_LIMIT_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": "Each quota: its name, how much (q), in how many seconds (w). Missing where limits are off.",
        "schema": {"type": "string", "examples": ['"key";q=1000;w=1, "group";q=2000;w=1']},
    },
    "RateLimit": {
        "description": "Of each quota what is left (r) and in how many seconds all of it is free again (t); on a 429, "
        "of the quota in the way, in how many the request can be sent again.",
        "schema": {"type": "string", "examples": ['"key";r=999;t=1, "group";r=1998;t=1']},
    },
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}},
    409: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
    429: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
    503: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
}


REPLAYED: dict[str, dict[str, Any]] = {
    "Idempotency-Replayed": {
        "schema": {"type": "string", "const": "true"},
        "description": "Present when this is the answer that the same request got before.",
    }
}
_IDEMPOTENCY_KEY = {
    "name": idempotency_key.HEADER,
    "in": "header",
    "required": False,
    "description": "A key of your own, such as a UUID: the same request with the same key is done once and answered "
    "alike for 24 hours.",
    "schema": {"type": "string", "pattern": idempotency_key.PATTERN},
}


def refusals(*statuses: int, in_group: bool = True, takes_body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Returns the documented refusals of a route: `statuses` and those that every route of its kind has."""
    every = {*statuses, *_ALWAYS, 400, *((403,) if in_group else ()), *((408, 413, 415) if takes_body else ())}
    documented: dict[int | str, dict[str, Any]] = {}
    for status in sorted(every):
        model = ValidationErrorResponse if status == 400 else ErrorResponse
        documented[status] = {"model": model, "description": _REFUSALS[status]}
        if status in _HEADERS:
            documented[status]["headers"] = _HEADERS[status]
    return documented


def describe(app: FastAPI) -> dict[str, Any]:
    """Returns the OpenAPI 3.1 document of the app."""
    doors = [route for route in app.routes if isinstance(route, Door)]
    described = [door.described() for door in doors]
    document = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", description=_DESCRIPTION, routes=described
    )
    document["components"]["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"apiKey": []}]
    for door, route in zip(doors, described, strict=True):
        for method in route.methods or ():
            _complete(document["paths"][route.path_format][method.lower()], route, door.permission)
    # FastAPI announces its own shape of a 422 for every route with parameters; ours is a 400.
    _add_rate_limit_headers(document)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    add_examples(document)
    return document


def _add_rate_limit_headers(document: dict[str, Any]) -> None:
    document["components"]["headers"] = _RATE_LIMIT_HEADERS
    references = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_LIMIT_HEADERS}
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                response["headers"] = {**response.get("headers", {}), **references}


def _complete(operation: dict[str, Any], route: APIRoute, permission: Permission | None) -> None:
    if 422 not in route.responses:
        operation["responses"].pop("422", None)
    if "{accountGroupId}" in route.path:
        parameter = {
            "name": "accountGroupId",
            "in": "path",
            "required": True,
            "description": "Account group ID that scopes the request.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{24}$", "examples": [ID_EXAMPLE]},
        }
        operation["parameters"] = [parameter, *operation.get("parameters", [])]
    if "POST" in (route.methods or ()):
        operation["parameters"] = [*operation.get("parameters", []), dict(_IDEMPOTENCY_KEY)]
    add_links(operation)
    if permission:
        operation["description"] += f"\n\nRequired API permission: `{permission}`."
