"""A prospecting job as the commands show it: as an object for programs, as a few lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.clock import to_iso
from leadyard.model import Job, JobCounts, StageStatus

_COUNTS = {
    "read": "read",
    "created": "created",
    "matched": "matched",
    "added": "added",
    "alreadyInAudience": "already_in_audience",
    "rejected": "rejected",
    "emailsFound": "emails_found",
}
_TITLES = ("job", "created", "type", "status", "done", "read", "added", "rejected", "audience")
_TO_THE_RIGHT = frozenset({"done", "read", "added", "rejected"})


def job_as_dict(job: Job) -> dict[str, Any]:
    """Returns the job under the names that the API uses; `type` is the source, as in its list of jobs."""
    return {
        "jobId": job.id,
        "type": job.type,
        "status": job.status,
        "audienceId": job.audience_id,
        "createdAt": to_iso(job.created_at),
        "updatedAt": to_iso(job.updated_at),
        "stages": {
            "import": {"status": job.import_status, "progress": job.import_progress},
            "enrichment": {"status": job.enrichment_status, "progress": job.enrichment_progress},
        },
        "counts": {name: getattr(job.counts, attribute) for name, attribute in _COUNTS.items()},
        "error": {"code": job.error.code, "message": job.error.message} if job.error else None,
    }


def job_as_text(job: Job, *, account_group: str) -> str:
    """Returns everything about the job of that account group in a few lines."""
    lines = [
        f"Job {job.id} ({job.type}) is {job.status}.",
        f"  audience    {job.audience_id}",
        f"  started     {to_iso(job.created_at)}, last change {to_iso(job.updated_at)}",
        f"  import      {_stage(job.import_status, job.import_progress)}",
        f"  enrichment  {_stage(job.enrichment_status, job.enrichment_progress)}",
        f"  {counts_as_text(job.counts)}",
    ]
    if job.error:
        lines.append(f"  {job.error.code}: {job.error.message}")
    if job.counts.rejected:
        command = f"leadyard jobs rejected {job.id} --account-group {account_group}"
        lines.append(f"  '{command}' has the rejected rows and the reasons.")
    return "\n".join(lines)


def counts_as_text(counts: JobCounts) -> str:
    """Returns the counts on one line, by the names of the API."""
    return "  ".join(f"{name} {getattr(counts, attribute):,}" for name, attribute in _COUNTS.items())


def jobs_as_table(jobs: Sequence[Job]) -> str:
    """Returns a line for each job under a line of titles, in columns."""
    rows = [_TITLES, *map(_cells, jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def percent(progress: float) -> str:
    """Returns a progress from 0 to 1 for people. 100 % is said only of what is done."""
    return f"{int(progress * 100)} %"


def _cells(job: Job) -> tuple[str, ...]:
    done = job.import_progress if not job.search_emails else (job.import_progress + job.enrichment_progress) / 2
    numbers = (job.counts.read, job.counts.added, job.counts.rejected)
    return (
        job.id,
        to_iso(job.created_at)[:19] + "Z",
        job.type,
        job.status,
        percent(done),
        *(f"{number:,}" for number in numbers),
        job.audience_id,
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if title in _TO_THE_RIGHT else cell.ljust(width)
        for title, cell, width in zip(_TITLES, row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _stage(status: StageStatus, progress: float) -> str:
    return status if status in (StageStatus.SKIPPED, StageStatus.PENDING) else f"{status}, {percent(progress)}"
