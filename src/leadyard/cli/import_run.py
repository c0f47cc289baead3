"""One import from the first row to the last: batches, progress, rejected rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from leadyard.errors import UnreadableFile
from leadyard.intake.columns import ColumnPlan
from leadyard.intake.csv_file import BadRow, CsvFile, CsvRow
from leadyard.model import MAX_PROSPECTS_PER_ADD, Caller
from leadyard.operations.operation import Database
from leadyard.operations.prospects import add_prospects


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
    """Brings the rows of a file into an audience. Never more than one batch of rows is held in memory."""

    db: Database
    caller: Caller
    audience_id: str
    plan: ColumnPlan
    keep: Callable[[Sequence[str]], bool]
    rejects: Path
    report: ImportReport = field(default_factory=ImportReport)

    async def run(self, source: CsvFile, *, show_progress: bool) -> ImportReport:
        """Returns the report. Raises what add_prospects raises; batches before that stay imported, and importing the
        file again brings in the rest."""
        with ExitStack() as closing:
            reject = _RejectsFile(self.rejects, source.header, closing)
            progress = closing.enter_context(_progress(source, show_progress))
            task = progress.add_task("Importing", total=source.size_bytes, rows=0)
            batch: list[CsvRow] = []
            for row in source:
                if isinstance(row, CsvRow) and not self.keep(row.cells):
                    continue
                self.report.read += 1
                if isinstance(row, BadRow):
                    self._reject(reject, row, row.code, row.message)
                    continue
                batch.append(row)
                if len(batch) == MAX_PROSPECTS_PER_ADD:
                    await self._add(batch, reject)
                    batch = []
                    _advance(progress, task, source, self.report)
            if batch:
                await self._add(batch, reject)
            _advance(progress, task, source, self.report)
        return self.report

    async def _add(self, batch: list[CsvRow], reject: _RejectsFile) -> None:
        result = await add_prospects(
            self.db,
            self.caller,
            audience_id=self.audience_id,
            profiles=[self.plan.profile(row.cells) for row in batch],
            needs_identity=True,
        )
        self.report.created += result.created
        self.report.matched += result.matched
        self.report.added += result.added
        self.report.already_in_audience += result.already_in_audience
        for rejection in result.rejected:
            self._reject(reject, batch[rejection.index], rejection.code, rejection.message)

    def _reject(self, reject: _RejectsFile, row: CsvRow | BadRow, code: str, message: str) -> None:
        self.report.rejected += 1
        self.report.rejects_file = self.rejects
        reject.write(row, code, message)


class _RejectsFile:
    """Made only when the first row is rejected. The reasons come first, so that a ragged row cannot shift them."""

    def __init__(self, path: Path, header: Sequence[str], closing: ExitStack) -> None:
        self._path = path
        self._header = header
        self._closing = closing
        self._writer: Any = None

    def write(self, row: CsvRow | BadRow, code: str, message: str) -> None:
        if self._writer is None:
            stream = self._closing.enter_context(self._open())
            self._writer = csv.writer(stream)
            self._writer.writerow(["reject_line", "reject_code", "reject_reason", *self._header])
        # What could not be decoded is written as a question mark rather than losing the row.
        cells = [cell.encode("utf-8", "replace").decode() for cell in row.cells]
        self._writer.writerow([row.line_number, code, message, *cells])

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


def _advance(progress: Progress, task: TaskID, source: CsvFile, report: ImportReport) -> None:
    progress.update(task, completed=source.bytes_read, rows=report.read)
