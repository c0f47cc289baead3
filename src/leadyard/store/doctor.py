"""Statements that search for violations of the guarantees of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import NUMBER_BITS, id_or_none
from leadyard.model import Discrepancy
from leadyard.store import record_replay
from leadyard.store.change_subjects import KIND_AS_SUBJECT
from leadyard.store.db import Row, Statement
from leadyard.store.job_status import ACTIVE, ACTIVE_J

_LIMIT = 100
_KEYS = {"id", "job_id", "event_id", "audience_id", "lead_id", "search_block_id"}

_DRIFTED_COUNTS = Statement(
    """SELECT a.id, a.prospect_count, count(m.lead_id) AS members FROM audiences a
    LEFT JOIN memberships m ON m.account_group_id = a.account_group_id AND m.audience_id = a.number
    WHERE a.account_group_id = :account_group_id
    GROUP BY a.id, a.prospect_count HAVING a.prospect_count <> count(m.lead_id) ORDER BY a.id LIMIT :limit"""
)
# Only locks ensure that the audience of a membership exists, so this check is not only one for damage. One look-up per
# membership, because a join that is planned without statistics may read all leads for each of them
# (docs/decisions/0007).
_ORPHANS = Statement(
    """SELECT m.lead_id, m.audience_id AS audience_number, (SELECT a.id FROM audiences a
        WHERE a.account_group_id = m.account_group_id AND a.number = m.audience_id LIMIT 1 OFFSET 0) AS audience_id
    FROM memberships m WHERE m.account_group_id = :account_group_id
    AND (NOT EXISTS (SELECT 1 FROM audiences a WHERE a.account_group_id = m.account_group_id
            AND a.number = m.audience_id LIMIT 1 OFFSET 0)
        OR NOT EXISTS (SELECT 1 FROM leads l WHERE l.account_group_id = m.account_group_id
            AND l.id = m.lead_id LIMIT 1 OFFSET 0)) LIMIT :limit"""
)
_MISCOUNTED_JOBS = Statement(
    """SELECT id, read_count, created_count + matched_count + rejected_count AS accounted_count FROM jobs
    WHERE account_group_id = :account_group_id AND read_count <> created_count + matched_count + rejected_count
    ORDER BY id LIMIT :limit"""
)
_ON_DELETED_AUDIENCES = Statement(
    f"""SELECT j.id, a.id AS audience_id FROM jobs j
    JOIN audiences a ON a.account_group_id = j.account_group_id AND a.id IN (j.audience_id, j.second_audience_id)
    WHERE j.account_group_id = :account_group_id AND {ACTIVE_J} AND a.deleted_at IS NOT NULL
    ORDER BY j.id, a.id LIMIT :limit"""
)
# Each of the two columns has a unique index. That an audience is not in one column and in the other is up to the locks.
_IN_TWO_JOBS = Statement(
    f"""SELECT both_columns.audience_id, count(*) AS jobs FROM (
        SELECT audience_id FROM jobs WHERE account_group_id = :account_group_id AND {ACTIVE}
        UNION ALL SELECT second_audience_id FROM jobs WHERE account_group_id = :account_group_id
            AND second_audience_id IS NOT NULL AND {ACTIVE}) AS both_columns
    GROUP BY both_columns.audience_id HAVING count(*) > 1 ORDER BY both_columns.audience_id LIMIT :limit"""
)
# Hidden for ever, if no job completes it or takes it back.
_ABANDONED_CHANGES = Statement(
    f"""SELECT c.id, c.job_id FROM changes c WHERE c.account_group_id = :account_group_id AND c.state = 'open'
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.account_group_id = c.account_group_id AND j.id = c.job_id
        AND {ACTIVE_J} LIMIT 1 OFFSET 0) ORDER BY c.id LIMIT :limit"""
)
_UNDONE_PLANS = Statement(
    """SELECT p.change_id AS id, p.position FROM change_parts p
    JOIN changes c ON c.account_group_id = p.account_group_id AND c.id = p.change_id
    WHERE p.account_group_id = :account_group_id AND p.is_planned AND c.state <> 'open'
    ORDER BY p.change_id, p.position LIMIT :limit"""
)
_TOO_MANY_REJECTIONS = Statement(
    """SELECT j.id, j.rejected_count, count(r.number) AS stored FROM jobs j
    JOIN job_rejections r ON r.account_group_id = j.account_group_id AND r.job_id = j.id
    WHERE j.account_group_id = :account_group_id AND NOT r.is_note
    GROUP BY j.id, j.rejected_count HAVING count(r.number) > j.rejected_count ORDER BY j.id LIMIT :limit"""
)
# The transaction that removes the first piece also clears the size. The length of a piece is found without reading it.
_INCOMPLETE_UPLOADS = Statement(
    """SELECT u.id, u.size_bytes, COALESCE(sum(length(p.content)), 0) AS stored_bytes FROM uploads u
    LEFT JOIN upload_pieces p ON p.account_group_id = u.account_group_id AND p.upload_id = u.id
    WHERE u.account_group_id = :account_group_id AND u.size_bytes IS NOT NULL
    GROUP BY u.id, u.size_bytes HAVING u.size_bytes <> COALESCE(sum(length(p.content)), 0)
    ORDER BY u.id LIMIT :limit"""
)
# Found in its block, a lead is found by every search. One look-up per lead, for the same reason as above.
_NOT_SEARCHABLE = Statement(
    """SELECT l.id, l.search_block_id FROM leads l WHERE l.account_group_id = :account_group_id
    AND NOT EXISTS (SELECT 1 FROM search_blocks b WHERE b.account_group_id = l.account_group_id
        AND b.id = l.search_block_id AND l.id BETWEEN b.first_lead_id AND b.last_lead_id LIMIT 1 OFFSET 0)
    ORDER BY l.id LIMIT :limit"""
)
# An identity of a merged person that leads to no lead, or that another lead has in its own row. SQLite uses the index
# of an expression only for a value without the affinity of a column, hence the || ''.
_MISLED = Statement(
    """SELECT i.lead_id, i.kind FROM lead_identities i WHERE i.account_group_id = :account_group_id AND (
        NOT EXISTS (SELECT 1 FROM leads l WHERE l.account_group_id = :account_group_id AND l.id = i.lead_id
            LIMIT 1 OFFSET 0)
        OR i.kind = 'email' AND EXISTS (SELECT 1 FROM leads l WHERE l.account_group_id = :account_group_id
            AND l.email = i.value AND l.shared_email_name IS NULL AND l.id <> i.lead_id LIMIT 1 OFFSET 0)
        OR i.kind = 'public_identifier' AND EXISTS (SELECT 1 FROM leads l WHERE l.account_group_id = :account_group_id
            AND lower(l.public_identifier) = i.value || '' AND l.public_identifier IS NOT NULL AND l.id <> i.lead_id
            LIMIT 1 OFFSET 0))
    ORDER BY i.lead_id, i.kind LIMIT :limit"""
)
# Not of changes whose events may have been removed because of their age. An event gets its place soon after its change,
# or before it if the times of changes run ahead of the clock: hence an hour.
_UNREPORTED = Statement(
    f"""SELECT c.id, c.kind FROM changes c LEFT JOIN (
        SELECT e.change_id FROM events e WHERE e.account_group_id = :account_group_id AND e.change_id IS NOT NULL
        UNION SELECT o.change_id FROM event_outbox o WHERE o.account_group_id = :account_group_id) AS reported
    ON reported.change_id = c.id
    WHERE c.account_group_id = :account_group_id AND c.state <> 'open' AND reported.change_id IS NULL
    AND c.id > COALESCE((SELECT f.removed_through FROM event_feeds f WHERE f.account_group_id = :account_group_id), 0)
        + {3_600_000 << NUMBER_BITS} ORDER BY c.id LIMIT :limit"""
)
_BEYOND_THE_END = Statement(
    """SELECT e.id FROM events e WHERE e.account_group_id = :account_group_id AND e.id > COALESCE((
        SELECT f.last_id FROM event_feeds f WHERE f.account_group_id = :account_group_id), 0)
    ORDER BY e.id LIMIT :limit"""
)
# Beyond the end of its feed, a webhook would leave out the events that get these places.
_BEYOND_THE_FEED = Statement(
    """SELECT w.id, w.position AS event_id FROM webhooks w
    LEFT JOIN event_feeds f ON f.account_group_id = w.account_group_id
    WHERE w.account_group_id = :account_group_id AND w.position > COALESCE(f.last_id, 0) ORDER BY w.id LIMIT :limit"""
)
# A worker looks for retries at ready_at, and not before.
_FORGOTTEN_RETRIES = Statement(
    """SELECT w.id, count(*) AS retries FROM webhooks w
    JOIN webhook_deliveries d ON d.account_group_id = w.account_group_id AND d.webhook_id = w.id
    WHERE w.account_group_id = :account_group_id AND d.status = 'pending' AND w.status <> 'deleted'
    AND (d.next_attempt_at IS NULL OR w.ready_at IS NULL OR w.ready_at > d.next_attempt_at)
    GROUP BY w.id ORDER BY w.id LIMIT :limit"""
)
# Changes that the housekeeping has not put into the index, and that have an entry all the same. On PostgreSQL its
# statement then fails. Only among the oldest ones, because the others come after them.
_OLDEST_TO_INDEX = """FROM (SELECT id, kind, source_audience_id, target_audience_id, lead_ids FROM changes
        WHERE account_group_id = :account_group_id AND NOT is_indexed AND state <> 'open' AND lead_ids IS NOT NULL
        ORDER BY id LIMIT 200) c"""
_ENTRY = "FROM change_subjects s WHERE s.account_group_id = :account_group_id AND s.change_id = c.id AND s.subject"
_IN_INDEX_TOO_EARLY = Statement(
    f"""SELECT c.id {_OLDEST_TO_INDEX} WHERE EXISTS (
        SELECT 1 FROM unnest(c.lead_ids || ARRAY[{KIND_AS_SUBJECT}, -c.source_audience_id, -c.target_audience_id])
            AS u(subject)
        CROSS JOIN LATERAL (SELECT 1 {_ENTRY} = u.subject LIMIT 1 OFFSET 0) e) ORDER BY c.id LIMIT :limit""",
    sqlite=f"""SELECT c.id {_OLDEST_TO_INDEX} WHERE EXISTS (SELECT 1 {_ENTRY} IN (
        SELECT u.value FROM json_each(c.lead_ids) u UNION ALL SELECT {KIND_AS_SUBJECT}
        UNION ALL SELECT -c.source_audience_id UNION ALL SELECT -c.target_audience_id))
    ORDER BY c.id LIMIT :limit""",
)
_TOTALS = Statement(
    """SELECT (SELECT count(*) FROM audiences WHERE account_group_id = :account_group_id
        AND deleted_at IS NULL) AS audiences,
    (SELECT count(*) FROM leads WHERE account_group_id = :account_group_id) AS leads,
    (SELECT count(*) FROM memberships WHERE account_group_id = :account_group_id) AS memberships,
    (SELECT count(*) FROM changes WHERE account_group_id = :account_group_id AND state <> 'open') AS changes,
    (SELECT count(*) FROM jobs WHERE account_group_id = :account_group_id) AS jobs"""
)


_CHECKS = {
    "prospect_count": _DRIFTED_COUNTS,
    "orphan": _ORPHANS,
    "abandoned_change": _ABANDONED_CHANGES,
    "planned_part": _UNDONE_PLANS,
    "job_counts": _MISCOUNTED_JOBS,
    "job_on_deleted_audience": _ON_DELETED_AUDIENCES,
    "jobs_on_audience": _IN_TWO_JOBS,
    "job_rejections": _TOO_MANY_REJECTIONS,
    "upload_pieces": _INCOMPLETE_UPLOADS,
    "search": _NOT_SEARCHABLE,
    "identity": _MISLED,
    "event": _UNREPORTED,
    "feed": _BEYOND_THE_END,
    "webhook_position": _BEYOND_THE_FEED,
    "webhook_retries": _FORGOTTEN_RETRIES,
    "index": _IN_INDEX_TOO_EARLY,
}


async def find_discrepancies(tx: Transaction, told: Callable[[int], None]) -> list[Discrepancy]:
    """Returns all violated invariants of the account group, at most 100 for each check. The names of the facts are the
    columns of the statement of the check, with ids in place of keys. `told` is called with each number of changes that
    were read, or of memberships that were compared with them. Needs a snapshot."""
    found = [
        Discrepancy(check=check, facts=_facts(row))
        for check, statement in _CHECKS.items()
        for row in await tx.rows(statement, limit=_LIMIT)
    ]
    found += await record_replay.find_miscounted(tx, most=_LIMIT)
    return [*found, *await record_replay.find_unexplained(tx, told, most=_LIMIT)]


def _facts(row: Row) -> dict[str, Any]:
    return {name: _id(value) if name in _KEYS else value for name, value in dict(row).items()}


def _id(key: int | None) -> str | None:
    """Returns the id, or the number itself if a damaged row has one that is not a key."""
    try:
        return id_or_none(key)
    except ValueError:
        return str(key)


async def count_rows(tx: Transaction) -> dict[str, int]:
    """Returns the numbers of audiences, leads, memberships, changes and jobs of the account group."""
    row = await tx.row(_TOTALS)
    assert row is not None
    return {name: row[name] for name in ("audiences", "leads", "memberships", "changes", "jobs")}
