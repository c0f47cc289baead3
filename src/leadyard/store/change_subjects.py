"""Statements that find the changes of a lead, an audience or a kind: its subjects.

The index is filled after the change, because one entry per lead would make a move slower. So a reader unites it with
the changes that are not in it yet, of which there are few. The result is exact at any time (docs/decisions/0039).
The leads that an import has created have no entries; created_leads.py finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, NO_KEY, NUMBER_BITS, id_of, key_of, key_or_none, keys_of, number_of
from leadyard.model import Change, ChangeFilter, ChangeKind
from leadyard.store import created_leads
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.changes import COLUMNS, COLUMNS_INSIDE, change_from
from leadyard.store.db import Statement, from_document

_FITS = """c.state <> 'open' AND (CAST(:kind AS text) IS NULL OR c.kind = :kind)
    AND (CAST(:audience_id AS bigint) IS NULL OR c.source_audience_id = :audience_id
        OR c.target_audience_id = :audience_id)
    AND (c.job_id IS NULL OR CAST(:without_jobs AS integer) = 0)"""
_RANGE = "{id} > CAST(:after AS bigint) AND {id} < CAST(:before AS bigint)"
_MINE = "c.account_group_id = :account_group_id"
# The newest ones are in order, so the lower end of the range only cuts the page. With both ends at the index PostgreSQL
# expects few rows, and may sort all changes of the account group instead of walking along the key.
_LIST = Statement(
    f"""SELECT {COLUMNS} FROM (SELECT {COLUMNS_INSIDE} FROM changes c
        WHERE {_MINE} AND c.id < CAST(:before AS bigint) AND c.state <> 'open'
        AND (c.job_id IS NULL OR CAST(:without_jobs AS integer) = 0) ORDER BY c.id DESC LIMIT :limit) c
    WHERE c.id > CAST(:after AS bigint) ORDER BY c.id DESC"""
)
_OF_SUBJECT = f"s.account_group_id = :account_group_id AND s.subject = :subject AND {_RANGE.format(id='s.change_id')}"
_LIST_OF_SUBJECT = Statement(
    f"""SELECT {COLUMNS} FROM change_subjects s CROSS JOIN LATERAL (SELECT {COLUMNS_INSIDE} FROM changes
        WHERE account_group_id = :account_group_id AND id = s.change_id LIMIT 1 OFFSET 0) c
    WHERE {_OF_SUBJECT} AND {_FITS} ORDER BY s.change_id DESC LIMIT :limit""",
    sqlite=f"""SELECT {COLUMNS} FROM change_subjects s CROSS JOIN changes c
    WHERE {_MINE} AND c.id = s.change_id AND {_OF_SUBJECT} AND {_FITS} ORDER BY s.change_id DESC LIMIT :limit""",
)
_TAIL = f"SELECT {COLUMNS} FROM changes c WHERE {_MINE} AND NOT c.is_indexed AND {_RANGE.format(id='c.id')} AND {_FITS}"
# OFFSET 0 prevents PostgreSQL from reading all parts of the account group into a hash table.
_LIST_TAIL = Statement(
    f"""{_TAIL} AND (CAST(:lead_id AS bigint) IS NULL OR CAST(:lead_id AS bigint) = ANY(c.lead_ids)
        OR EXISTS (SELECT 1 FROM change_parts p WHERE p.account_group_id = :account_group_id AND p.change_id = c.id
            AND CAST(:lead_id AS bigint) = ANY(p.lead_ids) LIMIT 1 OFFSET 0))
    ORDER BY c.id DESC LIMIT :limit""",
    # The lists are JSON texts, in which a key with 19 digits is found exactly.
    sqlite=f"""{_TAIL} AND (:lead_id IS NULL OR instr(c.lead_ids, CAST(:lead_id AS text)) > 0
        OR EXISTS (SELECT 1 FROM change_parts p WHERE p.account_group_id = :account_group_id AND p.change_id = c.id
            AND instr(p.lead_ids, CAST(:lead_id AS text)) > 0))
    ORDER BY c.id DESC LIMIT :limit""",
)
# The deletions of audiences whose members are still being removed: the lead has no entry yet.
_LIST_LEAVING = Statement(
    f"""SELECT {COLUMNS} FROM memberships m CROSS JOIN LATERAL (
        SELECT deleted_by_change_id FROM audiences WHERE account_group_id = :account_group_id
        AND number = m.audience_id LIMIT 1 OFFSET 0) a
    CROSS JOIN LATERAL (SELECT {COLUMNS_INSIDE} FROM changes
        WHERE account_group_id = :account_group_id AND id = a.deleted_by_change_id LIMIT 1 OFFSET 0) c
    WHERE m.account_group_id = :account_group_id AND m.lead_id = :lead_id
    AND {_RANGE.format(id="c.id")} AND {_FITS} ORDER BY c.id DESC LIMIT :limit""",
    sqlite=f"""SELECT {COLUMNS} FROM memberships m
    JOIN audiences a ON a.account_group_id = m.account_group_id AND a.number = m.audience_id
    JOIN changes c ON c.account_group_id = a.account_group_id AND c.id = a.deleted_by_change_id
    WHERE m.account_group_id = :account_group_id AND m.lead_id = :lead_id
    AND {_RANGE.format(id="c.id")} AND {_FITS} ORDER BY c.id DESC LIMIT :limit""",
)
_ADD = Statement(
    """INSERT INTO change_subjects (account_group_id, subject, change_id)
    SELECT :account_group_id, u.subject, CAST(:change_id AS bigint) FROM unnest(:subjects[bigint]) AS u(subject)
    WHERE true ON CONFLICT DO NOTHING RETURNING subject""",
    sqlite="""INSERT INTO change_subjects (account_group_id, subject, change_id)
    SELECT :account_group_id, u.value, CAST(:change_id AS bigint) FROM json_each(:subjects) AS u
    WHERE true ON CONFLICT DO NOTHING RETURNING subject""",
)
_GROUPS_TO_INDEX = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT DISTINCT account_group_id FROM changes
        WHERE NOT is_indexed AND account_group_id > CAST(:after AS bigint)
        ORDER BY account_group_id LIMIT :limit) AS found ORDER BY found.account_group_id""",
    across_groups=True,
)
# Two lists of numbers: with documents, entering 200 moves of 25 leads took a third longer.
_ADD_ALL = Statement(
    """INSERT INTO change_subjects (account_group_id, subject, change_id)
    SELECT :account_group_id, u.subject, u.change_id
    FROM unnest(:subjects[bigint], :change_ids[bigint]) AS u(subject, change_id)
    WHERE true ON CONFLICT DO NOTHING RETURNING subject""",
    # SQLite would search the second list for each entry of the first one.
    sqlite="""INSERT INTO change_subjects (account_group_id, subject, change_id)
    SELECT :account_group_id, s.value, json_extract(c.value, '$[0]')
    FROM json_each(:by_change[bigint]) c CROSS JOIN json_each(c.value, '$[1]') s
    WHERE true ON CONFLICT DO NOTHING RETURNING subject""",
)
_NUMBER_OF_KIND = {kind: number for number, kind in enumerate(ChangeKind, 1)}
_KINDS = " ".join(f"WHEN c.kind = '{kind}' THEN {number}" for kind, number in _NUMBER_OF_KIND.items())
KIND_AS_SUBJECT = f"CASE {_KINDS} END"
"""SQL for the subject of the kind of the change c."""
_THESE = "c.account_group_id = :account_group_id AND c.id IN :ids[bigint]"
_INTO_INDEX = "INSERT INTO change_subjects (account_group_id, subject, change_id)"
# The subjects go from table to table. Through our code they took 15 times our processor time on PostgreSQL, and the
# housekeeping shares the single writer of SQLite with the moves. On Citus a batch takes a few milliseconds more
# (rule 7), in the background. A change with its leads in its row has no entry before, so PostgreSQL need not look for
# one, which is half of its work. A merge may have put a lead into a list twice.
_ADD_WHOLE_CHANGES = Statement(
    f"""{_INTO_INDEX} SELECT :account_group_id, s.subject, s.id FROM (
        SELECT DISTINCT u.subject, c.id FROM changes c CROSS JOIN LATERAL
        unnest(c.lead_ids || ARRAY[{KIND_AS_SUBJECT}, -c.source_audience_id, -c.target_audience_id]) AS u(subject)
        WHERE {_THESE} AND u.subject <> 0) AS s ORDER BY s.subject, s.id""",
    sqlite=f"""{_INTO_INDEX} SELECT :account_group_id, u.value, c.id
        FROM changes c CROSS JOIN json_each(c.lead_ids) u WHERE {_THESE} AND u.value <> 0
    UNION ALL SELECT :account_group_id, {KIND_AS_SUBJECT}, c.id FROM changes c WHERE {_THESE}
    UNION ALL SELECT :account_group_id, -c.source_audience_id, c.id FROM changes c
        WHERE {_THESE} AND c.source_audience_id IS NOT NULL
    UNION ALL SELECT :account_group_id, -c.target_audience_id, c.id FROM changes c
        WHERE {_THESE} AND c.target_audience_id IS NOT NULL
    ORDER BY 2, 3 ON CONFLICT DO NOTHING""",
)
_LOCK_TO_INDEX = Statement(
    """SELECT id, kind, source_audience_id, target_audience_id, lead_count, lead_ids IS NULL AS is_in_parts,
        CASE WHEN kind = 'merge' THEN lead_ids END AS merged_ids
    FROM changes WHERE account_group_id = :account_group_id AND NOT is_indexed AND state <> 'open'
    ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"""
)
_PART_TO_INDEX = Statement(
    """SELECT position, lead_ids FROM change_parts WHERE account_group_id = :account_group_id AND change_id = :change_id
    AND NOT is_indexed ORDER BY position LIMIT 1"""
)
_PART_IS_INDEXED = Statement(
    """UPDATE change_parts SET is_indexed = true WHERE account_group_id = :account_group_id AND change_id = :change_id
    AND position = :position"""
)
_ARE_INDEXED = Statement(
    "UPDATE changes SET is_indexed = true WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"
)
_OF_LEAD = Statement(
    """SELECT change_id FROM change_subjects WHERE account_group_id = :account_group_id AND subject = :lead_id
    UNION SELECT c.id AS change_id FROM changes c WHERE c.account_group_id = :account_group_id AND NOT c.is_indexed"""
)
# The id that replaces the id of an erased lead is 24 zeros, whose key is 0.
_FORGET = Statement(
    """UPDATE changes SET lead_ids = array_replace(lead_ids, CAST(:lead_id AS bigint), CAST(:by AS bigint))
    WHERE account_group_id = :account_group_id AND id IN :ids[bigint] AND CAST(:lead_id AS bigint) = ANY(lead_ids)""",
    # The column is the JSON text of a list of integers. From 1985 until 2109 a key has 19 digits, so replacing text
    # replaces exactly one key.
    sqlite="""UPDATE changes SET lead_ids = replace(lead_ids, CAST(:lead_id AS text), CAST(:by AS text))
    WHERE account_group_id = :account_group_id AND id IN :ids[bigint]
    AND instr(lead_ids, CAST(:lead_id AS text)) > 0""",
)
_FORGET_IN_PARTS = Statement(
    """UPDATE change_parts SET lead_ids = array_replace(lead_ids, CAST(:lead_id AS bigint), CAST(:by AS bigint))
    WHERE account_group_id = :account_group_id AND change_id IN :ids[bigint]
    AND CAST(:lead_id AS bigint) = ANY(lead_ids) RETURNING change_id""",
    sqlite="""UPDATE change_parts SET lead_ids = replace(lead_ids, CAST(:lead_id AS text), CAST(:by AS text))
    WHERE account_group_id = :account_group_id AND change_id IN :ids[bigint]
    AND instr(lead_ids, CAST(:lead_id AS text)) > 0 RETURNING change_id""",
)
_FORGET_SUBJECT = Statement(
    "DELETE FROM change_subjects WHERE account_group_id = :account_group_id AND subject = :lead_id RETURNING change_id"
)


