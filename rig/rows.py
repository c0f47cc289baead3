"""Every row that an account group owns, so that a test can compare before and after."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table

from leadyard.store.tables import metadata
from rig.service import Tenant

# The housekeeping of any service on the database may fill and empty these at any moment.
OF_HOUSEKEEPING = {
    *("leads_to_compare", "duplicate_blocks", "duplicate_keys", "duplicate_groups"),
    *("event_outbox", "events", "event_feeds"),
}
TENANT_TABLES: list[Table] = [
    table
    for table in metadata.sorted_tables
    if "account_group_id" in table.columns and table.name not in {"api_key_account_groups", *OF_HOUSEKEEPING}
]


def rows_of(tenant: Tenant) -> dict[str, list[tuple[Any, ...]]]:
    """Returns every row of the account group, without the index of changes, which the housekeeping fills."""
    return {
        table.name: sorted(
            tenant.sql(f"SELECT {_columns(table)} FROM {table.name} WHERE account_group_id = $1", tenant.number),
            key=repr,
        )
        for table in TENANT_TABLES
        if table.name != "change_subjects"
    }


def _columns(table: Table) -> str:
    return ", ".join(column.name for column in table.columns if column.name != "is_indexed")
