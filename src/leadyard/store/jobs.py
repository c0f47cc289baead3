"""Statements on jobs of all kinds: they create, find, list and end them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, id_of, id_or_none, key_of, key_or_none, keys_of
from leadyard.model import ALL_OR_NOTHING, JOB_COUNTS, Job, JobCounts, JobError, JobKind, JobStage, JobStatus
from leadyard.store.db import Row, Statement, as_document, from_document
from leadyard.store.job_sources import source_columns, source_from, stages_from
from leadyard.store.job_status import ACTIVE

COLUMNS = ", ".join(
    [
        "id, kind, type, status, audience_id, second_audience_id, source, search_emails, stage",
        *(f"{stage}_progress" for stage in JobStage),
        *(f"{name}_count" for name in JOB_COUNTS),
        "error_code, error_message, error_extra, ends_as, change_id, api_key_id, created_at, updated_at",
    ]
)
_MINE = "WHERE account_group_id = :account_group_id AND id = :id"
_OF_KIND = f"{_MINE} AND kind IN :kinds[text]"
# Two look-ups in two indexes. With OR between the two conditions SQLite would read all jobs of the account group.
_POPULATING = Statement(
    f"""SELECT id, audience_id FROM jobs WHERE account_group_id = :account_group_id
        AND audience_id IN :audience_ids[bigint] AND {ACTIVE}
    UNION ALL SELECT id, second_audience_id AS audience_id FROM jobs WHERE account_group_id = :account_group_id
        AND second_audience_id IN :audience_ids[bigint] AND {ACTIVE}
    ORDER BY audience_id LIMIT 1"""
)
_WHOLE = ", ".join(f"'{kind}'" for kind in sorted(ALL_OR_NOTHING))
_BETWEEN = Statement(
    f"""SELECT audience_id FROM jobs WHERE account_group_id = :account_group_id
        AND audience_id IN :audience_ids[bigint] AND kind IN ({_WHOLE}) AND {ACTIVE}
    UNION ALL SELECT second_audience_id AS audience_id FROM jobs WHERE account_group_id = :account_group_id
        AND second_audience_id IN :audience_ids[bigint] AND kind IN ({_WHOLE}) AND {ACTIVE}"""
)
_INSERT = Statement(
    """INSERT INTO jobs (account_group_id, id, kind, type, status, audience_id, second_audience_id, source,
    search_emails, stage, api_key_id, upload_id, lead_ids, excluded_lead_ids, created_at, updated_at)
    VALUES (:account_group_id, :id, :kind, :type, 'queued', :audience_id, :second_audience_id, :source, :search_emails,
    :stage, :api_key_id, :upload_id, :lead_ids[bigint], :excluded_lead_ids[bigint], :created_at, :created_at)"""
)
_FIND = Statement(f"SELECT {COLUMNS} FROM jobs {_OF_KIND}")
_LOCK = Statement(f"SELECT {COLUMNS} FROM jobs {_OF_KIND} ORDER BY id FOR UPDATE")
_LIST = Statement(
    f"""SELECT {COLUMNS} FROM jobs WHERE account_group_id = :account_group_id AND id < :before
    AND kind IN :kinds[text] AND status IN :statuses[text] ORDER BY id DESC LIMIT :limit"""
)
_COUNT_ACTIVE = Statement(
    f"SELECT COUNT(*) AS active FROM jobs WHERE account_group_id = :account_group_id AND {ACTIVE}"
)
# Uses the index of active jobs. The number of ended jobs would not be worth reading all of them.
_COUNT_BY_STATUS = Statement(
    f"""SELECT status, count(*) AS jobs, min(created_at) AS oldest FROM jobs WHERE {ACTIVE}
    GROUP BY status ORDER BY status""",
    across_groups=True,
)
# A completed job has reached the end of its last stage. The stages before it are at 1 already.
_END = Statement(
    f"""UPDATE jobs SET status = :status, lease_until = 0, error_code = :error_code, error_message = :error_message,
    error_extra = :error_extra, lead_ids = NULL, excluded_lead_ids = NULL,
    {
        ", ".join(
            f"{stage}_progress = CASE WHEN :status = 'completed' AND stage = '{stage}' THEN 1 ELSE {stage}_progress END"
            for stage in JobStage
        )
    }, updated_at = :updated_at {_MINE} AND {ACTIVE}"""
)
# A new lease number, so that a worker that is applying the next part is refused.
_BEGIN_REVERSAL = Statement(
    f"""UPDATE jobs SET ends_as = :ends_as, stage = 'revert', position = NULL, error_code = :error_code,
    error_message = :error_message, error_extra = :error_extra, lease_number = lease_number + 1, lease_until = 0,
    ready_at = 0, failed_attempts = 0, updated_at = :updated_at {_MINE} AND {ACTIVE}"""
)
_LISTS = Statement(f"SELECT lead_ids, excluded_lead_ids FROM jobs {_MINE}")
_SET_CHANGE = Statement(f"UPDATE jobs SET change_id = :change_id, lead_ids = NULL, excluded_lead_ids = NULL {_MINE}")
_ALL_STATUSES = tuple(JobStatus)


async def find_populating(tx: Transaction, audience_ids: Sequence[str]) -> tuple[str, str] | None:
    """Returns (audience id, job id) of an active job on one of the audiences, or None.

    Call it only after the audiences are locked: a statement sees what was committed before it began, and a job that
    starts later has to wait for the lock.
    """
    row = await tx.row(_POPULATING, audience_ids=keys_of(audience_ids))
    return (id_of(row["audience_id"]), id_of(row["id"])) if row else None


async def find_between(tx: Transaction, audience_ids: Sequence[str]) -> set[str]:
    """Returns the locked audiences that an active job is changing completely or not at all."""
    rows = await tx.rows(_BETWEEN, audience_ids=keys_of(audience_ids)) if audience_ids else []
    return {id_of(row["audience_id"]) for row in rows}


async def insert(
    tx: Transaction, job: Job, *, lead_ids: Sequence[str] | None = None, excluded: Sequence[str] = ()
) -> None:
    """Adds a queued job, whose audiences must be locked. From the commit on they answer 409. The lists are of a
    transfer: the leads of its selection, None for all that match its filter, and the excluded ones."""
    await tx.run(
        _INSERT,
        id=key_of(job.id),
        kind=job.kind,
        audience_id=key_of(job.audience_ids[0]),
        second_audience_id=key_of(job.audience_ids[1]) if len(job.audience_ids) == 2 else None,
        stage=job.stage,
        api_key_id=key_or_none(job.api_key_id),
        created_at=job.created_at,
        lead_ids=None if lead_ids is None else keys_of(lead_ids),
        excluded_lead_ids=keys_of(excluded) if excluded else None,
        **source_columns(job),
    )


async def find(tx: Transaction, job_id: str, *kinds: JobKind) -> Job | None:
    """Returns the job of one of these kinds, or None."""
    row = await tx.row(_FIND, id=key_of(job_id), kinds=list(kinds))
    return job_from(row) if row else None


async def lock(tx: Transaction, job_id: str, *kinds: JobKind) -> Job | None:
    """Locks the job of one of these kinds and returns it, or None."""
    row = await tx.row(_LOCK, id=key_of(job_id), kinds=list(kinds))
    return job_from(row) if row else None


async def list_newest_first(
    tx: Transaction, *kinds: JobKind, status: JobStatus | None, before: str | None, limit: int
) -> list[Job]:
    """Returns at most `limit` jobs of these kinds with ids before `before`, newest first, optionally of one status."""
    statuses = [status] if status else list(_ALL_STATUSES)
    last = BEYOND_EVERY_KEY if before is None else key_of(before)
    rows = await tx.rows(_LIST, kinds=list(kinds), before=last, statuses=statuses, limit=limit)
    return [job_from(row) for row in rows]


async def count_of_group(tx: Transaction) -> int:
    """Returns the number of queued or running jobs of the account group."""
    row = await tx.row(_COUNT_ACTIVE)
    return row["active"] if row else 0


async def count_of_all_groups(tx: Transaction) -> dict[str, tuple[int, int]]:
    """Returns status → (number of jobs of all account groups, creation time of the oldest) for the active statuses."""
    return {row["status"]: (row["jobs"], row["oldest"]) for row in await tx.rows(_COUNT_BY_STATUS)}


async def end(tx: Transaction, job_id: str, *, status: JobStatus, error: JobError | None, updated_at: int) -> None:
    """Ends a locked active job."""
    await tx.run(
        _END,
        id=key_of(job_id),
        status=status,
        updated_at=updated_at,
        **_error_columns(error),
    )


async def begin_reversal(
    tx: Transaction, job_id: str, *, ends_as: JobStatus, error: JobError | None, updated_at: int
) -> None:
    """Makes a locked active job take back what it has applied, and only then end with that status. Any worker may
    claim it at once, and the one that has it now has lost it."""
    await tx.run(_BEGIN_REVERSAL, id=key_of(job_id), ends_as=ends_as, updated_at=updated_at, **_error_columns(error))


async def read_lists(tx: Transaction, job_id: str) -> tuple[list[int] | None, list[int]]:
    """Returns the keys of the leads that a transfer lists, None for all that match its filter, and of those that it
    excludes."""
    row = await tx.row(_LISTS, id=key_of(job_id))
    if row is None:
        return None, []
    return from_document(row["lead_ids"]), from_document(row["excluded_lead_ids"]) or []


async def set_change(tx: Transaction, job_id: str, change_id: str) -> None:
    """Notes the change that a held job makes, and forgets the lists of its request, which it has read."""
    await tx.run(_SET_CHANGE, id=key_of(job_id), change_id=key_of(change_id))


def job_from(row: Row) -> Job:
    """Returns the job of a row that was selected with COLUMNS."""
    error_code = row["error_code"]
    first, second = id_of(row["audience_id"]), id_or_none(row["second_audience_id"])
    stages = stages_from(row)
    return Job(
        id=id_of(row["id"]),
        kind=JobKind(row["kind"]),
        status=JobStatus(row["status"]),
        audience_ids=(first,) if second is None else (first, second),
        source=source_from(row),
        stages=stages,
        stage=JobStage(row["stage"]),
        progress={stage: row[f"{stage}_progress"] for stage in stages},
        counts=JobCounts(**{name: row[f"{name}_count"] for name in JOB_COUNTS}),
        error=None if error_code is None else _error(row),
        api_key_id=id_or_none(row["api_key_id"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        ends_as=None if row["ends_as"] is None else JobStatus(row["ends_as"]),
        change_id=id_or_none(row["change_id"]),
    )


def _error(row: Row) -> JobError:
    extra = from_document(row["error_extra"]) or {}
    return JobError(code=row["error_code"], message=row["error_message"], extra=extra)


def _error_columns(error: JobError | None) -> dict[str, Any]:
    return {
        "error_code": error.code if error else None,
        "error_message": error.message if error else None,
        "error_extra": as_document(dict(error.extra)) if error and error.extra else None,
    }
