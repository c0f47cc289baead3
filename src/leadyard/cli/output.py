"""The output of the commands: readable text for people, one JSON object for programs, and exit codes.

0 success, 1 failure, 2 usage error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from leadyard.errors import BadSetting, LeadyardError, ServiceUnavailable, UnknownColumn

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Caller

R = TypeVar("R")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


def print_json(value: dict[str, Any]) -> None:
    """Prints the one JSON object of a command."""
    print(json.dumps(value, ensure_ascii=False))


def with_database(work: Callable[[Database], Awaitable[R]]) -> R:
    """Runs the work on the configured database, closes the database, and returns the result of the work.

    Creates and migrates an embedded database if necessary. Raises SchemaOutOfDate for a server database.
    """
    # Imported here because a command's --help needs neither the event loop, the settings nor a database.
    import asyncio

    from leadyard.assemble import assemble_database, make_ready
    from leadyard.settings.settings import read_settings

    settings = read_settings()

    async def run() -> R:
        await make_ready(settings)
        db = assemble_database(settings)
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


async def operator(db: Database, account_group_id: str) -> Caller:
    """Returns the operator as a caller in the account group. Raises NotFound."""
    from leadyard.model import Caller
    from leadyard.operations.account_groups import get_account_group

    return Caller.operator((await get_account_group(db, account_group_id=account_group_id)).id)


@contextmanager
def refusals(*, as_json: bool) -> Iterator[None]:
    """Turns a refusal into a sentence on stderr (or the JSON object on stdout) and the exit code. Log lines go to
    stderr, too."""
    # Imported here because a command's --help logs nothing.
    from leadyard.logs import set_up_logs_of_command

    set_up_logs_of_command()
    try:
        yield
    except LeadyardError as error:
        details = f"{error.details} {error.advice}" if isinstance(error, ServiceUnavailable) else error.details
        if as_json:
            problem = {"code": error.code, "message": error.message, "details": details.strip(), **error.extra}
            print_json({"error": problem})
        else:
            print(f"{error.message}\n{details.strip()}", file=sys.stderr)
        wrong_usage = isinstance(error, BadSetting | UnknownColumn)
        raise typer.Exit(2 if wrong_usage else 1) from None


def wrong_usage(message: str) -> typer.BadParameter:
    """Returns the error that ends a command with exit code 2 and this sentence."""
    return typer.BadParameter(message)


def refuse_both(option: str, is_given: bool, *, as_json: bool) -> None:
    """Refuses an option that replaces the output of a command, when --json replaces it as well."""
    if is_given and as_json:
        raise wrong_usage(f"Choose --json or {option}: a command has only one output.")
