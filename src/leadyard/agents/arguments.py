"""The arguments of the tools: their types and limits, and the schema that a model sees of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from leadyard.api_client.refused import Refused

MAX_IDS = 10_000
LONGEST_WAIT_S = 45

_ID_PATTERN = r"^[0-9a-f]{24}$"
Id = Annotated[str, StringConstraints(pattern=_ID_PATTERN)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=MAX_IDS)]
AudienceId = Annotated[Id, Field(description="The id of an audience, from list_audiences.")]
PersonId = Annotated[Id, Field(description="The id of a person, from find_prospects.")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Moment = Annotated[
    str,
    StringConstraints(
        min_length=20,
        max_length=40,
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
    ),
    Field(examples=["2026-01-31T09:30:00Z"]),
]
Cursor = Annotated[
    str | None,
    Field(max_length=500, description="`nextCursor` of the page before. Leave it out for the first page."),
]
WaitSeconds = Annotated[
    int,
    Field(
        ge=0,
        le=LONGEST_WAIT_S,
        description="How long to wait for the end of the job. If it has not ended by then, the answer has the jobId, "
        "and the job goes on.",
    ),
]


class Arguments(BaseModel):
    """Arguments of a tool. Unknown ones are refused, because a misspelt filter would select too many people."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", defer_build=True)

    def given(self, *names: str) -> dict[str, Any]:
        """Returns the values of these attributes that are not None, by their names on the wire."""
        values = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {key: values[key] for key in map(to_camel, names) if key in values}


class InGroup(Arguments):
    """Arguments of a tool that works in one account group."""

    account_group_id: Annotated[
        Id | None,
        Field(description="From list_account_groups. You may leave it out if there is only one."),
    ] = None


def read_arguments(shape: type[Arguments], given: Mapping[str, Any] | None) -> Arguments:
    """Returns the arguments. Raises Refused with all violations, and without the texts that were sent."""
    try:
        return shape.model_validate(dict(given or {}))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    violations = [{"path": _path(each["loc"]), "message": _sentence(each["type"], each["msg"])} for each in problems]
    known = [field.alias or name for name, field in shape.model_fields.items()]
    raise Refused(
        "VALIDATION_ERROR",
        "The arguments of the tool are not valid, so nothing was done.",
        f"The tool has these arguments: {', '.join(known) or 'none'}.",
        extra={"violations": violations[:20]},
    )


def _path(location: tuple[str | int, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "arguments"


def _sentence(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "There is no such argument."
    if kind == "string_pattern_mismatch" and _ID_PATTERN in message:
        return "Must be an id: 24 characters, each 0-9 or a-f. Names are not ids."
    message = message.removeprefix("Value error, ")
    return message[:1].upper() + message[1:] + "."


def schema_of(shape: type[Arguments]) -> dict[str, Any]:
    """Returns the JSON Schema of the arguments, without what only costs a model tokens: references, titles, and the
    null of optional arguments, which it leaves out instead."""
    schema = shape.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    plain: dict[str, Any] = _plain(schema, definitions)
    plain.pop("description", None)
    plain.setdefault("properties", {})
    return plain


def _plain(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_plain(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        referred = definitions[part["$ref"].rpartition("/")[2]]
        part = {**referred, **{name: value for name, value in part.items() if name != "$ref"}}
    choices = [each for each in part.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        outer = {name: value for name, value in part.items() if name != "anyOf"}
        return _plain({**choices[0], **outer}, definitions)
    return {
        name: {key: _plain(each, definitions) for key, each in value.items()}
        if name == "properties"
        else _plain(value, definitions)
        for name, value in part.items()
        if name != "title" and not (name == "default" and value is None)
    }
