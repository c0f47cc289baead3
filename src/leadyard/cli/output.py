"""The output of the commands: readable text for people, one JSON object for programs, and exit codes.

0 success, 1 failure, 2 usage error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from leadyard.api_client.refused import Refused
from leadyard.errors import BadSetting, LeadyardError, ServiceUnavailable, UnknownColumn

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Caller

# The refusals of the API that are about the arguments of the command.
_WRONG_USAGE = ("VALIDATION_ERROR", UnknownColumn.code)
R = TypeVar("R")
# Typer does not export the base class of all usage errors, and its newest versions contain a private copy of click. Its
# subclass BadParameter would begin each sentence with "Invalid value:".
WrongUsage: type[typer.BadParameter] = typer.BadParameter.__bases__[0]
Data = dict[str, Any]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]


def print_json(value: Data) -> None:
    """Prints the one JSON object of a command."""
    print(json.dumps(value, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Output:
    """The result of a command, for programs and for people, and its exit code. An empty text is not printed."""

    data: Data
    text: str
    code: int = 0


def print_output(output: Output, *, as_json: bool) -> None:
    """Prints the result in the requested form. Ends the command if its exit code is not 0."""
    if as_json:
        print_json(output.data)
    elif output.text:
        print(output.text)
    if output.code:
        raise typer.Exit(output.code)


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
    _warn_of_misspelled_settings()
    try:
        yield
    except LeadyardError as error:
        details = f"{error.details} {error.advice}" if isinstance(error, ServiceUnavailable) else error.details
        _print_refusal(error.code, error.message, details.strip(), error.extra, as_json=as_json)
        is_wrong_usage = isinstance(error, BadSetting | UnknownColumn)
        raise typer.Exit(2 if is_wrong_usage else 1) from None
    except Refused as refusal:
        _print_refusal(refusal.code, refusal.message, refusal.details, refusal.extra, as_json=as_json)
        raise typer.Exit(2 if refusal.code in _WRONG_USAGE else 1) from None


@cache
def _warn_of_misspelled_settings() -> None:
    """Prints the warnings on stderr, once in a command."""
    from leadyard.settings.misspelled import misspelled_settings

    for warning in misspelled_settings():
        print(warning, file=sys.stderr, flush=True)


def _print_refusal(code: str, message: str, details: str, extra: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"error": {"code": code, "message": message, "details": details, **extra}})
        return
    violations = extra.get("violations") or ()
    # The details have only the first one.
    lines = [f"{each['path']}: {each['message']}" for each in violations] if len(violations) > 1 else [details]
    print("\n".join([message, *lines]), file=sys.stderr)


def wrong_usage(message: str) -> typer.BadParameter:
    """Returns the error that ends a command with exit code 2 and this sentence."""
    return WrongUsage(message)


def refuse_both(option: str, is_given: bool, *, as_json: bool) -> None:
    """Refuses an option that replaces the output of a command, when --json replaces it as well."""
    if is_given and as_json:
        raise wrong_usage(f"Choose --json or {option}: a command has only one output.")
