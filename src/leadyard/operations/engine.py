"""The engine behind the database: which one it is, its known faults, and its own check."""

from __future__ import annotations

from collections.abc import Callable

from leadyard.database import Database
from leadyard.model import Engine, IntegrityCheck
from leadyard.store import engine


def describe_embedded_engine() -> Engine:
    """Returns the SQLite of this process and its known faults. Does not open the database."""
    return engine.describe_embedded()


async def describe_engine(db: Database) -> Engine:
    """Returns the engine that answers, and its known faults."""
    return await engine.describe(db)


async def check_integrity(db: Database, report: Callable[[int, int], None]) -> IntegrityCheck:
    """Runs the engine's own check of its files, while other processes use them. `report` is called with the parts that
    are done and their number. SQLite checks in one step, so it is not called there."""
    return await engine.check_integrity(db, report)
