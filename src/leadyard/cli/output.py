"""How the commands speak: readable text for people, one JSON object for programs, and exit codes.

0 done, 1 the answer is no, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from leadyard.errors import BadSetting, LeadyardError, UnknownColumn

if TYPE_CHECKING:
    from leadyard.operations.operation import Database

R = TypeVar("R")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


def print_json(value: dict[str, Any]) -> None:
    """Prints the one JSON object of a command."""
    print(json.dumps(value, ensure_ascii=False))


def with_database(work: Callable[[Database], Awaitable[R]]) -> R:
    """Runs the work on the configured database, closes it, and returns what the work returned.

    The embedded database is made and migrated if need be; raises SchemaOutOfDate for a server database.
    """
    # Only here: the help of a command, and what is wrong with its arguments, need neither settings nor a database.
    from leadyard.assemble import assemble_database, make_ready
    from leadyard.config import read_settings

    settings = read_settings()

    async def run() -> R:
        await make_ready(settings)
        db = assemble_database(settings)
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


@contextmanager
def refusals(*, as_json: bool) -> Iterator[None]:
    """Turns a refusal into a sentence on stderr (or the JSON object on stdout) and the exit code."""
    try:
        yield
    except LeadyardError as error:
        if as_json:
            problem = {"code": error.code, "message": error.message, "details": error.details, **error.extra}
            print_json({"error": problem})
        else:
            print(f"{error.message}\n{error.details}", file=sys.stderr)
        wrong_usage = isinstance(error, BadSetting | UnknownColumn)
        raise typer.Exit(2 if wrong_usage else 1) from None


def wrong_usage(message: str) -> typer.BadParameter:
    """Returns the error that ends a command with exit code 2 and this sentence."""
    return typer.BadParameter(message)
