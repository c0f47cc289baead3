"""Foresees the result of an import, without writing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.model import (
    Batch,
    Caller,
    ForeseenImport,
    ImportEstimate,
    JobCounts,
    OnKnown,
    Permission,
    PreviewNote,
    PreviewRow,
    Profile,
    RejectedRow,
)
from leadyard.operations.add_people import BatchOutcome, Foreseen, foresee, outcome_of
from leadyard.operations.operation import snapshot
from leadyard.people.checking import check_batch


@snapshot(Permission.PROSPECTING_READ)
async def foresee_import(
    tx: Transaction, caller: Caller, *, batches: Sequence[Batch], on_known: OnKnown = OnKnown.FILL, rows: int
) -> ForeseenImport:
    """Returns the first `rows` rows of the batches as an import would understand them, and the estimate for all of
    them: how many people would be created, matched with those known, or rejected. Raises SecretKeyMissing and
    SecretKeyDiffers, as the import would."""
    now, so_far = now_ms(), Foreseen()
    counts, codes = JobCounts(), Counter[str]()
    shown: list[PreviewRow] = []
    for batch in batches:
        result = await foresee(tx, check_batch(batch), on_known=on_known, at=now, so_far=so_far)
        outcome = outcome_of(batch, result)
        counts += outcome.counts
        codes.update(code for _, code in {(row.line, row.code) for row in (*outcome.rejected, *outcome.noted)})
        if len(shown) < rows:
            shown += _rows(batch, outcome)
    estimate = ImportEstimate(
        read=counts.read,
        created=counts.created,
        matched=counts.matched,
        rejected=counts.rejected,
        skipped=counts.skipped,
        noted=counts.noted,
        differing=counts.differing,
        suppressed=counts.suppressed,
        notes=dict(sorted(codes.items())),
    )
    return ForeseenImport(tuple(shown[:rows]), estimate)


def _rows(batch: Batch, outcome: BatchOutcome) -> list[PreviewRow]:
    """Returns the rows of a batch in the order of the file. The reasons of a rejection are beside the rejected row, and
    the notes beside the people of the line."""
    reasons, notes = _remarks(outcome.rejected), _remarks(outcome.noted)
    return [
        PreviewRow(line=line, prospect=profile, notes=tuple((reasons if profile is None else notes).get(line, ())))
        for line, profile in _lines(batch, outcome.rejected)
    ]


def _remarks(rows: Iterable[RejectedRow]) -> dict[int | None, list[PreviewNote]]:
    found: dict[int | None, list[PreviewNote]] = {}
    for row in rows:
        found.setdefault(row.line, []).append(PreviewNote(row.code, row.message))
    return found


def _lines(batch: Batch, rejected: Sequence[RejectedRow]) -> Iterator[tuple[int | None, Profile | None]]:
    """Yields the lines with their people, None for a rejected one. A line can contain several people."""
    checked = check_batch(batch)
    profiles: dict[int | None, list[Profile | None]] = {}
    for index, profile in checked.valid:
        profiles.setdefault(batch.rows[index][0], []).append(profile)
    unusable = Counter[int | None](batch.rows[each.index][0] for each in checked.invalid)
    unusable.update(row.line for row in batch.rejected)
    refused = Counter(row.line for row in rejected)
    for line in sorted({*profiles, *refused}, key=lambda line: line or 0):
        people = profiles.get(line, [])
        if refused[line] > unusable[line] and len(people) == 1:
            # The person contradicts a known one.
            people = [None]
        yield from ((line, profile) for profile in (*people, *[None] * bool(unusable[line])))
