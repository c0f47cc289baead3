"""The run of one job, from the claim until the job has ended or is handed back."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog

from leadyard.database import Database
from leadyard.errors import LeadyardError, LeaseLost, ServiceUnavailable
from leadyard.model import STAGES_WITHOUT_WAY_BACK, ClaimedJob, JobError, JobStage
from leadyard.operations.jobs import leases
from leadyard.provider.trouble import PermanentProviderTrouble, TemporaryProviderTrouble
from leadyard.watching import metrics
from leadyard.worker.jobs.outcomes import CannotGoOn
from leadyard.worker.jobs.work import Work

_log = structlog.get_logger("leadyard.worker")

MAX_ATTEMPTS = 10
"""The number of failed attempts in a row, without a saved step, after which a job fails for good."""
_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 600.0
_LONGEST_ASKED_PAUSE_S = 3_600.0
# The time that a job may keep its place while other jobs wait for one.
_TURN_S = 10.0


class _TurnIsOver(Exception):
    """Not a failure: the job goes back to the queue and keeps its position."""


@dataclass(slots=True, kw_only=True)
class JobRun:
    """A claimed job, with the work of its kind. `others_wait` returns whether all places of this worker are taken."""

    db: Database
    work: Work
    claimed: ClaimedJob
    lease_ms: int
    is_stopping: Callable[[], bool]
    others_wait: Callable[[], bool]
    _has_saved: bool = field(default=False, init=False)
    _stage: JobStage | None = field(default=None, init=False)

    @property
    def _stage_has_way_back(self) -> bool:
        return (self._stage or self.claimed.job.stage) not in STAGES_WITHOUT_WAY_BACK

    async def run(self) -> None:
        """Works until the job has ended, or was handed back after a failure, at a stop, or because other jobs wait.
        Raises only when it is cancelled, and then hands the job back as well."""
        log = _log.bind(job_id=self.claimed.job.id, account_group_id=self.claimed.account_group_id)
        log.info("job_claimed", lease=self.claimed.lease_number, failed_attempts=self.claimed.failed_attempts)
        working = asyncio.create_task(self._work())
        heart = asyncio.create_task(self._beat(working))
        try:
            await working
            log.info("job_completed")
        except LeaseLost:
            log.info("job_lease_lost")
        except _TurnIsOver:
            await self._hand_back()
            log.info("job_handed_back")
        except asyncio.CancelledError:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                await self._hand_back()
                raise
            # The heartbeat has cancelled the work, not this task, because the lease is lost.
            log.info("job_lease_lost")
        except TemporaryProviderTrouble as trouble:
            await self._try_later(JobError(code=trouble.code, message=trouble.message), trouble.retry_after_s)
        except (PermanentProviderTrouble, CannotGoOn) as end:
            await self._fail(JobError(code=end.code, message=end.message))
        except ServiceUnavailable as error:
            # If the database is unreachable, this cannot be written either. If it is reachable and refuses a statement,
            # the retries of that statement must have an end.
            log.warning("job_interrupted", **error.for_log())
            await self._try_later(_OUR_FAULT, None)
        except LeadyardError as error:
            text = f"{error.message} {error.details}"
            await self._fail(JobError(code=error.code, message=text, extra=error.extra))
        except Exception:
            log.exception("job_run_failed")
            await self._try_later(_OUR_FAULT, None)
        finally:
            heart.cancel()
            await asyncio.gather(heart, return_exceptions=True)

    async def _work(self) -> None:
        if self.claimed.failed_attempts >= MAX_ATTEMPTS and self.claimed.job.has_way_back:
            raise CannotGoOn(_OUR_FAULT.code, _OUR_FAULT.message)
        for stage in self.claimed.job.remaining_stages:
            await self._do(stage)
        await self.work.complete(self.db, self.claimed)

    async def _do(self, stage: JobStage) -> None:
        started = time.monotonic()
        self._stage = stage
        # The claimed position belongs to the claimed stage. Later stages have no position yet.
        at_start = stage is not self.claimed.job.stage
        claimed = replace(self.claimed, position=None) if at_start else self.claimed
        async with aclosing(self.work.steps[stage](self.db, claimed, self.lease_ms)) as steps:
            async for _ in steps:
                await self._give_way(started)

    async def _give_way(self, started: float) -> None:
        """Called after each saved step, which resets the count of failures. Ends the run when the worker stops, or when
        other jobs have waited long enough for a place."""
        self._has_saved = True
        if self.is_stopping():
            raise _TurnIsOver
        if time.monotonic() - started > _TURN_S and self.others_wait():
            group_id = self.claimed.account_group_id
            if await leases.is_another_group_left_out(self.db, account_group_id=group_id):
                raise _TurnIsOver

    async def _beat(self, working: asyncio.Task[None]) -> None:
        """Extends the lease during long steps. When the lease is lost, it cancels the work, whose steps can no longer
        be saved."""
        while True:
            await asyncio.sleep(self.lease_ms / 3000)
            try:
                await leases.extend_lease(self.db, self.claimed, lease_ms=self.lease_ms)
            except LeaseLost:
                working.cancel()
                return
            except ServiceUnavailable as error:
                _log.warning("job_heartbeat_missed", job_id=self.claimed.job.id, **error.for_log())
            except Exception:
                # The next beat may succeed. Without a next beat, another worker would claim the job during a long step.
                _log.exception("job_heartbeat_failed", job_id=self.claimed.job.id)

    async def _try_later(self, error: JobError, asked_s: float | None) -> None:
        attempt = 1 + (0 if self._has_saved else self.claimed.failed_attempts)
        if attempt >= MAX_ATTEMPTS and self._stage_has_way_back:
            await self._fail(error)
            return
        pause_s = pause_before(attempt, asked_s=asked_s)
        _log.warning(
            "job_postponed", job_id=self.claimed.job.id, code=error.code, attempt=attempt, pause_s=round(pause_s, 1)
        )
        if await self._hand_back(pause_s=pause_s, failed=True):
            metrics.job_retried(error.code)

    async def _fail(self, error: JobError) -> None:
        if not self._stage_has_way_back:
            # A job that has begun to take its change back, or to finish it, must go on until it is through.
            _log.error("job_cannot_end", job_id=self.claimed.job.id, code=error.code)
            await self._hand_back(pause_s=_LONGEST_PAUSE_S, failed=True)
            return
        _log.warning("job_failed", job_id=self.claimed.job.id, code=error.code)
        try:
            await leases.fail_job(self.db, self.claimed, error)
        except LeaseLost:
            _log.info("job_lease_lost", job_id=self.claimed.job.id)
        except ServiceUnavailable as unavailable:
            _log.warning("job_interrupted", job_id=self.claimed.job.id, **unavailable.for_log())

    async def _hand_back(self, *, pause_s: float = 0, failed: bool = False) -> bool:
        try:
            return await leases.hand_back(self.db, self.claimed, pause_ms=round(pause_s * 1000), failed=failed)
        except ServiceUnavailable as error:
            # The lease runs out by itself.
            _log.warning("job_not_handed_back", job_id=self.claimed.job.id, **error.for_log())
            return False


_OUR_FAULT = JobError(
    code="INTERNAL_ERROR",
    message="This job has failed repeatedly because of a problem in the service. A prospecting job keeps the people "
    "that it has added so far; a transfer or undo changes nothing. Send the id of the job to the operator.",
)


def pause_before(attempt: int, *, asked_s: float | None) -> float:
    """Returns the seconds to wait before the next attempt: the wait that the source requested, up to an hour, otherwise
    2 s that double up to 10 minutes. Both get up to a quarter longer at random, to spread the retries of many jobs."""
    pause_s = min(_FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 30), _LONGEST_PAUSE_S)
    if asked_s is not None:
        pause_s = max(0.0, min(asked_s, _LONGEST_ASKED_PAUSE_S))
    return pause_s * random.uniform(1, 1.25)  # noqa: S311  (jitter, not a secret)
