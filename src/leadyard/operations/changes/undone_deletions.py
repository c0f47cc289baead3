"""The deletion of an audience, undone and made again.

An undone deletion brings the audience back. If that is undone, the leads that came back leave again, and the audience
is deleted again if it is then empty. Leads that came into it since are not lost that way.
"""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.database import Transaction
from leadyard.model import Change, ChangeKind
from leadyard.operations.changes.leaving import empty_some
from leadyard.operations.events.recording import record_deletion
from leadyard.store import audiences
from leadyard.store.audiences import LeavingAudience


async def bring_back_audience(tx: Transaction, leaving: LeavingAudience, *, most: int) -> None:
    """Shows the locked, deleted audience again, without members. Its deletion lists all of them from now on: the
    housekeeping may have recorded only some. There are at most `most` others."""
    if leaving.prospect_count:
        await empty_some(tx, leaving, limit=most)
    await audiences.mark_not_deleted(tx, leaving.id)


def takes_back_audience(chain: Sequence[Change]) -> bool:
    """Returns whether the first of these changes, each of which undoes the next, has brought an audience back."""
    return chain[-1].kind is ChangeKind.DELETE_AUDIENCE and len(chain) % 2 == 0


async def delete_if_empty(tx: Transaction, audience_id: str, undo: Change) -> None:
    """Deletes the locked audience if it has no members."""
    [audience] = (await audiences.lock(tx, [audience_id])).values()
    if audience.audience.prospect_count == 0:
        # After the undo, so that its event comes first, and after all its parts, if a job has made it.
        at = max(undo.changed_at, audience.changed_at) + 1
        await audiences.mark_deleted(tx, audience_id, change_id=undo.id, now=at)
        await record_deletion(tx, audience.audience, at=at, change_id=undo.id)
