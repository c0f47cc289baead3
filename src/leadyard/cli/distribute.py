"""`leadyard distribute`: distributes the tables over the nodes of a Citus cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.output import AsJson, print_json, refusals

if TYPE_CHECKING:
    from leadyard.model import Distribution


def distribute(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report the steps. Changes nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Distribute the tables over a Citus cluster.

    Stop 'leadyard serve' and 'leadyard worker' first. The rows go along, in one transaction. Running it again changes
    nothing.
    """
    from leadyard.assemble import distribute_database
    from leadyard.settings.settings import read_settings

    with refusals(as_json=as_json):
        done, role_settings = asyncio.run(distribute_database(read_settings(), plan_only=dry_run))
    if as_json:
        print_json(
            {
                "changed": bool(done.missing or role_settings) and not dry_run,
                "referenceTables": list(done.reference),
                "distributedTables": list(done.distributed),
                "foreignKeys": done.foreign_keys,
                "roleSettings": role_settings,
                "problems": list(done.problems),
            }
        )
    else:
        _print(done, role_settings, dry_run=dry_run)
    if done.problems:
        raise typer.Exit(1)


def _print(done: Distribution, role_settings: dict[str, str], *, dry_run: bool) -> None:
    did = "Would have" if dry_run else "Has"
    if done.reference:
        print(f"{did} copied to every node: {', '.join(done.reference)}.")
    if done.distributed:
        print(f"{did} distributed by account group: {', '.join(done.distributed)}.")
    if done.missing:
        print(f"{did} dropped {done.foreign_keys} foreign keys and added them again.")
    for name, value in role_settings.items():
        print(f"{did} set {name} = {value} for the role in this database.")
    for problem in done.problems:
        print(problem)
    if not done.problems and not done.missing:
        print("The tables are distributed already.")
