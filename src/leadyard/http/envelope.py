"""The shape of every answer: success, data, error, traceId."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from fastapi import Request, Response
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from leadyard.clock import to_iso
from leadyard.model import MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH

D = TypeVar("D")
I = TypeVar("I")  # noqa: E741

TRACE_ID_EXAMPLE = "4bf92f3577b34da6a3ce929d0e0e4736"
ID_EXAMPLE = "507f1f77bcf86cd799439011"

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$"), Field(examples=[ID_EXAMPLE])]
"""24 lower-case hex characters."""
Instant = Annotated[
    int,
    PlainSerializer(to_iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00.250Z"]}),
]
"""Milliseconds since 1970 inside; ISO 8601 in UTC with milliseconds and Z outside."""


def single_line(value: str) -> str:
    """Returns the text. Raises ValueError for one that holds a control character."""
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in value):
        raise ValueError("must not contain control characters")
    return value


def whole(value: Any) -> Any:
    """Takes 1.0 for 1: to JSON they are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _several_lines(value: str) -> str:
    single_line(value.translate(_LINE_BREAKS_TO_SPACES))
    return value


_LINE_BREAKS_TO_SPACES = str.maketrans("\t\r\n", "   ")

# What the document says about texts, for clients that check before they send.
_NO_CONTROL = r"[^\u0000-\u001f\u007f-\u009f]"
SINGLE_LINE_PATTERN = rf"^{_NO_CONTROL}*[^\s\u0000-\u001f\u007f-\u009f]{_NO_CONTROL}*$"
_SEVERAL_LINES_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(single_line),
    Field(json_schema_extra={"pattern": SINGLE_LINE_PATTERN}),
]
"""1 to 200 characters on a single line, trimmed."""
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_DESCRIPTION_LENGTH),
    AfterValidator(_several_lines),
    Field(json_schema_extra={"pattern": _SEVERAL_LINES_PATTERN}),
]
"""Up to 2,000 characters, trimmed."""


class Shape(BaseModel):
    """A part of an answer, built from a value of model.py. Pydantic works it out when the first is sent: all of them at
    once would be a large part of the start."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True, defer_build=True)

    @classmethod
    def made_of(cls, values: dict[str, Any]) -> Self:
        """Returns the shape of these values, one for every field and of its type, which is not checked.

        `model_construct` does the same, and asks each field for its alias and its default on the way: for a page of 200
        people that is a few milliseconds in which nobody else is answered. A test holds the two together.
        """
        shape = cls.__new__(cls)
        for slot, content in (
            ("__dict__", values),
            ("__pydantic_fields_set__", set()),
            ("__pydantic_extra__", None),
            ("__pydantic_private__", None),
        ):
            object.__setattr__(shape, slot, content)
        return shape


class RequestBody(BaseModel):
    """A body that is sent to us: no unknown fields, nothing silently converted."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, defer_build=True)


class Changes(RequestBody):
    """The body of a PATCH: only the fields that are sent are changed. Their defaults are never used."""

    @model_validator(mode="after")
    def _something_is_sent(self) -> Self:
        if not self.model_fields_set:
            names = ", ".join(to_camel(name) for name in type(self).model_fields)
            raise ValueError(f"send at least one of: {names}")
        return self

    def given(self) -> dict[str, Any]:
        """Returns the fields that were sent, by their names here."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # A default would tell the reader that leaving a field out sets it.
        schema = handler.resolve_ref_schema(handler(core_schema))
        for field in schema["properties"].values():
            field.pop("default", None)
        schema["minProperties"] = 1
        return schema


class OneOf(RequestBody):
    """A body, or a part of one, in which exactly one of the optional fields `one_of` is given."""

    one_of: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in self.one_of) != 1:
            raise ValueError(f"give exactly one of: {', '.join(map(to_camel, self.one_of))}")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # That one is null when the other is given is how we see it; whoever sends it just leaves it out.
        schema = handler.resolve_ref_schema(handler(core_schema))
        names = [to_camel(name) for name in cls.one_of]
        for name in names:
            field = schema["properties"][name]
            [given] = [each for each in field.pop("anyOf") if each.get("type") != "null"]
            field.pop("default", None)
            field.update(given)
        schema["oneOf"] = [{"required": [name]} for name in names]
        return schema


class Success(Shape, Generic[D]):
    """Every answer that is not a refusal."""

    success: Literal[True]
    data: D
    error: None
    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=[TRACE_ID_EXAMPLE])]


class Listing(Shape, Generic[I]):
    """A page of a list. `nextCursor` goes into the query parameter `cursor` of the next request."""

    items: list[I]
    next_cursor: str | None
    has_more: bool


def answer(
    request: Request,
    shape: type[Success[Any]],
    data: Shape,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Returns the answer in its envelope. What goes in is ours and was checked by its type, so it is not checked
    again."""
    return Response(envelope(request, shape, data), status_code=status, headers=headers, media_type="application/json")


def envelope(request: Request, shape: type[Success[Any]], data: Shape) -> str:
    """Returns the text of an answer that is not a refusal."""
    body = shape.made_of({"success": True, "data": data, "error": None, "trace_id": request.state.trace_id})
    return body.model_dump_json(by_alias=True)
