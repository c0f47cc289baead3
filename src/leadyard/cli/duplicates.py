"""`leadyard duplicates …`: lists leads that are probably one person, and merges two leads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from leadyard.api_client.refused import Refused
from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.listing import as_listed, first_items
from leadyard.cli.output import Data, Output
from leadyard.cli.shared_options import shared_options
from leadyard.cli.table import one_line
from leadyard.counted import counted

_ID = re.compile("[0-9a-f]{24}")

app = typer.Typer(help="List likely duplicates, and merge two leads.", no_args_is_help=True)


@app.command("list")
@shared_options
def list_(
    door: Door,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Maximum number of groups to list.")] = 50,
) -> None:
    """List leads that are probably one person, most certain first.

    On the database it first compares the leads that the service has not compared yet.
    """

    async def run(session: Session) -> Output:
        if session.db is not None:
            from leadyard.operations.duplicates import compare_leads

            while await compare_leads(session.db):
                pass
        items, has_more = await first_items(session.api, f"{session.group}/duplicates", limit=limit)
        return as_listed(items, has_more=has_more, as_table=_groups, nouns="duplicates")

    run_on_api(door, run)


@app.command("merge")
@shared_options
def merge(
    door: Door,
    prospect_id: Annotated[str, typer.Argument(metavar="PROSPECT_ID", help="The lead that stays.")],
    other_id: Annotated[str, typer.Argument(metavar="OTHER_ID", help="The lead that is merged into it, and is gone.")],
) -> None:
    """Merge a lead into another one. This cannot be undone."""

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part

        _check_ids(PROSPECT_ID=prospect_id, OTHER_ID=other_id)
        path = f"{session.group}/prospects/{part(prospect_id)}/merge"
        merged, change_id = await session.api.change(path, {"prospectId": other_id})
        audiences = counted(merged["audienceCount"], "audience")
        text = f"Merged into {_lead(merged['prospect'])}, in {audiences}. Change {change_id}."
        return Output({**merged, "changeId": change_id}, text)

    run_on_api(door, run)


def _check_ids(**ids: str) -> None:
    """Raises Refused with the name of the wrong argument. The API calls both of them prospectId, in the path and in the
    body."""
    for name, text in ids.items():
        if _ID.fullmatch(text) is None:
            details = f"{name} must be an id: 24 characters, each 0-9 or a-f."
            raise Refused("VALIDATION_ERROR", "The request is not valid.", details)


def _groups(groups: Sequence[Data]) -> str:
    """Returns a line for each group, and one for each of its leads."""
    lines = []
    for group in groups:
        lines += [f"{group['reason']}:", *(f"  {_lead(lead)}" for lead in group["prospects"])]
    return "\n".join(lines)


def _lead(lead: Data) -> str:
    company = (lead["company"] or {}).get("name")
    known = (lead["name"], company, lead["email"], lead["publicIdentifier"], lead["phone"])
    return f"{lead['id']}  {', '.join(one_line(each) for each in known if each)}".rstrip()
