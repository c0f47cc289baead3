"""Options that several commands share: a dataclass has them, and a command takes one value of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """Returns the command with the fields of its dataclass parameters as options, after its own.

    Each field of such a dataclass is annotated like a parameter of a command, and has a default.
    """
    hints = get_type_hints(command, include_extras=True)
    shapes: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    def run(**given: Any) -> None:
        values = {
            name: shape(**{field.name: given.pop(field.name) for field in fields(shape)})
            for name, shape in shapes.items()
        }
        command(**given, **values)

    own = [
        _option(each.name, hints[each.name], each.default)
        for name, each in signature(command).parameters.items()
        if name not in shapes
    ]
    parameters = [*own, *(option for shape in shapes.values() for option in _options_of(shape))]
    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    # Typer reads both.
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _options_of(shape: Any) -> list[Parameter]:
    hints = get_type_hints(shape, include_extras=True)
    return [_option(field.name, hints[field.name], field.default) for field in fields(shape)]


def _option(name: str, hint: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
