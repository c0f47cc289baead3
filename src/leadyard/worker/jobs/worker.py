"""The worker: claims jobs of all kinds and runs a few of them concurrently, in turn for all account groups."""

from __future__ import annotations

import asyncio
import random

import structlog

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.operations.jobs.leases import claim_job
from leadyard.worker.jobs.job_run import JobRun
from leadyard.worker.jobs.kinds import Kinds

_LOOK_EVERY_S = 0.5
_PAUSE_AFTER_TROUBLE_S = 2.0
# Long enough for most batches. A request to a provider may take minutes, which is too long when the service stops.
_STOP_WITHIN_S = 2.0
_log = structlog.get_logger("leadyard.worker")


class Worker:
    """Runs up to `concurrency` jobs at a time, and extends the lease of each, `lease_s` seconds, while it runs."""

    def __init__(self, db: Database, kinds: Kinds, *, concurrency: int, lease_s: float) -> None:
        self._db = db
        self._kinds = kinds
        self._concurrency = concurrency
        self._lease_ms = round(lease_s * 1000)
        self._running: set[asyncio.Task[None]] = set()
        self._last_group = ""
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ends the worker: it starts no new job, and hands back each running job after its current step."""
        self._stopping.set()

    async def run(self) -> None:
        """Works until `stop` is called, or until it is cancelled, which has the same effect."""
        try:
            while not self._stopping.is_set():
                if len(self._running) == self._concurrency or not await self._start_one():
                    await self._wait()
        except asyncio.CancelledError:
            self.stop()
            raise
        finally:
            await self._end()

    async def _start_one(self) -> bool:
        """Returns whether there was a job to start."""
        try:
            claimed = await claim_job(self._db, lease_ms=self._lease_ms, after_group=self._last_group)
        except ServiceUnavailable as error:
            _log.warning("worker_waits_for_database", **error.for_log())
            await self._sleep(_PAUSE_AFTER_TROUBLE_S)
            return False
        except Exception:
            # A failed claim must not end the worker. The log contains the reason.
            _log.exception("worker_claim_failed")
            await self._sleep(_PAUSE_AFTER_TROUBLE_S)
            return False
        if claimed is None:
            return False
        self._last_group = claimed.account_group_id
        run = JobRun(
            db=self._db,
            work=self._kinds.work_of(claimed.job.kind),
            claimed=claimed,
            lease_ms=self._lease_ms,
            is_stopping=self._stopping.is_set,
            others_wait=lambda: len(self._running) == self._concurrency,
        )
        task = asyncio.create_task(run.run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return True

    async def _wait(self) -> None:
        """Waits until a place is free, or for a short time, which is random so that many workers spread out."""
        pause_s = _LOOK_EVERY_S * random.uniform(0.75, 1.25)  # noqa: S311  (jitter, not a secret)
        if len(self._running) == self._concurrency:
            stopped = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({*self._running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
        else:
            await self._sleep(pause_s)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _end(self) -> None:
        """Waits until the running batches have ended and their jobs are handed back, and cancels those that take too
        long. This loses nothing, because a batch is saved completely or not at all."""
        if not self._running:
            return
        _, late = await asyncio.wait(set(self._running), timeout=_STOP_WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
