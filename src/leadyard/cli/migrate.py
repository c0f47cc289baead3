"""`leadyard migrate`: migrates the database to the current schema."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadyard.cli.output import AsJson, print_json, refusals

if TYPE_CHECKING:
    from leadyard.settings.settings import Settings


def migrate(
    as_json: AsJson = False,
    role_settings: Annotated[
        bool,
        typer.Option(
            "--role-settings",
            help="Also give the role of LEADYARD_DATABASE_URL the settings that Leadyard needs behind a pooler.",
        ),
    ] = False,
) -> None:
    """Bring the database to the current schema.

    Running it again changes nothing.
    """
    from leadyard.settings.settings import read_settings

    with refusals(as_json=as_json):
        done = asyncio.run(_migrate(read_settings(), with_role_settings=role_settings))
    if as_json:
        print_json(done)
        return
    for name, value in done.get("roleSettings", {}).items():
        print(f"Set {name} = {value} for the role in this database.")
    if done.get("roleSettings"):
        print("New sessions have these settings. If a pooler has sessions already, let it open new ones: RECONNECT.")
    if not done["changed"]:
        print(f"The schema is current ({done['to']}).")
    else:
        print(f"Migrated from {done['from'] or 'an empty database'} to {done['to']}.")


async def _migrate(settings: Settings, *, with_role_settings: bool) -> dict[str, Any]:
    from leadyard.assemble import migrate_database, write_role_settings

    # First, so that the migration already has them.
    written = {"roleSettings": await write_role_settings(settings)} if with_role_settings else {}
    before, after = await migrate_database(settings)
    return {"from": before, "to": after, "changed": before != after, **written}
