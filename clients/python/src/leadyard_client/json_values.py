"""Converts between the JSON of the API and the frozen dataclasses of `models`.

A field is `lead_count` in Python and `leadCount` in JSON. A time is a `datetime` with a time zone. The client ignores
fields that it does not have, so that a newer service works with it.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from leadyard_client.unset import UNSET

T = TypeVar("T")
Convert = Callable[[Any], Any]


def from_header(name: str) -> Any:
    """Declares a field whose value is a header of the answer. It is None if the header was not sent."""
    return dataclasses.field(default=None, metadata={"header": name})


def json_name(name: str) -> str:
    """Returns the name in JSON of a Python field: `lead_ids` is `leadIds`, and `from_` is `from`."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_json(value: Any) -> Any:
    """Returns the JSON of an argument, without the fields that are UNSET.

    Raises ValueError for a `datetime` without a time zone, because its moment is not clear.
    """
    if isinstance(value, datetime):
        return time_text(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {json_name(field.name): getattr(value, field.name) for field in dataclasses.fields(value)}
        return to_json(named)
    if isinstance(value, Mapping):
        return {name: to_json(each) for name, each in value.items() if each is not UNSET}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(each) for each in value]
    if isinstance(value, set | frozenset):
        raise TypeError("Pass a list instead of a set, because the order of a set differs from run to run.")
    return value


def time_text(moment: datetime) -> str:
    """Returns a time as the API writes it: UTC with milliseconds. Microseconds are cut off.

    Raises ValueError for a `datetime` without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("The datetime has no time zone. Use for example datetime.now(UTC).")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_json(kind: type[T], data: Any, headers: Mapping[str, str] | None = None) -> T:
    """Returns the dataclass `kind` that the JSON `data` describes.

    Raises KeyError, TypeError, ValueError or AttributeError if `data` has another shape.
    """
    # A type is hashable, which mypy does not see in `type[T]`.
    untyped: Any = kind
    made: T = _converter(untyped)(data)
    sent = {name: headers.get(header) for name, header in _headers_of(untyped)} if headers is not None else {}
    return dataclasses.replace(made, **sent) if sent else made  # type: ignore[type-var]


@cache
def _headers_of(kind: Any) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.metadata["header"]) for each in dataclasses.fields(kind) if each.metadata)


@cache
def _converter(kind: Any) -> Convert:
    """Returns the function that makes a value of this type from its JSON."""
    if dataclasses.is_dataclass(kind):
        return _dataclass_converter(kind)
    if kind is datetime:
        return datetime.fromisoformat
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        item = _converter(arguments[0])
        return lambda items: tuple(map(item, items))
    if origin is Mapping or getattr(origin, "__name__", "") == "Mapping":
        value = _converter(arguments[1])
        return lambda data: {name: value(each) for name, each in data.items()}
    if origin in (typing.Union, types.UnionType):
        (some,) = (_converter(each) for each in arguments if each is not types.NoneType)
        return lambda data: None if data is None else some(data)
    return lambda data: data


def _dataclass_converter(kind: Any) -> Convert:
    hints = typing.get_type_hints(kind)
    fields = [
        (each.name, json_name(each.name), _converter(hints[each.name]), _is_required(each))
        for each in dataclasses.fields(kind)
        if not each.metadata
    ]

    def convert(data: Any) -> Any:
        if not isinstance(data, dict):
            raise TypeError(f"{kind.__name__} is an object in JSON, and this is not one.")
        return kind(**{name: as_type(data[key]) for name, key, as_type, required in fields if required or key in data})

    return convert


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
