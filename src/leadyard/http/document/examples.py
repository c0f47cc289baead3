"""Adds examples to the OpenAPI document, built from the examples of single fields, and links between operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticKnownError

from leadyard import errors
from leadyard.http.admission.rate_limits import refusal_by
from leadyard.http.answer.envelope import ID_EXAMPLE, TRACE_ID_EXAMPLE
from leadyard.http.answer.errors import STATUS_OF_CODE, violation_of
from leadyard.http.request.json_body import MAX_BODY_BYTES
from leadyard.http.request.raw_body import empty_body, file_too_large, not_a_file
from leadyard.http.v1.transfers import MAX_BODY_BYTES as MAX_BODY_BYTES_OF_TRANSFER
from leadyard.http.v1.uploads import MEDIA_TYPES
from leadyard.http.wire.time_limits import SLOWEST_BYTES_PER_S
from leadyard.model import MAX_UPLOAD_BYTES, Permission
from leadyard.settings.rate_policies import DEFAULT_RATE_LIMITS, Scope, parse_policies

_OF_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 0.5, "boolean": True, "null": None}

_OF_AUDIENCE = (
    "get_audience", "update_audience", "delete_audience", "list_prospects", "add_prospects", "move_leads",
    "move_to_folder", "export_prospects", "copy_leads", "remove_leads",
)  # fmt: skip
_OF_LEAD = ("get_prospect", "update_prospect", "delete_prospect", "list_prospect_changes")
_OF_FOLDER = ("update_folder", "delete_folder")
_OF_JOB = ("get_prospecting", "cancel_prospecting", "export_rejected")
_OF_CHANGE = dict.fromkeys(("get_change", "list_changed_prospects"), "changeId=$response.header.Change-Id")
# operation → (status, next operation → the place in the answer that contains its path parameter)
_LEADS_ON: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "create_audience": ("201", dict.fromkeys(_OF_AUDIENCE, "audienceId=$response.body#/data/id")),
    "create_folder": ("201", dict.fromkeys(_OF_FOLDER, "folderId=$response.body#/data/id")),
    "list_prospects": ("200", dict.fromkeys(_OF_LEAD, "prospectId=$response.body#/data/items/0/id")),
    "start_transfer": (
        "202",
        dict.fromkeys(("get_transfer", "cancel_transfer"), "jobId=$response.body#/data/jobId"),
    ),
    "start_prospecting": ("202", dict.fromkeys(_OF_JOB, "jobId=$response.body#/data/jobId")),
    "move_leads": ("200", {"get_move": "moveId=$response.header.Move-Id", **_OF_CHANGE}),
    "copy_leads": ("200", _OF_CHANGE),
    "remove_leads": ("200", _OF_CHANGE),
}


_MISSING = {"type": "missing", "loc": ("body", "name"), "msg": PydanticKnownError("missing").message()}
_KEY_POLICY = parse_policies(DEFAULT_RATE_LIMITS)[Scope.KEY][0]
_REFUSALS = (
    errors.InvalidRequest([violation_of(_MISSING)]),
    errors.Unauthorized(),
    errors.Forbidden.lacking(Permission.AUDIENCES_WRITE),
    errors.NotFound("audience", ID_EXAMPLE),
    errors.RequestTimeout.of_body(within_s=20, bytes_per_s=SLOWEST_BYTES_PER_S),
    errors.AudienceNotReady(audience_id=ID_EXAMPLE, job_id="507f191e810c19729de860ea"),
    errors.BodyTooLarge.of_json(max_mib=MAX_BODY_BYTES // 1024**2),
    errors.UnsupportedMediaType.not_json(),
    errors.LeadsNotInSource(first_lead_ids=[ID_EXAMPLE], lead_count=1),
    refusal_by(_KEY_POLICY, wait_ms=1_000),
    errors.Internal(),
    errors.ServiceUnavailable.after_conflicts(errors.TransactionConflict()),
)
# Operations whose example differs from the default for that status.
_ELSEWHERE: Mapping[tuple[str, int], errors.LeadyardError] = {
    ("create_audience", 422): errors.AudienceTypeReserved(),
    ("move_to_folder", 422): errors.FolderTypeMismatch(audience_type="on_demand", folder_type="monitoring"),
    ("update_prospect", 422): errors.IdentityConflict(ID_EXAMPLE),
    ("create_upload", 400): empty_body(),
    ("create_upload", 413): file_too_large(MAX_UPLOAD_BYTES),
    ("create_upload", 415): not_a_file(MEDIA_TYPES),
    ("list_events", 422): errors.EventsGone(),
    ("list_lead_lists", 422): errors.SourceNotConfigured(),
    ("list_saved_searches", 422): errors.SourceNotConfigured(),
    ("start_prospecting", 422): errors.SourceNotConfigured(),
    ("cancel_prospecting", 422): errors.JobNotCancellable(status="completed"),
    ("cancel_transfer", 422): errors.JobNotCancellable(status="completed"),
    ("start_transfer", 413): errors.BodyTooLarge.of_json(max_mib=MAX_BODY_BYTES_OF_TRANSFER // 1024**2),
}


def add_examples(document: dict[str, Any]) -> None:
    """Adds an example that matches its schema to every JSON body of the document."""
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
    """Adds links to the operations that can follow an answer, with the values that they take from it."""
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
        return [_example(schema["items"], schemas)] * max(1, schema.get("minItems", 1))
    if schema.get("type") == "object":
        return _object(schema, schemas)
    return _OF_TYPE[schema["type"]]


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    if "properties" not in schema:
        return {"plan": "pro"}  # An open set of texts, such as custom fields.
    required = list(schema.get("required", ()))
    alternatives = alternatives_of(schema)
    required += alternatives[:1]
    # An example contains the required fields, and the optional fields that have an example.
    return {
        name: _nullable(field, schemas)
        for name, field in schema["properties"].items()
        if name in required or ("examples" in field and name not in alternatives)
    } or {name: _nullable(field, schemas) for name, field in list(schema["properties"].items())[:1]}


def alternatives_of(schema: Mapping[str, Any]) -> list[str]:
    """Returns the fields of which a client sends exactly one."""
    if schema.get("maxProperties") == 1:
        return list(schema["properties"])
    return [name for part in ("if", "else") for name in schema.get(part, {}).get("required", ())]


def _nullable(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Returns null for a field that may be null and has no example."""
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
