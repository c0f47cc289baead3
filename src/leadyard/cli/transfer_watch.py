"""Watches a transfer, or the undo of a large change, until it has ended, and works on it if no worker does."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

from leadyard.cli.api_door import Session
from leadyard.cli.job_report import percent
from leadyard.cli.output import Data
from leadyard.cli.people_report import lead_count
from leadyard.cli.progress import progress_bar

_FIRST_LOOK_S = 0.05
_LOOK_EVERY_S = 0.5
_LINE_EVERY_S = 5.0
_ACTIVE = ("queued", "running")
_DOING = {"move": "Moving", "copy": "Copying", "remove": "Removing", "undo": "Undoing"}


async def run_here(session: Session, job_id: str, *, as_json: bool) -> Data:
    """Works on the transfer in this process, unless a worker has it, and returns it when it has ended. If the process
    is stopped, the job goes back to the queue, where a worker continues it. Raises Refused."""
    try:
        async with session.working_on(job_id):
            return await follow(session, job_id, as_json=as_json)
    except BaseException:
        advice = "A worker continues it, or: leadyard transfers watch --work"
        print(f"Job {job_id} is not finished. {advice}", file=sys.stderr)
        raise


async def follow(session: Session, job_id: str, *, as_json: bool) -> Data:
    """Shows the progress of the transfer until it has ended, and then returns it. Raises Refused."""
    transfer = await get_transfer(session, job_id)
    report = _lines(quiet=as_json or sys.stderr.isatty())
    pause_s = _FIRST_LOOK_S
    with progress_bar(_DOING[transfer["action"]], show=not as_json) as bar:
        while transfer["status"] in _ACTIVE:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LOOK_EVERY_S)
            transfer = await get_transfer(session, job_id)
            bar(round(1_000 * transfer["progress"]), 1_000)
            report(transfer)
    return transfer


async def get_transfer(session: Session, job_id: str) -> Data:
    """Returns the transfer. Raises Refused."""
    from leadyard.api_client.api import part

    found: Data = await session.api.get(f"{session.group}/transfers/{part(job_id)}")
    return found


def _lines(*, quiet: bool) -> Callable[[Data], None]:
    """Returns a function that prints an occasional line on standard error."""
    printed_at = 0.0

    def report(transfer: Data) -> None:
        nonlocal printed_at
        if quiet or transfer["status"] not in _ACTIVE or time.monotonic() - printed_at < _LINE_EVERY_S:
            return
        printed_at = time.monotonic()
        done = f"{percent(transfer['progress'])}, {lead_count(transfer['appliedCount'])}"
        waiting = transfer["status"] == "queued"
        print(f"{transfer['status']}: {'waiting for a worker' if waiting else done}", file=sys.stderr, flush=True)

    return report
