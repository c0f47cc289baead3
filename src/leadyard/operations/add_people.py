"""Adds people to an audience inside the caller's transaction. Every request, command and job adds people through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from leadyard.database import Transaction
from leadyard.errors import TransactionConflict
from leadyard.model import (
    AddResult,
    Batch,
    CheckedProfiles,
    Effect,
    JobCounts,
    Lead,
    Note,
    OnKnown,
    OtherIdentity,
    RejectedRow,
    Rejection,
    ReplacedValue,
)
from leadyard.operations.changes.members import put_in_with_new
from leadyard.operations.known_people import find_known_people
from leadyard.operations.suppressed_people import SUPPRESSED, leave_out_suppressed, refuse_if_suppressed_since
from leadyard.people.identity import identity_key
from leadyard.people.matching import Matches, match_prospects
from leadyard.people.person_names import name_key
from leadyard.people.text_rules import storable
from leadyard.store import addition_state, lead_identities, leads
from leadyard.store.audiences import LockedAudience

# Each holds what the ones before have locked, so the second one usually finds everything as it stays.
_LOOK_UPS = 5


class BatchOutcome(NamedTuple):
    """The counts of a batch, and its rejected rows in the order of the source, in a form that both databases accept.

    `noted` are rows that were imported with a note, once for each note, in the same order and form.
    """

    counts: JobCounts
    rejected: tuple[RejectedRow, ...]
    noted: tuple[RejectedRow, ...]

    @property
    def remarks(self) -> list[RejectedRow]:
        """The rejected and the noted rows in the order of the source."""
        return sorted([*self.rejected, *self.noted], key=lambda row: row.line or 0)


class BroughtIn(NamedTuple):
    """The result for the record of changes. The first `created_count` leads of the effect are new, `filled_count` known
    people got values for empty fields, and `replaced` are the values that were replaced. `at` is the time of all of
    it."""

    result: AddResult
    effect: Effect
    created_count: int
    filled_count: int
    replaced: tuple[ReplacedValue, ...]
    at: int


def outcome_of(batch: Batch, result: AddResult) -> BatchOutcome:
    """Returns the outcome of a batch from the result of `bring_in`."""
    rejected = _in_order([*batch.rejected, *_rows_of(batch, result.rejected)])
    counts = JobCounts(
        read=len(batch.rows) + len(batch.rejected),
        created=result.created,
        matched=result.matched,
        added=result.added,
        already_in_audience=result.already_in_audience,
        rejected=len(rejected),
        skipped=batch.skipped,
        noted=len({note.index for note in result.notes}),
        differing=result.differing,
        suppressed=result.suppressed,
    )
    return BatchOutcome(counts, rejected, _in_order(_rows_of(batch, result.notes)))


async def bring_in(
    tx: Transaction, audience: LockedAudience, checked: CheckedProfiles, *, on_known: OnKnown = OnKnown.FILL, at: int
) -> BroughtIn:
    """Creates leads, or changes known ones as `on_known` requires, and adds them to the locked audience at that time,
    which is later than its last change. The caller records the effect and the replaced values.

    A prospect that is suppressed, or that matches two leads, is reported in the result and not added. Raises
    TransactionConflict if another transaction added or changed one of the leads at the same time. Raises
    SecretKeyMissing or SecretKeyDiffers if the account group has suppressed people whom this process cannot recognise.
    """
    state = await addition_state.read(tx)
    welcome, suppressed = await leave_out_suppressed(tx, state, checked)
    matches = await _match_and_keep(tx, welcome, any_shared=state.any_shared, on_known=on_known, at=at)
    # Known leads come first, because a transaction that changes one also locks it before it locks texts of the search.
    if matches.changed:
        await leads.update(tx, matches.changed, before=matches.before)
    await _insert_new(tx, matches.created)
    if matches.created:
        await refuse_if_suppressed_since(tx, state)
    if matches.left_behind:
        await lead_identities.add(tx, matches.left_behind)
    created = [lead.id for lead in matches.created]
    present = _known_ids(matches)
    lead_ids = (*created, *present)
    entered_at = await put_in_with_new(tx, audience.audience.id, created, present, at=at)
    added = sum(each is not None for each in entered_at)
    result = _result(checked, suppressed, matches, added=added)
    effect = Effect(lead_ids=lead_ids, entered_at=entered_at)
    return BroughtIn(result, effect, len(created), matches.filled_count, matches.replaced, at)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The leads that additions would have created or changed, by id, and the identities that they would have kept."""

    leads: dict[str, Lead] = field(default_factory=dict)
    identities: list[OtherIdentity] = field(default_factory=list)


