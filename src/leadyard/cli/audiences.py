"""`leadyard audiences …`: lists, creates, renames and deletes audiences."""

from __future__ import annotations

from typing import Annotated

import typer

from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.consent import Consent, ask
from leadyard.cli.listing import Limit, as_listed, first_items
from leadyard.cli.output import Data, Output
from leadyard.cli.people_report import audience_as_text, audiences_as_table, people_count
from leadyard.cli.shared_options import shared_options
from leadyard.cli.table import one_line

Audience = Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="The audience.")]

app = typer.Typer(help="List, create, rename and delete audiences.", no_args_is_help=True)


@app.command("list")
@shared_options
def list_(door: Door, limit: Limit = 50) -> None:
    """List the audiences of an account group with their exact numbers of people, oldest first.

    The list leaves out audiences that a job is filling or changing.
    """

    async def run(session: Session) -> Output:
        items, has_more = await first_items(session.api, f"{session.group}/audiences", limit=limit)
        return as_listed(items, has_more=has_more, as_table=audiences_as_table, nouns="audiences")

    run_on_api(door, run)


@app.command("show")
@shared_options
def show(door: Door, audience: Audience) -> None:
    """Show an audience with its exact number of people."""

    async def run(session: Session) -> Output:
        from leadyard.cli.audience_of_api import audience_of

        found = await audience_of(session, audience)
        return Output({"audience": found}, audience_as_text(found))

    run_on_api(door, run)


@app.command("create")
@shared_options
def create(
    door: Door,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    type_: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="Its type: on_demand or monitoring.")
    ] = "on_demand",
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
) -> None:
    """Create an empty audience. Its name need not be unique."""

    async def run(session: Session) -> Output:
        body: Data = {"name": name, "type": type_}
        if description is not None:
            body["description"] = description
        made = await session.api.post(f"{session.group}/audiences", body)
        return Output({"audience": made}, f"Created audience {made['id']} ({one_line(made['name'])}).")

    run_on_api(door, run)


@app.command("rename")
@shared_options
def rename(
    door: Door, audience: Audience, name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name.")]
) -> None:
    """Rename an audience. Its id stays the same."""

    async def run(session: Session) -> Output:
        from leadyard.cli.audience_of_api import audience_id

        path = f"{session.group}/audiences/{await audience_id(session, audience)}"
        renamed = await session.api.patch(path, {"name": name})
        return Output({"audience": renamed}, f"Audience {renamed['id']} is now {one_line(renamed['name'])}.")

    run_on_api(door, run)


@app.command("delete")
@shared_options
def delete(door: Door, consent: Consent, audience: Audience) -> None:
    """Delete an audience. Its people stay in the account group and in their other audiences.

    An undo brings the audience back, with its people.
    """

    async def run(session: Session) -> Output:
        from leadyard.cli.audience_of_api import audience_of

        found = await audience_of(session, audience)
        count, name = found["prospectCount"], one_line(found["name"])
        if consent.is_needed_for(count):
            ask(f"To delete: {name}, an audience of {people_count(count)}.", count, as_json=door.as_json)
        change_id = await session.api.delete(f"{session.group}/audiences/{found['id']}")
        undo = f"Change {change_id}. To undo it: {session.undo_command(change_id or '')}"
        data = {"deleted": True, "audience": found, "changeId": change_id}
        return Output(data, f"Deleted audience {found['id']} ({name}, {people_count(count)}).\n{undo}")

    run_on_api(door, run)
