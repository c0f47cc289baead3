"""Watches a transfer, or the undo of a large change, until it has ended, and works on it if no worker does."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from leadyard.cli.job_report import percent
from leadyard.cli.progress import progress_bar
from leadyard.model import ACTIVE_JOB_STATUSES, Job, JobStatus

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Caller

_LOOK_EVERY_S = 0.5
_LINE_EVERY_S = 5.0
_DOING = {"move": "Moving", "copy": "Copying", "remove": "Removing", "undo": "Undoing"}


async def run_and_follow(db: Database, caller: Caller, job: Job, *, as_json: bool) -> Job:
    """Works on the job in this process, unless a worker has it, and shows its progress. Returns it when it has ended.
    If the process is stopped, the job goes back to the queue, where a worker continues it."""
    from leadyard.assemble import work_on_job

    working = asyncio.create_task(work_on_job(db, caller.account_group_id, job.id))
    try:
        return await follow(db, caller, job, as_json=as_json)
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def follow(db: Database, caller: Caller, job: Job, *, as_json: bool) -> Job:
    """Shows the progress of the job until it has ended, and then returns it. Raises NotFound."""
    from leadyard.operations.jobs.transfers import get_transfer

    say = _lines(quiet=as_json or sys.stderr.isatty())
    with progress_bar(_DOING[job.source.type], show=not as_json) as bar:
        while job.status in ACTIVE_JOB_STATUSES:
            await asyncio.sleep(_LOOK_EVERY_S)
            job = await get_transfer(db, caller, job_id=job.id)
            bar(round(1_000 * job.part_done), 1_000)
            say(job)
    return job


def _lines(*, quiet: bool) -> Callable[[Job], None]:
    """Returns a function that prints an occasional line on standard error."""
    said_at = 0.0

    def say(job: Job) -> None:
        nonlocal said_at
        if quiet or time.monotonic() - said_at < _LINE_EVERY_S:
            return
        said_at = time.monotonic()
        counts = job.counts
        waiting = job.status is JobStatus.QUEUED
        done = "waiting for a worker" if waiting else f"{percent(job.part_done)}, {counts.applied:,} leads"
        print(f"{job.status}: {done}", file=sys.stderr, flush=True)

    return say
