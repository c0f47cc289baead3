"""`leadyard account-groups …`: the tenants."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from leadyard.cli.output import AsJson, print_json, refusals, refuse_both, with_database, wrong_usage
from leadyard.clock import to_iso
from leadyard.counted import counted
from leadyard.model import MAX_NAME_LENGTH, MOST_MAX_RESULTS, AccountGroup

app = typer.Typer(help="Create, list and change account groups, the tenants.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help=f"1 to {MAX_NAME_LENGTH} characters.")],
    only_id: Annotated[bool, typer.Option("--id", help="Print the id and nothing else, for scripts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create an account group and print its id."""
    from leadyard.operations.account_groups import create_account_group

    refuse_both("--id", only_id, as_json=as_json)
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise wrong_usage(f"NAME must have 1 to {MAX_NAME_LENGTH} printable characters.")
    with refusals(as_json=as_json):
        group = with_database(lambda db: create_account_group(db, name=name))
    if as_json:
        print_json(_as_dict(group))
    else:
        print(group.id if only_id else f"Created account group {group.id} ({group.name}).")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all account groups, oldest first."""
    from leadyard.operations.account_groups import list_account_groups

    with refusals(as_json=as_json):
        groups = with_database(list_account_groups)
    if as_json:
        print_json({"items": [_as_dict(group) for group in groups]})
        return
    for group in groups:
        print(f"{group.id}  {to_iso(group.created_at)}  maxResults {group.max_results}  {group.name}")
    if not groups:
        print("There are no account groups yet. Create one: leadyard account-groups create NAME")


@app.command("update")
def update(
    account_group: Annotated[str, typer.Argument(metavar="ID", help="The account group.")],
    max_results: Annotated[
        int,
        typer.Option(min=1, max=MOST_MAX_RESULTS, help="Maximum number of prospects per job from a provider."),
    ],
    as_json: AsJson = False,
) -> None:
    """Change the limits of an account group. Jobs that have already started keep their old limit."""
    from leadyard.operations.account_groups import limit_results

    with refusals(as_json=as_json):
        group = with_database(lambda db: limit_results(db, account_group_id=account_group, max_results=max_results))
    if as_json:
        print_json(_as_dict(group))
    else:
        most = counted(group.max_results, "prospect")
        print(f"A job of {group.name} ({group.id}) may add up to {most} from a provider.")


def _as_dict(group: AccountGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "maxResults": group.max_results,
        "createdAt": to_iso(group.created_at),
    }
