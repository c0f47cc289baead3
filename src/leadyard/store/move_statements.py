"""The move in the database, all in one go: as a function on PostgreSQL, and in one visit to the thread of SQLite.

Both run the statements below, in the same order. On PostgreSQL the function saves five of six round trips. Each of them
costs the service and the server more than most of the statements (docs/decisions/0022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadyard.database import Database, Transaction
from leadyard.ids import NUMBER_BITS, NUMBERS, id_of, key_of, key_or_none, keys_of, number_of
from leadyard.model import Move, MoveResult
from leadyard.store.audiences import audience_from
from leadyard.store.db import Procedure, Row, RunStep, Statement, Undone, as_document
from leadyard.store.job_status import ACTIVE

_BOTH = "account_group_id = :account_group_id AND id IN (:source, :target)"
_LOCK = Statement(
    f"""SELECT id, changed_at, prospect_count FROM audiences WHERE {_BOTH} AND deleted_at IS NULL
    ORDER BY id FOR UPDATE"""
)
# Two look-ups in two indexes, as in store/jobs.py.
_POPULATING = Statement(
    f"""SELECT id FROM jobs WHERE account_group_id = :account_group_id
        AND audience_id IN (:source, :target) AND {ACTIVE}
    UNION ALL SELECT id FROM jobs WHERE account_group_id = :account_group_id
        AND second_audience_id IN (:source, :target) AND {ACTIVE}
    LIMIT 1"""
)
# A membership has the number of its audience. The same transaction has locked both audiences by their whole keys.
_IN_SOURCE = "account_group_id = :account_group_id AND lead_id IN :lead_ids[bigint] AND audience_id = :source_number"
# PostgreSQL plans with statistics that lag behind a big import. It may then assume that an audience is empty, so that
# reading all of it looks cheaper than looking up the leads. We prevent this: the comparison is not with the indexed
# column, so only the index by lead can be used, and OFFSET 0 forces one look-up per lead in the target. See
# docs/decisions/0007.
_IN_SOURCE_BY_LEAD = _IN_SOURCE.replace("audience_id = ", "audience_id + 0 = ")
# A row changes its audience in place, which is half the work of a deleted row and a new one. PostgreSQL returns only
# new values, so the row itself keeps its old time, which the record needs. To read the rows before would cost a quarter
# of the move (docs/decisions/0039). SQLite compares each new row with the primary key in any case. With OR IGNORE that
# comparison leaves the leads alone that are in the target already, and a look-up for each lead is saved.
_CHANGE_AUDIENCE = Statement(
    f"""WITH moved AS (UPDATE memberships SET audience_id = :target_number, added_at = CAST(:now AS bigint),
            previous_added_at = added_at
        WHERE {_IN_SOURCE_BY_LEAD} AND NOT EXISTS (SELECT 1 FROM memberships t
            WHERE t.account_group_id = :account_group_id AND t.audience_id = :target_number
            AND t.lead_id = memberships.lead_id LIMIT 1 OFFSET 0)
        RETURNING lead_id, previous_added_at)
    SELECT count(*) AS changed, array_agg(lead_id) AS moved_ids, array_agg(previous_added_at) AS left_at FROM moved""",
    sqlite=f"""UPDATE OR IGNORE memberships SET audience_id = :target_number, added_at = :now WHERE {_IN_SOURCE}""",
)
# Leads still in the source after this are in the target already. Usually there are none, and this does not run.
_LEAVE_SOURCE = Statement(
    f"""WITH gone AS (DELETE FROM memberships WHERE {_IN_SOURCE_BY_LEAD} RETURNING lead_id, added_at)
    SELECT count(*) AS already, array_agg(lead_id) AS gone_ids, array_agg(added_at) AS gone_at FROM gone""",
    sqlite=f"DELETE FROM memberships WHERE {_IN_SOURCE}",
)
_INTO_RECORD = """INSERT INTO changes (account_group_id, id, kind, attempt, source_audience_id, target_audience_id,
        lead_count, already_in_target_count, changed_at, api_key_id, lead_ids, left_at, entered_at)
    VALUES (:account_group_id, :move_id, 'move', :attempt, :source, :target, :lead_count, CAST(:already AS integer),
        :now, :api_key_id, :lead_ids[bigint], {left_at}, {entered_at})"""
# SQLite writes the record first, and reads the times for it from the rows before they change. It reads them with one
# sub-query for each lead, because a join with the list costs more than all the rest of a small record.
_TIMES_IN = """(SELECT json_group_array((SELECT {what} FROM memberships m WHERE m.account_group_id = :account_group_id
    AND m.audience_id = {audience} AND m.lead_id = u.value)) FROM json_each(:lead_ids[bigint]) AS u)"""
_RECORD = Statement(
    _INTO_RECORD.format(left_at=":left_at[bigint]", entered_at=":entered_at[bigint]"),
    sqlite=_INTO_RECORD.format(
        left_at=_TIMES_IN.format(what="m.added_at", audience=":source_number"), entered_at="NULL"
    ),
)
# On SQLite, if some leads were in the target before. The others have a time there that is later than all before.
_RECORD_ALREADY = Statement(
    f"""UPDATE changes SET already_in_target_count = :already, entered_at =
        {_TIMES_IN.format(what="CASE WHEN m.added_at = :now THEN m.added_at END", audience=":target_number")}
    WHERE account_group_id = :account_group_id AND id = :move_id"""
)
# Its place in the feed, and the names of the audiences, come after the commit (docs/decisions/0047).
EVENT = Statement(
    """INSERT INTO event_outbox (account_group_id, id, type, occurred_at, source_audience_id, target_audience_id,
        source_count, target_count, change_id, first_lead)
    VALUES (:account_group_id, :move_id, 'leads.moved', :now, :source, :target, :source_count, :target_count, :move_id,
        0)"""
)
_COUNT = Statement(
    f"""UPDATE audiences SET changed_at = :now, prospect_count = prospect_count
        + CASE WHEN id = :source THEN -CAST(:lead_count AS integer) ELSE CAST(:changed AS integer) END WHERE {_BOTH}
    RETURNING id, name, type, description, folder_id, prospect_count, created_at, changed_at,
        :move_id AS move_id, CAST(:already AS integer) AS already_in_target_count"""
)

# The record lists the leads in the order of the request, and the database changed them in its own order. Both lists are
# sorted by lead and put side by side, because a join that is planned without their lengths may compare each with each.
_IN_ORDER_OF_LIST = """SELECT array_agg(z.left_at ORDER BY z.n), CASE WHEN _already > 0 THEN
        array_agg(z.entered_at ORDER BY z.n) END INTO _left_at, _entered_at FROM unnest(
        (SELECT array_agg(u.n ORDER BY u.lead_id) FROM unnest(_lead_ids) WITH ORDINALITY AS u(lead_id, n)),
        (SELECT array_agg(u.left_at ORDER BY u.lead_id) FROM unnest(_moved_ids || _gone_ids, _left_at || _gone_at)
            AS u(lead_id, left_at)),
        (SELECT array_agg(u.entered_at ORDER BY u.lead_id) FROM unnest(_moved_ids || _gone_ids, _entered_at)
            AS u(lead_id, entered_at))) AS z(n, left_at, entered_at)"""
_FUNCTION = "move_leads_1"
# The names of the parameters begin with an underscore, so that they cannot be confused with columns.
_CALL = Statement(
    f"""SELECT id, name, type, description, folder_id, prospect_count, created_at, changed_at, move_id,
    already_in_target_count
    FROM {_FUNCTION}(_account_group_id => :account_group_id, _number => :number, _attempt => :attempt,
    _source => :source, _target => :target, _lead_ids => :lead_ids[bigint], _lead_count => :lead_count, _now => :now,
    _api_key_id => :api_key_id)"""
)
# A new version gets a new name in a new migration, because a service that is still running calls the old version.
FUNCTION_OF_POSTGRESQL = f"""CREATE FUNCTION {_FUNCTION}(_account_group_id integer, _number integer, _attempt bigint,
    _source bigint, _target bigint, _lead_ids bigint[], _lead_count integer, _now bigint, _api_key_id bigint)
