"""The work of a kind of job: a function for each of its stages, and a function that completes the job."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from leadyard.database import Database
from leadyard.model import ClaimedJob, JobStage

Steps = Callable[[Database, ClaimedJob, int], AsyncGenerator[None, None]]
"""Does one stage of the claimed job from its position on, and yields after each saved step. The number is the lease
that each step extends, in milliseconds. Raises CannotGoOn and the errors of the operations."""

Complete = Callable[[Database, ClaimedJob], Awaitable[None]]
"""Ends the job after its last stage, with the other changes that belong into the same transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The work of one kind of job."""

    steps: Mapping[JobStage, Steps]
    complete: Complete
