"""The parameters of a handler: values of the path, the query, the body. Its annotations define them.

Pydantic reads and checks all of them, and the refusal lists all errors.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from fastapi.params import Path, Query
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from leadyard.http.answer.errors import invalid_request

Validate = Callable[..., Any]
ValueOf = Callable[[Request, Any], Any]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of a handler. `place` is the place of its value in the request, with the name that refusals use."""

    name: str
    kind: Any
    place: tuple[str, ...]

    def value_of(self) -> ValueOf:
        """Returns the function that gets the value from a request and its parsed body."""
        if self.place == ("body",):
            return lambda _, body: body
        if self.place == ("query",):
            fields = self.query_fields()
            return lambda request, _: _in_query(request, fields)
        _, alias = self.place
        return lambda request, _: request.scope["path_params"][alias]

    def query_fields(self) -> frozenset[str]:
        """Returns the names that the query may have, none unless this is the query."""
        if self.place != ("query",):
            return frozenset()
        return frozenset(field.alias or name for name, field in get_args(self.kind)[0].model_fields.items())


class Parameters:
    """The parameters of a handler: `request`, any in the path, a query and a body.

    `Annotated[…, Path(alias=…)]` is in the path and `Annotated[…, Query()]` is the query, a model. Any other parameter
    is the body, and a handler has at most one. A body that may be None may be absent. The constructor raises TypeError
    for a handler that it cannot read.
    """

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._parameters = tuple(_parameters_of(handler))
        bodies = [each.name for each in self._parameters if each.place == ("body",)]
        if len(bodies) > 1:
            raise TypeError(f"{handler.__name__}: {' and '.join(bodies)} cannot both be the body.")
        self.has_body = bool(bodies)
        self.body_is_optional = any(NoneType in get_args(each.kind) for each in self._parameters if each.name in bodies)

    @cached_property
    def _readers(self) -> list[tuple[str, tuple[str, ...], ValueOf, Validate]]:
        # Pydantic compiles these at the first request of each handler, because all at once would delay the start.
        return [
            (each.name, each.place, each.value_of(), TypeAdapter(each.kind).validator.validate_python)
            for each in self._parameters
        ]

    @cached_property
    def _query_fields(self) -> frozenset[str]:
        return frozenset().union(*(each.query_fields() for each in self._parameters))

    def read(self, request: Request, body: Any) -> dict[str, Any]:
        """Returns the values by the names of the handler's parameters. Raises InvalidRequest with all errors."""
        values: dict[str, Any] = {}
        problems: list[Mapping[str, Any]] = list(_repeated(request, self._query_fields))
        for name, place, value_of, validate in self._readers:
            try:
                values[name] = validate(value_of(request, body), from_attributes=True)
            except ValidationError as wrong:
                found = wrong.errors(include_url=False, include_context=False, include_input=False)
                problems += [{**each, "loc": (*place, *each["loc"])} for each in found]
        if problems or request.scope["state"].get("body_violations"):
            raise invalid_request(request, problems)
        return values


def _parameters_of(handler: Callable[..., Any]) -> Iterator[_Parameter]:
    parameters = inspect.signature(handler, eval_str=True).parameters
    if next(iter(parameters), None) != "request":
        raise TypeError(f"{handler.__name__}: the first parameter is the request.")
    for name, parameter in list(parameters.items())[1:]:
        kind = parameter.annotation
        markers = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
        in_path = next((each for each in markers if isinstance(each, Path)), None)
        if in_path is not None:
            yield _Parameter(name, kind, ("path", in_path.alias or name))
        elif any(isinstance(each, Query) for each in markers):
            yield _Parameter(name, kind, ("query",))
        else:
            yield _Parameter(name, kind, ("body",))


def _in_query(request: Request, fields: frozenset[str]) -> dict[str, Any]:
    """Returns the query by name. An empty value counts as absent, because HTML forms and string-built URLs send it.
    Unknown names keep all their values, because they are refused anyway."""
    query = request.query_params
    known = {name: query[name] for name in fields if query.get(name)}
    unknown = {name: query.getlist(name) for name in query if name not in fields}
    return {**known, **unknown}


def _repeated(request: Request, fields: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    """Yields an error for each of these fields that the query contains more than once."""
    for name in sorted(fields):
        if len(request.query_params.getlist(name)) > 1:
            message = "the query contains this parameter more than once: send it once"
            yield {"type": "duplicate", "loc": ("query", name), "msg": message}
