"""Examples for the OpenAPI document, put together from the examples of the single fields; and where answers lead on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadyard import errors
from leadyard.http.envelope import ID_EXAMPLE, TRACE_ID_EXAMPLE
from leadyard.http.errors import STATUS_OF_CODE

_OF_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 0.5, "boolean": True, "null": None}

_OF_AUDIENCE = (
    "get_audience", "update_audience", "delete_audience", "list_prospects", "add_prospects", "move_leads",
    "move_to_folder", "export_prospects",
)  # fmt: skip
_OF_LEAD = ("get_prospect", "update_prospect", "delete_prospect")
_OF_FOLDER = ("update_folder", "delete_folder")
_OF_JOB = ("get_prospecting", "cancel_prospecting", "export_rejected")
# operation → (status, what follows → where the value of its path parameter stands in the answer)
_LEADS_ON: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "create_audience": ("201", dict.fromkeys(_OF_AUDIENCE, "audienceId=$response.body#/data/id")),
    "create_folder": ("201", dict.fromkeys(_OF_FOLDER, "folderId=$response.body#/data/id")),
    "list_prospects": ("200", dict.fromkeys(_OF_LEAD, "prospectId=$response.body#/data/items/0/id")),
    "start_prospecting": ("202", dict.fromkeys(_OF_JOB, "jobId=$response.body#/data/jobId")),
    "move_leads": ("200", {"get_move": "moveId=$response.header.Move-Id"}),
}


_REFUSALS = (
    errors.InvalidRequest([errors.Violation(path="name", code="MISSING", message="Field required.")]),
    errors.Unauthorized(),
    errors.Forbidden("The key lacks the permission audiences:write. Use a key that has it."),
    errors.NotFound("audience", ID_EXAMPLE),
    errors.RequestTimeout("Send the body within 20 s, or at 10,000 bytes a second."),
    errors.AudienceNotReady(audience_id=ID_EXAMPLE, job_id="507f191e810c19729de860ea"),
    errors.BodyTooLarge("Send at most 1048576 bytes (1 MiB); split the work into several requests."),
    errors.UnsupportedMediaType("Send the body as JSON, with the header 'Content-Type: application/json'."),
    errors.LeadsNotInSource(first_lead_ids=[ID_EXAMPLE], lead_count=1),
    errors.RateLimited("This key may send 1000 in 1 s. Wait 1 s, then send the request again.", retry_after_s=1),
    errors.Internal(),
    errors.ServiceUnavailable("Nothing was changed. Try again in a moment.", retry_after_s=2),
)
# Where the refusal of that status is another one.
_ELSEWHERE: Mapping[tuple[str, int], errors.LeadyardError] = {
    ("create_audience", 422): errors.AudienceTypeReserved(),
    ("move_to_folder", 422): errors.FolderTypeMismatch(audience_type="on_demand", folder_type="monitoring"),
    ("update_prospect", 422): errors.IdentityConflict(ID_EXAMPLE),
    ("create_upload", 400): errors.InvalidRequest(
        [errors.Violation(path="body", code="TOO_SHORT", message="The body is empty: send the content of the file.")]
    ),
    ("create_upload", 413): errors.BodyTooLarge(
        "Send at most 1073741824 bytes (1 GiB); compress the file with gzip or split it."
    ),
    ("create_upload", 415): errors.UnsupportedMediaType(
        "Send the file itself as the body, with a Content-Type of text/csv.",
        message="The request body is not of a type that is taken here.",
    ),
    ("list_lead_lists", 422): errors.SourceNotConfigured(),
    ("list_saved_searches", 422): errors.SourceNotConfigured(),
    ("start_prospecting", 422): errors.SourceNotConfigured(),
    ("cancel_prospecting", 422): errors.JobNotCancellable(status="completed"),
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
                    response["content"]["application/json"]["example"] = _refusal(int(status), operation["operationId"])
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
    if schema.get("type") == "object" and "properties" in schema and "examples" not in schema:
        return _object(schema, schemas)
    for key in ("examples", "enum", "allOf", "anyOf", "oneOf"):
        if key in schema:
            first = schema[key][0]
            return _example(first, schemas) if key in ("allOf", "anyOf", "oneOf") else first
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)]
    if schema.get("type") == "object":
        return _object(schema, schemas)
    return _OF_TYPE[schema["type"]]


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    if "properties" not in schema:
        return {"plan": "pro"}  # an open set of texts, such as custom fields
    required = list(schema.get("required", ()))
    alternatives = [name for each in schema.get("oneOf", ()) for name in each["required"]]
    required += alternatives[:1]
    # Of what may be left out, an example shows what somebody found worth one.
    return {
        name: _nullable(field, schemas)
        for name, field in schema["properties"].items()
        if name in required or ("examples" in field and name not in alternatives)
    } or {name: _nullable(field, schemas) for name, field in list(schema["properties"].items())[:1]}


def _nullable(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """What may be null is null, unless somebody gave an example."""
    if "examples" not in field and {"type": "null"} in field.get("anyOf", ()):
        return None
    return _example({key: value for key, value in field.items() if key != "default"}, schemas)


def _refusal(status: int, operation_id: str) -> dict[str, Any]:
    error = _ELSEWHERE.get((operation_id, status)) or next(
        each for each in _REFUSALS if STATUS_OF_CODE[each.code] == status
    )
    return {
        "success": False,
        "data": None,
        "error": {"code": error.code, "message": error.message, "details": error.details, **error.extra},
        "traceId": TRACE_ID_EXAMPLE,
    }
