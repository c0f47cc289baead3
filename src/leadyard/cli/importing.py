"""`leadyard import`: imports a file into an audience, in batches of one transaction each."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.api_door import Door, group_on_database, run_on_api, uses_service
from leadyard.cli.audience_choice import find_or_make_audience
from leadyard.cli.import_request import SHOWN_ROWS, ImportRequest, imported
from leadyard.cli.job_report import counts_as_dict
from leadyard.cli.output import Output, operator, print_output, refusals, with_database, wrong_usage
from leadyard.cli.shared_options import shared_options
from leadyard.model import OnKnown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leadyard.cli.import_run import ImportReport
    from leadyard.database import Database
    from leadyard.files.columns import ColumnPlan
    from leadyard.files.pace import Pace
    from leadyard.files.table import Table
    from leadyard.model import Audience, ForeseenImport

_LOOK_S = 60.0


@shared_options
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The file (CSV, Excel, OpenDocument or vCard, also compressed with gzip), or '-' for standard input.",
        ),
    ],
    door: Door,
    audience: Annotated[
        str, typer.Option(metavar="NAME_OR_ID", help="The audience to fill. A new name creates a new audience.")
    ],
    identity_column: Annotated[
        str | None,
        typer.Option(metavar="C", help="The column that identifies a person without e-mail and LinkedIn."),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="The column of a field. Repeat a field to name its columns in order: the first that is filled wins.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="Import only these rows. If given several times, all must match. Not with --url: a service imports "
            "all rows.",
        ),
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The sheet of a workbook. Default: the first visible one with rows."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding if it is not UTF-8, such as cp1252.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Column delimiter; detected if omitted.")] = None,
    on_known: Annotated[
        OnKnown,
        typer.Option(
            help="How known people change. fill: values for empty fields only. update: newer values replace others, "
            "which an undo puts back. skip: not at all."
        ),
    ] = OnKnown.FILL,
    rejects: Annotated[
        Path | None,
        typer.Option(help="File for rejected and noted rows. Default: FILE.rejects.csv beside the file."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what the file would become. Write nothing.")
    ] = False,
) -> None:
    """Import a table or vCards into an audience.

    The usual column names of exports are recognised, in thirty languages. Other columns become custom fields. Importing
    the same file again changes nothing, because people are recognised by LinkedIn profile, e-mail or the identity
    column.

    To a service it uploads the file and waits for the job that imports it. If you stop the command, the job continues.
    """
    asked = ImportRequest(
        file=file,
        audience=audience,
        mapping=_columns_of_fields(_pairs("--map", map_)),
        conditions=_pairs("--where", where),
        identity_column=identity_column,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        on_known=on_known,
        rejects=rejects,
        as_json=door.as_json,
    )
    with refusals(as_json=door.as_json):
        is_remote = uses_service(door)
    if is_remote:
        _import_through(door, asked, dry_run=dry_run)
    else:
        _import_here(asked, group_on_database(door), dry_run=dry_run)


def _import_through(door: Door, asked: ImportRequest, *, dry_run: bool) -> None:
    from leadyard.cli.import_of_api import import_through, preview_through

    if asked.conditions:
        raise wrong_usage(
            "--where works only on the database. A service imports all rows of the file, so remove the other rows from "
            "it first."
        )
    work = preview_through if dry_run else import_through
    run_on_api(door, lambda session: work(session, asked))


def _import_here(asked: ImportRequest, group: str, *, dry_run: bool) -> None:
    from leadyard.cli.import_run import Import
    from leadyard.files.column_search import row_filter
    from leadyard.files.columns import plan_columns
    from leadyard.files.pace import Pace
    from leadyard.files.tables import open_table
    from leadyard.files.usable_columns import check_columns

    with refusals(as_json=asked.as_json), ExitStack() as closing:
        pace = Pace(seconds=_LOOK_S) if dry_run else None
        source = closing.enter_context(open_table(asked.file, asked.reading(), pace=pace))
        plan = plan_columns(
            source.header, identity_column=asked.identity_column, mapping=asked.mapping, sample=source.sample()
        )
        keep = row_filter(source.header, asked.conditions) if asked.conditions else None
        if pace is not None:
            _show_preview(asked, source, plan, keep, pace, group=group)
            return
        check_columns(plan)

        async def run(db: Database) -> tuple[Audience, ImportReport]:
            caller = await operator(db, group)
            target = await find_or_make_audience(db, caller, asked.audience)
            rejects = asked.rejects_file()
            work = Import(db, caller, target.id, plan=plan, keep=keep, on_known=asked.on_known, rejects=rejects)
            return target, await work.run(source, show_progress=not asked.as_json and sys.stderr.isatty())

        target, report = with_database(run)
    counts = counts_as_dict(report.counts)
    output = imported(target.id, target.name, counts, change_id=report.change_id, rejects=report.rejects_file)
    print_output(output, as_json=asked.as_json)


def _show_preview(
    asked: ImportRequest,
    source: Table,
    plan: ColumnPlan,
    keep: Callable[[Sequence[str]], bool] | None,
    pace: Pace,
    *,
    group: str,
) -> None:
    from leadyard.cli.preview_report import preview_as_dict, preview_as_text
    from leadyard.files.previews import preview_of
    from leadyard.files.usable_columns import nobody_identified
    from leadyard.operations.previews import foresee_import

    found = preview_of(source, plan, pace=pace, keep=keep)

    async def run(db: Database) -> ForeseenImport:
        caller = await operator(db, group)
        return await foresee_import(db, caller, batches=found.batches, on_known=asked.on_known, rows=SHOWN_ROWS)

    preview = preview_as_dict(found, with_database(run))
    refused = None if plan.identifies else nobody_identified(plan)
    advice = f"{refused.message} {refused.details}" if refused else ""
    print_output(Output(preview, preview_as_text(asked.file.name, preview, advice=advice)), as_json=asked.as_json)


def _pairs(option: str, values: list[str] | None) -> list[tuple[str, str]]:
    form = "COLUMN=VALUE" if option == "--where" else "FIELD=COLUMN"
    pairs = []
    for value in values or ():
        left, equals, right = value.partition("=")
        if not equals or not left.strip():
            raise wrong_usage(f"{option} {value!r} must have the form {form}.")
        pairs.append((left.strip(), right.strip()))
    return pairs


def _columns_of_fields(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns the columns of each field, in the order in which they were given."""
    columns: dict[str, list[str]] = {}
    for field, column in pairs:
        columns.setdefault(field, []).append(column)
    return columns
