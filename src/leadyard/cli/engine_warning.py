"""The warning about known faults of the engine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadyard.model import Engine
    from leadyard.settings.settings import Settings


def embedded_faults(settings: Settings) -> list[str]:
    """Returns a warning for each known fault of the SQLite of this process; none when the database is a server."""
    if not settings.is_embedded():
        return []
    from leadyard.operations.engine import describe_embedded_engine

    return warnings_of(describe_embedded_engine())


def warnings_of(engine: Engine) -> list[str]:
    """Returns a warning for each known fault."""
    return [f"Warning: {engine.name} {engine.version}: {fault}" for fault in engine.known_faults]


def print_warnings(warnings: list[str]) -> None:
    """Prints each warning on stderr."""
    for warning in warnings:
        print(warning, file=sys.stderr, flush=True)
