"""`leadyard export`: an audience into a CSV file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from leadyard.cli.audience_choice import find_audience, operator
from leadyard.cli.file_output import written_output
from leadyard.cli.output import AsJson, print_json, refusals, with_database, wrong_usage

if TYPE_CHECKING:
    from leadyard.model import Audience, Caller
    from leadyard.operations.operation import Database

_PAGE = 1_000


def export_file(
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    audience: Annotated[str, typer.Option(metavar="NAME_OR_ID", help="The audience.")],
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Where to write; it must not exist. Default: standard output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export an audience as CSV.

    The columns have the names that the import understands, and no cell is taken for a formula by a spreadsheet. Memory
    does not grow with the audience. What cannot be finished leaves no file behind.
    """
    if as_json and output is None:
        raise wrong_usage("--json needs --output: standard output cannot hold both.")
    show_progress = not as_json and sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())
    with refusals(as_json=as_json), written_output(output) as stream:

        async def run(db: Database) -> tuple[Audience, int]:
            caller = await operator(db, account_group)
            found = await find_audience(db, caller, audience)
            with _progress(found.prospect_count, show=show_progress) as advance:
                return found, await _write(db, caller, found.id, stream, advance)

        exported, count = with_database(run)
    if as_json:
        print_json({"audience": {"id": exported.id, "name": exported.name}, "exported": count, "file": str(output)})
    elif output:
        print(f"Exported {count} leads of {exported.name} ({exported.id}) to {output}.")


async def _write(db: Database, caller: Caller, audience_id: str, stream: TextIO, advance: Callable[[int], None]) -> int:
    from leadyard.intake.csv_export import header_line, profile_lines
    from leadyard.operations.prospects import list_custom_field_names, list_prospects

    names = await list_custom_field_names(db, caller, audience_id=audience_id)
    stream.write(header_line(names))
    count, after = 0, None
    while True:
        page = await list_prospects(db, caller, audience_id=audience_id, after=after, limit=_PAGE)
        stream.write(profile_lines((member.lead.profile for member in page.items), names))
        count += len(page.items)
        advance(count)
        after = page.next_key
        if after is None:
            # What cannot be written is noticed here, where it can still be said.
            stream.flush()
            return count


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
