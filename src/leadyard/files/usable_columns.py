"""The check of a file before a job starts with it: it must contain people who can be identified.

A file without people is nearly always something else, such as a JSON text in which a client has wrapped the CSV.
"""

from __future__ import annotations

from leadyard.errors import NobodyIdentified, UnreadableFile
from leadyard.files.column_search import listed
from leadyard.files.columns import ColumnPlan
from leadyard.files.table import Table

_JSON_HINT = " This looks like JSON text: send the file itself as the body, not encoded as JSON."
_MOST_BLANK_BYTES = 65_536


def check_columns(plan: ColumnPlan) -> None:
    """Raises NobodyIdentified unless a column can identify people."""
    if not plan.identifies:
        raise nobody_identified(plan)


def nobody_identified(plan: ColumnPlan) -> NobodyIdentified:
    """Returns the refusal of a file without a column that identifies people."""
    return NobodyIdentified(plan.candidates, columns=listed(plan.header), hint=_hint(plan.header))


def check_has_row(file: Table, size_bytes: int) -> None:
    """Raises UnreadableFile for a file of this size that contains nothing behind its header. A longer file than one
    with some blank rows is for the job to read."""
    if size_bytes <= _MOST_BLANK_BYTES and not _has_row(file):
        raise UnreadableFile(f"The file has a header but not a single row.{_hint(file.header)}")


def _has_row(file: Table) -> bool:
    try:
        return next(iter(file), None) is not None
    except UnreadableFile:
        # The job says which line is unreadable.
        return True


def _hint(header: tuple[str, ...]) -> str:
    first = header[0] if header else ""
    # In a JSON text, the line breaks of a CSV file are a backslash and an n.
    return _JSON_HINT if first.startswith(("{", "[")) or "\\n" in "".join(header) else ""
