"""Bringing people into an audience, inside somebody's transaction: the one way in, whichever door they come by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from leadyard.clock import now_ms
from leadyard.errors import InvalidProspect, TransactionConflict
from leadyard.model import AddResult, Batch, CheckedProfiles, Lead, Profile, RejectedRow, Rejection
from leadyard.operations.identity import identity_key, normalise_profile
from leadyard.operations.matching import match_prospects
from leadyard.operations.profile_text import storable
from leadyard.store import audiences, leads, memberships
from leadyard.store.audiences import LockedAudience
from leadyard.store.db import Transaction


def check_profiles(profiles: Sequence[Profile], *, needs_identity: bool) -> CheckedProfiles:
    """Returns the profiles, normalised, apart from those that are not valid. `needs_identity` also refuses people whom
    neither LinkedIn, e-mail nor provider id identifies: brought in twice they would be two leads."""
    valid: list[tuple[int, Profile]] = []
    invalid: list[Rejection] = []
    for index, raw in enumerate(profiles):
        try:
            profile = normalise_profile(raw)
            if needs_identity and identity_key(profile) is None:
                raise InvalidProspect(
                    "NO_IDENTITY",
                    "Nothing identifies this person: a LinkedIn profile, an e-mail or an outside id is needed.",
                )
            valid.append((index, profile))
        except InvalidProspect as reason:
            invalid.append(Rejection(index=index, code=reason.reason_code, message=reason.details))
    return CheckedProfiles(tuple(valid), tuple(invalid))


def check_batch(batch: Batch) -> CheckedProfiles:
    """Returns the profiles of a batch, checked as every batch is; what was done ahead is not done again."""
    return batch.checked or check_profiles(batch.profiles, needs_identity=True)


def with_profiles_checked(batch: Batch) -> Batch:
    """Returns the batch with its profiles checked, for a source that has the time while the one before is saved."""
    return replace(batch, checked=check_batch(batch))


async def bring_in(tx: Transaction, audience: LockedAudience, checked: CheckedProfiles) -> AddResult:
    """Creates leads or fills the empty fields of known ones, and adds them to the locked audience.

    A prospect that may be either of two leads is reported in the result and leaves no trace. Raises TransactionConflict
    when somebody else brought one of them in meanwhile.
    """
    now = max(now_ms(), audience.changed_at)
    audience_id = audience.audience.id
    known = await _find_known(tx, [profile for _, profile in checked.valid]) if checked.valid else []
    matches = match_prospects(checked.valid, known, now=now)
    await _insert_new(tx, matches.created, now=now)
    await _fill_known(tx, matches.filled, read=known)
    added = await memberships.add(tx, audience_id, sorted(matches.lead_ids), now=now) if matches.lead_ids else 0
    if added:
        await audiences.count_added(tx, audience_id, added=added, now=now)
    return AddResult(
        created=len(matches.created),
        matched=matches.matched_count,
        added=added,
        already_in_audience=len(matches.lead_ids) - added,
        rejected=tuple(sorted([*checked.invalid, *matches.rejections], key=lambda rejection: rejection.index)),
    )


def rejected_rows(batch: Batch, result: AddResult) -> list[RejectedRow]:
    """Returns the rows that are no leads, in the order of the source, as texts that both databases can keep."""
    rejected = list(batch.rejected)
    for rejection in result.rejected:
        line, cells = batch.rows[rejection.index]
        rejected.append(RejectedRow(line=line, code=rejection.code, message=rejection.message, cells=cells))
    rejected.sort(key=lambda row: row.line or 0)
    return [
        replace(row, message=storable(row.message), cells=tuple(storable(cell) for cell in row.cells))
        for row in rejected
    ]


async def _find_known(tx: Transaction, profiles: Iterable[Profile]) -> list[Lead]:
    public_identifiers: set[str] = set()
    emails: set[str] = set()
    provider_ids: set[str] = set()
    lone_provider_ids: set[str] = set()
    for profile in profiles:
        if profile.public_identifier:
            public_identifiers.add(profile.public_identifier)
        if profile.email:
            emails.add(profile.email)
        if profile.provider_id:
            alone = not (profile.public_identifier or profile.email)
            (lone_provider_ids if alone else provider_ids).add(profile.provider_id)
    return await leads.find_known(
        tx,
        public_identifiers=public_identifiers,
        emails=emails,
        provider_ids=provider_ids,
        lone_provider_ids=lone_provider_ids,
    )


async def _insert_new(tx: Transaction, created: Sequence[Lead], *, now: int) -> None:
    if not created:
        return
    # One order for everybody, so that two imports of the same people wait for each other instead of deadlocking.
    in_order = sorted(created, key=lambda lead: identity_key(lead.profile) or ("", lead.id))
    # If somebody else brought one of them in since we looked, this is a conflict; run again, it will be found.
    await leads.insert(tx, in_order, now=now)


async def _fill_known(tx: Transaction, filled: Sequence[Lead], *, read: Sequence[Lead]) -> None:
    if not filled:
        return
    # We read without a lock, because most imports fill nothing. What is to be written must still be what was read.
    profile_read = {lead.id: lead.profile for lead in read}
    locked = await leads.lock(tx, [lead.id for lead in filled])
    if len(locked) < len(filled) or any(lead.profile != profile_read[lead.id] for lead in locked):
        raise TransactionConflict
    await leads.update(tx, filled)
