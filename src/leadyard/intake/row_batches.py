"""The rows of a file, a batch at a time: the one importer behind `leadyard import` and the `csv_upload` job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from leadyard.errors import UnreadableFile
from leadyard.intake.columns import ColumnPlan
from leadyard.intake.csv_file import BadRow, CsvFile, CsvRow
from leadyard.model import Batch, RejectedRow

ROWS_A_BATCH = 2_000
"""A batch is a transaction with a dozen round trips and a commit, which 1,000 rows paid twice as often. With 5,000 the
audience would stay locked two and a half times as long, to save another tenth (docs/decisions/0019)."""
BYTES_A_BATCH = 4 * 1024 * 1024
"""A file of nothing but long rows, 1 MiB each at most, must not fill the memory with 2,000 of them."""


class RowBatch(NamedTuple):
    """Rows that follow each other: those that fit the header, those that do not, and how many records of the file lie
    behind them (with those skipped or filtered out), which is where to go on after a break."""

    rows: tuple[CsvRow, ...]
    bad: tuple[BadRow, ...]
    records_behind: int


def row_batches(
    source: CsvFile, *, size: int, skip: int = 0, keep: Callable[[Sequence[str]], bool] | None = None
) -> Iterator[RowBatch]:
    """Yields the rows that `keep` wants, `size` at a time, after the first `skip` records; fewer when they are long, so
    that a batch stays within a few MiB. Raises UnreadableFile where the file cannot be read on, but only after
    everything before that place was yielded.
    """
    records = islice(source, skip, None)
    behind = skip
    began = 0
    rows: list[CsvRow] = []
    bad: list[BadRow] = []
    broken: UnreadableFile | None = None
    try:
        for record in records:
            behind += 1
            if not rows and not bad:
                began = source.bytes_read
            if isinstance(record, BadRow):
                bad.append(record)
            elif keep is None or keep(record.cells):
                rows.append(record)
            count = len(rows) + len(bad)
            if count == size or (count and source.bytes_read - began > BYTES_A_BATCH):
                yield RowBatch(tuple(rows), tuple(bad), behind)
                rows, bad = [], []
    except UnreadableFile as error:
        broken = error
    if rows or bad:
        yield RowBatch(tuple(rows), tuple(bad), behind)
    if broken is not None:
        raise broken


def prospect_batch(found: RowBatch, plan: ColumnPlan, *, progress: float) -> Batch:
    """Returns the rows as the prospects they hold, to be brought in; `progress` is how far reading has come, 0 to 1."""
    return Batch(
        profiles=tuple(plan.profile(row.cells) for row in found.rows),
        rows=tuple((row.line_number, row.cells) for row in found.rows),
        rejected=tuple(
            RejectedRow(line=row.line_number, code=row.code, message=row.message, cells=row.cells) for row in found.bad
        ),
        position={"records": found.records_behind},
        progress=progress,
    )
