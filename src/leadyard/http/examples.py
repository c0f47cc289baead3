"""Examples for the OpenAPI document, put together from the examples of the single fields; and where answers lead on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadyard.errors import InvalidRequest, LeadyardError, Violation
from leadyard.http.envelope import TRACE_ID_EXAMPLE
from leadyard.http.errors import STATUS_OF_CODE

_OF_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 0.5, "boolean": True, "null": None}

_OF_AUDIENCE = (
    "get_audience", "update_audience", "delete_audience", "list_prospects", "add_prospects", "move_leads",
    "move_to_folder", "export_prospects",
)  # fmt: skip
_OF_LEAD = ("get_prospect", "update_prospect", "delete_prospect")
_OF_FOLDER = ("update_folder", "delete_folder")
# operation → (status, what follows → where the value of its path parameter stands in the answer)
_LEADS_ON: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "create_audience": ("201", dict.fromkeys(_OF_AUDIENCE, "audienceId=$response.body#/data/id")),
    "create_folder": ("201", dict.fromkeys(_OF_FOLDER, "folderId=$response.body#/data/id")),
    "list_prospects": ("200", dict.fromkeys(_OF_LEAD, "prospectId=$response.body#/data/items/0/id")),
    "move_leads": ("200", {"get_move": "moveId=$response.header.Move-Id"}),
}


def add_examples(document: dict[str, Any]) -> None:
    """Gives every JSON body of the document an example that fits its schema."""
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            if body := operation.get("requestBody"):
                _add(body["content"], schemas)
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    response["content"]["application/json"]["example"] = _refusal(int(status))
                else:
                    _add(response["content"], schemas)


def add_links(operation: dict[str, Any]) -> None:
    """Says which operations an answer leads on to, and with what."""
    status, followers = _LEADS_ON.get(operation["operationId"], ("", {}))
    for name, parameter in followers.items():
        place, _, value = parameter.partition("=")
        operation["responses"][status].setdefault("links", {})[name] = {
            "operationId": name,
            "parameters": {"accountGroupId": "$request.path.accountGroupId", place: value},
        }


def _add(content: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    if "application/json" in content:
        body = content["application/json"]
        body["example"] = _example(body["schema"], schemas)


def _example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum", "allOf", "anyOf"):
        if key in schema:
            first = schema[key][0]
            return _example(first, schemas) if key in ("allOf", "anyOf") else first
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)]
    if schema.get("type") == "object":
        return _object(schema, schemas)
    return _OF_TYPE[schema["type"]]


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    if "properties" not in schema:
        return {"plan": "pro"}  # an open set of texts, such as custom fields
    required = schema.get("required", ())
    # Of what may be left out, an example shows what somebody found worth one.
    return {
        name: _nullable(field, schemas)
        for name, field in schema["properties"].items()
        if name in required or "examples" in field
    } or {name: _nullable(field, schemas) for name, field in list(schema["properties"].items())[:1]}


def _nullable(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """What may be null is null, unless somebody gave an example."""
    if "examples" not in field and {"type": "null"} in field.get("anyOf", ()):
        return None
    return _example({key: value for key, value in field.items() if key != "default"}, schemas)


def _refusal(status: int) -> dict[str, Any]:
    code = next(code for code, its_status in STATUS_OF_CODE.items() if its_status == status)
    kind = next(each for each in _all_errors(LeadyardError) if each.code == code)
    if kind is InvalidRequest:
        error: LeadyardError = InvalidRequest([Violation(path="name", code="MISSING", message="Field required.")])
    else:
        # Only the class's own sentence is wanted here; what to do depends on the case.
        error = kind.__new__(kind)
        LeadyardError.__init__(error, "What to do about it.")
    return {
        "success": False,
        "data": None,
        "error": {"code": code, "message": error.message, "details": error.details, **error.extra},
        "traceId": TRACE_ID_EXAMPLE,
    }


def _all_errors(kind: type[LeadyardError]) -> list[type[LeadyardError]]:
    return [each for child in kind.__subclasses__() for each in (child, *_all_errors(child))]