async def list_newest_first(tx: Transaction, wanted: ChangeFilter, *, before: str | None, limit: int) -> list[Change]:
    """Returns at most `limit` changes that match the filter, with ids before `before`, newest first.

    Needs a snapshot, because it runs up to four statements. The lead, else the audience, else the kind leads the
    search; the other conditions are checked for each change that it finds.
    """
    if NO_KEY in (key_or_none(wanted.audience_id), key_or_none(wanted.lead_id)):
        return []
    values = _values(wanted, before, limit)
    subject = _leading_subject(wanted)
    if subject is None:
        return [change_from(row) for row in await tx.rows(_LIST, **values)]
    rows = list(await tx.rows(_LIST_OF_SUBJECT, subject=subject, **values))
    lead_id = key_or_none(wanted.lead_id)
    rows += await tx.rows(_LIST_TAIL, lead_id=lead_id, **values)
    if lead_id is not None:
        rows += await tx.rows(_LIST_LEAVING, lead_id=lead_id, **values)
        rows += await created_leads.list_changes(tx, lead_id, **values)
    found = {row["id"]: row for row in rows}
    return [change_from(found[key]) for key in sorted(found, reverse=True)[:limit]]


async def add_leads(tx: Transaction, change_id: str, lead_ids: Sequence[str]) -> set[str]:
    """Puts leads of a change into the index. Returns those that were not there yet."""
    rows = await tx.rows(_ADD, change_id=key_of(change_id), subjects=sorted(set(keys_of(lead_ids)) - {0}))
    return {id_of(row["subject"]) for row in rows}


