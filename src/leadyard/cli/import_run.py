"""One import from the first row to the last: batches, progress, rejected rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from leadyard.errors import UnreadableFile
from leadyard.intake.columns import ColumnPlan
from leadyard.intake.csv_export import rejected_lines, rejects_header_line
from leadyard.intake.csv_file import CsvFile
from leadyard.intake.read_ahead import read_ahead
from leadyard.intake.row_batches import ROWS_A_BATCH, prospect_batch, row_batches
from leadyard.model import Batch, Caller, RejectedRow
from leadyard.operations.bringing_in import rejected_rows, with_profiles_checked
from leadyard.operations.operation import Database
from leadyard.operations.prospects import add_batch


@dataclass(slots=True)
class ImportReport:
    """What became of the rows: read = created + matched + rejected; those a filter left out are not counted."""

    read: int = 0
    created: int = 0
    matched: int = 0
    added: int = 0
    already_in_audience: int = 0
    rejected: int = 0
    rejects_file: Path | None = None


def rejects_path(file: Path) -> Path:
    """Returns where the rejected rows of `file` go when nobody says otherwise."""
    return Path("stdin.rejects.csv") if str(file) == "-" else file.with_name(f"{file.stem}.rejects.csv")


@dataclass(slots=True)
class Import:
    """Brings the rows of a file into an audience. Never more than two batches of rows are held in memory: the one that
    is being saved, and the one after it."""

    db: Database
    caller: Caller
    audience_id: str
    plan: ColumnPlan
    keep: Callable[[Sequence[str]], bool]
    rejects: Path
    report: ImportReport = field(default_factory=ImportReport)

    async def run(self, source: CsvFile, *, show_progress: bool) -> ImportReport:
        """Returns the report. Raises what add_batch raises; batches before that stay imported, and importing the
        file again brings in the rest."""
        with ExitStack() as closing:
            rejects = _RejectsFile(self.rejects, source.header, closing)
            progress = closing.enter_context(_progress(source, show_progress))
            task = progress.add_task("Importing", total=source.size_bytes, rows=0)
            async for batch, bytes_read in read_ahead(self._batches(source)):
                await self._add(batch, rejects)
                progress.update(task, completed=bytes_read, rows=self.report.read)
        return self.report

    def _batches(self, source: CsvFile) -> Iterator[tuple[Batch, int]]:
        for found in row_batches(source, size=ROWS_A_BATCH, keep=self.keep):
            yield with_profiles_checked(prospect_batch(found, self.plan, progress=0.0)), source.bytes_read

    async def _add(self, batch: Batch, rejects: _RejectsFile) -> None:
        result = await add_batch(self.db, self.caller, audience_id=self.audience_id, batch=batch)
        rejected = rejected_rows(batch, result)
        self.report.read += len(batch.profiles) + len(batch.rejected)
        self.report.created += result.created
        self.report.matched += result.matched
        self.report.added += result.added
        self.report.already_in_audience += result.already_in_audience
        self.report.rejected += len(rejected)
        if rejected:
            self.report.rejects_file = self.rejects
            rejects.write(rejected)


class _RejectsFile:
    """Made only when the first row is rejected. It is what GET …/rejected.csv sends for a job."""

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
                f"{self._path}: {error.strerror}. Name another place with --rejects and import the file again.",
                message="The rejected rows cannot be written.",
            ) from error


def _progress(source: CsvFile, show: bool) -> Progress:
    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]} rows")]
    if source.size_bytes is not None:
        columns.insert(2, TextColumn("{task.percentage:>3.0f}%"))
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not show, transient=True)
