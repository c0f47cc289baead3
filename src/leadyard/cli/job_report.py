"""The output of a prospecting job: an object for programs, a few lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from leadyard.cli.table import table
from leadyard.clock import to_iso
from leadyard.model import STAGES_OF_KIND, CsvSource, Job, JobCounts, JobSource, JobStage, PlannedColumn, StageStatus

_COUNTS = {
    "read": "read",
    "created": "created",
    "matched": "matched",
    "added": "added",
    "alreadyInAudience": "already_in_audience",
    "rejected": "rejected",
    "skipped": "skipped",
    "noted": "noted",
    "differing": "differing",
    "suppressed": "suppressed",
    "emailsFound": "emails_found",
}
_TITLES = ("job", "created", "type", "status", "done", "read", "added", "rejected", "audience")
_TO_THE_RIGHT = frozenset({"done", "read", "added", "rejected"})


def job_as_dict(job: Job) -> dict[str, Any]:
    """Returns the job with the names of the API. `type` is the source, as in the API's list of jobs."""
    return {
        "jobId": job.id,
        "type": job.source.type,
        "status": job.status,
        "audienceId": job.audience_id,
        "createdAt": to_iso(job.created_at),
        "updatedAt": to_iso(job.updated_at),
        "stages": {
            stage: {"status": job.status_of(stage), "progress": job.progress.get(stage, 0.0)}
            for stage in STAGES_OF_KIND[job.kind]
        },
        "counts": counts_as_dict(job.counts),
        "error": {"code": job.error.code, "message": job.error.message} if job.error else None,
        "plan": _plan(job.source),
    }


def job_as_text(job: Job, *, account_group: str) -> str:
    """Returns a job of the account group in a few lines."""
    lines = [
        f"Job {job.id} ({job.source.type}) is {job.status}.",
        f"  audience    {job.audience_id}",
        f"  started     {to_iso(job.created_at)}, last change {to_iso(job.updated_at)}",
        *(f"  {stage:<12}{_stage(job, stage)}" for stage in STAGES_OF_KIND[job.kind]),
        f"  {counts_as_text(job.counts)}",
    ]
    if job.error:
        lines.append(f"  {job.error.code}: {job.error.message}")
    if isinstance(job.source, CsvSource) and job.source.plan:
        lines += _plan_as_text(job.source.plan)
    if job.counts.rejected:
        command = f"leadyard jobs rejected {job.id} --account-group {account_group}"
        lines.append(f"  See the rejected rows: {command}")
    return "\n".join(lines)


def _plan(source: JobSource) -> list[dict[str, Any]] | None:
    return [asdict(column) for column in source.plan] if isinstance(source, CsvSource) else None


def _plan_as_text(plan: Sequence[PlannedColumn]) -> list[str]:
    """Returns a line for each field, with its columns and why they feed it."""
    columns: dict[str, list[str]] = {}
    for column in plan:
        if column.field is not None:
            columns.setdefault(column.field, []).append(f"{column.name!r} ({column.how})")
    width = max(map(len, columns), default=0)
    custom = sum(column.how == "custom" and column.field is None for column in plan)
    lines = [f"  {field.ljust(width)}  from {', '.join(names)}" for field, names in columns.items()]
    return [*lines, *([f"  {custom:,} more columns are custom fields."] if custom else [])]


def counts_as_dict(counts: JobCounts) -> dict[str, int]:
    """Returns the counts by the names of the API."""
    return {name: getattr(counts, attribute) for name, attribute in _COUNTS.items()}


def counts_as_text(counts: JobCounts) -> str:
    """Returns the counts on one line, with the names of the API."""
    return "  ".join(f"{name} {count:,}" for name, count in counts_as_dict(counts).items())


def jobs_as_table(jobs: Sequence[Job]) -> str:
    """Returns a table with a line of titles and a line for each job."""
    return table(_TITLES, list(map(_cells, jobs)), to_the_right=_TO_THE_RIGHT)


def percent(progress: float) -> str:
    """Returns a progress from 0 to 1 as a percentage, rounded down, so that 100 % means done."""
    return f"{int(progress * 100)} %"


def _cells(job: Job) -> tuple[str, ...]:
    done = sum(job.progress.values()) / len(job.stages)
    numbers = (job.counts.read, job.counts.added, job.counts.rejected)
    return (
        job.id,
        to_iso(job.created_at)[:19] + "Z",
        job.source.type,
        job.status,
        percent(done),
        *(f"{number:,}" for number in numbers),
        job.audience_id,
    )


def _stage(job: Job, stage: JobStage) -> str:
    status = job.status_of(stage)
    unstarted = status in (StageStatus.SKIPPED, StageStatus.PENDING)
    return status if unstarted else f"{status}, {percent(job.progress[stage])}"
