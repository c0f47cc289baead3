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
    shapes = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    shared: dict[str, Any] = {}
    for shape in shapes.values():
        shared |= get_type_hints(shape, include_extras=True)

    def run(**given: Any) -> None:
        made = {name: shape(**{each.name: given.pop(each.name) for each in fields(shape)}) for name, shape in made_of}
        command(**given, **made)

    made_of: list[tuple[str, Any]] = list(shapes.items())
    defaults = {each.name: each.default for shape in shapes.values() for each in fields(shape)}
    own = [each for name, each in signature(command).parameters.items() if name not in shapes]
    parameters = [
        *(
            Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name])
            for each in own
        ),
        *(Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=shared[name]) for name in shared),
    ]
    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    # Typer reads both.
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run
