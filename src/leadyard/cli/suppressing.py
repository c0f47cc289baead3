"""`leadyard suppress`: keeps the people of a file from coming into an account group."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.output import AsJson, operator, print_json, refusals, with_database

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import RejectedRow

_SHOWN = 20


def suppress(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A table with e-mails or LinkedIn profiles, or '-' for standard input."),
    ],
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    reason: Annotated[str | None, typer.Option(help="Why, for your records. Do not name a person.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding if it is not UTF-8, such as cp1252.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Column delimiter; detected if omitted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep the people of a file out of an account group.

    Only hashes of their e-mails and LinkedIn profiles are kept. Imports, additions and jobs leave these people out.
    People who are in the account group stay in it.
    """
    from leadyard.cli.suppression_run import SuppressionReport, suppress_rows
    from leadyard.files.tables import Reading, open_table

    with refusals(as_json=as_json), ExitStack() as closing:
        source = closing.enter_context(open_table(file, Reading(encoding=encoding, delimiter=delimiter)))

        async def run(db: Database) -> SuppressionReport:
            return await suppress_rows(db, await operator(db, account_group), source, reason=reason)

        report = with_database(run)
    if as_json:
        rejected = [{"line": row.line, "code": row.code, "message": row.message} for row in report.rejected]
        print_json({"read": report.read, "added": report.added, "rejected": rejected})
    else:
        print(f"read {report.read:,}  added {report.added:,}  rejected {len(report.rejected):,}")
        _print_rejected(report.rejected)
    if report.rejected:
        raise typer.Exit(1)


def _print_rejected(rejected: list[RejectedRow]) -> None:
    for row in rejected[:_SHOWN]:
        print(f"  line {row.line}: {row.code}: {row.message}")
    if len(rejected) > _SHOWN:
        print(f"  … and {len(rejected) - _SHOWN:,} more. --json lists all of them.")
