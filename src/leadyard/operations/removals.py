"""Removes leads from an audience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadyard.database import Transaction
from leadyard.model import Caller, ChangeKind, Effect, Permission, RemovalResult
from leadyard.operations.changes.members import take_out
from leadyard.operations.changes.recording import begin, record
from leadyard.operations.guards import lock_audiences, refuse_if_populating, refuse_leads_outside
from leadyard.operations.operation import writes


@writes(Permission.AUDIENCES_WRITE)
async def remove_leads(tx: Transaction, caller: Caller, *, audience_id: str, lead_ids: Sequence[str]) -> RemovalResult:
    """Removes the leads from the audience, all of them or none. They stay in the account group. Repeated ids count
    once.

    Returns the change and the audience. Raises, in this order, NotFound, AudienceNotReady while a job populates the
    audience, and LeadsNotInSource.
    """
    distinct_ids = tuple(dict.fromkeys(lead_ids))
    [source] = locked = await lock_audiences(tx, [audience_id])
    await refuse_if_populating(tx, locked)
    await refuse_leads_outside(tx, audience_id, distinct_ids)
    begun = begin(ChangeKind.REMOVE, source=source, api_key_id=caller.api_key_id)
    left_at = await take_out(tx, audience_id, distinct_ids, at=begun.changed_at)
    change = await record(tx, begun, Effect(lead_ids=distinct_ids, left_at=left_at))
    count = source.audience.prospect_count - change.lead_count
    return RemovalResult(change=change, audience=replace(source.audience, prospect_count=count))
