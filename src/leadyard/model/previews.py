"""A look at a file before it is imported."""

from __future__ import annotations

from dataclasses import dataclass, field

from leadyard.model.people import Profile
from leadyard.model.prospecting import Batch

PREVIEW_ROWS = 10_000
"""The number of rows on which the estimate of a preview is based, unless they are very long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewColumn:
    """A column: its name, a few of its cells, its use as in PlannedColumn, and the other fields that it could feed."""

    name: str
    samples: tuple[str, ...]
    field: str | None
    how: str
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePreview:
    """A file as an import would read it. `row_count` is None if the file goes on behind the rows that were read.

    `batches` has the checked rows, without their cells, for the estimate.
    """

    format: str
    sheets: tuple[str, ...]
    sheet: str | None
    encoding: str | None
    delimiter: str | None
    header_line: int | None
    row_count: int | None
    columns: tuple[PreviewColumn, ...]
    batches: tuple[Batch, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreviewNote:
    """A remark on a row: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """A row as an import would understand it. `prospect` is None for a row that would be rejected, and then the notes
    have the reason."""

    line: int | None
    prospect: Profile | None
    notes: tuple[PreviewNote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEstimate:
    """The result that an import of the rows would have now, with the counts of a job: read = created + matched +
    rejected. `notes` counts the rows by the code of their remarks, with the reasons of the rejected ones."""

    read: int
    created: int
    matched: int
    rejected: int
    skipped: int
    noted: int
    differing: int
    suppressed: int
    notes: dict[str, int]


@dataclass(frozen=True, slots=True)
class ForeseenImport:
    """The first rows and the estimate of a file."""

    rows: tuple[PreviewRow, ...]
    estimate: ImportEstimate
