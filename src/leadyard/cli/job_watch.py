"""Watches a prospecting job until it has ended: with a live progress bar on a terminal, else with occasional lines."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from leadyard.cli.job_report import percent
from leadyard.cli.output import Data
from leadyard.model import ACTIVE_JOB_STATUSES, JobStatus, StageStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadyard.cli.api_door import Session

_LOOK_EVERY_S = 0.5
_LINE_EVERY_S = 5.0


class Display(Protocol):
    """Shows the current state of a job, repeatedly."""

    def __call__(self, job: Data) -> None: ...


async def get_job(session: Session, job_id: str) -> Data:
    """Returns the job, as the API shows it. Raises Refused."""
    from leadyard.api_client.api import part

    found: Data = await session.api.get(f"{session.group}/prospecting/{part(job_id)}")
    return found


async def follow(session: Session, job_id: str, display: Display) -> Data:
    """Shows the job about twice a second until it has ended, and then returns it. Raises Refused."""
    while True:
        job = await get_job(session, job_id)
        display(job)
        if job["status"] not in ACTIVE_JOB_STATUSES:
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
    said: tuple[str, str] | None = None
    said_at = 0.0

    def show(job: Data) -> None:
        nonlocal said, said_at
        now, state = time.monotonic(), (job["status"], _import(job)["status"])
        if state != said or now - said_at >= _LINE_EVERY_S:
            said, said_at = state, now
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

        def show(job: Data) -> None:
            named = "Waiting for a worker" if job["status"] == JobStatus.QUEUED else "Import"
            bars.update(rows, completed=job["counts"]["read"])
            what = f"{_counts(job)}, {bars.tasks[rows].speed or 0:,.0f}/s"
            bars.update(imported, description=named, completed=_import(job)["progress"], what=what)
            bars.update(
                enriched,
                completed=job["stages"]["enrichment"]["progress"],
                what=f"{job['counts']['emailsFound']:,} found",
                visible=_enriches(job),
            )

        yield show


def _line(job: Data) -> str:
    if job["status"] == JobStatus.QUEUED:
        return f"{job['status']}: waiting for a worker"
    done = f"import {percent(_import(job)['progress'])}, {_counts(job)}"
    if _enriches(job):
        found = f"{job['counts']['emailsFound']:,} e-mails found"
        done += f"; enrichment {percent(job['stages']['enrichment']['progress'])}, {found}"
    return f"{job['status']}: {done}"


def _import(job: Data) -> Data:
    stage: Data = job["stages"]["import"]
    return stage


def _enriches(job: Data) -> bool:
    return bool(job["stages"]["enrichment"]["status"] != StageStatus.SKIPPED)


def _counts(job: Data) -> str:
    counts = job["counts"]
    return f"{counts['read']:,} read, {counts['added']:,} added, {counts['rejected']:,} rejected"
