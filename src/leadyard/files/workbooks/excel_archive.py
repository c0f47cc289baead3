"""The common part of .xlsx and .xlsb: an archive with a part for each sheet, the cell styles and the shared texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from leadyard.files.workbooks.archive import Archive
from leadyard.files.workbooks.cell_text import Look
from leadyard.files.workbooks.excel_parts import Parts
from leadyard.files.workbooks.shared_texts import SharedTexts
from leadyard.files.workbooks.workbook import Sheet

MAX_STYLES = 70_000
"""How many cell styles are read; Excel writes at most 65,490."""


class ExcelArchive(ABC):
    """An open workbook whose parts are files of a ZIP archive. The subclass reads the format of the parts."""

    def __init__(self, archive: Archive, parts: Parts) -> None:
        self._archive = archive
        self._since_1904 = False
        self._sheets: list[Sheet] = []
        self._read_structure(parts)
        self._looks = self._read_looks(parts.styles) if parts.styles else []
        self._texts = SharedTexts(self._read_texts(parts.texts) if parts.texts else iter(()))
        self._fed = 0
        self._announced = 0

    @property
    def part_read(self) -> float:
        return min(1.0, self._fed / self._announced) if self._announced else 0.0

    def sheets(self) -> Iterator[Sheet]:
        yield from self._sheets

    def close(self) -> None:
        self._texts.close()

    def _chunks_of(self, sheet: Sheet) -> Iterator[bytes]:
        """Yields the bytes of the sheet from the beginning, and counts them for `part_read`."""
        self._announced, self._fed = self._archive.size_of(sheet.key), 0
        for chunk in self._archive.chunks(sheet.key):
            self._fed += len(chunk)
            yield chunk

    @abstractmethod
    def _read_structure(self, parts: Parts) -> None:
        """Reads the list of the sheets, and from which year the workbook counts its dates."""

    @abstractmethod
    def _read_looks(self, part: str) -> list[Look]:
        """Returns the look of each cell style, by its number."""

    @abstractmethod
    def _read_texts(self, part: str) -> Iterator[str]:
        """Yields the shared texts, by their number."""
