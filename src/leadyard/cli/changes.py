"""`leadyard changes …`: shows the record of changes, and undoes a change."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.change_report import change_as_text, changes_as_table, undo_as_text
from leadyard.cli.listing import Limit, as_listed, first_items
from leadyard.cli.moments import Moment, as_moment
from leadyard.cli.output import Output
from leadyard.cli.shared_options import shared_options
from leadyard.model import ChangeKind

app = typer.Typer(help="List, show and undo the changes of audiences.", no_args_is_help=True)

ChangeId = Annotated[str, typer.Argument(metavar="CHANGE_ID", help="The change.")]


@app.command("list")
@shared_options
def list_(
    door: Door,
    kind: Annotated[ChangeKind | None, typer.Option(help="Only changes of this kind.")] = None,
    audience: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_ID", help="Only changes with this audience as source or target."),
    ] = None,
    prospect: Annotated[str | None, typer.Option(metavar="ID", help="Only changes of this lead.")] = None,
    changed_after: Annotated[Moment, typer.Option(metavar="TIME", help="Only changes after this time.")] = None,
    changed_before: Annotated[Moment, typer.Option(metavar="TIME", help="Only changes before this time.")] = None,
    limit: Limit = 50,
) -> None:
    """List the changes of an account group, newest first: which leads came into or left which audience."""

    async def run(session: Session) -> Output:
        from leadyard.cli.audience_names import audience_names
        from leadyard.cli.audience_of_api import audience_id
        from leadyard.cli.transfer_report import sides_of

        items, has_more = await first_items(
            session.api,
            f"{session.group}/changes",
            limit=limit,
            kind=kind,
            audienceId=await audience_id(session, audience),
            prospectId=prospect,
            changedAfter=as_moment(changed_after),
            changedBefore=as_moment(changed_before),
        )
        as_table = partial(changes_as_table, names=await audience_names(session, sides_of(items)))
        return as_listed(items, has_more=has_more, as_table=as_table, nouns="changes")

    run_on_api(door, run)


@app.command("show")
@shared_options
def show(
    door: Door,
    change_id: ChangeId,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="Maximum number of leads, and of replaced values, to list.")
    ] = 50,
) -> None:
    """Show a change, its leads, and the values of known people that it has replaced."""

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part

        path = f"{session.group}/changes/{part(change_id)}"
        change = await session.api.get(path)
        leads, more_leads = await first_items(session.api, f"{path}/prospects", limit=limit)
        values, more_values = await first_items(session.api, f"{path}/replaced-values", limit=limit)
        prospects = {"items": leads, "hasMore": more_leads}
        replaced = {"items": values, "hasMore": more_values}
        data = {"change": change, "prospects": prospects, "replacedValues": replaced}
        return Output(data, change_as_text(change, prospects, replaced))

    run_on_api(door, run)


@app.command("undo")
@shared_options
def undo(
    door: Door,
    change_id: ChangeId,
    skip_changed: Annotated[
        bool, typer.Option("--skip-changed", help="Leave leads that have been changed since as they are.")
    ] = False,
) -> None:
    """Undo a change: all of its leads or, if one has been changed since, none. The undo is a change that you can undo,
    too.

    If the change is about more than 10,000 leads, the undo is a job. The command works on it until it has ended, unless
    a worker does, and prints it as 'leadyard transfers show' does.
    """

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part
        from leadyard.cli.transfer_report import ended_output
        from leadyard.cli.transfer_watch import run_here

        path = f"{session.group}/changes/{part(change_id)}/undo"
        undone = await session.api.post(path, {"skipChanged": skip_changed})
        if "jobId" in undone:
            return await ended_output(session, await run_here(session, undone["jobId"], as_json=door.as_json))
        again = session.undo_command(undone["change"]["id"])
        return Output(undone, undo_as_text(undone, undo_command=again))

    run_on_api(door, run)
