"""The output of a prospecting job: an object for programs, a few lines for people."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from leadyard.cli.audience_names import AudienceNames
from leadyard.cli.output import Data
from leadyard.cli.table import table
from leadyard.model import ACTIVE_JOB_STATUSES, JobCounts, StageStatus

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
# A worker saves a batch every few seconds, and a dead worker's lease has ended by then.
_SILENT_FOR_S = 60
_WITHOUT_PROGRESS = (StageStatus.SKIPPED, StageStatus.PENDING)


def job_as_dict(job: Data) -> Data:
    """Returns a job of the API as the commands print it. `type` is the source, as in the API's list of jobs."""
    return {
        "jobId": job["jobId"],
        "type": job["sourceType"],
        **{name: job[name] for name in ("status", "audienceId", "createdAt", "updatedAt", "stages")},
        "counts": counts_in_order(job["counts"]),
        "error": job["error"],
        "plan": job["plan"],
    }


def job_as_text(job: Data, *, options: str) -> str:
    """Returns a job of the API in a few lines. `options` are those with which another command gets there."""
    lines = [
        f"Job {job['jobId']} ({job['sourceType']}) is {job['status']}.",
        f"  audience    {job['audienceId']}",
        f"  started     {job['createdAt']}, last change {job['updatedAt']}",
        *(f"  {name:<12}{_stage(stage)}" for name, stage in job["stages"].items()),
        f"  {counts_as_text(counts_in_order(job['counts']))}",
    ]
    silent_s = time.time() - datetime.fromisoformat(job["updatedAt"]).timestamp()
    if job["status"] in ACTIVE_JOB_STATUSES and silent_s > _SILENT_FOR_S:
        lines.append(f"  No worker has saved anything for {_minutes(silent_s)}. Check that 'leadyard worker' runs.")
        lines.append("  With an SQLite file, 'leadyard serve' works on jobs, too.")
    if job["error"]:
        lines.append(f"  {job['error']['code']}: {job['error']['message']}")
    if job["plan"]:
        lines += _plan_as_text(job["plan"])
    if job["counts"]["rejected"]:
        lines.append(f"  See the rejected rows: leadyard jobs rejected {job['jobId']}{options}")
    return "\n".join(lines)


def _plan_as_text(plan: Sequence[Data]) -> list[str]:
    """Returns a line for each field, with its columns and why they feed it."""
    columns: dict[str, list[str]] = {}
    for column in plan:
        if column["field"] is not None:
            columns.setdefault(column["field"], []).append(f"{column['name']!r} ({column['how']})")
    width = max(map(len, columns), default=0)
    custom = sum(column["how"] == "custom" and column["field"] is None for column in plan)
    lines = [f"  {field.ljust(width)}  from {', '.join(names)}" for field, names in columns.items()]
    if custom:
        are = "column is a custom field" if custom == 1 else "columns are custom fields"
        lines.append(f"  {custom:,} more {are}.")
    return lines


def _minutes(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes:,} minute" if minutes == 1 else f"{minutes:,} minutes"


def counts_as_dict(counts: JobCounts) -> dict[str, int]:
    """Returns the counts by the names of the API."""
    return {name: getattr(counts, attribute) for name, attribute in _COUNTS.items()}


def counts_in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Returns the counts of the API in the order in which the commands print them."""
    return {name: counts[name] for name in _COUNTS}


def counts_as_text(counts: Mapping[str, int]) -> str:
    """Returns the counts on one line, with the names of the API."""
    return "  ".join(f"{name} {count:,}" for name, count in counts.items())


def jobs_as_table(jobs: Sequence[Data], names: AudienceNames) -> str:
    """Returns a table with a line of titles and a line for each job, which is as `job_as_dict` returns it."""
    return table(_TITLES, [_cells(each, names) for each in jobs], to_the_right=_TO_THE_RIGHT)


def percent(progress: float) -> str:
    """Returns a progress from 0 to 1 as a percentage, rounded down, so that 100 % means done."""
    return f"{int(progress * 100)} %"


def _cells(job: Data, names: AudienceNames) -> tuple[str, ...]:
    stages = [stage["progress"] for stage in job["stages"].values() if stage["status"] != StageStatus.SKIPPED]
    numbers = (job["counts"][name] for name in ("read", "added", "rejected"))
    return (
        job["jobId"],
        f"{job['createdAt'][:19]}Z",
        job["type"],
        job["status"],
        percent(sum(stages) / len(stages) if stages else 0.0),
        *(f"{number:,}" for number in numbers),
        names.of(job["audienceId"]),
    )


def _stage(stage: Data) -> str:
    status: str = stage["status"]
    return status if status in _WITHOUT_PROGRESS else f"{status}, {percent(stage['progress'])}"
