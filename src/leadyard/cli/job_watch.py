"""Watching a prospecting job until it has ended: a live progress bar on a terminal, else a line now and then."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from leadyard.cli.job_report import percent
from leadyard.model import ACTIVE_JOB_STATUSES, Job, JobStage, JobStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadyard.model import Caller
    from leadyard.operations.operation import Database

_LOOK_EVERY_S = 0.5
_LINE_EVERY_S = 5.0
_SPEED_OVER_S = 10.0


class Display(Protocol):
    """Shows a job as it is now, again and again."""

    def __call__(self, job: Job, *, speed: float) -> None: ...


async def follow(db: Database, caller: Caller, job_id: str, display: Display) -> Job:
    """Shows the job about twice a second until it has ended, and returns it then. Raises NotFound."""
    from leadyard.operations.prospecting import get_job

    speed = Speed()
    while True:
        job = await get_job(db, caller, job_id=job_id)
        display(job, speed=speed.with_now(job.counts.read, time.monotonic()))
        if job.status not in ACTIVE_JOB_STATUSES:
            return job
        await asyncio.sleep(_LOOK_EVERY_S)


class Speed:
    """How many prospects a second were read during the last ten seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def with_now(self, count: int, at: float) -> float:
        """Returns the speed; `at` is the time of the count, in seconds."""
        self._seen.append((at, count))
        while len(self._seen) > 2 and at - self._seen[1][0] >= _SPEED_OVER_S:
            self._seen.popleft()
        first_at, first = self._seen[0]
        return (count - first) / (at - first_at) if at > first_at else 0.0


def display_for(*, as_json: bool) -> AbstractContextManager[Display]:
    """Returns what fits standard error: a bar on a terminal, lines elsewhere, nothing beside a JSON object."""
    if as_json:
        return _nothing()
    return _bars() if sys.stderr.isatty() else _lines()


@contextmanager
def _nothing() -> Iterator[Display]:
    yield lambda job, *, speed: None


@contextmanager
def _lines() -> Iterator[Display]:
    said: tuple[JobStatus, JobStage] | None = None
    said_at = 0.0

    def show(job: Job, *, speed: float) -> None:
        nonlocal said, said_at
        now = time.monotonic()
        if (job.status, job.stage) != said or now - said_at >= _LINE_EVERY_S:
            said, said_at = (job.status, job.stage), now
            print(_line(job, speed), file=sys.stderr, flush=True)

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

        def show(job: Job, *, speed: float) -> None:
            named = "Waiting for a worker" if job.status is JobStatus.QUEUED else "Import"
            bars.update(imported, description=named, completed=job.import_progress, what=_counts(job, speed))
            bars.update(
                enriched,
                completed=job.enrichment_progress,
                what=f"{job.counts.emails_found:,} found",
                visible=job.search_emails,
            )

        yield show


def _line(job: Job, speed: float) -> str:
    if job.status is JobStatus.QUEUED:
        return f"{job.status}: waiting for a worker"
    done = f"import {percent(job.import_progress)}, {_counts(job, speed)}"
    if job.search_emails:
        done += f"; enrichment {percent(job.enrichment_progress)}, {job.counts.emails_found:,} e-mails found"
    return f"{job.status}: {done}"


def _counts(job: Job, speed: float) -> str:
    counts = job.counts
    text = f"{counts.read:,} read, {counts.added:,} added, {counts.rejected:,} rejected"
    return f"{text}, {speed:,.0f}/s" if job.stage is JobStage.IMPORT and job.status is JobStatus.RUNNING else text
