"""The move in the database: all of it in one go, as a function on PostgreSQL and as a visit to the thread of SQLite.

Both do the same statements in the same order, those below. On PostgreSQL the function saves five round trips out of
six, each of which costs the service and the server more than most of the statements do (docs/decisions/0022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadyard.ids import TOKEN_LENGTH
from leadyard.model import Move, MoveResult
from leadyard.store.audiences import audience_from
from leadyard.store.db import Database, Procedure, Row, RunStep, Statement, Transaction, Undone

_BOTH = "account_group_id = :account_group_id AND id IN (:source, :target)"
_LOCK = Statement(f"SELECT id, changed_at FROM audiences WHERE {_BOTH} AND deleted_at IS NULL ORDER BY id FOR UPDATE")
_POPULATING = Statement(
    """SELECT id FROM jobs WHERE account_group_id = :account_group_id AND audience_id IN (:source, :target)
    AND status IN ('queued', 'running') LIMIT 1"""
)
_IN_SOURCE = "account_group_id = :account_group_id AND lead_id IN :lead_ids[] AND audience_id = :source"
# PostgreSQL plans by statistics that lag behind a big import, and then takes an audience for empty: reading all of it
# looks cheaper than looking up the leads. Here it cannot: what is compared is not the indexed column, so the leads'
# own index is left, and OFFSET 0 makes the question about the target one look-up per lead. docs/decisions/0007.
_IN_SOURCE_BY_LEAD = _IN_SOURCE.replace("audience_id = :source", "audience_id || '' = :source")
_CHANGE = """UPDATE memberships SET audience_id = :target, added_at = CAST(:now AS bigint)
    WHERE {in_source} AND NOT EXISTS (SELECT 1 FROM memberships t WHERE t.account_group_id = :account_group_id
    AND t.audience_id = :target AND t.lead_id = memberships.lead_id LIMIT 1 OFFSET 0)"""
# A row changes its audience in place: half the work of a row that goes and one that comes.
_CHANGE_AUDIENCE = Statement(_CHANGE.format(in_source=_IN_SOURCE_BY_LEAD), sqlite=_CHANGE.format(in_source=_IN_SOURCE))
# What is still in the source then is in the target already. Mostly nothing, and then this is not asked at all.
_LEAVE_SOURCE = Statement(
    f"DELETE FROM memberships WHERE {_IN_SOURCE_BY_LEAD}", sqlite=f"DELETE FROM memberships WHERE {_IN_SOURCE}"
)
_RECORD = Statement(
    """INSERT INTO moves (account_group_id, id, source_audience_id, target_audience_id, lead_ids, moved_count,
        already_in_target_count, moved_at, api_key_id)
    VALUES (:account_group_id, :move_id, :source, :target, :lead_ids[], :lead_count, CAST(:already AS integer), :now,
        :api_key_id)"""
)
_COUNT = Statement(
    f"""UPDATE audiences SET changed_at = :now, prospect_count = prospect_count
        + CASE WHEN id = :source THEN -CAST(:lead_count AS integer) ELSE CAST(:changed AS integer) END WHERE {_BOTH}
    RETURNING id, name, type, description, folder_id, prospect_count, created_at, changed_at,
        :move_id AS move_id, CAST(:already AS integer) AS already_in_target_count"""
)

_FUNCTION = "move_leads_1"
# The names of its parameters begin with an underscore, so that none of them can be taken for a column.
_CALL = Statement(
    f"""SELECT * FROM {_FUNCTION}(_account_group_id => :account_group_id, _token => :token, _source => :source,
    _target => :target, _lead_ids => :lead_ids[], _lead_count => :lead_count, _now => :now,
    _api_key_id => :api_key_id)"""
)
# A new version of it is a new name in a new migration: the version of the service that is still running calls the old.
FUNCTION_OF_POSTGRESQL = f"""CREATE FUNCTION {_FUNCTION}(_account_group_id text, _token text, _source text,
    _target text, _lead_ids text[], _lead_count integer, _now bigint, _api_key_id text)
