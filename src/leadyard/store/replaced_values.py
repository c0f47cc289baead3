"""Statements on replaced values: what an addition has replaced in people who were known, one row for each value."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of
from leadyard.model import ReplacedValue
from leadyard.store.db import Row, Statement

_OF_CHANGE = "FROM replaced_values WHERE account_group_id = :account_group_id AND change_id = :change_id"
# An import may replace a value twice, in two batches. The change has the first old value and the last new one.
_ADD = Statement(
    """INSERT INTO replaced_values (account_group_id, change_id, lead_id, field, old_value, new_value)
    SELECT :account_group_id, CAST(:change_id AS bigint), r.lead_id, r.field, r.old_value, r.new_value
    FROM :rows{lead_id bigint, field text, old_value text, new_value text} AS r WHERE true
    ON CONFLICT (account_group_id, change_id, lead_id, field) DO UPDATE SET new_value = excluded.new_value
    RETURNING lead_id"""
)
_LIST = Statement(
    f"""SELECT lead_id, field, old_value, new_value {_OF_CHANGE}
    AND (lead_id, field) > (CAST(:lead_id AS bigint), :field) ORDER BY lead_id, field LIMIT :limit"""
)
_LIST_ALL = Statement(f"SELECT lead_id, field, old_value, new_value {_OF_CHANGE} ORDER BY lead_id, field")
_FORGET_LEAD = Statement(
    "DELETE FROM replaced_values WHERE account_group_id = :account_group_id AND lead_id = :lead_id"
)
FORGET_CHANGE = Statement(f"DELETE {_OF_CHANGE}")


async def add(tx: Transaction, change_id: str, replaced: Sequence[ReplacedValue]) -> None:
    """Adds values to a change of this transaction, or to one that it has locked."""
    rows = [
        {"lead_id": key_of(each.lead_id), "field": each.field, "old_value": each.old, "new_value": each.new}
        for each in replaced
    ]
    await tx.rows(_ADD, change_id=key_of(change_id), rows=rows)


async def list_page(tx: Transaction, change_id: str, *, after: tuple[str, str], limit: int) -> list[ReplacedValue]:
    """Returns at most `limit` values that the change has replaced, in the order of lead and field, after that pair."""
    lead_id, field = after
    rows = await tx.rows(_LIST, change_id=key_of(change_id), lead_id=key_of(lead_id), field=field, limit=limit)
    return [_value(row) for row in rows]


async def list_all(tx: Transaction, change_id: str) -> list[ReplacedValue]:
    """Returns all values that the change has replaced, in the same order."""
    return [_value(row) for row in await tx.rows(_LIST_ALL, change_id=key_of(change_id))]


async def forget_lead(tx: Transaction, lead_id: str) -> None:
    """Removes the values of a locked lead from all changes."""
    await tx.run(_FORGET_LEAD, lead_id=key_of(lead_id))


def _value(row: Row) -> ReplacedValue:
    return ReplacedValue(lead_id=id_of(row["lead_id"]), field=row["field"], old=row["old_value"], new=row["new_value"])
