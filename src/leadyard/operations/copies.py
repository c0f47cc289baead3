"""Copies leads from one audience to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadyard.database import Transaction
from leadyard.errors import SameAudience
from leadyard.model import Caller, ChangeKind, CopyResult, Effect, Permission
from leadyard.operations.changes.members import put_in
from leadyard.operations.changes.recording import begin, record
from leadyard.operations.guards import lock_audiences, refuse_if_populating, refuse_leads_outside
from leadyard.operations.operation import writes


@writes(Permission.AUDIENCES_WRITE)
async def copy_leads(
    tx: Transaction, caller: Caller, *, source_audience_id: str, target_audience_id: str, lead_ids: Sequence[str]
) -> CopyResult:
    """Adds the leads of the source to the target as well, all of them or none. Repeated ids count once.

    Returns the change and both audiences. Raises, in this order, NotFound for an unknown audience, SameAudience,
    AudienceNotReady while a job populates either audience, and LeadsNotInSource.
    """
    distinct_ids = tuple(dict.fromkeys(lead_ids))
    source, target = locked = await lock_audiences(tx, [source_audience_id, target_audience_id])
    if source_audience_id == target_audience_id:
        raise SameAudience
    await refuse_if_populating(tx, locked)
    await refuse_leads_outside(tx, source_audience_id, distinct_ids)
    begun = begin(ChangeKind.COPY, source=source, target=target, api_key_id=caller.api_key_id)
    entered_at = await put_in(tx, target_audience_id, distinct_ids, at=begun.changed_at)
    change = await record(tx, begun, Effect(lead_ids=distinct_ids, entered_at=entered_at))
    copied = change.lead_count - change.already_in_target_count
    count = target.audience.prospect_count + copied
    return CopyResult(change=change, source=source.audience, target=replace(target.audience, prospect_count=count))
