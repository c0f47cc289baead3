"""`leadyard export`: exports an audience to a CSV file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.api_door import Door, Session, group_on_database, run_on_api, uses_service
from leadyard.cli.audience_choice import find_audience
from leadyard.cli.file_output import write_pieces, write_text, written_output
from leadyard.cli.output import Output, operator, print_output, refusals, with_database, wrong_usage
from leadyard.cli.people_report import lead_count
from leadyard.cli.shared_options import shared_options

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Audience


@shared_options
def export_file(
    door: Door,
    audience: Annotated[str, typer.Option(metavar="NAME_OR_ID", help="The audience.")],
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="The file to write. It must not exist. Default: standard output."),
    ] = None,
) -> None:
    """Export an audience as CSV.

    The columns have names that the import recognises. Cells are escaped so that a spreadsheet does not treat them as
    formulas. Memory does not grow with the audience. A failed export leaves no file behind.
    """
    if door.as_json and output is None:
        raise wrong_usage("--json needs --output, because standard output cannot contain both.")
    show_progress = not door.as_json and sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())
    with refusals(as_json=door.as_json):
        is_remote = uses_service(door)
    if is_remote:
        run_on_api(door, lambda session: _export_of_api(session, audience, output, show_progress=show_progress))
        return
    group = group_on_database(door)
    with refusals(as_json=door.as_json), written_output(output) as stream:

        async def run(db: Database) -> tuple[Audience, int]:
            from leadyard.operations.exports import export_audience

            caller = await operator(db, group)
            found = await find_audience(db, caller, audience)
            with _progress(found.prospect_count, show=show_progress) as advance:
                pieces = await export_audience(db, caller, audience_id=found.id)
                return found, await write_pieces(pieces, stream, advance)

        exported, count = with_database(run)
    print_output(_exported(exported.id, exported.name, count, output), as_json=door.as_json)


async def _export_of_api(session: Session, audience: str, output: Path | None, *, show_progress: bool) -> Output:
    from leadyard.cli.audience_of_api import audience_of

    found = await audience_of(session, audience)
    with written_output(output) as stream, _progress(found["prospectCount"], show=show_progress) as advance:
        pieces = session.api.download(f"{session.group}/audiences/{found['id']}/prospects.csv")
        count = await write_text(pieces, stream, advance)
    return _exported(found["id"], found["name"], count, output)


def _exported(audience_id: str, name: str, count: int, output: Path | None) -> Output:
    data = {"audience": {"id": audience_id, "name": name}, "exported": count, "file": str(output)}
    # Standard output has the people then, and nothing else.
    return Output(data, f"Exported {lead_count(count)} of {name} ({audience_id}) to {output}." if output else "")


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
