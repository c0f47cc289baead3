"""The move, and the record of moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadyard.clock import now_ms
from leadyard.errors import LeadsNotInSource, NotFound, SameAudience
from leadyard.ids import new_id
from leadyard.model import Caller, Move, MoveResult, Page, Permission
from leadyard.operations.guards import lock_audiences, refuse_if_populating
from leadyard.operations.idempotency import remember_answer
from leadyard.operations.operation import operation
from leadyard.store import memberships, moves
from leadyard.store.db import Database
from leadyard.watching import metrics

_MISSING_LEADS_SHOWN = 100


@operation(Permission.AUDIENCES_WRITE)
async def move_leads(
    db: Database, caller: Caller, *, source_audience_id: str, target_audience_id: str, lead_ids: Sequence[str]
) -> MoveResult:
    """Moves the leads from the source to the target audience, all of them or none. Repeated ids count once.

    Returns the committed move and both audiences as the commit left them. Raises NotFound for an unknown audience,
    SameAudience, AudienceNotReady while a job populates either audience, and LeadsNotInSource if any listed lead is
    not in the source at the moment of the move. In PostgreSQL it is six statements, whatever its size.
    """
    distinct_ids = list(dict.fromkeys(lead_ids))
    async with db.write(caller.account_group_id) as tx:
        source, target = await lock_audiences(tx, [source_audience_id, target_audience_id])
        if source_audience_id == target_audience_id:
            raise SameAudience
        await refuse_if_populating(tx, [source, target])
        # Taken only now, with both audiences locked, so that times follow the order of the commits.
        now = max(now_ms(), source.changed_at, target.changed_at)
        done = await memberships.transfer(
            tx,
            source_id=source_audience_id,
            target_id=target_audience_id,
            lead_ids=distinct_ids,
            now=now,
            missing_limit=_MISSING_LEADS_SHOWN,
        )
        if done.moved_count < len(distinct_ids):
            # Leaving the block by an error rolls back what the transfer did with the others.
            raise LeadsNotInSource(first_lead_ids=done.missing, lead_count=len(distinct_ids) - done.moved_count)
        move = Move(
            id=new_id(),
            source_audience_id=source_audience_id,
            target_audience_id=target_audience_id,
            moved_count=done.moved_count,
            already_in_target_count=done.already_in_target_count,
            moved_at=now,
            api_key_id=caller.api_key_id,
            undone_by_move_id=None,
            lead_ids=tuple(distinct_ids),
        )
        await moves.insert(tx, move)
        result = MoveResult(
            move=move,
            source=replace(source.audience, prospect_count=done.source_count),
            target=replace(target.audience, prospect_count=done.target_count),
        )
        await remember_answer(tx, caller, result)
    metrics.moved(move.moved_count)
    return result


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
