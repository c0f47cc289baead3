"""One import, from the first row to the last: batches, progress, rejected rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from leadyard.database import Database
from leadyard.errors import UnreadableFile
from leadyard.files.columns import ColumnPlan
from leadyard.files.export import rejected_lines, rejects_header_line
from leadyard.files.read_ahead import read_ahead
from leadyard.files.row_batches import checked_batches
from leadyard.files.table import Table
from leadyard.model import Batch, Caller, JobCounts, OnKnown, RejectedRow
from leadyard.operations.prospects import add_batch


@dataclass(slots=True)
class ImportReport:
    """The counts of an import, without the rows that a filter left out, the file of the rejected and noted rows, and
    the recorded change, None without a lead."""

    counts: JobCounts = field(default_factory=JobCounts)
    rejects_file: Path | None = None
    change_id: str | None = None


@dataclass(slots=True)
class Import:
    """Imports the rows of a file into an audience. Memory contains at most two batches of rows: the one that is being
    saved, and the next one."""

    db: Database
    caller: Caller
    audience_id: str
    plan: ColumnPlan
    keep: Callable[[Sequence[str]], bool] | None
    rejects: Path
    on_known: OnKnown = OnKnown.FILL
    report: ImportReport = field(default_factory=ImportReport)

    async def run(self, source: Table, *, show_progress: bool) -> ImportReport:
        """Returns the report. Raises like add_batch. Earlier batches then stay imported, and importing the file again
        adds the rest."""
        with ExitStack() as closing:
            rejects = _RejectsFile(self.rejects, source.header, closing)
            progress = closing.enter_context(_progress(source, show_progress))
            task = progress.add_task("Importing", total=None if source.part_read is None else 1, rows=0)
            batches = checked_batches(source, self.plan, keep=self.keep, progress=lambda: _part_read(source))
            async for batch in read_ahead(batches):
                await self._add(batch, rejects)
                progress.update(task, completed=batch.progress, rows=self.report.counts.read)
        return self.report

    async def _add(self, batch: Batch, rejects: _RejectsFile) -> None:
        outcome, self.report.change_id = await add_batch(
            self.db,
            self.caller,
            audience_id=self.audience_id,
            batch=batch,
            change_id=self.report.change_id,
            on_known=self.on_known,
        )
        self.report.counts += outcome.counts
        if outcome.remarks:
            self.report.rejects_file = self.rejects
            rejects.write(outcome.remarks)


class _RejectsFile:
    """The file of rejected and noted rows, in the format of GET …/rejected.csv. The first of them creates it."""

    def __init__(self, path: Path, header: Sequence[str], closing: ExitStack) -> None:
        self._path = path
        self._header = header
        self._closing = closing
        self._stream: TextIO | None = None

    def write(self, rows: Sequence[RejectedRow]) -> None:
        if self._stream is None:
            self._stream = self._closing.enter_context(self._open())
            self._stream.write(rejects_header_line(self._header))
        self._stream.write(rejected_lines(rows, self._header))

    def _open(self) -> TextIO:
        try:
            return self._path.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise UnreadableFile(
                f"{self._path}: {error.strerror}. Choose another place with --rejects and import the file again.",
                message="The rejected rows cannot be written.",
            ) from error


def _part_read(source: Table) -> float:
    return source.part_read or 0.0


def _progress(source: Table, show: bool) -> Progress:
    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]} rows")]
    if source.part_read is not None:
        columns.insert(2, TextColumn("{task.percentage:>3.0f}%"))
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not show, transient=True)
