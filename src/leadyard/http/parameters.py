"""The parameters of the simpler handlers, read without FastAPI's general machinery.

Pydantic checks them against the same annotations, so nothing is accepted that FastAPI would refuse. What is wrong is
not told here: then FastAPI reads them once more, and its errors become the answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self, get_args, get_origin

from fastapi import Request
from fastapi.params import Path
from pydantic import BaseModel, TypeAdapter, ValidationError


class Parameters:
    """What a handler takes besides the request: texts of the path, and a body or none."""

    def __init__(self, in_path: Mapping[str, tuple[str, TypeAdapter[Any]]], body: TypeAdapter[Any] | None) -> None:
        self._in_path = tuple((name, alias, adapter.validate_python) for name, (alias, adapter) in in_path.items())
        self._body = body

    @classmethod
    def of(cls, handler: Callable[..., Any]) -> Self | None:
        """Returns the parameters of a handler that takes no others, None for any other handler."""
        in_path: dict[str, tuple[str, TypeAdapter[Any]]] = {}
        body: TypeAdapter[Any] | None = None
        takes_request = False
        for name, parameter in inspect.signature(handler, eval_str=True).parameters.items():
            kind = parameter.annotation
            alias = _path_alias(kind)
            if kind is Request:
                takes_request = name == "request"
            elif alias is not None:
                in_path[name] = (alias, TypeAdapter(kind))
            elif name == "body" and inspect.isclass(kind) and issubclass(kind, BaseModel):
                body = TypeAdapter(kind)
            else:
                return None
        return cls(in_path, body) if takes_request else None

    def read(self, request: Request) -> dict[str, Any] | None:
        """Returns the values by the names of the handler's parameters, None if any of them is wrong."""
        texts = request.path_params
        try:
            values = {name: validate(texts[alias]) for name, alias, validate in self._in_path}
            if self._body is not None:
                values["body"] = self._body.validate_python(request.parsed)  # type: ignore[attr-defined]
        except ValidationError:
            return None
        return values


def _path_alias(annotation: Any) -> str | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((each.alias for each in get_args(annotation)[1:] if isinstance(each, Path)), None)
