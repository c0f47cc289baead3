"""The record of a move, and the results of moves, copies and removals."""

from __future__ import annotations

from dataclasses import dataclass, field

from leadyard.model.audiences import Audience
from leadyard.model.changes import Change

MAX_LEADS_PER_MOVE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The record of one move. `api_key_id` is the key of the caller. `moved_count` is the number of distinct leads that
    left the source, and `already_in_target_count` of them were in the target before. `attempt` is a random number, by
    which a planned move finds its own record. A move that was read does not contain it."""

    id: str
    source_audience_id: str
    target_audience_id: str
    moved_count: int
    already_in_target_count: int
    moved_at: int
    api_key_id: str | None
    undone_by_move_id: str | None
    lead_ids: tuple[str, ...] | None = None
    attempt: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """A committed move with both audiences exactly as the commit left them."""

    move: Move
    source: Audience
    target: Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyResult:
    """A committed copy with both audiences exactly as the commit left them."""

    change: Change
    source: Audience
    target: Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalResult:
    """A committed removal with the audience exactly as the commit left it."""

    change: Change
    audience: Audience
