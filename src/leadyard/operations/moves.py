"""The move, and the record of moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NoReturn

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.errors import NotFound, SameAudience, ServiceUnavailable, TransactionConflict
from leadyard.ids import new_attempt, new_id
from leadyard.model import Caller, ChangeFilter, ChangeKind, Move, MoveResult, Page, Permission
from leadyard.operations.guards import lock_audiences, refuse_if_populating, refuse_leads_outside
from leadyard.operations.operation import Keeper, reads, run_again_on_conflict, snapshot, write_once, writes_by_itself
from leadyard.store import audiences, change_subjects, move_statements, moves
from leadyard.store.db import COMMIT_UNKNOWN, Undone
from leadyard.watching import metrics

# The move of a job has no limit of leads, so only the record of changes shows it.
_MOVES = ChangeFilter(kind=ChangeKind.MOVE, without_jobs=True)


@writes_by_itself(Permission.AUDIENCES_WRITE)
async def move_leads(
    db: Database,
    caller: Caller,
    keeper: Keeper[MoveResult] | None,
    *,
    source_audience_id: str,
    target_audience_id: str,
    lead_ids: Sequence[str],
) -> MoveResult:
    """Moves the leads from the source to the target audience, all of them or none. Repeated ids count once.

    Returns the committed move and both audiences as the commit left them. Raises NotFound for an unknown audience,
    SameAudience, AudienceNotReady while a job populates either audience, and LeadsNotInSource if any listed lead is
    not in the source at the moment of the move. In PostgreSQL a move of any size takes one round trip.
    """
    distinct_ids = tuple(dict.fromkeys(lead_ids))
    move = Move(
        id=new_id(),
        source_audience_id=source_audience_id,
        target_audience_id=target_audience_id,
        moved_count=len(distinct_ids),
        already_in_target_count=0,
        moved_at=now_ms(),
        api_key_id=caller.api_key_id,
        undone_by_move_id=None,
        lead_ids=distinct_ids,
        attempt=new_attempt(),
    )
    try:
        return await _move(db, caller, keeper, move)
    except Undone:
        # The fast path only reports failure. The search for the reason costs a second transaction, which only refused
        # requests pay for.
        await _refuse(db, caller, keeper, move)


@move_leads.after_commit
def _count_moved(result: MoveResult) -> None:
    metrics.moved(result.move.moved_count)


async def _move(db: Database, caller: Caller, keeper: Keeper[MoveResult] | None, move: Move) -> MoveResult:
    if keeper is not None:
        return await _move_once(db, caller, keeper, move)
    try:
        return await move_statements.move_alone(db, caller.account_group_id, move)
    except ServiceUnavailable as lost:
        if lost.reason != COMMIT_UNKNOWN:
            raise
        # Retries conflicts here and not in the decorator, because the decorator would make another attempt, which could
        # not find the record of this one.
        work = partial(_find_or_move, db, caller, move, lost)
        try:
            return await run_again_on_conflict(work, name="find_or_move")
        except ServiceUnavailable:
            # The result of the first attempt is still unknown, whatever the reason of this failure.
            raise lost from None


async def _move_once(db: Database, caller: Caller, keeper: Keeper[MoveResult], move: Move) -> MoveResult:
    async with write_once(db, caller, keeper) as tx:
        result = await move_statements.move(tx, move)
        await keeper.store(tx, result)
    return result


async def _find_or_move(db: Database, caller: Caller, move: Move, lost: ServiceUnavailable) -> MoveResult:
    """Finds out whether the move was committed, after its connection was lost: it was if its record exists. If not,
    moves the leads and raises the same as a move. Raises `lost` when the answer can no longer be given."""
    async with db.write(caller.account_group_id) as tx:
        # The locks on the audiences wait for the end of the lost transaction, if it is still running.
        both = await audiences.lock(tx, [move.source_audience_id, move.target_audience_id])
        recorded = await moves.find_made(tx, move)
        if recorded is None:
            # Another id, because the conflict that led here again may be that another move has this one.
            return await move_statements.move(tx, replace(move, id=new_id()))
        if len(both) < 2:
            # The move was committed, and one audience was deleted since, so the answer cannot show both.
            raise lost
        source, target = both[move.source_audience_id], both[move.target_audience_id]
        return MoveResult(move=recorded, source=source.audience, target=target.audience)


async def _refuse(db: Database, caller: Caller, keeper: Keeper[MoveResult] | None, move: Move) -> NoReturn:
    """Raises the reason why the move cannot be made, and TransactionConflict if there is none any more. Never commits a
    reservation of the key, so that ends with it."""
    # Another attempt may have made the move since. Its own success must not be the reason of a refusal.
    async with write_once(db, caller, keeper) as tx:
        locked = await lock_audiences(tx, [move.source_audience_id, move.target_audience_id])
        if move.source_audience_id == move.target_audience_id:
            raise SameAudience
        await refuse_if_populating(tx, locked)
        await refuse_leads_outside(tx, move.source_audience_id, move.lead_ids or ())
        raise TransactionConflict


@snapshot(Permission.AUDIENCES_READ)
async def list_moves(tx: Transaction, caller: Caller, *, before: str | None, limit: int) -> Page[Move]:
    """Returns a page of the recorded moves, newest first, without lead ids. `before` is the `next_key` of a page."""
    found = await change_subjects.list_newest_first(tx, _MOVES, before=before, limit=limit + 1)
    return Page.of([moves.move_of(change) for change in found], limit, lambda move: move.id)


@reads(Permission.AUDIENCES_READ)
async def get_move(tx: Transaction, caller: Caller, *, move_id: str) -> Move:
    """Returns the move with the ids of its leads. Raises NotFound."""
    move = await moves.find(tx, move_id)
    if move is None:
        raise NotFound("move", move_id)
    return move
