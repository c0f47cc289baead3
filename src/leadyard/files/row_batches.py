"""The rows of a file, a batch at a time, for `leadyard import` and for the `csv_upload` job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from leadyard.errors import UnreadableFile
from leadyard.files.columns import ColumnPlan
from leadyard.files.export import is_own_export
from leadyard.files.table import BadRow, Row, Table
from leadyard.model import Batch, CheckedProfiles, CsvPosition, RejectedRow
from leadyard.people.checking import check_rows
from leadyard.people.linkedin_urls import is_member_id, member_id_in

ROWS_A_BATCH = 2_000
"""A batch is a transaction with a dozen round trips and a commit. 1,000 rows would need twice as many of them. 5,000
rows would lock the audience two and a half times as long, to save another tenth (docs/decisions/0019)."""
BYTES_A_BATCH = 4 * 1024 * 1024
"""A file with only long rows, each up to 1 MiB, must not fill the memory with 2,000 of them."""


class RowBatch(NamedTuple):
    """Consecutive rows: those that fit the header, those that do not, and the number of records of the file up to here,
    including skipped and filtered ones. An interrupted import continues there. `skipped` counts those that are not
    people."""

    rows: tuple[Row, ...]
    bad: tuple[BadRow, ...]
    records_behind: int
    skipped: int = 0


def row_batches(
    source: Table, *, size: int, skip: int = 0, keep: Callable[[Sequence[str]], bool] | None = None
) -> Iterator[RowBatch]:
    """Yields the rows that `keep` accepts after the first `skip` records, `size` at a time, or fewer if they are long,
    so that a batch stays within a few MiB. If the rest of the file cannot be read, raises UnreadableFile after all rows
    before that place were yielded.
    """
    records = islice(source, skip, None)
    behind = skip
    began = skipped = 0
    rows: list[Row] = []
    bad: list[BadRow] = []
    broken: UnreadableFile | None = None
    try:
        for record in records:
            behind += 1
            if not rows and not bad:
                began = source.bytes_read
            if isinstance(record, Row):
                if keep is None or keep(record.cells):
                    rows.append(record)
            elif isinstance(record, BadRow):
                bad.append(record)
            else:
                skipped += 1
            count = len(rows) + len(bad)
            if count == size or (count and source.bytes_read - began > BYTES_A_BATCH):
                yield RowBatch(tuple(rows), tuple(bad), behind, skipped)
                rows, bad, skipped = [], [], 0
    except UnreadableFile as error:
        broken = error
    if rows or bad or skipped:
        yield RowBatch(tuple(rows), tuple(bad), behind, skipped)
    if broken is not None:
        raise broken


def checked_batches(
    source: Table,
    plan: ColumnPlan,
    *,
    skip: int = 0,
    keep: Callable[[Sequence[str]], bool] | None = None,
    progress: Callable[[], float],
) -> Iterator[Batch]:
    """Yields the rows as batches of checked prospects, like `row_batches`. For `read_ahead`.

    `progress` returns the part of the file that was read, from 0 to 1.
    """
    as_stored = is_own_export(source.header)
    for found in row_batches(source, size=ROWS_A_BATCH, skip=skip, keep=keep):
        yield checked_batch(found, plan, progress=progress(), as_stored=as_stored)


def checked_batch(found: RowBatch, plan: ColumnPlan, *, progress: float, as_stored: bool = False) -> Batch:
    """Returns the rows as checked prospects. `as_stored` is true for rows of our own export."""
    checked = check_rows(
        (plan.values(row.cells) for row in found.rows), as_stored=as_stored, identity_hint=plan.identity_hint
    )
    if plan.several_profiles:
        checked = replace(checked, members=_members(found.rows, checked, plan.several_profiles))
    return Batch(
        profiles=(),
        checked=checked,
        rows=found.rows,
        rejected=tuple(
            RejectedRow(line=row.line_number, code=row.code, message=row.message, cells=row.cells) for row in found.bad
        ),
        position=CsvPosition(records=found.records_behind),
        skipped=found.skipped,
        progress=progress,
    )


def _members(rows: Sequence[Row], checked: CheckedProfiles, columns: Sequence[int]) -> dict[int, str]:
    """Returns the member id of each person whose row has it beside the public profile, by the index of the row."""
    found: dict[int, str] = {}
    for index, profile in checked.valid:
        if profile.public_identifier is None or is_member_id(profile.public_identifier):
            continue
        member = next(filter(None, (member_id_in(rows[index].cells[column]) for column in columns)), None)
        if member is not None:
            found[index] = member
    return found
