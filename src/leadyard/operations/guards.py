"""Questions that several operations ask, about audiences and uploads, inside their own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.clock import now_ms
from leadyard.errors import AudienceNotReady, NotFound
from leadyard.model import Audience, Upload
from leadyard.store import audiences, jobs, uploads
from leadyard.store.audiences import LockedAudience
from leadyard.store.db import Transaction


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
    """Locks the audiences and returns them in the order asked for. Raises NotFound for the first that is missing."""
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


async def usable_upload(tx: Transaction, upload_id: str) -> Upload:
    """Locks the upload and returns it. A job on it that is inserted in the same transaction can rely on it: until the
    commit the housekeeping passes over a locked upload, afterwards over one that a job reads. Raises NotFound unless it
    is complete and has not expired."""
    upload = await uploads.lock(tx, upload_id, now=now_ms())
    if upload is None:
        raise NotFound("upload", upload_id)
    return upload
