"""`leadyard suppress`: keeps the people of a file from coming into an account group."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.api_door import Door, Session, group_on_database, run_on_api, uses_service
from leadyard.cli.output import Output, operator, print_output, refusals, with_database
from leadyard.cli.shared_options import shared_options

if TYPE_CHECKING:
    from leadyard.cli.suppression_run import SuppressionReport
    from leadyard.database import Database
    from leadyard.files.table import Table
    from leadyard.model import RejectedRow

_SHOWN = 20


@shared_options
def suppress(
    door: Door,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A table with e-mails or LinkedIn profiles, or '-' for standard input."),
    ],
    reason: Annotated[str | None, typer.Option(help="Why, for your records. Do not name a person.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding if it is not UTF-8, such as cp1252.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Column delimiter; detected if omitted.")] = None,
) -> None:
    """Keep the people of a file out of an account group.

    Only hashes of their e-mails and LinkedIn profiles are kept. Imports, additions and jobs leave these people out.
    People who are in the account group stay in it.
    """
    from leadyard.files.tables import Reading, open_table

    with refusals(as_json=door.as_json), ExitStack() as closing:
        is_remote = uses_service(door)
        source = closing.enter_context(open_table(file, Reading(encoding=encoding, delimiter=delimiter)))
        if is_remote:
            run_on_api(door, lambda session: _through_api(session, source, reason))
            return
        group = group_on_database(door)

        async def run(db: Database) -> Output:
            from leadyard.cli.suppression_run import on_database, suppress_rows

            return _output(await suppress_rows(source, await on_database(db, await operator(db, group), reason)))

        output = with_database(run)
    print_output(output, as_json=door.as_json)


async def _through_api(session: Session, source: Table, reason: str | None) -> Output:
    from leadyard.cli.suppression_run import suppress_rows, through_api

    return _output(await suppress_rows(source, through_api(session, reason)))


def _output(report: SuppressionReport) -> Output:
    rejected = [{"line": row.line, "code": row.code, "message": row.message} for row in report.rejected]
    first = f"read {report.read:,}  added {report.added:,}  rejected {len(report.rejected):,}"
    data = {"read": report.read, "added": report.added, "rejected": rejected}
    return Output(data, "\n".join([first, *_lines(report.rejected)]), int(bool(report.rejected)))


def _lines(rejected: list[RejectedRow]) -> list[str]:
    lines = [f"  line {row.line}: {row.code}: {row.message}" for row in rejected[:_SHOWN]]
    if len(rejected) > _SHOWN:
        lines.append(f"  … and {len(rejected) - _SHOWN:,} more. --json lists all of them.")
    return lines
