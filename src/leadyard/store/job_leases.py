"""Statements on the leases of prospecting jobs: who may work on which, for how long, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadyard.model import ClaimedJob, JobCounts, JobStage
from leadyard.store.db import Statement, Transaction, as_document, from_document
from leadyard.store.jobs import COLUMNS, COUNTS, job_from

_LONGEST_LEASE_MS = 10 * 60_000
_LONGEST_PAUSE_MS = 2 * 3_600_000
_MINE = "WHERE account_group_id = :account_group_id AND id = :id"
_ACTIVE = "status IN ('queued', 'running')"
_HELD = f"{_MINE} AND lease_number = :lease_number AND status = 'running'"
# A time that lies further ahead than any lease or pause may last was written before the clock was set back. Waiting for
# it would leave the job lying for as long as the clock was wrong.
_CLAIMABLE = f"""{_ACTIVE}
    AND (lease_until <= CAST(:now AS bigint) OR lease_until > CAST(:farthest_lease AS bigint))
    AND (ready_at <= CAST(:now AS bigint) OR ready_at > CAST(:farthest_pause AS bigint))"""
_RUNNING = """SUM(CASE WHEN status = 'running' AND lease_until > CAST(:now AS bigint)
    AND lease_until <= CAST(:farthest_lease AS bigint) THEN 1 ELSE 0 END)"""
# By the database's clock, so that the workers on several machines compare the same one.
_CLOCK = Statement(
    "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS now",
    sqlite="SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now",
    across_groups=True,
)
_WAITING_GROUPS = Statement(
    f"""SELECT account_group_id FROM jobs WHERE {_ACTIVE} GROUP BY account_group_id
    HAVING SUM(CASE WHEN {_CLAIMABLE} THEN 1 ELSE 0 END) > 0
    ORDER BY {_RUNNING}, CASE WHEN account_group_id > CAST(:after AS text) THEN 0 ELSE 1 END, account_group_id
    LIMIT :limit""",
    across_groups=True,
)
_GROUP_LEFT_OUT = Statement(
    f"""SELECT account_group_id FROM jobs WHERE {_ACTIVE} AND account_group_id <> CAST(:besides AS text)
    GROUP BY account_group_id HAVING SUM(CASE WHEN {_CLAIMABLE} THEN 1 ELSE 0 END) > 0 AND {_RUNNING} = 0 LIMIT 1""",
    across_groups=True,
)
_LOCK_CLAIMABLE = Statement(
    f"""SELECT id FROM jobs WHERE account_group_id = :account_group_id AND {_CLAIMABLE}
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
# A lease that ran out without being handed back is a worker that died over this job: a failed attempt like any other.
_CLAIM = Statement(
    f"""UPDATE jobs SET status = 'running', lease_number = lease_number + 1,
    failed_attempts = failed_attempts + CASE WHEN lease_until > 0 THEN 1 ELSE 0 END,
    lease_until = CAST(:now AS bigint) + CAST(:lease_ms AS bigint), updated_at = :updated_at {_MINE}
    RETURNING {COLUMNS}, lease_number, position, failed_attempts"""
)
_HOLD = Statement(f"SELECT id FROM jobs {_HELD} ORDER BY id FOR UPDATE")
_EXTEND = Statement(f"UPDATE jobs SET lease_until = CAST(:now AS bigint) + CAST(:lease_ms AS bigint) {_HELD}")
_GREATER = "CASE WHEN {0} > CAST(:{0} AS double precision) THEN {0} ELSE CAST(:{0} AS double precision) END"
_SAVE = Statement(
    f"""UPDATE jobs SET position = :position, failed_attempts = 0, stage = :stage,
    import_progress = {_GREATER.format("import_progress")},
    enrichment_progress = {_GREATER.format("enrichment_progress")},
    {", ".join(f"{name}_count = {name}_count + CAST(:{name} AS bigint)" for name in COUNTS)},
    lease_until = CAST(:now AS bigint) + CAST(:lease_ms AS bigint), updated_at = :updated_at {_HELD}"""
)
_HAND_BACK = Statement(
    f"""UPDATE jobs SET lease_until = 0, ready_at = CAST(:now AS bigint) + CAST(:pause_ms AS bigint),
    failed_attempts = failed_attempts + CAST(:failures AS integer), updated_at = :updated_at {_HELD}"""
)


