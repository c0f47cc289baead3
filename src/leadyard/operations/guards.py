"""Checks of audiences and uploads that several operations share, inside their own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.errors import AudienceNotReady, LeadsNotInSource, NotFound
from leadyard.model import Audience, Upload
from leadyard.store import audiences, jobs, move_statements, uploads
from leadyard.store.audiences import LockedAudience

_MISSING_LEADS_SHOWN = 100


async def ready_audience(tx: Transaction, audience_id: str) -> Audience:
    """Returns the audience. Raises NotFound, or AudienceNotReady while a job populates it."""
    found = await audiences.find(tx, audience_id)
    if found is None:
        raise NotFound("audience", audience_id)
    audience, populating_job_id = found
    if populating_job_id is not None:
        raise AudienceNotReady(audience_id=audience_id, job_id=populating_job_id)
    return audience


async def lock_audiences(tx: Transaction, audience_ids: Sequence[str]) -> list[LockedAudience]:
    """Locks the audiences and returns them in the given order. Raises NotFound for the first missing one."""
    locked = await audiences.lock(tx, audience_ids)
    for audience_id in audience_ids:
        if audience_id not in locked:
            raise NotFound("audience", audience_id)
    return [locked[audience_id] for audience_id in audience_ids]


async def refuse_if_populating(tx: Transaction, locked: Sequence[LockedAudience]) -> None:
    """Raises AudienceNotReady if a job populates one of the locked audiences."""
    busy = await jobs.find_populating(tx, [each.audience.id for each in locked])
    if busy is not None:
        raise AudienceNotReady(audience_id=busy[0], job_id=busy[1])


async def refuse_leads_outside(tx: Transaction, audience_id: str, lead_ids: Sequence[str]) -> None:
    """Raises LeadsNotInSource if one of the leads is not in the locked audience."""
    missing = await move_statements.list_missing(tx, audience_id, lead_ids)
    if missing:
        raise LeadsNotInSource(first_lead_ids=tuple(missing[:_MISSING_LEADS_SHOWN]), lead_count=len(missing))


async def usable_upload(tx: Transaction, upload_id: str) -> Upload:
    """Locks the upload and returns it. A job that is inserted in the same transaction can rely on it: the housekeeping
    skips a locked upload until the commit, and afterwards an upload that a job reads. Raises NotFound unless the upload
    is complete and has not expired."""
    upload = await uploads.lock(tx, upload_id, now=now_ms())
    if upload is None:
        raise NotFound("upload", upload_id)
    return upload