async def add_imported(tx: Transaction, change_id: str, lead_ids: Sequence[str], *, created_count: int) -> set[str]:
    """Puts leads of an import into the index, of which it has created the first ones. Returns the others
    without the ones that an earlier batch of it has recorded."""
    keys = keys_of(lead_ids)
    created, known = set(keys[:created_count]), set(keys[created_count:])
    known -= await created_leads.find_created(tx, change_id, known)
    subjects = sorted(known | created_leads.spans_of(created))
    added = {row["subject"] for row in await tx.rows(_ADD, change_id=key_of(change_id), subjects=subjects)}
    return {id_of(key) for key in known & added}


async def add_change(tx: Transaction, change: Change) -> None:
    """Puts the audiences and the kind of the change into the index."""
    subjects = _subjects(change.kind, key_or_none(change.source_audience_id), key_or_none(change.target_audience_id))
    await tx.rows(_ADD, change_id=key_of(change.id), subjects=subjects)


async def list_groups_to_index(tx: Transaction, *, after: str | None, limit: int) -> list[str]:
    """Returns ids of account groups with changes that are not in the index, in order of their numbers, after the given
    one."""
    last = NO_KEY if after is None else number_of(after)
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS_TO_INDEX, after=last, limit=limit)]


async def index_some(tx: Transaction, *, changes: int, leads: int) -> int:
    """Puts the oldest changes into the index that no other process is working on: at most so many, with about so many
    leads. Of a change in parts it takes one part. Returns the number of changes and parts."""
    whole: list[int] = []
    subjects_of_parts: dict[int, set[int]] = {}
    total = 0
    for row in await tx.rows(_LOCK_TO_INDEX, limit=changes):
        total += row["lead_count"]
        if total > leads and (whole or subjects_of_parts):
            break
        # The lead of a merge may have its entry already, because it was merged again since.
        if row["is_in_parts"] or row["merged_ids"] is not None:
            subjects = _subjects(row["kind"], row["source_audience_id"], row["target_audience_id"])
            subjects_of_parts[row["id"]] = {*subjects, *(from_document(row["merged_ids"]) or ())}
        else:
            whole.append(row["id"])
    done = list(whole)
    if whole:
        await tx.run(_ADD_WHOLE_CHANGES, ids=whole)
    for change_key, subjects_of_part in subjects_of_parts.items():
        lead_keys = await _next_part(tx, change_key)
        subjects_of_part.update(lead_keys or ())
        done += [change_key] if lead_keys is None else []
    if subjects_of_parts:
        await _add_all(tx, {change_key: found - {0} for change_key, found in subjects_of_parts.items()})
    if done:
        await tx.run(_ARE_INDEXED, ids=done)
    return len(whole) + len(subjects_of_parts)


