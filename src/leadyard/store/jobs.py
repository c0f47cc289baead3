"""Statements on prospecting jobs: what was asked for and what has become of it."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.ids import BEYOND_EVERY_ID
from leadyard.model import AudienceType, Job, JobCounts, JobError, JobStage, JobStatus
from leadyard.store.db import Row, Statement, Transaction, as_document, from_document

COUNTS = ("read", "created", "matched", "added", "already_in_audience", "rejected", "emails_found")
COLUMNS = ", ".join(
    [
        "id, type, status, audience_id, source, search_emails, stage, import_progress, enrichment_progress",
        *(f"{name}_count" for name in COUNTS),
        "error_code, error_message, api_key_id, created_at, updated_at",
    ]
)
_MINE = "WHERE account_group_id = :account_group_id AND id = :id"
_ACTIVE = "status IN ('queued', 'running')"
_POPULATING = Statement(
    """SELECT id, audience_id FROM jobs WHERE account_group_id = :account_group_id
    AND audience_id IN :audience_ids[] AND status IN ('queued', 'running') ORDER BY audience_id LIMIT 1"""
)
_INSERT = Statement(
    """INSERT INTO jobs (account_group_id, id, type, status, audience_id, source, search_emails, api_key_id, upload_id,
    created_at, updated_at) VALUES (:account_group_id, :id, :type, 'queued', :audience_id, :source, :search_emails,
    :api_key_id, :upload_id, :created_at, :created_at)"""
)
_FIND = Statement(f"SELECT {COLUMNS} FROM jobs {_MINE}")
_LOCK = Statement(f"SELECT {COLUMNS} FROM jobs {_MINE} ORDER BY id FOR UPDATE")
_LIST = Statement(
    f"""SELECT {COLUMNS} FROM jobs WHERE account_group_id = :account_group_id AND id < :before
    AND status IN :statuses[] ORDER BY id DESC LIMIT :limit"""
)
_COUNT_ACTIVE = Statement(
    f"SELECT COUNT(*) AS active FROM jobs WHERE account_group_id = :account_group_id AND {_ACTIVE}"
)
# By way of the index of active jobs; how many have ended since the beginning is not worth reading all of them.
_COUNT_BY_STATUS = Statement(
    f"""SELECT status, count(*) AS jobs, min(created_at) AS oldest FROM jobs WHERE {_ACTIVE}
    GROUP BY status ORDER BY status""",
    across_groups=True,
)
_END = Statement(
    f"""UPDATE jobs SET status = :status, lease_until = 0, error_code = :error_code, error_message = :error_message,
    import_progress = CASE WHEN :status = 'completed' THEN 1 ELSE import_progress END,
    enrichment_progress = CASE WHEN :status = 'completed' AND search_emails THEN 1 ELSE enrichment_progress END,
    updated_at = :updated_at {_MINE} AND {_ACTIVE}"""
)
_ALL_STATUSES = tuple(JobStatus)


async def find_populating(tx: Transaction, audience_ids: Sequence[str]) -> tuple[str, str] | None:
    """Returns (audience id, job id) of an active job on one of the audiences, or None.

    Ask only after the audiences are locked: a statement sees what was committed before it began, and a job that starts
    later has to wait for the lock.
    """
    row = await tx.row(_POPULATING, audience_ids=list(audience_ids))
    return (row["audience_id"], row["id"]) if row else None


async def insert(tx: Transaction, job: Job, *, upload_id: str | None) -> None:
    """Adds a queued job."""
    await tx.run(
        _INSERT,
        id=job.id,
        type=job.type,
        audience_id=job.audience_id,
        source=as_document(dict(job.source)),
        search_emails=job.search_emails,
        api_key_id=job.api_key_id,
        upload_id=upload_id,
        created_at=job.created_at,
    )


async def find(tx: Transaction, job_id: str) -> Job | None:
    """Returns the job, or None."""
    row = await tx.row(_FIND, id=job_id)
    return job_from(row) if row else None


async def lock(tx: Transaction, job_id: str) -> Job | None:
    """Returns the job as it is now that nobody else can change it, or None."""
    row = await tx.row(_LOCK, id=job_id)
    return job_from(row) if row else None


async def list_newest_first(tx: Transaction, *, status: JobStatus | None, before: str | None, limit: int) -> list[Job]:
    """Returns at most `limit` jobs from the first id below `before` on, of that status or of all."""
    statuses = [status] if status else list(_ALL_STATUSES)
    rows = await tx.rows(_LIST, before=before or BEYOND_EVERY_ID, statuses=statuses, limit=limit)
    return [job_from(row) for row in rows]


async def count_of_group(tx: Transaction) -> int:
    """Returns how many jobs of the account group are queued or running."""
    row = await tx.row(_COUNT_ACTIVE)
    return row["active"] if row else 0


async def count_of_all_groups(tx: Transaction) -> dict[str, tuple[int, int]]:
    """Returns status → (how many jobs of all account groups, when the oldest was made) of those that are active."""
    return {row["status"]: (row["jobs"], row["oldest"]) for row in await tx.rows(_COUNT_BY_STATUS)}


async def end(tx: Transaction, job_id: str, *, status: JobStatus, error: JobError | None, updated_at: int) -> None:
    """Ends an active job that is locked."""
    await tx.run(
        _END,
        id=job_id,
        status=status,
        error_code=error.code if error else None,
        error_message=error.message if error else None,
        updated_at=updated_at,
    )


def job_from(row: Row) -> Job:
    """Returns the job that a row with COLUMNS holds."""
    error_code = row["error_code"]
    return Job(
        id=row["id"],
        type=AudienceType(row["type"]),
        status=JobStatus(row["status"]),
        audience_id=row["audience_id"],
        source=from_document(row["source"]),
        search_emails=bool(row["search_emails"]),
        stage=JobStage(row["stage"]),
        import_progress=row["import_progress"],
        enrichment_progress=row["enrichment_progress"],
        counts=JobCounts(**{name: row[f"{name}_count"] for name in COUNTS}),
        error=None if error_code is None else JobError(code=error_code, message=row["error_message"]),
        api_key_id=row["api_key_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