async def foresee(
    tx: Transaction, checked: CheckedProfiles, *, on_known: OnKnown = OnKnown.FILL, at: int, so_far: Foreseen
) -> AddResult:
    """Returns the result that `bring_in` would have now in an empty audience, after the additions that were foreseen so
    far, and writes nothing. Adds to `so_far`. Raises SecretKeyMissing and SecretKeyDiffers like `bring_in`."""
    state = await addition_state.read(tx)
    welcome, suppressed = await leave_out_suppressed(tx, state, checked)
    people = [profile for _, profile in welcome.valid]
    known, others = await find_known_people(tx, people, any_shared=state.any_shared, members=welcome.members.values())
    seen = {lead.id: lead for lead in known} | so_far.leads
    all_others = (*others, *(each for each in so_far.identities if each.lead_id in seen))
    matches = match_prospects(
        welcome.valid, seen.values(), all_others, members=welcome.members, now=at, on_known=on_known
    )
    so_far.leads.update((lead.id, lead) for lead in (*matches.created, *matches.changed))
    so_far.identities.extend(matches.left_behind)
    return _result(checked, suppressed, matches, added=len(matches.lead_ids))


def _result(checked: CheckedProfiles, suppressed: Sequence[Rejection], matches: Matches, *, added: int) -> AddResult:
    refused = [*checked.invalid, *suppressed, *matches.rejections]
    rejected = sorted(refused, key=lambda rejection: rejection.index)
    return AddResult(
        created=len(matches.created),
        matched=matches.matched_count,
        added=added,
        already_in_audience=len(matches.lead_ids) - added,
        rejected=tuple(rejected),
        differing=matches.differing_count,
        suppressed=len(suppressed),
        notes=_notes_on_added(checked.notes + matches.notes, matches.lead_of),
    )


def _notes_on_added(notes: Sequence[Note], lead_of: Mapping[int, str]) -> tuple[Note, ...]:
    """Returns the notes on prospects that were not rejected after all, with their leads. The reason of a rejection is
    enough."""
    kept = (replace(note, lead_id=lead_of[note.index]) for note in notes if note.index in lead_of)
    return tuple(sorted(kept, key=lambda note: note.index))


def _rows_of(batch: Batch, remarks: Iterable[Rejection | Note]) -> Iterator[RejectedRow]:
    for remark in remarks:
        line, cells = batch.rows[remark.index]
        # Of a suppressed person the service keeps nothing, so the line has to be enough.
        kept = () if remark.code == SUPPRESSED else cells
        row = RejectedRow(line=line, code=remark.code, message=remark.message, cells=kept)
        yield replace(row, is_note=True, lead_id=remark.lead_id) if isinstance(remark, Note) else row


def _in_order(rows: Iterable[RejectedRow]) -> tuple[RejectedRow, ...]:
    return tuple(
        replace(row, message=storable(row.message), cells=tuple(storable(cell) for cell in row.cells))
        for row in sorted(rows, key=lambda row: row.line or 0)
    )


async def _match_and_keep(
    tx: Transaction, checked: CheckedProfiles, *, any_shared: bool, on_known: OnKnown, at: int
) -> Matches:
    """Returns the leads of the people, as they stay until this transaction ends: no other one erases, merges or changes
    the known leads among them.

    The look-up takes no lock, because most imports find new people. So it is repeated if another transaction has got
    ahead. The locks of the earlier look-ups stay, so beside any number of merges this takes a few of them.
    """
    people = [profile for _, profile in checked.valid]
    for _ in range(_LOOK_UPS):
        known, others = await find_known_people(tx, people, any_shared=any_shared, members=checked.members.values())
        matches = match_prospects(checked.valid, known, others, members=checked.members, now=at, on_known=on_known)
        if await _keep_known(tx, matches, read=known):
            return matches
    raise TransactionConflict


async def _keep_known(tx: Transaction, matches: Matches, *, read: Sequence[Lead]) -> bool:
    """Keeps the known leads, and locks those that change. Returns whether they are still as they were read."""
    # Also those that get an identity, because another person of the same address has got more names.
    named = {identity.lead_id for identity in matches.left_behind}
    kept = sorted(named.union(matches.lead_ids).difference(lead.id for lead in matches.created))
    if kept and await leads.keep(tx, kept) < len(kept):
        return False
    if not matches.changed:
        return True
    as_read = {lead.id: lead for lead in read}
    # Kept first, all in the order of their ids, as a merge locks its two: so none of the three can deadlock.
    locked = await leads.lock_kept(tx, [lead.id for lead in matches.changed])
    return all(lead == as_read[lead.id] for lead in locked)


def _known_ids(matches: Matches) -> list[str]:
    return sorted(set(matches.lead_ids).difference(lead.id for lead in matches.created))


async def _insert_new(tx: Transaction, created: Sequence[Lead]) -> None:
    if not created:
        return
    # The same order in every transaction, so that two imports of the same people wait for each other, without deadlock.
    in_order = sorted(created, key=_place)
    # If another transaction has added one of them since the look-up, this is a conflict, and the next attempt finds it.
    await leads.insert(tx, in_order)


def _place(lead: Lead) -> tuple[str, ...]:
    """Returns the place of a new lead in the order of inserting."""
    identity = identity_key(lead.profile) or ("", lead.id)
    return (*identity, name_key(lead.profile)) if lead.shares_email else identity
