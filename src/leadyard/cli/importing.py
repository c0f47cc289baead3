"""`leadyard import`: imports a file into an audience, in batches of one transaction each."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.audience_choice import find_or_make_audience
from leadyard.cli.job_report import counts_as_dict
from leadyard.cli.output import AsJson, operator, print_json, refusals, with_database, wrong_usage
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
_SHOWN_ROWS = 10


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The file (CSV, Excel, OpenDocument or vCard, also compressed with gzip), or '-' for standard input.",
        ),
    ],
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
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
        typer.Option(metavar="COLUMN=VALUE", help="Import only these rows. If given several times, all must match."),
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
    as_json: AsJson = False,
) -> None:
    """Import a table or vCards into an audience.

    The usual column names of exports are recognised, in seven languages. Other columns become custom fields. Importing
    the same file again changes nothing, because people are recognised by LinkedIn profile, e-mail or the identity
    column.
    """
    from leadyard.cli.import_run import Import, rejects_path
    from leadyard.files.column_search import row_filter
    from leadyard.files.columns import plan_columns
    from leadyard.files.pace import Pace
    from leadyard.files.tables import Reading, open_table
    from leadyard.files.usable_columns import check_columns

    mapping = _columns_of_fields(_pairs("--map", map_))
    conditions = _pairs("--where", where)
    named = [*(name for names in mapping.values() for name in names), *(column for column, _ in conditions)]
    named += [identity_column] if identity_column else []
    reading = Reading(encoding=encoding, delimiter=delimiter, sheet=sheet, wanted=named)
    with refusals(as_json=as_json), ExitStack() as closing:
        pace = Pace(seconds=_LOOK_S) if dry_run else None
        source = closing.enter_context(open_table(file, reading, pace=pace))
        plan = plan_columns(source.header, identity_column=identity_column, mapping=mapping, sample=source.sample())
        keep = row_filter(source.header, conditions) if conditions else None
        if pace is not None:
            _show_preview(
                file, source, plan, keep, pace, account_group=account_group, on_known=on_known, as_json=as_json
            )
            return
        check_columns(plan)

        async def run(db: Database) -> tuple[Audience, ImportReport]:
            caller = await operator(db, account_group)
            target = await find_or_make_audience(db, caller, audience)
            work = Import(
                db, caller, target.id, plan=plan, keep=keep, on_known=on_known, rejects=rejects or rejects_path(file)
            )
            return target, await work.run(source, show_progress=not as_json and sys.stderr.isatty())

        target, report = with_database(run)
    _print_report(target, report, as_json=as_json)
    if report.counts.read and report.counts.rejected == report.counts.read:
        raise typer.Exit(1)


def _show_preview(
    file: Path,
    source: Table,
    plan: ColumnPlan,
    keep: Callable[[Sequence[str]], bool] | None,
    pace: Pace,
    *,
    account_group: str,
    on_known: OnKnown,
    as_json: bool,
) -> None:
    from leadyard.cli.preview_report import preview_as_dict, preview_as_text
    from leadyard.files.previews import preview_of
    from leadyard.operations.previews import foresee_import

    found = preview_of(source, plan, pace=pace, keep=keep)

    async def run(db: Database) -> ForeseenImport:
        caller = await operator(db, account_group)
        return await foresee_import(db, caller, batches=found.batches, on_known=on_known, rows=_SHOWN_ROWS)

    foreseen = with_database(run)
    if as_json:
        print_json(preview_as_dict(found, foreseen))
    else:
        print(preview_as_text(file.name, plan, found, foreseen))


def _pairs(option: str, values: list[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for value in values or ():
        left, equals, right = value.partition("=")
        if not equals or not left.strip():
            raise wrong_usage(f"{option} {value!r} must have the form LEFT=RIGHT.")
        pairs.append((left.strip(), right.strip()))
    return pairs


def _columns_of_fields(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns the columns of each field, in the order in which they were given."""
    columns: dict[str, list[str]] = {}
    for field, column in pairs:
        columns.setdefault(field, []).append(column)
    return columns


def _print_report(target: Audience, report: ImportReport, *, as_json: bool) -> None:
    counts = counts_as_dict(report.counts)
    # An import does not look for e-mails.
    del counts["emailsFound"]
    rejects = str(report.rejects_file) if report.rejects_file else None
    if as_json:
        print_json(
            {
                "audience": {"id": target.id, "name": target.name},
                **counts,
                "rejectsFile": rejects,
                "changeId": report.change_id,
            }
        )
        return
    print(f"Imported into {target.name} ({target.id}).")
    print("  ".join(f"{name} {count}" for name, count in counts.items()))
    if report.change_id:
        print(f"Change {report.change_id}")
    if rejects:
        print(f"Rejected and noted rows, with reasons: {rejects}")
