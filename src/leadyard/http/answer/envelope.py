"""The shape of all answers: success, data, error, traceId."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

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
from starlette.requests import Request

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
"""Milliseconds since 1970 in Python; ISO 8601 in UTC with milliseconds and Z in JSON."""


def single_line(value: str) -> str:
    """Returns the text. Raises ValueError if it contains a control character."""
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in value):
        raise ValueError("must not contain control characters")
    return value


def whole(value: Any) -> Any:
    """Returns 1 for 1.0, because JSON does not distinguish them. Returns other values unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _several_lines(value: str) -> str:
    single_line(value.translate(_LINE_BREAKS_TO_SPACES))
    return value


_LINE_BREAKS_TO_SPACES = str.maketrans("\t\r\n", "   ")

# The document contains these patterns for clients that validate before they send.
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


# The slots of every model. Called directly, they take a third of the time of object.__setattr__, which looks them up.
_set_values, _set_fields_set, _set_extra, _set_private = (
    BaseModel.__dict__[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


@cache
def _reader_of(shape: type[BaseModel]) -> Callable[[object], tuple[Any, ...]]:
    """Returns a function that reads the attribute for each field of the shape."""
    names = tuple(shape.__pydantic_fields__)
    if len(names) == 1:
        # With one name, attrgetter returns the value itself.
        return lambda source: (getattr(source, names[0]),)
    return attrgetter(*names)


class Shape(BaseModel):
    """A part of an answer, built from a value of `leadyard.model`. Pydantic compiles each shape at its first use,
    because to compile all of them would take a large part of the start."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, defer_build=True)

    @classmethod
    def of(cls, source: object = None, /, **values: Any) -> Self:
        """Returns the shape with these values. For a field that is not among them, it reads the attribute of `source`.

        It checks nothing. `model_construct` does the same but looks up the alias and the default of each field. For a
        page of 200 people that would hold the event loop for a few milliseconds. A test proves that both have the same
        result.
        """
        names = cls.__pydantic_fields__
        if not values:
            values = dict(zip(names, _reader_of(cls)(source), strict=True))
        elif len(values) < len(names):
            values = {name: values[name] if name in values else getattr(source, name) for name in names}
        return cls.holding(values)

    @classmethod
    def holding(cls, values: dict[str, Any], /) -> Self:
        """Returns the shape with these values, of all fields and in their order. The shape keeps the dict."""
        shape = cls.__new__(cls)
        _set_values(shape, values)
        _set_fields_set(shape, set())
        _set_extra(shape, None)
        _set_private(shape, None)
        return shape


class RequestBody(BaseModel):
    """The body of a request. It refuses unknown fields and converts no types."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, defer_build=True)


class Changes(RequestBody):
    """The body of a PATCH: only the fields in it change. Their defaults are never used."""

    @model_validator(mode="after")
    def _something_is_sent(self) -> Self:
        if not self.model_fields_set:
            names = ", ".join(to_camel(name) for name in type(self).model_fields)
            raise ValueError(f"send at least one of: {names}")
        return self

    def given(self) -> dict[str, Any]:
        """Returns the fields of the body by their Python names."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # A default would mean that the service sets a missing field.
        schema = handler.resolve_ref_schema(handler(core_schema))
        for field in schema["properties"].values():
            field.pop("default", None)
        schema["minProperties"] = 1
        return schema


class OneOf(RequestBody):
    """A body, or a part of a body, that contains exactly one of the optional fields `one_of`."""

    one_of: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in self.one_of) != 1:
            raise ValueError(f"give exactly one of: {', '.join(map(to_camel, self.one_of))}")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # The validator uses None for the missing field. A client just leaves that field out.
        schema = handler.resolve_ref_schema(handler(core_schema))
        names = [to_camel(name) for name in cls.one_of]
        for name in names:
            field = schema["properties"][name]
            [given] = [each for each in field.pop("anyOf") if each.get("type") != "null"]
            field.pop("default", None)
            field.update(given)
        schema.update(_exactly_one_of(names, among=schema["properties"]))
        return schema


def _exactly_one_of(names: Sequence[str], *, among: Collection[str]) -> dict[str, Any]:
    """Returns the rule in keywords that client generators either understand or ignore.

    They read a `oneOf` of `required` as alternatives for the whole object, and then drop its class.
    """
    if set(names) == set(among):
        return {"minProperties": 1, "maxProperties": 1}
    first, second = names
    return {
        "if": {"required": [first]},
        "then": {"not": {"required": [second]}},
        "else": {"required": [second]},
    }


class Success(Shape, Generic[D]):
    """The envelope of every answer except a refusal."""

    success: Literal[True]
    data: D
    error: None
    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=[TRACE_ID_EXAMPLE])]


class Listing(Shape, Generic[I]):
    """A page of a list. `nextCursor` goes into the query parameter `cursor` of the next request."""

    items: list[I]
    next_cursor: str | None
    has_more: bool


def envelope(request: Request, shape: type[Success[Any]], data: Shape) -> str:
    """Returns the JSON text of an answer that is not a refusal."""
    body = shape.of(success=True, data=data, error=None, trace_id=request.scope["state"]["trace_id"])
    # What model_dump_json calls, after it has gone through fifteen parameters.
    return body.__pydantic_serializer__.to_json(body, by_alias=True).decode()
