"""Statements on the leases of jobs: which worker may work on which job, for how long, and how far it has come."""

from __future__ import annotations

from typing import Any

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, key_or_none, number_of
from leadyard.model import JOB_COUNTS, ClaimedJob, JobCounts, JobKind, JobPosition, JobStage
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Statement
from leadyard.store.job_positions import position_document, position_from
from leadyard.store.job_status import ACTIVE
from leadyard.store.jobs import COLUMNS, job_from

_LONGEST_LEASE_MS = 10 * 60_000
_LONGEST_PAUSE_MS = 2 * 3_600_000
_MINE = "WHERE account_group_id = :account_group_id AND id = :id"
_HELD = f"{_MINE} AND lease_number = :lease_number AND status = 'running'"
# A time further in the future than any lease or pause was written before the clock was set back. Waiting for it would
# leave the job idle for as long as the clock was wrong. Kinds that only the next version has are left to that version.
_CLAIMABLE = f"""{ACTIVE} AND kind IN ({", ".join(f"'{kind}'" for kind in JobKind)})
    AND (lease_until <= CAST(:now AS bigint) OR lease_until > CAST(:farthest_lease AS bigint))
    AND (ready_at <= CAST(:now AS bigint) OR ready_at > CAST(:farthest_pause AS bigint))"""
_RUNNING = """SUM(CASE WHEN status = 'running' AND lease_until > CAST(:now AS bigint)
    AND lease_until <= CAST(:farthest_lease AS bigint) THEN 1 ELSE 0 END)"""
# The clock of the database, so that the workers on several machines use the same one.
_CLOCK = Statement(
    "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS now",
    sqlite="SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now",
    across_groups=True,
)
_WAITING_GROUPS = Statement(
    f"""SELECT key FROM (SELECT {KEY_OF_GROUP}, running FROM (
        SELECT account_group_id, {_RUNNING} AS running FROM jobs WHERE {ACTIVE} GROUP BY account_group_id
        HAVING SUM(CASE WHEN {_CLAIMABLE} THEN 1 ELSE 0 END) > 0) AS waiting) AS keyed
    ORDER BY running, CASE WHEN key > CAST(:after AS bigint) THEN 0 ELSE 1 END, key LIMIT :limit""",
    across_groups=True,
)
_GROUP_LEFT_OUT = Statement(
    f"""SELECT account_group_id FROM jobs WHERE {ACTIVE} AND account_group_id <> CAST(:besides AS integer)
    GROUP BY account_group_id HAVING SUM(CASE WHEN {_CLAIMABLE} THEN 1 ELSE 0 END) > 0 AND {_RUNNING} = 0 LIMIT 1""",
    across_groups=True,
)
_LOCK_CLAIMABLE = Statement(
    f"""SELECT id FROM jobs WHERE account_group_id = :account_group_id AND {_CLAIMABLE}
    AND (CAST(:only_id AS bigint) IS NULL OR id = :only_id) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
# If a lease expires without being handed back, its worker has died. This counts as a failed attempt like any other.
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
    {", ".join(f"{stage}_progress = {_GREATER.format(f'{stage}_progress')}" for stage in JobStage)},
    {", ".join(f"{name}_count = {name}_count + CAST(:{name} AS bigint)" for name in JOB_COUNTS)},
    lease_until = CAST(:now AS bigint) + CAST(:lease_ms AS bigint), updated_at = :updated_at {_HELD}"""
)
_HAND_BACK = Statement(
    f"""UPDATE jobs SET lease_until = 0, ready_at = CAST(:now AS bigint) + CAST(:pause_ms AS bigint),
    failed_attempts = failed_attempts + CAST(:failures AS integer), updated_at = :updated_at {_HELD}"""
)


async def clock_ms(tx: Transaction) -> int:
    """Returns the time of the database in milliseconds, which is the only time that leases use."""
    row = await tx.row(_CLOCK)
    assert row is not None
    now: int = row["now"]
    return now


