"""`leadyard people …`: finds people in one audience or in all of them, shows a person, and erases one."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer

from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.consent import ask_for_good
from leadyard.cli.listing import Limit, as_listed, first_items
from leadyard.cli.output import Output, refuse_both, wrong_usage
from leadyard.cli.people_filters import PeopleFilters
from leadyard.cli.people_report import found_people_as_table, in_brief, people_as_table, person_as_text
from leadyard.cli.shared_options import shared_options

app = typer.Typer(help="Find people, show a person, and erase one.", no_args_is_help=True)


@app.command("find")
@shared_options
def find(
    door: Door,
    filters: PeopleFilters,
    words: Annotated[str | None, typer.Argument(metavar="WORDS", help="The same as --q.")] = None,
    audience: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="The audience in which to look, instead of all.")
    ] = None,
    limit: Limit = 50,
    only_ids: Annotated[bool, typer.Option("--ids", help="Print the ids and nothing else, for --ids-from.")] = False,
) -> None:
    """Find the people who match all filters, in one audience or in all of them, oldest first.

    Words may be parts of words, in any order and case. Without a filter it lists all people. Without --audience it also
    shows which audiences each person is in.
    """
    refuse_both("--ids", only_ids, as_json=door.as_json)
    if words is not None and filters.q is not None:
        raise wrong_usage("Give the words once: as an argument or with --q.")
    wanted = filters if words is None else replace(filters, q=words)
    wanted.refuse_misplaced(audience)

    async def run(session: Session) -> Output:
        from leadyard.cli.audience_of_api import audience_id

        within = "" if audience is None else f"/audiences/{await audience_id(session, audience)}"
        path = f"{session.group}{within}/prospects"
        items, has_more = await first_items(session.api, path, limit=limit, **wanted.of_api())
        as_table = people_as_table if within else found_people_as_table
        found = as_listed(items, has_more=has_more, as_table=as_table, nouns="people")
        if only_ids and has_more:
            print("More exist. Raise --limit.", file=sys.stderr)
        return replace(found, text="\n".join(each["id"] for each in items)) if only_ids else found

    run_on_api(door, run)


@app.command("show")
@shared_options
def show(door: Door, prospect_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the person.")]) -> None:
    """Show everything that is known about a person, and the audiences that contain the person."""

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part

        person = await session.api.get(f"{session.group}/prospects/{part(prospect_id)}")
        return Output({"prospect": person}, person_as_text(person))

    run_on_api(door, run)


@app.command("erase")
@shared_options
def erase(
    door: Door,
    prospect_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the person.")],
    suppress: Annotated[
        bool, typer.Option("--suppress", help="Also keep the person from coming back with an import.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why the person is suppressed, for your records. Do not name the person.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask no question.")] = False,
) -> None:
    """Erase a person everywhere: from all audiences, and with all fields. It cannot be undone.

    The record of changes keeps that there was a person, and not who.
    """
    if reason is not None and not suppress:
        raise wrong_usage("--reason is the reason of a suppression: give --suppress, too.")

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part

        path = f"{session.group}/prospects/{part(prospect_id)}"
        person = await session.api.get(path)
        if not yes:
            ask_for_good(f"To erase for good: {in_brief(person)}.", as_json=door.as_json)
        change_id = await session.api.delete(path, suppress=suppress or None, reason=reason)
        done = f"Erased {person['id']}" + (" and suppressed the person." if suppress else ".")
        return Output({"erased": True, "prospectId": person["id"], "suppressed": suppress, "changeId": change_id}, done)

    run_on_api(door, run)
