"""Statements that look for what must never be."""

from __future__ import annotations

from leadyard.store.db import Row, Statement, Transaction

_LIMIT = 100

_DRIFTED_COUNTS = Statement(
    """SELECT a.id, a.prospect_count, count(m.lead_id) AS members FROM audiences a
    LEFT JOIN memberships m ON m.account_group_id = a.account_group_id AND m.audience_id = a.id
    WHERE a.account_group_id = :account_group_id
    GROUP BY a.id, a.prospect_count HAVING a.prospect_count <> count(m.lead_id) ORDER BY a.id LIMIT :limit"""
)
# One look-up per membership: a join, planned without statistics, may read all leads for each (docs/decisions/0007).
_ORPHANS = Statement(
    """SELECT m.audience_id, m.lead_id FROM memberships m WHERE m.account_group_id = :account_group_id
    AND (NOT EXISTS (SELECT 1 FROM audiences a WHERE a.account_group_id = m.account_group_id
            AND a.id = m.audience_id LIMIT 1 OFFSET 0)
        OR NOT EXISTS (SELECT 1 FROM leads l WHERE l.account_group_id = m.account_group_id
            AND l.id = m.lead_id LIMIT 1 OFFSET 0)) LIMIT :limit"""
)
# Whoever changes an audience takes a time no earlier than the last change, so a lead that is in the source since before
# it was moved out of it never left.
_HALF_MOVED = Statement(
    """SELECT v.id, count(*) AS lead_count FROM moves v CROSS JOIN LATERAL unnest(v.lead_ids) AS u(lead_id)
    JOIN memberships m ON m.account_group_id = v.account_group_id AND m.audience_id = v.source_audience_id
        AND m.lead_id = u.lead_id AND m.added_at < v.moved_at
    WHERE v.account_group_id = :account_group_id GROUP BY v.id ORDER BY v.id LIMIT :limit""",
    sqlite="""SELECT v.id, count(*) AS lead_count FROM moves v CROSS JOIN json_each(v.lead_ids) u
    JOIN memberships m ON m.account_group_id = v.account_group_id AND m.audience_id = v.source_audience_id
        AND m.lead_id = u.value AND m.added_at < v.moved_at
    WHERE v.account_group_id = :account_group_id GROUP BY v.id ORDER BY v.id LIMIT :limit""",
)
_MISCOUNTED_MOVES = Statement(
    """SELECT id, moved_count, cardinality(lead_ids) AS lead_count FROM moves
    WHERE account_group_id = :account_group_id AND moved_count <> cardinality(lead_ids) ORDER BY id LIMIT :limit""",
    sqlite="""SELECT id, moved_count, json_array_length(lead_ids) AS lead_count FROM moves
    WHERE account_group_id = :account_group_id AND moved_count <> json_array_length(lead_ids)
    ORDER BY id LIMIT :limit""",
)
_MISCOUNTED_JOBS = Statement(
    """SELECT id, read_count, created_count + matched_count + rejected_count AS accounted_count FROM jobs
    WHERE account_group_id = :account_group_id AND read_count <> created_count + matched_count + rejected_count
    ORDER BY id LIMIT :limit"""
)
_ON_DELETED_AUDIENCES = Statement(
    """SELECT j.id, j.audience_id FROM jobs j
    JOIN audiences a ON a.account_group_id = j.account_group_id AND a.id = j.audience_id
    WHERE j.account_group_id = :account_group_id AND j.status IN ('queued', 'running') AND a.deleted_at IS NOT NULL
    ORDER BY j.id LIMIT :limit"""
)
_TOO_MANY_REJECTIONS = Statement(
    """SELECT j.id, j.rejected_count, count(r.number) AS stored FROM jobs j
    JOIN job_rejections r ON r.account_group_id = j.account_group_id AND r.job_id = j.id
    WHERE j.account_group_id = :account_group_id
    GROUP BY j.id, j.rejected_count HAVING count(r.number) > j.rejected_count ORDER BY j.id LIMIT :limit"""
)
# Whoever removes the first piece forgets the size in the same transaction. How long a piece is costs no reading of it.
_INCOMPLETE_UPLOADS = Statement(
    """SELECT u.id, u.size_bytes, COALESCE(sum(length(p.content)), 0) AS stored_bytes FROM uploads u
    LEFT JOIN upload_pieces p ON p.account_group_id = u.account_group_id AND p.upload_id = u.id
    WHERE u.account_group_id = :account_group_id AND u.size_bytes IS NOT NULL
    GROUP BY u.id, u.size_bytes HAVING u.size_bytes <> COALESCE(sum(length(p.content)), 0)
    ORDER BY u.id LIMIT :limit"""
)
_TOTALS = Statement(
    """SELECT (SELECT count(*) FROM audiences WHERE account_group_id = :account_group_id
        AND deleted_at IS NULL) AS audiences,
    (SELECT count(*) FROM leads WHERE account_group_id = :account_group_id) AS leads,
    (SELECT count(*) FROM memberships WHERE account_group_id = :account_group_id) AS memberships,
    (SELECT count(*) FROM moves WHERE account_group_id = :account_group_id) AS moves,
    (SELECT count(*) FROM jobs WHERE account_group_id = :account_group_id) AS jobs"""
)


async def find_drifted_counts(tx: Transaction) -> list[Row]:
    """Returns audiences (id, prospect_count, members) whose count is not the number of their members."""
    return await tx.rows(_DRIFTED_COUNTS, limit=_LIMIT)


async def find_orphans(tx: Transaction) -> list[Row]:
    """Returns memberships (audience_id, lead_id) without an audience or a lead."""
    return await tx.rows(_ORPHANS, limit=_LIMIT)


async def find_half_moved(tx: Transaction) -> list[Row]:
    """Returns moves (id, lead_count) some of whose leads never left the source."""
    return await tx.rows(_HALF_MOVED, limit=_LIMIT)


async def find_miscounted_moves(tx: Transaction) -> list[Row]:
    """Returns moves (id, moved_count, lead_count) that list another number of leads than they count."""
    return await tx.rows(_MISCOUNTED_MOVES, limit=_LIMIT)


async def find_miscounted_jobs(tx: Transaction) -> list[Row]:
    """Returns jobs (id, read_count, accounted_count) that have read another number of prospects than they tell of."""
    return await tx.rows(_MISCOUNTED_JOBS, limit=_LIMIT)


async def find_jobs_on_deleted_audiences(tx: Transaction) -> list[Row]:
    """Returns active jobs (id, audience_id) whose audience was deleted."""
    return await tx.rows(_ON_DELETED_AUDIENCES, limit=_LIMIT)


async def find_excess_rejections(tx: Transaction) -> list[Row]:
    """Returns jobs (id, rejected_count, stored) that keep more rejected rows than they count."""
    return await tx.rows(_TOO_MANY_REJECTIONS, limit=_LIMIT)


async def find_incomplete_uploads(tx: Transaction) -> list[Row]:
    """Returns complete uploads (id, size_bytes, stored_bytes) whose pieces are not as long as the whole."""
    return await tx.rows(_INCOMPLETE_UPLOADS, limit=_LIMIT)


async def count_rows(tx: Transaction) -> dict[str, int]:
    """Returns how many audiences, leads, memberships, moves and jobs the account group has."""
    row = await tx.row(_TOTALS)
    assert row is not None
    return {name: row[name] for name in ("audiences", "leads", "memberships", "moves", "jobs")}