RETURNS TABLE (id bigint, name text, type text, description text, folder_id bigint, prospect_count bigint,
    created_at bigint, changed_at bigint, move_id bigint, already_in_target_count integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _found integer; _last_change bigint; _source_count bigint; _target_count bigint; _changed integer;
    _already integer := 0; _move_id bigint;
    _moved_ids bigint[]; _gone_ids bigint[]; _gone_at bigint[]; _left_at bigint[]; _entered_at bigint[];
    _source_number integer := _source & {NUMBERS - 1}; _target_number integer := _target & {NUMBERS - 1};
BEGIN
    SELECT count(*), max(locked.changed_at), max(CASE WHEN locked.id = _source THEN locked.prospect_count END),
        max(CASE WHEN locked.id = _target THEN locked.prospect_count END)
        INTO _found, _last_change, _source_count, _target_count FROM (
        {_LOCK.in_function}) AS locked;
    IF _found < 2 OR EXISTS (
        {_POPULATING.in_function}) THEN
        RETURN;
    END IF;
    _now := greatest(_now, _last_change + 1);
    _move_id := _now << {NUMBER_BITS} | _number;
    {_CHANGE_AUDIENCE.in_function} INTO _changed, _moved_ids, _left_at;
    IF _changed < _lead_count THEN
        {_LEAVE_SOURCE.in_function} INTO _already, _gone_ids, _gone_at;
        IF _changed + _already < _lead_count THEN
            RAISE EXCEPTION 'not all leads are in the source: nothing is moved';
        END IF;
        _entered_at := array_fill(_now, ARRAY[_changed]) || array_fill(CAST(NULL AS bigint), ARRAY[_already]);
    END IF;
    IF _moved_ids IS DISTINCT FROM _lead_ids THEN
        {_IN_ORDER_OF_LIST};
    END IF;
    {_RECORD.in_function};
    _source_count := _source_count - _lead_count;
    _target_count := _target_count + _changed;
    {EVENT.in_function};
    RETURN QUERY {_COUNT.in_function};
END $$"""


def _steps(run: RunStep, values: Mapping[str, Any]) -> list[Row]:
    """The function above, for SQLite. Change both together."""
    locked = run(_LOCK).rows
    if len(locked) < 2 or run(_POPULATING).rows:
        return []
    now = max(values["now"], *(row["changed_at"] + 1 for row in locked))
    move_id = now << NUMBER_BITS | values["number"]
    # Encoded once for all statements.
    lead_ids = as_document(values["lead_ids"])
    already = 0
    run(_RECORD, lead_ids=lead_ids, move_id=move_id, already=already, now=now)
    changed = run(_CHANGE_AUDIENCE, lead_ids=lead_ids, now=now).changed
    if changed < values["lead_count"]:
        already = run(_LEAVE_SOURCE, lead_ids=lead_ids).changed
        if changed + already < values["lead_count"]:
            raise Undone
        run(_RECORD_ALREADY, lead_ids=lead_ids, move_id=move_id, already=already, now=now)
    counts = {row["id"]: row["prospect_count"] for row in locked}
    source_count, target_count = counts[values["source"]] - values["lead_count"], counts[values["target"]] + changed
    run(EVENT, move_id=move_id, now=now, source_count=source_count, target_count=target_count)
    return run(_COUNT, move_id=move_id, changed=changed, already=already, now=now).rows


_MOVE = Procedure(_CALL, _steps)
_PRESENT = Statement(
    f"SELECT lead_id FROM memberships WHERE {_IN_SOURCE_BY_LEAD}",
    sqlite=f"SELECT lead_id FROM memberships WHERE {_IN_SOURCE}",
)


async def move(tx: Transaction, move: Move) -> MoveResult:
    """Locks both audiences, moves the leads (distinct ids), corrects both counts and records the move: all or nothing.

    The move in the result has its counts, and a time later than the last change of either audience. The time is taken
    with both locked, so that times follow the order of commits. The id begins with this time, so ids follow it too, and
    ends with the number of the given id. Raises Undone if an audience is missing, a job populates one of them, or a
    lead is not in the source; then the transaction must not commit. Raises TransactionConflict if another move has the
    id, so the next attempt needs another one. The work grows with the number of leads, never with the size of an
    audience.
    """
    return _result(await tx.call(_MOVE, **_values(move)), move)


async def move_alone(db: Database, account_group_id: str, move: Move) -> MoveResult:
    """Like `move`, but as its own transaction: durably committed on return, and without any change after Undone."""
    return _result(await db.call(account_group_id, _MOVE, **_values(move)), move)


def _values(move: Move) -> dict[str, Any]:
    return {
        "number": number_of(move.id),
        "attempt": move.attempt,
        "source": key_of(move.source_audience_id),
        "target": key_of(move.target_audience_id),
        "source_number": number_of(move.source_audience_id),
        "target_number": number_of(move.target_audience_id),
        "lead_ids": keys_of(move.lead_ids or ()),
        "lead_count": move.moved_count,
        "now": move.moved_at,
        "api_key_id": key_or_none(move.api_key_id),
    }


def _result(rows: Sequence[Row], move: Move) -> MoveResult:
    if not rows:
        raise Undone
    left = {row["id"]: row for row in rows}
    source, target = left[key_of(move.source_audience_id)], left[key_of(move.target_audience_id)]
    already = source["already_in_target_count"]
    return MoveResult(
        move=replace(move, id=id_of(source["move_id"]), moved_at=source["changed_at"], already_in_target_count=already),
        source=audience_from(source),
        target=audience_from(target),
    )


async def list_missing(tx: Transaction, source_audience_id: str, lead_ids: Sequence[str]) -> list[str]:
    """Returns the listed leads that are not in the audience, in the order of the list."""
    keys = keys_of(lead_ids)
    rows = await tx.rows(_PRESENT, source_number=number_of(source_audience_id), lead_ids=keys)
    present = {row["lead_id"] for row in rows}
    return [lead_id for lead_id, key in zip(lead_ids, keys, strict=True) if key not in present]
