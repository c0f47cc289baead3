"""The parts of an Excel workbook: which file of the archive is what, from its relations (ECMA-376 part 2)."""

from __future__ import annotations

from posixpath import dirname, join, normpath, split
from typing import NamedTuple

from leadyard.errors import UnreadableFile
from leadyard.files.workbooks.archive import Archive
from leadyard.files.workbooks.xml_stream import for_each_element

_ROOT = "_rels/.rels"


class Parts(NamedTuple):
    """The names of the parts: `sheets` by the id of their relation, None for one that the workbook does not have."""

    workbook: str
    sheets: dict[str, str]
    texts: str | None
    styles: str | None


def parts_of(archive: Archive) -> Parts:
    """Returns the parts. Charts and dialogues are not among the sheets. Raises UnreadableFile if there is no
    workbook."""
    root = _relations(archive, _ROOT, "")
    workbook = next((target for kind, _, target in root if kind == "officeDocument" and "workbook" in target), None)
    workbook = workbook or next(filter(archive.has, ("xl/workbook.xml", "xl/workbook.bin")), None)
    if workbook is None:
        raise UnreadableFile("The file is a ZIP archive without a workbook: send the sheet itself, or CSV.")
    folder, name = split(workbook)
    relations = _relations(archive, join(folder, "_rels", f"{name}.rels"), dirname(workbook))
    return Parts(
        workbook,
        {key: target for kind, key, target in relations if kind == "worksheet"},
        next((target for kind, _, target in relations if kind == "sharedStrings"), None),
        next((target for kind, _, target in relations if kind == "styles"), None),
    )


def _relations(archive: Archive, part: str, folder: str) -> list[tuple[str, str, str]]:
    """Returns kind, id and target of each relation inside the archive. Links to other files are left out."""
    found: list[tuple[str, str, str]] = []

    def handle(_: str, name: str, attributes: dict[str, str]) -> None:
        if name != "Relationship" or attributes.get("TargetMode") == "External":
            return
        target = attributes.get("Target", "").replace("\\", "/")
        place = normpath(target.lstrip("/") if target.startswith("/") else join(folder, target))
        if archive.has(place):
            found.append((attributes.get("Type", "").rpartition("/")[2], attributes.get("Id", ""), place))

    if archive.has(part):
        for_each_element(archive.chunks(part), handle)
    return found


def whole_number(text: str | None) -> int:
    """Returns the number of an attribute, 0 for one that is missing or not a number."""
    return int(text) if text and text.isdigit() and len(text) < 10 else 0
