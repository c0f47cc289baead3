"""The move, and the record of moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from leadyard.clock import now_ms
from leadyard.errors import LeadsNotInSource, NotFound, SameAudience, ServiceUnavailable, TransactionConflict
from leadyard.ids import new_id
from leadyard.model import Caller, Move, MoveResult, Page, Permission
from leadyard.operations.guards import lock_audiences, refuse_if_populating
from leadyard.operations.idempotency import remember_answer
from leadyard.operations.operation import operation, run_again_on_conflict
from leadyard.store import audiences, moves, moving
from leadyard.store.db import COMMIT_UNKNOWN, Database, Undone
from leadyard.watching import metrics

_MISSING_LEADS_SHOWN = 100


@operation(Permission.AUDIENCES_WRITE)
async def move_leads(
    db: Database, caller: Caller, *, source_audience_id: str, target_audience_id: str, lead_ids: Sequence[str]
) -> MoveResult:
    """Moves the leads from the source to the target audience, all of them or none. Repeated ids count once.

    Returns the committed move and both audiences as the commit left them. Raises NotFound for an unknown audience,
    SameAudience, AudienceNotReady while a job populates either audience, and LeadsNotInSource if any listed lead is
    not in the source at the moment of the move. In PostgreSQL it is one round trip, whatever its size.
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
    )
    try:
        result = await _move(db, caller, move)
    except Undone:
        # The short way tells that it cannot be done; to tell why takes a look at everything, which only those pay for
        # who asked for what cannot be done.
        await _refuse(db, caller, move)
        # What stood in the way was gone when we looked.
        raise TransactionConflict from None
    metrics.moved(move.moved_count)
    return result


async def _move(db: Database, caller: Caller, move: Move) -> MoveResult:
    if caller.once is not None:
        return await _move_and_remember(db, caller, move)
    try:
        return await moving.move_alone(db, caller.account_group_id, move)
    except ServiceUnavailable as lost:
        if lost.reason != COMMIT_UNKNOWN:
            raise
        # Conflicts are run again here, and not as a whole: another attempt would not know the end of this move's id.
        work = partial(_find_or_move, db, caller, move, lost)
        try:
            return await run_again_on_conflict(work, name="find_or_move")
        except ServiceUnavailable:
            # Whatever it says of this attempt, of the first one nothing is known.
            raise lost from None


async def _move_and_remember(db: Database, caller: Caller, move: Move) -> MoveResult:
    async with db.write(caller.account_group_id) as tx:
        result = await moving.move(tx, move)
        await remember_answer(tx, caller, result)
    return result


async def _find_or_move(db: Database, caller: Caller, move: Move, lost: ServiceUnavailable) -> MoveResult:
    """After the connection was lost while the move was made: it is, if its record is there. Raises `lost` when nothing
    else can be said any more, and otherwise as the move itself."""
    async with db.write(caller.account_group_id) as tx:
        # Whoever waits here for the audiences has waited for the end of the lost transaction, if it still runs.
        both = await audiences.lock(tx, [move.source_audience_id, move.target_audience_id])
        recorded = await moves.find_made(tx, move)
        if recorded is None:
            return await moving.move(tx, move)
        if len(both) < 2:
            # Moved, and one of them deleted since: there is no state of both left to answer with.
            raise lost
        source, target = both[move.source_audience_id], both[move.target_audience_id]
        return MoveResult(move=recorded, source=source.audience, target=target.audience)


async def _refuse(db: Database, caller: Caller, move: Move) -> None:
    """Raises what stands in the way of the move, if anything still does."""
    async with db.write(caller.account_group_id) as tx:
        locked = await lock_audiences(tx, [move.source_audience_id, move.target_audience_id])
        if move.source_audience_id == move.target_audience_id:
            raise SameAudience
        await refuse_if_populating(tx, locked)
        missing = await moving.list_missing(tx, move.source_audience_id, move.lead_ids or ())
        if missing:
            raise LeadsNotInSource(first_lead_ids=tuple(missing[:_MISSING_LEADS_SHOWN]), lead_count=len(missing))


@operation(Permission.AUDIENCES_READ)
async def list_moves(db: Database, caller: Caller, *, before: str | None, limit: int) -> Page[Move]:
    """Returns a page of the record of moves, newest first, without lead ids; `before` is the page's `next_key`."""
    async with db.read(caller.account_group_id) as tx:
        found = await moves.list_newest_first(tx, before=before, limit=limit + 1)
    return Page.of(found, limit, lambda move: move.id)


@operation(Permission.AUDIENCES_READ)
async def get_move(db: Database, caller: Caller, *, move_id: str) -> Move:
    """Returns one move with the ids of its leads. Raises NotFound."""
    async with db.read(caller.account_group_id) as tx:
        move = await moves.find(tx, move_id)
    if move is None:
        raise NotFound("move", move_id)
    return move