RETURNS TABLE (id text, name text, type text, description text, folder_id text, prospect_count bigint,
    created_at bigint, changed_at bigint, move_id text, already_in_target_count integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _found integer; _last_change bigint; _changed integer; _already integer := 0; _move_id text;
BEGIN
    SELECT count(*), max(locked.changed_at) INTO _found, _last_change FROM (
        {_LOCK.in_function}) AS locked;
    IF _found < 2 OR EXISTS (
        {_POPULATING.in_function}) THEN
        RETURN;
    END IF;
    _now := greatest(_now, _last_change + 1);
    _move_id := lpad(to_hex(_now), 12, '0') || _token;
    {_CHANGE_AUDIENCE.in_function};
    GET DIAGNOSTICS _changed = ROW_COUNT;
    IF _changed < _lead_count THEN
        {_LEAVE_SOURCE.in_function};
        GET DIAGNOSTICS _already = ROW_COUNT;
        IF _changed + _already < _lead_count THEN
            RAISE EXCEPTION 'not all leads are in the source: nothing is moved';
        END IF;
    END IF;
    {_RECORD.in_function};
    RETURN QUERY {_COUNT.in_function};
END $$"""


def _steps(run: RunStep, values: Mapping[str, Any]) -> list[Row]:
    """The function above, for SQLite. Change both together."""
    locked = run(_LOCK).fetchall()
    if len(locked) < 2 or run(_POPULATING).fetchone():
        return []
    now = max(values["now"], *(row["changed_at"] + 1 for row in locked))
    move_id = f"{now:012x}{values['token']}"
    changed = run(_CHANGE_AUDIENCE, now=now).rowcount
    already = 0
    if changed < values["lead_count"]:
        already = run(_LEAVE_SOURCE).rowcount
        if changed + already < values["lead_count"]:
            raise Undone
    run(_RECORD, move_id=move_id, already=already, now=now)
    return run(_COUNT, move_id=move_id, changed=changed, already=already, now=now).fetchall()


_MOVE = Procedure(_CALL, _steps)
_PRESENT = Statement(
    f"SELECT lead_id FROM memberships WHERE {_IN_SOURCE_BY_LEAD}",
    sqlite=f"SELECT lead_id FROM memberships WHERE {_IN_SOURCE}",
)


async def move(tx: Transaction, move: Move) -> MoveResult:
    """Locks both audiences, moves the leads (distinct ids), corrects both counts and records the move: all or nothing.

    The move in the result has its counts, and a time later than the last change of either audience: it is taken with
    both locked, so that times follow the order of the commits. Its id begins with that time, so that ids do so too; it
    ends as the given one does. Raises Undone, and then the transaction must not commit, when there are not two such
    audiences, a job populates one of them, or a lead is not in the source. The work grows with the number of leads,
    never with the size of an audience.
    """
    return _result(await tx.call(_MOVE, **_values(move)), move)


async def move_alone(db: Database, account_group_id: str, move: Move) -> MoveResult:
    """The same as a transaction by itself, durably committed on return and without a trace after Undone."""
    return _result(await db.call(account_group_id, _MOVE, **_values(move)), move)


def _values(move: Move) -> dict[str, Any]:
    return {
        "token": move.id[-TOKEN_LENGTH:],
        "source": move.source_audience_id,
        "target": move.target_audience_id,
        "lead_ids": list(move.lead_ids or ()),
        "lead_count": move.moved_count,
        "now": move.moved_at,
        "api_key_id": move.api_key_id,
    }


def _result(rows: Sequence[Row], move: Move) -> MoveResult:
    if not rows:
        raise Undone
    left = {row["id"]: row for row in rows}
    source, target = left[move.source_audience_id], left[move.target_audience_id]
    already = source["already_in_target_count"]
    return MoveResult(
        move=replace(move, id=source["move_id"], moved_at=source["changed_at"], already_in_target_count=already),
        source=audience_from(source),
        target=audience_from(target),
    )


async def list_missing(tx: Transaction, source_audience_id: str, lead_ids: Sequence[str]) -> list[str]:
    """Returns those of the listed leads that are not in the audience, in the order of the list."""
    rows = await tx.rows(_PRESENT, source=source_audience_id, lead_ids=list(lead_ids))
    present = {row["lead_id"] for row in rows}
    return [lead_id for lead_id in lead_ids if lead_id not in present]
