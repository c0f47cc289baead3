"""Looks at a file before it is imported: its columns and its first rows, read and checked as an import does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from leadyard.files.column_candidates import alternatives_of
from leadyard.files.columns import ColumnPlan
from leadyard.files.export import is_own_export
from leadyard.files.pace import OutOfTime, Pace
from leadyard.files.row_batches import RowBatch, checked_batch, row_batches
from leadyard.files.table import Table
from leadyard.model import PREVIEW_ROWS, Batch, FilePreview, PreviewColumn

_ROWS_A_STEP = 200
_MOST_BYTES = 16 * 1024**2
"""Of the rows. So the profiles of a file of long rows stay within some dozens of MiB."""
_SHEETS_S = 2.0
_MOST_SHEETS = 1_000
_SAMPLES = 3
_SAMPLE_CHARS = 100


def preview_of(
    table: Table, plan: ColumnPlan, *, pace: Pace, keep: Callable[[Sequence[str]], bool] | None = None
) -> FilePreview:
    """Returns the look at an open table, of which no row was read: its first 10,000 rows, or fewer if they are long, or
    if the time of the pace is over; only those that `keep` accepts.

    Raises UnreadableFile if one of these rows cannot be read.
    """
    columns = _columns(table, plan)
    batches: list[Batch] = []
    row_count = 0
    is_whole = True
    as_stored = is_own_export(table.header)
    try:
        for found in _steps(table, pace, keep):
            checked = checked_batch(found, plan, progress=0.0, as_stored=as_stored)
            batches.append(_without_cells(checked, is_first=not batches))
            row_count += len(found.rows) + len(found.bad)
            if row_count >= PREVIEW_ROWS or table.bytes_read > _MOST_BYTES:
                is_whole = next(row_batches(table, size=1, keep=keep), None) is None
                break
    except OutOfTime:
        is_whole = False
    return FilePreview(
        format=table.format,
        sheets=_sheet_names(table, pace),
        sheet=table.sheet,
        encoding=table.encoding,
        delimiter=table.delimiter,
        header_line=table.header_line,
        row_count=row_count if is_whole else None,
        columns=columns,
        batches=tuple(batches),
    )


def _steps(table: Table, pace: Pace, keep: Callable[[Sequence[str]], bool] | None) -> Iterator[RowBatch]:
    for found in row_batches(table, size=_ROWS_A_STEP, keep=keep):
        pace.step()
        yield found


def _without_cells(batch: Batch, *, is_first: bool) -> Batch:
    """Returns a batch with the part that an estimate needs. Only the rows of the first one are shown with their
    notes."""
    rows = tuple((line, ()) for line, _ in batch.rows)
    if is_first or batch.checked is None:
        return replace(batch, rows=rows, rejected=tuple(replace(row, cells=()) for row in batch.rejected))
    checked = replace(
        batch.checked,
        invalid=tuple(replace(rejection, message="") for rejection in batch.checked.invalid),
        notes=tuple(replace(note, message="") for note in batch.checked.notes),
    )
    rejected = tuple(replace(row, cells=(), message="") for row in batch.rejected)
    return replace(batch, rows=rows, checked=checked, rejected=rejected)


def _columns(table: Table, plan: ColumnPlan) -> tuple[PreviewColumn, ...]:
    sample = table.sample()
    columns = []
    for index, (name, (field, how)) in enumerate(zip(table.header, plan.uses(), strict=True)):
        cells = [row[index] for row in sample]
        others = () if how == "ignored" else alternatives_of(name, cells, field)
        columns.append(
            PreviewColumn(name=name, samples=_samples(cells), field=field, how=how, alternatives=others)
        )  # fmt: skip
    return tuple(columns)


def _samples(cells: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for cell in cells:
        text = cell.strip()[:_SAMPLE_CHARS]
        if text:
            found[text] = None
        if len(found) == _SAMPLES:
            break
    return tuple(found)


def _sheet_names(table: Table, pace: Pace) -> tuple[str, ...]:
    """Returns the names of the sheets, as far as they are found in two seconds. OpenDocument has no list of them."""
    names: list[str] = []
    pace.extend(seconds=_SHEETS_S)
    with suppress(OutOfTime):
        for name in table.sheet_names():
            names.append(name)
            if len(names) == _MOST_SHEETS:
                break
    return tuple(names or ([table.sheet] if table.sheet is not None else []))
