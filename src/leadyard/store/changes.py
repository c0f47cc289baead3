"""Statements on the record of changes. change_subjects.py finds the changes of a lead, an audience or a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import id_of, id_or_none, key_of, key_or_none, keys_of
from leadyard.model import Change, ChangeKind, ChangeState, Effect
from leadyard.store.db import Row, Statement, from_document

_NAMES = (
    "id",
    "kind",
    "state",
    "source_audience_id",
    "target_audience_id",
    "lead_count",
    "already_in_target_count",
    "changed_at",
    "api_key_id",
    "job_id",
    "undoes_change_id",
    "undone_by_change_id",
)
COLUMNS = ", ".join(f"c.{name}" for name in _NAMES)
COLUMNS_INSIDE = ", ".join(_NAMES)
_ONE = "c.account_group_id = :account_group_id AND c.id = :id"
_INSERT = Statement(
    """INSERT INTO changes (account_group_id, id, kind, state, is_indexed, source_audience_id, target_audience_id,
        lead_count, already_in_target_count, filled_count, changed_at, api_key_id, job_id, undoes_change_id, lead_ids,
        left_at, entered_at)
    VALUES (:account_group_id, :id, :kind, :state, CAST(:is_indexed AS boolean), :source_audience_id,
        :target_audience_id, :lead_count, :already_in_target_count, :filled_count, :changed_at, :api_key_id, :job_id,
        :undoes_change_id, :lead_ids[bigint], :left_at[bigint], :entered_at[bigint])""",
)
_INSERT_PART = Statement(
    """INSERT INTO change_parts (account_group_id, change_id, position, changed_at, created_count, first_created_id,
        last_created_id, is_indexed, lead_ids, left_at, entered_at)
    VALUES (:account_group_id, :change_id, :position, :changed_at, :created_count, :first_created_id,
        :last_created_id, CAST(:is_indexed AS boolean), :lead_ids[bigint], :left_at[bigint], :entered_at[bigint])"""
)
_INSERT_MERGED = Statement(
    """INSERT INTO change_parts (account_group_id, change_id, position, changed_at, is_indexed, target_audience_id,
        lead_ids, entered_at)
    SELECT :account_group_id, CAST(:change_id AS bigint), r.position, CAST(:changed_at AS bigint), true, r.audience_id,
        ARRAY[CAST(:lead_id AS bigint)], ARRAY[r.added_at]
    FROM :rows{position bigint, audience_id bigint, added_at bigint} AS r""",
    sqlite="""INSERT INTO change_parts (account_group_id, change_id, position, changed_at, is_indexed,
        target_audience_id, lead_ids, entered_at)
    SELECT :account_group_id, :change_id, r.position, :changed_at, true, r.audience_id,
        json_array(:lead_id), json_array(r.added_at)
    FROM :rows{position bigint, audience_id bigint, added_at bigint} AS r WHERE true""",
)
_COUNT_PART = Statement(
    """UPDATE changes SET lead_count = lead_count + CAST(:lead_count AS bigint),
    already_in_target_count = already_in_target_count + CAST(:already_in_target_count AS bigint),
    filled_count = filled_count + CAST(:filled_count AS bigint)
    WHERE account_group_id = :account_group_id AND id = :id"""
)
_FIND = Statement(f"SELECT {COLUMNS} FROM changes c WHERE {_ONE} AND c.state <> 'open'")
_LOCK = Statement(f"SELECT {COLUMNS} FROM changes c WHERE {_ONE} ORDER BY c.id FOR UPDATE")
_LOCK_OPEN = Statement(
    f"""SELECT {COLUMNS} FROM changes c WHERE c.account_group_id = :account_group_id AND c.job_id = :job_id
    AND c.state = 'open' ORDER BY c.id FOR UPDATE"""
)
_COMPLETE = Statement(
    f"""UPDATE changes SET state = 'complete' WHERE account_group_id = :account_group_id AND job_id = :job_id
    AND state = 'open' RETURNING {COLUMNS_INSIDE}"""
)
_UNDONE = Statement(
    """UPDATE changes SET undone_by_change_id = :undone_by WHERE account_group_id = :account_group_id AND id = :id
    AND state = 'complete' AND undone_by_change_id IS NULL RETURNING id"""
)
_UNDONE_BY_JOB = Statement(
    """UPDATE changes SET undone_by_change_id = :undone_by WHERE account_group_id = :account_group_id AND id = :id
    AND state <> 'open' AND undone_by_change_id IS NULL RETURNING id"""
)
_LISTED = """SELECT u.lead_id, p.position, u.left_at, p.entered_at IS NULL AND c.target_audience_id IS NOT NULL
        OR u.entered_at IS NOT NULL AS has_entered
    FROM change_parts p JOIN changes c ON c.account_group_id = p.account_group_id AND c.id = p.change_id
    CROSS JOIN LATERAL unnest(p.lead_ids, p.left_at, p.entered_at) AS u(lead_id, left_at, entered_at)
    WHERE p.account_group_id = :account_group_id AND p.change_id = :change_id AND u.lead_id > 0"""
_REPEATED = Statement(
    f"""SELECT r.lead_id, r.position, r.left_at, r.has_entered FROM (SELECT l.lead_id, l.position, l.left_at,
        l.has_entered, count(*) OVER (PARTITION BY l.lead_id) AS times FROM ({_LISTED}) AS l) AS r
    WHERE r.times > 1 ORDER BY r.position""",
    # A place in a list is found by reading the list again, so only for the few leads that are repeated.
    sqlite="""WITH repeated AS MATERIALIZED (SELECT e.value AS lead_id FROM change_parts p
        CROSS JOIN json_each(p.lead_ids) AS e WHERE p.account_group_id = :account_group_id
        AND p.change_id = :change_id AND e.value > 0 GROUP BY e.value HAVING count(*) > 1)
    SELECT e.value AS lead_id, p.position, json_extract(p.left_at, '$[' || e.key || ']') AS left_at,
        p.entered_at IS NULL AND c.target_audience_id IS NOT NULL
            OR json_extract(p.entered_at, '$[' || e.key || ']') IS NOT NULL AS has_entered
    FROM change_parts p JOIN changes c ON c.account_group_id = p.account_group_id AND c.id = p.change_id
    CROSS JOIN json_each(p.lead_ids) AS e WHERE p.account_group_id = :account_group_id AND p.change_id = :change_id
    AND e.value IN (SELECT r.lead_id FROM repeated r) ORDER BY p.position""",
)
_FILLED_COUNT = Statement(f"SELECT c.filled_count FROM changes c WHERE {_ONE}")
_INLINE = Statement(f"SELECT c.changed_at, c.lead_ids, c.left_at, c.entered_at FROM changes c WHERE {_ONE}")
# The part that contains the position, or else the next one.
_PART = Statement(
    """SELECT p.position, p.changed_at, p.created_count, p.lead_ids, p.left_at, p.entered_at FROM change_parts p
    WHERE p.account_group_id = :account_group_id AND p.change_id = :change_id AND p.position >= COALESCE(
        (SELECT max(q.position) FROM change_parts q WHERE q.account_group_id = :account_group_id
            AND q.change_id = :change_id AND q.position <= CAST(:position AS bigint)), 0)
    ORDER BY p.position LIMIT 1"""
)


async def insert(
    tx: Transaction, change: Change, effect: Effect | None, *, is_indexed: bool = False, filled_count: int = 0
) -> None:
    """Writes the change. Without an effect, `insert_part` writes what it does. Raises TransactionConflict if another
    change has the id."""
    await tx.run(
        _INSERT,
        id=key_of(change.id),
        kind=change.kind,
        state=change.state,
        is_indexed=is_indexed,
        source_audience_id=key_or_none(change.source_audience_id),
        target_audience_id=key_or_none(change.target_audience_id),
        lead_count=change.lead_count,
        already_in_target_count=change.already_in_target_count,
        filled_count=filled_count,
        changed_at=change.changed_at,
        api_key_id=key_or_none(change.api_key_id),
        job_id=key_or_none(change.job_id),
        undoes_change_id=key_or_none(change.undoes_change_id),
        **lists_of(effect, change.changed_at),
    )


async def insert_part(
    tx: Transaction,
    change_id: str,
    effect: Effect,
    *,
    position: int,
    changed_at: int,
    created_count: int = 0,
    is_indexed: bool = False,
) -> None:
    """Writes the part of a locked change that begins after `position` of its leads, of which the first `created_count`
    are new. Does not count its leads."""
    created = keys_of(effect.lead_ids[:created_count])
    await tx.run(
        _INSERT_PART,
        change_id=key_of(change_id),
        position=position,
        changed_at=changed_at,
        created_count=created_count,
        first_created_id=min(created, default=None),
        last_created_id=max(created, default=None),
        is_indexed=is_indexed,
        **lists_of(effect, changed_at),
    )


async def insert_merged(tx: Transaction, change: Change, lead_id: str, added_at: Mapping[str, int]) -> None:
    """Writes where the lead of a merge is after it: audience → when it was added there. Readers of the change do not
    see this. The replay of the record begins there for this lead, because the record before names two people as one."""
    rows = [
        {"position": position, "audience_id": key_of(audience_id), "added_at": at}
        for position, (audience_id, at) in enumerate(sorted(added_at.items()))
    ]
    values = {"change_id": key_of(change.id), "changed_at": change.changed_at, "lead_id": key_of(lead_id)}
    await tx.run(_INSERT_MERGED, rows=rows, **values)


async def count_part(tx: Transaction, change_id: str, effect: Effect, *, filled_count: int = 0) -> None:
    """Adds the leads of a part to the counts of its change."""
    await tx.run(
        _COUNT_PART,
        id=key_of(change_id),
        lead_count=len(effect.lead_ids),
        already_in_target_count=effect.already_in_target_count,
        filled_count=filled_count,
    )


async def find(tx: Transaction, change_id: str) -> Change | None:
    """Returns the change, or None. A change that a job is still writing is not found."""
    row = await tx.row(_FIND, id=key_of(change_id))
    return change_from(row) if row else None


async def lock(tx: Transaction, change_id: str) -> Change | None:
    """Locks the change and returns it, or None. Lock its audiences first."""
    row = await tx.row(_LOCK, id=key_of(change_id))
    return change_from(row) if row else None


async def lock_open(tx: Transaction, job_id: str) -> Change | None:
    """Locks the change that the job is writing and returns it, or None before the first part."""
    row = await tx.row(_LOCK_OPEN, job_id=key_of(job_id))
    return change_from(row) if row else None


async def complete(tx: Transaction, job_id: str) -> Change | None:
    """Completes the change that the job was writing and returns it, or None without one."""
    row = await tx.row(_COMPLETE, job_id=key_of(job_id))
    return change_from(row) if row else None


async def mark_undone(tx: Transaction, change_id: str, *, undone_by: str) -> bool:
    """Notes which change has undone the complete change. Returns False if it was undone before, or has expired."""
    row = await tx.row(_UNDONE, id=key_of(change_id), undone_by=key_of(undone_by))
    return row is not None


async def mark_undone_by_job(tx: Transaction, change_id: str, *, undone_by: str) -> bool:
    """The same for an undo whose plan contains all leads, so that it does not matter if the change has expired since.
    Returns False if it was undone before."""
    return await tx.row(_UNDONE_BY_JOB, id=key_of(change_id), undone_by=key_of(undone_by)) is not None


async def list_repeated(tx: Transaction, change_id: str) -> list[tuple[str, int, int | None, bool]]:
    """Returns each listing of the leads that a change in parts lists more than once, in the order of the parts: the
    lead, the position of the part, when it had been added to the source that it left, and whether it entered the
    target. Usually there are none. Reads the whole change."""
    return [
        (id_of(row["lead_id"]), row["position"], row["left_at"], bool(row["has_entered"]))
        for row in await tx.rows(_REPEATED, change_id=key_of(change_id))
    ]


async def find_filled_count(tx: Transaction, change_id: str) -> int:
    """Returns how many known people got values from the change, 0 without the change."""
    row = await tx.row(_FILLED_COUNT, id=key_of(change_id))
    return row["filled_count"] if row else 0


async def read_effect(tx: Transaction, change: Change, *, position: int = 0) -> tuple[int, Effect] | None:
    """Returns the part of the effect that contains the lead at this position, and the position where the part begins.
    None at the end. A change in one row has one part."""
    row = await tx.row(_INLINE, id=key_of(change.id))
    if row is not None and row["lead_ids"] is not None:
        effect = _effect(row, change)
        return (0, effect) if position < len(effect.lead_ids) else None
    row = await tx.row(_PART, change_id=key_of(change.id), position=position)
    if row is None:
        return None
    effect = _effect(row, change)
    return (row["position"], effect) if position < row["position"] + len(effect.lead_ids) else None


def change_from(row: Row) -> Change:
    """Returns the change of a row that was selected with COLUMNS."""
    return Change(
        id=id_of(row["id"]),
        kind=ChangeKind(row["kind"]),
        state=ChangeState(row["state"]),
        source_audience_id=id_or_none(row["source_audience_id"]),
        target_audience_id=id_or_none(row["target_audience_id"]),
        lead_count=row["lead_count"],
        already_in_target_count=row["already_in_target_count"],
        changed_at=row["changed_at"],
        api_key_id=id_or_none(row["api_key_id"]),
        job_id=id_or_none(row["job_id"]),
        undoes_change_id=id_or_none(row["undoes_change_id"]),
        undone_by_change_id=id_or_none(row["undone_by_change_id"]),
    )


def lists_of(effect: Effect | None, changed_at: int) -> dict[str, Any]:
    """Returns the three columns of an effect that was made at that time, by name."""
    if effect is None:
        return {"lead_ids": None, "left_at": None, "entered_at": None}
    entered_at = effect.entered_at
    if entered_at is not None and all(each == changed_at for each in entered_at):
        # The usual case costs no list.
        entered_at = None
    return {"lead_ids": keys_of(effect.lead_ids), "left_at": _list(effect.left_at), "entered_at": _list(entered_at)}


def _list(values: Sequence[int | None] | None) -> list[int | None] | None:
    return None if values is None else list(values)


def _effect(row: Row, change: Change) -> Effect:
    lead_ids = tuple(map(id_of, from_document(row["lead_ids"])))
    left_at, entered_at = from_document(row["left_at"]), from_document(row["entered_at"])
    if entered_at is None and change.target_audience_id is not None:
        entered_at = (row["changed_at"],) * len(lead_ids)
    return Effect(
        lead_ids=lead_ids,
        left_at=None if left_at is None else tuple(left_at),
        entered_at=None if entered_at is None else tuple(entered_at),
    )
