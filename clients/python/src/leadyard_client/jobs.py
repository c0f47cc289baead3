"""Waiting for jobs: which job an answer has started, when to look next, and what its end means."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from leadyard_client.models import ProspectingJobStatus, Transfer
from leadyard_client.refusal import JobNotCompleted, WaitTimeout

Job = TypeVar("Job", Transfer, ProspectingJobStatus)
OnProgress: TypeAlias = Callable[[Job], object]
ACTIVE = ("queued", "running")
FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH = 0.2, 5.0, 1.3


class Watch(Generic[Job]):
    """Sees each state of one job. Raises JobNotCompleted and WaitTimeout."""

    def __init__(self, timeout_s: float | None, on_progress: OnProgress[Job] | None) -> None:
        self._timeout_s = timeout_s
        self._on_progress: OnProgress[Job] | None = on_progress
        self._ends_at = None if timeout_s is None else time.monotonic() + timeout_s
        self._pause = FIRST_PAUSE_S
        self._last: Job | None = None

    def pause_after(self, job: Job) -> float | None:
        """Returns the seconds until the next look, None if the job is completed. Reports each new state once."""
        if job != self._last and self._on_progress is not None:
            self._on_progress(job)
        self._last = job
        if job.status == "completed":
            return None
        if job.status not in ACTIVE:
            raise JobNotCompleted(job)
        left = LONGEST_PAUSE_S if self._ends_at is None else self._ends_at - time.monotonic()
        if self._timeout_s is not None and left <= 0:
            raise WaitTimeout(job, self._timeout_s)
        pause = min(self._pause, left)
        self._pause = min(self._pause * GROWTH, LONGEST_PAUSE_S)
        return pause


NOT_A_JOB = "This is a preview, which starts no job. Start the transfer without dry_run, and wait for that."
