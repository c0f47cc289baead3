"""Foresees the result of an import, without writing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

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
    """Returns the rows of a batch in the order of the file."""
    notes: dict[int | None, list[PreviewNote]] = {}
    for remark in (*outcome.rejected, *outcome.noted):
        notes.setdefault(remark.line, []).append(PreviewNote(remark.code, remark.message))
    return [
        PreviewRow(line=line, prospect=profile, notes=tuple(notes.get(line, ())))
        for line, profile in _lines(batch, outcome.rejected)
    ]


def _lines(batch: Batch, rejected: Sequence[RejectedRow]) -> Iterator[tuple[int | None, Profile | None]]:
    """Yields the lines with their people, None for a rejected one. A line can contain several people."""
    profiles: dict[int | None, list[Profile]] = {}
    for index, profile in check_batch(batch).valid:
        profiles.setdefault(batch.rows[index][0], []).append(profile)
    refused = {row.line for row in rejected}
    for line in sorted({*profiles, *refused}, key=lambda line: line or 0):
        people = profiles.get(line, [])
        yield from ((line, profile) for profile in (people if line not in refused or len(people) > 1 else [None]))