async def clock_ms(tx: Transaction) -> int:
    """Returns the database's time in milliseconds, the only one that leases know."""
    row = await tx.row(_CLOCK)
    assert row is not None
    now: int = row["now"]
    return now


async def list_waiting_groups(tx: Transaction, *, now: int, after: str, limit: int) -> list[str]:
    """Returns account groups with a job that may be claimed, in the order of their turns: those with the fewest running
    jobs first, and among them whoever comes after the group `after`, which was served last."""
    rows = await tx.rows(_WAITING_GROUPS, after=after, limit=limit, **_bounds(now))
    return [row["account_group_id"] for row in rows]


async def is_group_left_out(tx: Transaction, *, now: int, besides: str) -> bool:
    """Returns whether another account group has a job that may be claimed and none that is being worked on."""
    return await tx.row(_GROUP_LEFT_OUT, besides=besides, **_bounds(now)) is not None


async def claim(tx: Transaction, *, now: int, lease_ms: int, updated_at: int) -> ClaimedJob | None:
    """Takes the oldest job of the account group that may be claimed and that nobody is claiming just now."""
    found = await tx.row(_LOCK_CLAIMABLE, **_bounds(now))
    if found is None:
        return None
    row = await tx.row(_CLAIM, id=found["id"], now=now, lease_ms=lease_ms, updated_at=updated_at)
    assert row is not None and tx.account_group_id is not None
    return ClaimedJob(
        job=job_from(row),
        account_group_id=tx.account_group_id,
        lease_number=row["lease_number"],
        position=from_document(row["position"]),
        failed_attempts=row["failed_attempts"],
    )


async def hold(tx: Transaction, claimed: ClaimedJob) -> bool:
    """Locks the job's row. Returns whether the claim is still the last one and the job still running."""
    return await tx.row(_HOLD, **_key(claimed)) is not None


async def extend(tx: Transaction, claimed: ClaimedJob, *, now: int, lease_ms: int) -> None:
    """Extends the lease of a held job."""
    await tx.run(_EXTEND, now=now, lease_ms=lease_ms, **_key(claimed))


async def save(
    tx: Transaction,
    claimed: ClaimedJob,
    *,
    stage: JobStage,
    position: Mapping[str, Any] | None,
    progress: float,
    counts: JobCounts,
    now: int,
    lease_ms: int,
    updated_at: int,
) -> None:
    """Writes how far a held job has come: `counts` are added, the progress of the stage never goes back, the lease is
    extended and earlier failures are forgotten."""
    await tx.run(
        _SAVE,
        position=None if position is None else as_document(dict(position)),
        stage=stage,
        import_progress=progress if stage is JobStage.IMPORT else 1.0,
        enrichment_progress=progress if stage is JobStage.ENRICHMENT else 0.0,
        now=now,
        lease_ms=lease_ms,
        updated_at=updated_at,
        **{name: getattr(counts, name) for name in COUNTS},
        **_key(claimed),
    )


async def hand_back(
    tx: Transaction, claimed: ClaimedJob, *, now: int, pause_ms: int, failed: bool, updated_at: int
) -> bool:
    """Ends the lease, if it is still held; others may claim the job after the pause. Returns whether it was held."""
    values = {"now": now, "pause_ms": pause_ms, "failures": int(failed), "updated_at": updated_at}
    return await tx.run(_HAND_BACK, **values, **_key(claimed)) == 1


def _bounds(now: int) -> dict[str, int]:
    return {"now": now, "farthest_lease": now + _LONGEST_LEASE_MS, "farthest_pause": now + _LONGEST_PAUSE_MS}


def _key(claimed: ClaimedJob) -> dict[str, Any]:
    return {"id": claimed.job.id, "lease_number": claimed.lease_number}
