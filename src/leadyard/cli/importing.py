"""`leadyard import`: a CSV file into an audience, in batches, each of them one transaction."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadyard.cli.audience_choice import find_or_make_audience, operator
from leadyard.cli.output import AsJson, print_json, refusals, with_database, wrong_usage

if TYPE_CHECKING:
    from leadyard.cli.import_run import ImportReport
    from leadyard.model import Audience
    from leadyard.operations.operation import Database


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The file; '-' reads standard input.")],
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    audience: Annotated[
        str, typer.Option(metavar="NAME_OR_ID", help="The audience to fill; a new name makes a new audience.")
    ],
    identity_column: Annotated[
        str | None,
        typer.Option(metavar="C", help="The column that identifies a person when there is no e-mail or LinkedIn."),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Where a field is found; may be given several times."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="Import only these rows; given several times, all must hold."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file, if it is not UTF-8: cp1252, for one.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Between the cells; found out by itself if not given.")] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Where rejected rows go, with reasons. Default: FILE.rejects.csv beside the file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a CSV file into an audience.

    The usual column names of exports are recognised; every other column is kept as a custom field. Importing the same
    file again changes nothing: people are recognised by LinkedIn profile, e-mail or the identity column.
    """
    from leadyard.cli.import_run import Import, rejects_path
    from leadyard.intake.column_search import row_filter
    from leadyard.intake.columns import plan_columns
    from leadyard.intake.csv_file import open_csv

    mapping = dict(_pairs("--map", map_))
    conditions = _pairs("--where", where)
    with refusals(as_json=as_json), ExitStack() as closing:
        source = closing.enter_context(open_csv(file, encoding=encoding, delimiter=delimiter))
        plan = plan_columns(source.header, identity_column=identity_column, mapping=mapping)
        keep = row_filter(source.header, conditions)

        async def run(db: Database) -> tuple[Audience, ImportReport]:
            caller = await operator(db, account_group)
            target = await find_or_make_audience(db, caller, audience)
            work = Import(db, caller, target.id, plan=plan, keep=keep, rejects=rejects or rejects_path(file))
            return target, await work.run(source, show_progress=not as_json and sys.stderr.isatty())

        target, report = with_database(run)
    _print_report(target, report, as_json=as_json)
    if report.read and report.rejected == report.read:
        raise typer.Exit(1)


def _pairs(option: str, values: list[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for value in values or ():
        left, equals, right = value.partition("=")
        if not equals or not left.strip():
            raise wrong_usage(f"{option} {value!r} must have the form LEFT=RIGHT.")
        pairs.append((left.strip(), right.strip()))
    return pairs


def _print_report(target: Audience, report: ImportReport, *, as_json: bool) -> None:
    counts: dict[str, Any] = {
        "read": report.read,
        "created": report.created,
        "matched": report.matched,
        "added": report.added,
        "alreadyInAudience": report.already_in_audience,
        "rejected": report.rejected,
    }
    rejects = str(report.rejects_file) if report.rejects_file else None
    if as_json:
        print_json({"audience": {"id": target.id, "name": target.name}, **counts, "rejectsFile": rejects})
        return
    print(f"Imported into {target.name} ({target.id}).")
    print("  ".join(f"{name} {count}" for name, count in counts.items()))
    if rejects:
        print(f"Rejected rows and the reasons are in {rejects}")
