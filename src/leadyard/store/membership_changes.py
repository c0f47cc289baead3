"""Statements that add and remove memberships. Only operations/changes imports this file, because it records each change
in the same transaction. A move has its own statements, which also write its record (move_statements.py).

Each function needs the locks on the rows of the audiences, because no foreign key refers to them. A membership has the
number of its audience, as in memberships.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, id_of, key_of, keys_of, number_of
from leadyard.store.db import Row, Statement, from_document

# The rows are counted by what RETURNING returns. The count of the command is wrong on Citus, where an INSERT … SELECT
# reports the rows that it sent and not those that it inserted (rule 16).
_ADD = Statement(
    """INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, :audience_id, u.lead_id, CAST(:now AS bigint)
    FROM unnest(:lead_ids[bigint]) AS u(lead_id) WHERE true ON CONFLICT DO NOTHING RETURNING lead_id""",
    sqlite="""INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, :audience_id, u.value, CAST(:now AS bigint)
    FROM json_each(:lead_ids) AS u WHERE true ON CONFLICT DO NOTHING RETURNING lead_id""",
)
# On PostgreSQL as fast as COPY. SQLite takes less than half of the time of a statement for each row.
_ADD_NEW = Statement(
    """INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, :audience_id, u.lead_id, CAST(:now AS bigint)
    FROM unnest(:lead_ids[bigint]) AS u(lead_id)""",
    sqlite="""INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, :audience_id, u.value, CAST(:now AS bigint) FROM json_each(:lead_ids) AS u""",
)
# In place, as in move_statements.py: the row keeps its old time, and returns it.
_MOVE = """UPDATE memberships SET audience_id = :target, previous_added_at = added_at, added_at = CAST(:now AS bigint)
    WHERE account_group_id = :account_group_id AND lead_id IN :lead_ids[bigint] AND {source}
    AND NOT EXISTS (SELECT 1 FROM memberships t WHERE t.account_group_id = :account_group_id
        AND t.audience_id = :target AND t.lead_id = memberships.lead_id LIMIT 1 OFFSET 0)
    RETURNING lead_id, previous_added_at AS added_at"""
_MOVE_MEMBERS = Statement(
    _MOVE.format(source="audience_id + 0 = :source"), sqlite=_MOVE.format(source="audience_id = :source")
)
# A run of members that follow each other in the key of an audience. One range is a fraction of the work of a look-up
# for each lead, and rows that need not be returned need no column for their old time.
_RUN = """account_group_id = :account_group_id AND audience_id = :audience_id
    AND lead_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)"""
_RUN_OF_SOME = f"SELECT lead_id, added_at FROM memberships WHERE {_RUN} ORDER BY lead_id LIMIT :limit"
_READ_RUN = Statement(
    f"""SELECT array_agg(r.lead_id ORDER BY r.lead_id) AS lead_ids, array_agg(r.added_at ORDER BY r.lead_id) AS times
    FROM ({_RUN_OF_SOME}) AS r""",
    sqlite=f"""SELECT json_group_array(r.lead_id) AS lead_ids, json_group_array(r.added_at) AS times
    FROM ({_RUN_OF_SOME}) AS r""",
)
_ANY_IN_RUN = Statement(f"SELECT lead_id FROM memberships WHERE {_RUN} LIMIT 1")
_MOVE_RUN = Statement(f"UPDATE memberships SET audience_id = :target, added_at = CAST(:now AS bigint) WHERE {_RUN}")
_RESTORE = Statement(
    """INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, :audience_id, r.lead_id, r.added_at FROM :rows{lead_id bigint, added_at bigint} AS r
    WHERE true ON CONFLICT DO NOTHING RETURNING lead_id"""
)
_MINE = "DELETE FROM memberships WHERE account_group_id = :account_group_id AND"
# By the index of leads, as in move_statements.py.
_REMOVE = Statement(
    f"{_MINE} lead_id IN :lead_ids[bigint] AND audience_id + 0 = :audience_id RETURNING lead_id, added_at",
    sqlite=f"{_MINE} lead_id IN :lead_ids[bigint] AND audience_id = :audience_id RETURNING lead_id, added_at",
)
# Up to the last of the first `limit` ids: one range of the key, read once.
_REMOVE_SOME = Statement(
    f"""{_MINE} audience_id = :audience_id
    AND lead_id <= COALESCE((SELECT m.lead_id FROM memberships m WHERE m.account_group_id = :account_group_id
        AND m.audience_id = :audience_id ORDER BY m.lead_id LIMIT 1 OFFSET CAST(:limit AS bigint) - 1),
        {BEYOND_EVERY_KEY}) RETURNING lead_id, added_at"""
)
_ADD_LEAD = Statement(
    """INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, r.audience_id, CAST(:lead_id AS bigint), r.added_at
    FROM :rows{audience_id integer, added_at bigint} AS r"""
)
_REMOVE_LEAD = Statement(f"{_MINE} lead_id = :lead_id RETURNING audience_id, added_at")


async def add(tx: Transaction, audience_id: str, lead_ids: Iterable[str], *, now: int) -> set[str]:
    """Adds the leads to the audience. Existing members stay as they are. Returns the new members."""
    # In the order of the key, so that two transactions that share leads wait for each other, without deadlock.
    keys = sorted(keys_of(list(lead_ids)))
    rows = await tx.rows(_ADD, audience_id=number_of(audience_id), lead_ids=keys, now=now)
    return {id_of(row["lead_id"]) for row in rows}


async def add_new(tx: Transaction, audience_id: str, lead_ids: Sequence[str], *, now: int) -> None:
    """Adds leads that this transaction has created, and that are therefore in no audience yet, to the audience."""
    await tx.run(_ADD_NEW, audience_id=number_of(audience_id), lead_ids=keys_of(lead_ids), now=now)


async def restore(tx: Transaction, audience_id: str, added_at: Mapping[str, int]) -> set[str]:
    """Adds the leads to the audience, each with its own time. Existing members stay as they are. Returns the new
    members."""
    times = zip(keys_of(list(added_at)), added_at.values(), strict=True)
    rows = [{"lead_id": key, "added_at": at} for key, at in sorted(times)]
    return {id_of(row["lead_id"]) for row in await tx.rows(_RESTORE, audience_id=number_of(audience_id), rows=rows)}


async def move(
    tx: Transaction, source_audience_id: str, target_audience_id: str, lead_ids: Sequence[str], *, now: int
) -> dict[str, int]:
    """Moves those of the leads that are in the source and not in the target. Returns them, and when each had been
    added to the source."""
    keys = keys_of(lead_ids)
    return _times(
        await tx.rows(
            _MOVE_MEMBERS,
            source=number_of(source_audience_id),
            target=number_of(target_audience_id),
            lead_ids=keys,
            now=now,
        )
    )


async def move_run(
    tx: Transaction, source_audience_id: str, target_audience_id: str, keys: list[int], *, now: int
) -> list[int] | None:
    """Moves the leads with these keys, if they are a run of the source without a gap, and the target has no member
    between the first and the last of them. Returns the times when they had been added, or None if it has moved none."""
    source, target = number_of(source_audience_id), number_of(target_audience_id)
    ends = {"first": keys[0], "last": keys[-1]}
    row = await tx.row(_READ_RUN, audience_id=source, limit=len(keys) + 1, **ends)
    if row is None or from_document(row["lead_ids"]) != keys:
        return None
    if await tx.row(_ANY_IN_RUN, audience_id=target, **ends) is not None:
        return None
    await tx.run(_MOVE_RUN, audience_id=source, target=target, now=now, **ends)
    times: list[int] = from_document(row["times"])
    return times


async def remove(tx: Transaction, audience_id: str, lead_ids: Sequence[str]) -> dict[str, int]:
    """Removes the leads from the audience. Returns those that were in it, and when each had been added."""
    return _times(await tx.rows(_REMOVE, audience_id=number_of(audience_id), lead_ids=keys_of(lead_ids)))


async def remove_some(tx: Transaction, audience_id: str, *, limit: int) -> dict[str, int]:
    """Removes at most `limit` leads from the audience, in order of id. Returns when each had been added."""
    return dict(sorted(_times(await tx.rows(_REMOVE_SOME, audience_id=number_of(audience_id), limit=limit)).items()))


async def remove_lead(tx: Transaction, lead_id: str) -> dict[int, int]:
    """Removes the lead from all audiences. Returns number of the audience → when the lead had been added."""
    rows = await tx.rows(_REMOVE_LEAD, lead_id=key_of(lead_id))
    return {row["audience_id"]: row["added_at"] for row in rows}


async def add_lead(tx: Transaction, lead_id: str, added_at: Mapping[str, int]) -> None:
    """Adds a lead that is in none of the audiences to all of them, in each with its time."""
    rows = [{"audience_id": number_of(audience_id), "added_at": at} for audience_id, at in sorted(added_at.items())]
    await tx.run(_ADD_LEAD, lead_id=key_of(lead_id), rows=rows)


def _times(rows: Sequence[Row]) -> dict[str, int]:
    return {id_of(row["lead_id"]): row["added_at"] for row in rows}
