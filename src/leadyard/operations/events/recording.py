"""Writes an event in the transaction of the change that it reports: both commit, or neither does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.ids import new_id_at
from leadyard.model import (
    ALL_OR_NOTHING,
    EVENT_OF_CHANGE,
    MAX_AUDIENCES_PER_EVENT,
    Audience,
    Change,
    ChangeKind,
    EventType,
    Job,
    NewEvent,
)
from leadyard.store import audiences, event_outbox, jobs

# These events have more than the record of changes, so their operations record the events themselves.
_RECORDED_APART = frozenset({ChangeKind.ERASE, ChangeKind.MERGE, ChangeKind.DELETE_AUDIENCE})


async def record_event(
    tx: Transaction,
    type: EventType,
    data: Mapping[str, Any],
    *,
    at: int | None = None,
    key_id: str | None = None,
    source_audience_id: str | None = None,
    target_audience_id: str | None = None,
    change_id: str | None = None,
) -> None:
    """Writes an event with complete data, which has ids, names of audiences and numbers, and nothing about a person.

    `at` is the time of what it reports: now, or for a locked audience a time after its last change, so that the events
    of an audience stay in their order. `key_id` is the id of its change, if it reports one as a whole. The audiences
    are those whose readers want the event. Raises TransactionConflict if another event has the same key.
    """
    moment = now_ms() if at is None else at
    await event_outbox.insert(
        tx,
        NewEvent(
            key_id=key_id or new_id_at(moment),
            type=type,
            occurred_at=moment,
            source_audience_id=source_audience_id,
            target_audience_id=target_audience_id,
            change_id=change_id,
            data=data,
        ),
    )


async def record_change(tx: Transaction, change: Change) -> None:
    """Writes the event of a complete change of leads, after the counts of its audiences have changed. Writes nothing
    for a kind of change whose operation records the event itself."""
    if change.kind not in _RECORDED_APART:
        await _record_leads(tx, change, change.id, at=change.changed_at, first_lead=0, data=None)


async def record_batch_of_import(
    tx: Transaction, change: Change, *, at: int, first_lead: int, lead_count: int, already_in_target_count: int
) -> None:
    """Writes the event of one committed batch of `leadyard import`. Its change is visible from the first batch on and
    has no certain end, so each batch is reported when it commits, as a part of the change."""
    numbers = {"leadCount": lead_count, "alreadyInTargetCount": already_in_target_count}
    await _record_leads(tx, change, new_id_at(at), at=at, first_lead=first_lead, data=numbers)


async def record_audience(
    tx: Transaction, type: EventType, audience: Audience, *, at: int, changed: Sequence[str] = ()
) -> None:
    """Writes that an audience was created or updated. `changed` are the names of the fields that changed."""
    data: dict[str, Any] = {
        "audienceId": audience.id,
        "name": audience.name,
        "type": audience.type,
        "prospectCount": audience.prospect_count,
    }
    if changed:
        data["changed"] = sorted(changed)
    await record_event(tx, type, data, at=at, target_audience_id=audience.id)


async def record_deletion(
    tx: Transaction, audience: Audience, *, at: int, change_id: str, key_id: str | None = None
) -> None:
    """Writes that an audience was deleted, with the number of its leads."""
    data = {
        "audienceId": audience.id,
        "name": audience.name,
        "type": audience.type,
        "leadCount": audience.prospect_count,
        "changeId": change_id,
    }
    await record_event(
        tx,
        EventType.AUDIENCE_DELETED,
        data,
        at=at,
        key_id=key_id,
        source_audience_id=audience.id,
        change_id=change_id,
    )


async def record_person(
    tx: Transaction, change: Change, lead_id: str, audience_ids: Iterable[str], *, merged_id: str | None = None
) -> None:
    """Writes that a person was erased, or merged with another one, who had the id `merged_id`. `audience_ids` are the
    locked audiences that the change is about, whose counts have changed already.

    The event leaves out audiences that a job is changing completely or not at all, because their counts are between two
    states. The end of that job reports them.
    """
    ids = sorted(audience_ids)
    between = await jobs.find_between(tx, ids)
    whole = [each for each in ids if each not in between]
    known = await event_outbox.find_audiences(tx, whole[:MAX_AUDIENCES_PER_EVENT])
    data: dict[str, Any] = {
        "prospectId": lead_id,
        "audiences": [_counted(id, each.prospect_count) for id, each in sorted(known.items())],
        "audienceCount": len(ids),
        "changeId": change.id,
    }
    if merged_id is not None:
        data["mergedProspectId"] = merged_id
    type = EVENT_OF_CHANGE[change.kind]
    await record_event(tx, type, data, at=change.changed_at, key_id=change.id, change_id=change.id)


async def record_job(tx: Transaction, type: EventType, job: Job, *, at: int, error_code: str | None = None) -> None:
    """Writes that a job was started or has ended, with its counts so far. An error has only its code, because its
    message may quote a cell of a file.

    The end of a job that makes one change completely or not at all also has the counts of its audiences, which the
    caller has locked. They may differ from those before the job even if it has changed nothing, because people may have
    been erased during the job.
    """
    counts = job.counts
    data: dict[str, Any] = {
        "jobId": job.id,
        "kind": job.kind,
        "audienceIds": list(job.audience_ids),
        "counts": {
            "read": counts.read,
            "created": counts.created,
            "matched": counts.matched,
            "added": counts.added,
            "alreadyInAudience": counts.already_in_audience,
            "rejected": counts.rejected,
            "emailsFound": counts.emails_found,
        },
    }
    if error_code is not None:
        data["errorCode"] = error_code
    if type is not EventType.JOB_STARTED and job.kind in ALL_OR_NOTHING:
        locked = await audiences.lock(tx, job.audience_ids)
        data["audiences"] = [_counted(id, each.audience.prospect_count) for id, each in sorted(locked.items())]
        at = await _take_time_after(tx, {id: each.changed_at for id, each in locked.items()}, at)
    first, *second = job.audience_ids
    await record_event(
        tx, type, data, at=at, source_audience_id=second[0] if second else None, target_audience_id=first
    )


async def _record_leads(
    tx: Transaction, change: Change, key_id: str, *, at: int, first_lead: int, data: Mapping[str, Any] | None
) -> None:
    both = [each for each in (change.source_audience_id, change.target_audience_id) if each is not None]
    known = await event_outbox.find_audiences(tx, both) if both else {}
    changed_at = {audience_id: each.changed_at for audience_id, each in known.items()}
    if any(each > at for each in changed_at.values()):
        # A job has made the change in parts, and people may have been erased since it began. The counts are the
        # present ones, so the event comes after the events of the erasures.
        key_id = new_id_at(await _take_time_after(tx, changed_at, at))
    # A change that adds or removes no lead on one side, such as a copy in its source, takes a time there all the same.
    # Otherwise the next change of that audience could have the same time, and its event come first.
    elif behind := [audience_id for audience_id, each in changed_at.items() if each < at]:
        await audiences.set_changed_at(tx, behind, now=at)
    counts = {audience_id: each.prospect_count for audience_id, each in known.items()}
    await event_outbox.insert(
        tx,
        NewEvent(
            key_id=key_id,
            type=EVENT_OF_CHANGE[change.kind],
            occurred_at=at,
            source_audience_id=change.source_audience_id,
            target_audience_id=change.target_audience_id,
            source_count=counts.get(change.source_audience_id or ""),
            target_count=counts.get(change.target_audience_id or ""),
            change_id=change.id,
            first_lead=first_lead,
            data=data,
        ),
    )


async def _take_time_after(tx: Transaction, changed_at: Mapping[str, int], at: int) -> int:
    """Returns a time at or after `at`, and after the last change of each locked audience, whose last change it then
    is."""
    at = max([at, *(each + 1 for each in changed_at.values())])
    if changed_at:
        await audiences.set_changed_at(tx, sorted(changed_at), now=at)
    return at


def _counted(audience_id: str, prospect_count: int) -> dict[str, Any]:
    return {"id": audience_id, "prospectCount": prospect_count}
