"""One job from the moment it is claimed until it is ended or handed back."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from leadyard.errors import (
    LeadyardError,
    LeaseLost,
    PermanentProviderTrouble,
    ServiceUnavailable,
    TemporaryProviderTrouble,
)
from leadyard.model import Batch, ClaimedJob, JobError, JobStage
from leadyard.operations import job_runs
from leadyard.operations.operation import Database
from leadyard.watching import metrics
from leadyard.worker.enrichment import found_emails
from leadyard.worker.outcomes import CannotGoOn
from leadyard.worker.sources import Sources

_log = structlog.get_logger("leadyard.worker")

MAX_ATTEMPTS = 10
"""How often in a row a job may fail without saving anything before it is given up."""
_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 600.0
_LONGEST_ASKED_PAUSE_S = 3_600.0
# How long a job may keep its place while others wait for one.
_TURN_S = 10.0


class _TurnIsOver(Exception):
    """Not a failure: the job goes back to the queue where it stands."""


@dataclass(slots=True, kw_only=True)
class JobRun:
    """A claimed job, with what it needs to run. `others_wait` says whether all places of this worker are taken."""

    db: Database
    sources: Sources
    claimed: ClaimedJob
    lease_ms: int
    is_stopping: Callable[[], bool]
    others_wait: Callable[[], bool]
    _has_saved: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Works until the job has ended, or was handed back because of a failure, a stop, or the turn of others. Never
        raises but when it is cancelled; then the job is handed back as well."""
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
            # Not we were cancelled but the work, by the heartbeat, because the lease is lost.
            log.info("job_lease_lost")
        except TemporaryProviderTrouble as trouble:
            await self._try_later(JobError(code=trouble.code, message=trouble.message), trouble.retry_after_s)
        except (PermanentProviderTrouble, CannotGoOn) as end:
            await self._fail(JobError(code=end.code, message=end.message))
        except ServiceUnavailable as error:
            # Our own database is out of reach, and then this cannot be written either; or it is within reach and will
            # not do this one thing, which must not be tried for ever.
            log.warning("job_interrupted", reason=error.details)
            await self._try_later(_OUR_FAULT, None)
        except LeadyardError as error:
            await self._fail(JobError(code=error.code, message=f"{error.message} {error.details}"))
        except Exception:
            log.exception("job_run_failed")
            await self._try_later(_OUR_FAULT, None)
        finally:
            heart.cancel()
            await asyncio.gather(heart, return_exceptions=True)

    async def _work(self) -> None:
        if self.claimed.failed_attempts >= MAX_ATTEMPTS:
            raise CannotGoOn(_OUR_FAULT.code, _OUR_FAULT.message)
        position: Mapping[str, Any] | None = self.claimed.position
        if self.claimed.job.stage is JobStage.IMPORT:
            await self._import()
            position = None
        if self.claimed.job.search_emails:
            await self._enrich(position)
        await job_runs.complete_job(self.db, self.claimed)

    async def _import(self) -> None:
        started = time.monotonic()
        batches: AsyncIterator[Batch] = self.sources.batches(self.db, self.claimed)
        async for batch in batches:
            await job_runs.save_batch(self.db, self.claimed, batch, lease_ms=self.lease_ms)
            await self._give_way(started)

    async def _enrich(self, position: Mapping[str, Any] | None) -> None:
        started = time.monotonic()
        if position is None:
            total = await job_runs.begin_enrichment(self.db, self.claimed, lease_ms=self.lease_ms)
            position = {"after": "", "done": 0, "total": total}
        async for found in found_emails(self.db, self.sources.required_provider(), self.claimed, position):
            await job_runs.save_emails(
                self.db,
                self.claimed,
                found.emails,
                position=found.position,
                progress=found.progress,
                lease_ms=self.lease_ms,
            )
            await self._give_way(started)

    async def _give_way(self, started: float) -> None:
        """After a batch that was saved, which is progress: earlier failures no longer count. Stops when the worker
        stops, or when others have waited long enough for a place."""
        self._has_saved = True
        if self.is_stopping():
            raise _TurnIsOver
        if time.monotonic() - started > _TURN_S and self.others_wait():
            group_id = self.claimed.account_group_id
            if await job_runs.is_somebody_left_out(self.db, account_group_id=group_id):
                raise _TurnIsOver

    async def _beat(self, working: asyncio.Task[None]) -> None:
        """Extends the lease while a batch takes its time. When it is lost, the work is stopped; it could not be saved
        anyway."""
        while True:
            await asyncio.sleep(self.lease_ms / 3000)
            try:
                await job_runs.extend_lease(self.db, self.claimed, lease_ms=self.lease_ms)
            except LeaseLost:
                working.cancel()
                return
            except ServiceUnavailable as error:
                _log.warning("job_heartbeat_missed", job_id=self.claimed.job.id, reason=error.details)
            except Exception:
                # The next beat may succeed; without one, a long batch would be taken away from us.
                _log.exception("job_heartbeat_failed", job_id=self.claimed.job.id)

    async def _try_later(self, error: JobError, asked_s: float | None) -> None:
        attempt = 1 + (0 if self._has_saved else self.claimed.failed_attempts)
        if attempt >= MAX_ATTEMPTS:
            await self._fail(error)
            return
        pause_s = pause_before(attempt, asked_s=asked_s)
        _log.warning(
            "job_postponed", job_id=self.claimed.job.id, code=error.code, attempt=attempt, pause_s=round(pause_s, 1)
        )
        if await self._hand_back(pause_s=pause_s, failed=True):
            metrics.job_retried(error.code)

    async def _fail(self, error: JobError) -> None:
        _log.warning("job_failed", job_id=self.claimed.job.id, code=error.code)
        try:
            await job_runs.fail_job(self.db, self.claimed, error)
        except LeaseLost:
            _log.info("job_lease_lost", job_id=self.claimed.job.id)
        except ServiceUnavailable as unavailable:
            _log.warning("job_interrupted", job_id=self.claimed.job.id, reason=unavailable.details)

    async def _hand_back(self, *, pause_s: float = 0, failed: bool = False) -> bool:
        try:
            return await job_runs.hand_back(self.db, self.claimed, pause_ms=round(pause_s * 1000), failed=failed)
        except ServiceUnavailable as error:
            # The lease runs out by itself.
            _log.warning("job_not_handed_back", job_id=self.claimed.job.id, reason=error.details)
            return False


_OUR_FAULT = JobError(
    code="INTERNAL_ERROR",
    message="The work on this job has failed again and again on our side. What was brought in so far is kept; give the "
    "id of the job to whoever runs this service.",
)


def pause_before(attempt: int, *, asked_s: float | None) -> float:
    """Returns how many seconds to wait before the next attempt: what the source asked for, up to an hour, else doubling
    from 2 s to 10 minutes; in both cases with up to a quarter more, so that many jobs do not come back together."""
    pause_s = min(_FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 30), _LONGEST_PAUSE_S)
    if asked_s is not None:
        pause_s = max(0.0, min(asked_s, _LONGEST_ASKED_PAUSE_S))
    return pause_s * random.uniform(1, 1.25)  # noqa: S311  (jitter, not a secret)
