"""Every request of the OpenAPI document, and every place in it where a client can put its own text.

Nothing is listed by hand: the next run also attacks a field, parameter or header that is added to the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from leadyard.http.document.examples import alternatives_of

Where = Literal["path", "query", "header", "body"]
Steps = tuple[str | int, ...]
# Headers that any request may have, whether or not the document names them.
ORDINARY_HEADERS = (
    "Authorization", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Cookie", "Expect", "Forwarded",
    "If-Match", "If-None-Match", "Origin", "Range", "Referer", "traceparent", "tracestate", "User-Agent", "Via",
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", "X-Original-URL",
    "X-Request-Id",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A valid request. `path` still has its parameters in braces; `raw` is a body that is not JSON."""

    method: str
    path: str
    documented: frozenset[int]
    path_values: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    raw: bytes | None = None

    @property
    def target(self) -> str:
        """The path with its values, percent-encoded."""
        path = self.path
        for name, value in self.path_values.items():
            path = path.replace(f"{{{name}}}", quote(value, safe="", errors="surrogatepass"))
        return path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Place:
    """Where a text goes in a request: a parameter, a header, or a value or key of the body."""

    request: Request
    where: Where
    steps: Steps
    is_key: bool = False

    def with_text(self, text: str) -> Request:
        """Returns the request with that text in this place."""
        name = str(self.steps[0]) if self.steps else ""
        if self.where == "path":
            return replace(self.request, path_values={**self.request.path_values, name: text})
        if self.where == "query":
            return replace(self.request, query={**self.request.query, name: text})
        if self.where == "header":
            return replace(self.request, headers={**self.request.headers, name: text})
        return replace(self.request, body=_changed(self.request.body, self.steps, text, is_key=self.is_key))

    def with_json(self, value: Any) -> Request:
        """Returns the request with any JSON in this place; only for a value of the body."""
        return replace(self.request, body=_changed(self.request.body, self.steps, value, is_key=False))

    def __str__(self) -> str:
        return f"{self.request} {self.where} {'.'.join(map(str, self.steps))}{' (key)' if self.is_key else ''}"


def requests_of(document: Mapping[str, Any], values: Mapping[str, str]) -> list[Request]:
    """Returns a request for every operation, and for every shape that its body may have. `values` are the texts to use
    by the names of parameters and fields, mostly ids that exist."""
    found: list[Request] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            found += _requests_of(document, values, method.upper(), path, operation)
    return found


def _requests_of(
    document: Mapping[str, Any], values: Mapping[str, str], method: str, path: str, operation: Mapping[str, Any]
) -> Iterator[Request]:
    parameters = operation.get("parameters", [])
    request = Request(
        method,
        path,
        frozenset(map(int, operation["responses"])),
        {each["name"]: values[each["name"]] for each in parameters if each["in"] == "path"},
    )
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        for body in samples(document, content["application/json"]["schema"], values):
            yield replace(request, body=body)
    elif content:
        yield replace(request, raw=b"email\nada@example.com\n", headers={"Content-Type": next(iter(content))})
    else:
        yield request


def places_of(document: Mapping[str, Any], requests: list[Request]) -> list[Place]:
    """Returns every place of every request, each once. A place in a body that two shapes share counts once."""
    found: dict[tuple[str, ...], Place] = {}
    for request in requests:
        parameters = document["paths"][request.path][request.method.lower()].get("parameters", [])
        places = [Place(request, each["in"], (each["name"],)) for each in parameters]
        kind = request.body.get("type", "") if isinstance(request.body, dict) else ""
        for place in [*places, *_in_body(request, request.body, ())]:
            found.setdefault((str(place), kind if place.where == "body" else ""), place)
    return list(found.values())


def header_places(requests: list[Request]) -> list[Place]:
    """Returns the ordinary headers as places, of one request that reads and one that writes."""
    kinds = {method: next(each for each in requests if each.method == method) for method in ("GET", "POST")}
    return [Place(request, "header", (name,)) for request in kinds.values() for name in ORDINARY_HEADERS]


def samples(document: Mapping[str, Any], schema: Mapping[str, Any], values: Mapping[str, str], name: str = "") -> Any:
    """Returns values that fit the schema, with every optional field: one value, or one for each alternative."""
    if "$ref" in schema:
        return samples(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], values, name)
    if "oneOf" in schema and "properties" not in schema:
        return [each for one in schema["oneOf"] for each in samples(document, one, values, name)]
    if "anyOf" in schema:
        found = []
        for one in (each for each in schema["anyOf"] if each.get("type") != "null"):
            shown = schema.get("examples", one.get("examples", []))
            found += samples(document, {**one, "examples": shown}, values, name)
        return found
    if schema.get("type") == "object":
        return _objects(document, schema, values)
    if schema.get("type") == "array":
        return [[each] for each in samples(document, schema["items"], values, name)]
    return [_scalar(schema, values, name)]


def _objects(document: Mapping[str, Any], schema: Mapping[str, Any], values: Mapping[str, str]) -> list[Any]:
    if isinstance(schema.get("additionalProperties"), dict) and "properties" not in schema:
        return [{"Note": each} for each in samples(document, schema["additionalProperties"], values)]
    choices = {key: samples(document, part, values, key) for key, part in schema["properties"].items()}
    # Fields that exclude each other are used one at a time.
    alternatives = alternatives_of(schema)
    common = {key: found for key, found in choices.items() if key not in alternatives}
    whole = {key: found[0] for key, found in common.items()}
    wholes = [{**whole, name: choices[name][0]} for name in sorted(alternatives)] or [whole]
    return [*wholes, *({**wholes[0], key: each} for key, found in common.items() for each in found[1:])]


def _scalar(schema: Mapping[str, Any], values: Mapping[str, str], name: str) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] in ("integer", "number"):
        return int(schema.get("minimum", 1))
    if schema["type"] == "boolean":
        # `all` may only be true. A dry run of a transfer leaves the audiences free for the other attacks.
        return name in ("all", "dryRun")
    if name in values:
        return values[name]
    examples: list[str] = schema.get("examples", [])
    return examples[0] if examples else "," if schema.get("maxLength") == 1 else "text"


def _in_body(request: Request, value: Any, steps: Steps) -> Iterator[Place]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield Place(request, "body", (*steps, key), is_key=True)
            yield from _in_body(request, part, (*steps, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _in_body(request, part, (*steps, index))
    elif value is not None:
        yield Place(request, "body", steps)


def _changed(body: Any, steps: Steps, value: Any, *, is_key: bool) -> Any:
    changed = deepcopy(body)
    at = changed
    for step in steps[:-1]:
        at = at[step]
    if is_key:
        at[value] = at.pop(steps[-1])
    else:
        at[steps[-1]] = value
    return changed