async def rename_lead(tx: Transaction, lead_id: str, by: str) -> None:
    """Replaces the id of the lead by another one in all changes, for example by ERASED_ID. Their numbers do not change.
    The lead must be locked, so that no other transaction records it."""
    key = key_of(lead_id)
    ids = [row["change_id"] for row in await tx.rows(_OF_LEAD, lead_id=key)]
    ids += await created_leads.list_possible(tx, key)
    await tx.run(_FORGET, lead_id=key, by=key_of(by), ids=ids)
    named = {row["change_id"] for row in await tx.rows(_FORGET_IN_PARTS, lead_id=key, by=key_of(by), ids=ids)}
    # Last, because the housekeeping may have put them there while the statements above waited for it.
    named.update(row["change_id"] for row in await tx.rows(_FORGET_SUBJECT, lead_id=key))
    if key_of(by):
        await _add_all(tx, {change_id: {key_of(by)} for change_id in named})


async def _add_all(tx: Transaction, subjects_of_change: dict[int, set[int]]) -> None:
    # In one order, because two transactions that enter the same subjects wait for each other.
    pairs = sorted((subject, change) for change, subjects in subjects_of_change.items() for subject in subjects)
    await tx.rows(
        _ADD_ALL,
        subjects=[subject for subject, _ in pairs],
        change_ids=[change for _, change in pairs],
        by_change=[[change, sorted(subjects)] for change, subjects in sorted(subjects_of_change.items())],
    )