async def list_waiting_groups(tx: Transaction, *, now: int, after: str, limit: int) -> list[str]:
    """Returns account groups with a job that may be claimed, in the order of their turns: those with the fewest running
    jobs first, and among them the next one after the group `after`, which was served last."""
    rows = await tx.rows(_WAITING_GROUPS, after=key_of(after), limit=limit, **_bounds(now))
    return [id_of(row["key"]) for row in rows]


async def is_group_left_out(tx: Transaction, *, now: int, besides: str) -> bool:
    """Returns whether another account group has a claimable job but no running one."""
    return await tx.row(_GROUP_LEFT_OUT, besides=number_of(besides), **_bounds(now)) is not None


async def claim(
    tx: Transaction, *, now: int, lease_ms: int, updated_at: int, job_id: str | None = None
) -> ClaimedJob | None:
    """Takes the oldest job of the account group that may be claimed and that no other worker is claiming. With `job_id`
    only this one."""
    found = await tx.row(_LOCK_CLAIMABLE, only_id=key_or_none(job_id), **_bounds(now))
    if found is None:
        return None
    row = await tx.row(_CLAIM, id=found["id"], now=now, lease_ms=lease_ms, updated_at=updated_at)
    assert row is not None and tx.account_group_id is not None
    job = job_from(row)
    return ClaimedJob(
        job=job,
        account_group_id=tx.account_group_id,
        lease_number=row["lease_number"],
        position=position_from(job, row["position"]),
        failed_attempts=row["failed_attempts"],
    )


async def hold(tx: Transaction, claimed: ClaimedJob) -> bool:
    """Locks the row of the job. Returns whether the claim is still the latest one and the job still running."""
    return await tx.row(_HOLD, **_key(claimed)) is not None


async def extend(tx: Transaction, claimed: ClaimedJob, *, now: int, lease_ms: int) -> None:
    """Extends the lease of a held job."""
    await tx.run(_EXTEND, now=now, lease_ms=lease_ms, **_key(claimed))


async def save(
    tx: Transaction,
    claimed: ClaimedJob,
    *,
    stage: JobStage,
    position: JobPosition,
    progress: float,
    counts: JobCounts,
    now: int,
    lease_ms: int,
    updated_at: int,
) -> None:
    """Saves the progress of a held job: adds `counts`, never lowers the progress of the stage, completes the stages
    before it, extends the lease and clears earlier failures."""
    await tx.run(
        _SAVE,
        position=position_document(position),
        stage=stage,
        now=now,
        lease_ms=lease_ms,
        updated_at=updated_at,
        **_progress_columns(claimed, stage, progress),
        **{name: getattr(counts, name) for name in JOB_COUNTS},
        **_key(claimed),
    )


async def hand_back(
    tx: Transaction, claimed: ClaimedJob, *, now: int, pause_ms: int, failed: bool, updated_at: int
) -> bool:
    """Ends the lease if it is still held. Others may claim the job after the pause. Returns whether it was held."""
    values = {"now": now, "pause_ms": pause_ms, "failures": int(failed), "updated_at": updated_at}
    return await tx.run(_HAND_BACK, **values, **_key(claimed)) == 1


def _bounds(now: int) -> dict[str, int]:
    return {"now": now, "farthest_lease": now + _LONGEST_LEASE_MS, "farthest_pause": now + _LONGEST_PAUSE_MS}


def _key(claimed: ClaimedJob) -> dict[str, Any]:
    return {"id": key_of(claimed.job.id), "lease_number": claimed.lease_number}


def _progress_columns(claimed: ClaimedJob, current: JobStage, progress: float) -> dict[str, float]:
    done = claimed.job.stages[: claimed.job.stages.index(current)]
    return {f"{stage}_progress": progress if stage is current else 1.0 if stage in done else 0.0 for stage in JobStage}
