"""Watches a prospecting job until it has ended: with a live progress bar on a terminal, else with occasional lines."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from leadyard.cli.job_report import percent
from leadyard.model import ACTIVE_JOB_STATUSES, Job, JobStage, JobStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadyard.database import Database
    from leadyard.model import Caller

_LOOK_EVERY_S = 0.5
_LINE_EVERY_S = 5.0


class Display(Protocol):
    """Shows the current state of a job, repeatedly."""

    def __call__(self, job: Job) -> None: ...


async def follow(db: Database, caller: Caller, job_id: str, display: Display) -> Job:
    """Shows the job about twice a second until it has ended, and then returns it. Raises NotFound."""
    from leadyard.operations.jobs.prospecting import get_job

    while True:
        job = await get_job(db, caller, job_id=job_id)
        display(job)
        if job.status not in ACTIVE_JOB_STATUSES:
            return job
        await asyncio.sleep(_LOOK_EVERY_S)


def display_for(*, as_json: bool) -> AbstractContextManager[Display]:
    """Returns the display for standard error: a bar on a terminal, lines elsewhere, nothing with JSON output."""
    if as_json:
        return _nothing()
    return _bars() if sys.stderr.isatty() else _lines()


@contextmanager
def _nothing() -> Iterator[Display]:
    yield lambda job: None


@contextmanager
def _lines() -> Iterator[Display]:
    said: tuple[JobStatus, JobStage] | None = None
    said_at = 0.0

    def show(job: Job) -> None:
        nonlocal said, said_at
        now = time.monotonic()
        if (job.status, job.stage) != said or now - said_at >= _LINE_EVERY_S:
            said, said_at = (job.status, job.stage), now
            print(_line(job), file=sys.stderr, flush=True)

    yield show


@contextmanager
def _bars() -> Iterator[Display]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = ["{task.description}", "{task.percentage:>3.0f} %", "{task.fields[what]}"]
    texts = [TextColumn(column, markup=False) for column in columns]
    with Progress(
        texts[0], BarColumn(), *texts[1:], TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bars:
        imported = bars.add_task("Waiting for a worker", total=1.0, what="")
        enriched = bars.add_task("E-mails", total=1.0, what="", visible=False)
        # Hidden: rich measures the rows per second with it.
        rows = bars.add_task("Rows", total=None, what="", visible=False)

        def show(job: Job) -> None:
            named = "Waiting for a worker" if job.status is JobStatus.QUEUED else "Import"
            bars.update(rows, completed=job.counts.read)
            what = f"{_counts(job)}, {bars.tasks[rows].speed or 0:,.0f}/s"
            bars.update(imported, description=named, completed=job.progress[JobStage.IMPORT], what=what)
            bars.update(
                enriched,
                completed=job.progress.get(JobStage.ENRICHMENT, 0.0),
                what=f"{job.counts.emails_found:,} found",
                visible=JobStage.ENRICHMENT in job.stages,
            )

        yield show


def _line(job: Job) -> str:
    if job.status is JobStatus.QUEUED:
        return f"{job.status}: waiting for a worker"
    done = f"import {percent(job.progress[JobStage.IMPORT])}, {_counts(job)}"
    if JobStage.ENRICHMENT in job.stages:
        done += f"; enrichment {percent(job.progress[JobStage.ENRICHMENT])}, {job.counts.emails_found:,} e-mails found"
    return f"{job.status}: {done}"


def _counts(job: Job) -> str:
    counts = job.counts
    return f"{counts.read:,} read, {counts.added:,} added, {counts.rejected:,} rejected"