async def _next_part(tx: Transaction, change_key: int) -> list[int] | None:
    row = await tx.row(_PART_TO_INDEX, change_id=change_key)
    if row is None:
        return None
    await tx.run(_PART_IS_INDEXED, change_id=change_key, position=row["position"])
    keys: list[int] = from_document(row["lead_ids"])
    return keys


def _leading_subject(wanted: ChangeFilter) -> int | None:
    if wanted.lead_id is not None:
        return key_of(wanted.lead_id)
    if wanted.audience_id is not None:
        return -key_of(wanted.audience_id)
    return None if wanted.kind is None else _NUMBER_OF_KIND[wanted.kind]


def _subjects(kind: str, *audience_keys: int | None) -> list[int]:
    return [_NUMBER_OF_KIND[ChangeKind(kind)], *(-key for key in audience_keys if key is not None)]


def _values(wanted: ChangeFilter, before: str | None, limit: int) -> dict[str, Any]:
    last = BEYOND_EVERY_KEY if before is None else key_of(before)
    # An id begins with the time of its change.
    if wanted.changed_before is not None:
        last = min(last, max(0, wanted.changed_before) << NUMBER_BITS)
    first = 0 if wanted.changed_after is None else ((max(-1, wanted.changed_after) + 1) << NUMBER_BITS) - 1
    return {
        "kind": wanted.kind,
        "audience_id": key_or_none(wanted.audience_id),
        "after": min(first, BEYOND_EVERY_KEY),
        "before": last,
        "limit": limit,
        "without_jobs": int(wanted.without_jobs),
    }
