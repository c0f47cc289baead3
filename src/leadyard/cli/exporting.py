"""`leadyard export`: exports an audience to a CSV file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.audience_choice import find_audience
from leadyard.cli.file_output import write_pieces, written_output
from leadyard.cli.output import AsJson, operator, print_json, refusals, with_database, wrong_usage

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Audience


def export_file(
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    audience: Annotated[str, typer.Option(metavar="NAME_OR_ID", help="The audience.")],
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="The file to write. It must not exist. Default: standard output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export an audience as CSV.

    The columns have names that the import recognises. Cells are escaped so that a spreadsheet does not treat them as
    formulas. Memory does not grow with the audience. A failed export leaves no file behind.
    """
    from leadyard.operations.exports import export_audience

    if as_json and output is None:
        raise wrong_usage("--json needs --output, because standard output cannot contain both.")
    show_progress = not as_json and sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())
    with refusals(as_json=as_json), written_output(output) as stream:

        async def run(db: Database) -> tuple[Audience, int]:
            caller = await operator(db, account_group)
            found = await find_audience(db, caller, audience)
            with _progress(found.prospect_count, show=show_progress) as advance:
                pieces = await export_audience(db, caller, audience_id=found.id)
                return found, await write_pieces(pieces, stream, advance)

        exported, count = with_database(run)
    if as_json:
        print_json({"audience": {"id": exported.id, "name": exported.name}, "exported": count, "file": str(output)})
    elif output:
        print(f"Exported {count} leads of {exported.name} ({exported.id}) to {output}.")


@contextmanager
def _progress(total: int, *, show: bool) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} leads")]
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not show, transient=True
    ) as bar:
        task = bar.add_task("Exporting", total=total)
        yield lambda count: bar.update(task, completed=count)
