"""`leadyard migrate`: brings the database to the current schema."""

from __future__ import annotations

import asyncio

from leadyard.cli.output import AsJson, print_json, refusals


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the current schema. Doing it again changes nothing."""
    from leadyard.assemble import migrate_database
    from leadyard.config import read_settings

    with refusals(as_json=as_json):
        before, after = asyncio.run(migrate_database(read_settings()))
    if as_json:
        print_json({"from": before, "to": after, "changed": before != after})
    elif before == after:
        print(f"The schema is current ({after}).")
    else:
        print(f"Migrated from {before or 'an empty database'} to {after}.")
