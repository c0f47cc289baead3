"""The stages of a transfer and of the undo of a large change. Both apply a plan, and take it back if they must."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from leadyard.database import Database
from leadyard.model import ClaimedJob, JobStage, PartPosition, PlanPosition, RestPosition
from leadyard.operations.jobs.transfer_steps import apply_part, read_selection, write_plan
from leadyard.operations.jobs.undo_steps import finish_some, plan_part, read_repeated
from leadyard.operations.jobs.whole_changes import complete_whole_change, take_back_part
from leadyard.worker.jobs.work import Work

_START = PartPosition(leads=0)


def transfer_work() -> Work:
    """Returns the work of transfers."""
    return Work(
        steps={JobStage.SELECT: _select, JobStage.APPLY: _apply, JobStage.REVERT: _revert},
        complete=complete_whole_change,
    )


def undo_work() -> Work:
    """Returns the work of undos of large changes."""
    return Work(
        steps={
            JobStage.SELECT: _plan,
            JobStage.APPLY: _apply,
            JobStage.WITHDRAW: _withdraw,
            JobStage.REVERT: _revert,
        },
        complete=complete_whole_change,
    )


async def _select(db: Database, claimed: ClaimedJob, lease_ms: int) -> AsyncGenerator[None, None]:
    pages = await read_selection(db, claimed)
    await write_plan(db, claimed, pages, lease_ms=lease_ms)
    yield


async def _plan(db: Database, claimed: ClaimedJob, lease_ms: int) -> AsyncGenerator[None, None]:
    repeated = await read_repeated(db, claimed)
    position: PlanPosition | None = claimed.position_as(PlanPosition) or PlanPosition(read=0)
    while position is not None:
        position = await plan_part(db, claimed, position, repeated, lease_ms=lease_ms)
        yield


async def _apply(db: Database, claimed: ClaimedJob, lease_ms: int) -> AsyncGenerator[None, None]:
    position = claimed.position_as(PartPosition) or _START
    while (following := await apply_part(db, claimed, position, lease_ms=lease_ms)) is not None:
        position = following
        yield


async def _withdraw(db: Database, claimed: ClaimedJob, lease_ms: int) -> AsyncGenerator[None, None]:
    position = claimed.position_as(RestPosition) or RestPosition()
    while (following := await finish_some(db, claimed, position, lease_ms=lease_ms)) is not None:
        position = following
        yield


async def _revert(db: Database, claimed: ClaimedJob, lease_ms: int) -> AsyncGenerator[None, None]:
    while await take_back_part(db, claimed, lease_ms=lease_ms):
        yield
