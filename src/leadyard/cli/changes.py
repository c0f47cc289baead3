"""`leadyard changes …`: shows the record of changes, and undoes a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.change_report import (
    change_as_dict,
    change_as_text,
    changes_as_table,
    lead_as_dict,
    undo_as_dict,
    undo_as_text,
)
from leadyard.cli.output import AsJson, operator, print_json, refusals, with_database
from leadyard.model import Change, ChangedLead, ChangeFilter, ChangeKind, Job, JobStatus, UndoResult

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Page

app = typer.Typer(help="List, show and undo the changes of audiences.", no_args_is_help=True)


@app.command("list")
def list_(
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    kind: Annotated[ChangeKind | None, typer.Option(help="Only changes of this kind.")] = None,
    audience: Annotated[
        str | None, typer.Option(metavar="ID", help="Only changes with this audience as source or target.")
    ] = None,
    prospect: Annotated[str | None, typer.Option(metavar="ID", help="Only changes of this lead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the changes of an account group, newest first: which leads came into or left which audience."""
    from leadyard.operations.changes.reading import list_changes

    wanted = ChangeFilter(kind=kind, audience_id=audience, lead_id=prospect)

    async def run(db: Database) -> Page[Change]:
        return await list_changes(db, await operator(db, account_group), wanted=wanted, before=None, limit=limit)

    with refusals(as_json=as_json):
        page = with_database(run)
    if as_json:
        print_json({"items": [change_as_dict(each) for each in page.items], "hasMore": page.next_key is not None})
    elif page.items:
        print(changes_as_table(page.items))
        if page.next_key is not None:
            print("More exist. Raise --limit.")
    else:
        print("No changes found.")


@app.command("show")
def show(
    change_id: Annotated[str, typer.Argument(metavar="CHANGE_ID", help="The change.")],
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group of the change.")],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of leads to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show a change and its leads."""
    from leadyard.operations.changes.reading import get_change, list_changed_leads

    async def run(db: Database) -> tuple[Change, list[ChangedLead], bool]:
        caller = await operator(db, account_group)
        change = await get_change(db, caller, change_id=change_id)
        leads, next_after = await list_changed_leads(db, caller, change_id=change_id, after=0, limit=limit)
        return change, leads, next_after is not None

    with refusals(as_json=as_json):
        change, leads, has_more = with_database(run)
    if as_json:
        prospects = {"items": [lead_as_dict(lead) for lead in leads], "hasMore": has_more}
        print_json({"change": change_as_dict(change), "prospects": prospects})
    else:
        print(change_as_text(change, leads, has_more=has_more))


@app.command("undo")
def undo(
    change_id: Annotated[str, typer.Argument(metavar="CHANGE_ID", help="The change to undo.")],
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group of the change.")],
    skip_changed: Annotated[
        bool, typer.Option("--skip-changed", help="Leave leads that have been changed since as they are.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Undo a change: all of its leads or, if one has been changed since, none. The undo is a change that you can undo,
    too.

    If the change is about more than 10,000 leads, the undo is a job. The command works on it until it has ended, unless
    a worker does, and prints it as 'leadyard transfers show' does.
    """
    from leadyard.cli.transfers import print_transfer, run_here
    from leadyard.operations.changes.undoing import undo_change

    async def run(db: Database) -> UndoResult | Job:
        caller = await operator(db, account_group)
        result = await undo_change(db, caller, change_id=change_id, skip_changed=skip_changed)
        return await run_here(db, caller, result, as_json=as_json) if isinstance(result, Job) else result

    with refusals(as_json=as_json):
        result = with_database(run)
    if isinstance(result, Job):
        print_transfer(result, account_group, as_json=as_json)
        if result.status is not JobStatus.COMPLETED:
            raise typer.Exit(1)
    elif as_json:
        print_json(undo_as_dict(result))
    else:
        print(undo_as_text(result))
