"""`leadyard duplicates …`: lists leads that are probably one person, and merges two leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadyard.cli.output import AsJson, operator, print_json, refusals, with_database

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import DuplicateGroup, Lead, MergeResult

app = typer.Typer(help="List likely duplicates, and merge two leads.", no_args_is_help=True)


@app.command("list")
def list_(
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Maximum number of groups to check.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List leads that are probably one person, most certain first.

    It first compares the leads that the service has not compared yet.
    """
    from leadyard.operations.duplicates import compare_leads, list_duplicates

    async def run(db: Database) -> tuple[list[DuplicateGroup], bool]:
        caller = await operator(db, account_group)
        while await compare_leads(db):
            pass
        groups, last = await list_duplicates(db, caller, after=None, limit=limit)
        return groups, last is not None

    with refusals(as_json=as_json):
        groups, has_more = with_database(run)
    if as_json:
        items = [{"prospects": list(map(_as_dict, each.leads)), "reason": str(each.reason)} for each in groups]
        print_json({"items": items, "hasMore": has_more})
        return
    for group in groups:
        print(f"{group.reason}:")
        for lead in group.leads:
            print(f"  {_as_text(lead)}")
    if not groups:
        print("No duplicates found.")
    if has_more:
        print("More exist. Raise --limit.")


@app.command("merge")
def merge(
    prospect_id: Annotated[str, typer.Argument(metavar="PROSPECT_ID", help="The lead that stays.")],
    other_id: Annotated[str, typer.Argument(metavar="OTHER_ID", help="The lead that is merged into it, and is gone.")],
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group of both.")],
    as_json: AsJson = False,
) -> None:
    """Merge a lead into another one. This cannot be undone."""
    from leadyard.operations.merging import merge_leads

    async def run(db: Database) -> MergeResult:
        return await merge_leads(db, await operator(db, account_group), lead_id=prospect_id, other_id=other_id)

    with refusals(as_json=as_json):
        result = with_database(run)
    if as_json:
        answer = {"prospect": _as_dict(result.lead), "audienceCount": result.audience_count}
        print_json({**answer, "changeId": result.change_id})
    else:
        print(f"Merged into {_as_text(result.lead)}, in {result.audience_count} audiences. Change {result.change_id}.")


def _as_dict(lead: Lead) -> dict[str, Any]:
    """Returns the lead with the names and values of the API."""
    from leadyard.clock import to_iso
    from leadyard.people.fields import COMPANY_FIELDS, TEXT_FIELDS

    profile = lead.profile
    values: dict[str, Any] = {f.json_key: getattr(profile, f.attribute) for f in TEXT_FIELDS if not f.in_company}
    values["name"] = _name(lead)
    values["company"] = {f.json_key: getattr(profile, f.attribute) for f in COMPANY_FIELDS}
    values["customFields"] = dict(profile.custom_fields)
    return {**values, "id": lead.id, "createdAt": to_iso(lead.created_at)}


def _as_text(lead: Lead) -> str:
    profile = lead.profile
    known = (_name(lead), profile.company_name, profile.email, profile.public_identifier, profile.phone)
    return f"{lead.id}  {', '.join(filter(None, known))}".rstrip()


def _name(lead: Lead) -> str | None:
    from leadyard.people.fields import full_name

    return full_name(lead.profile.name, lead.profile.first_name, lead.profile.last_name)
