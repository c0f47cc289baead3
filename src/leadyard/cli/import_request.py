"""An import as the user asks for it, and its output. Both are the same on the database and to a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadyard.cli.output import Output
from leadyard.model import OnKnown

if TYPE_CHECKING:
    from leadyard.files.tables import Reading

SHOWN_ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """The file, the audience to fill, how to read the file, and how known people change. `mapping` has the columns of
    each field in order, and `conditions` the columns and values that a row must have."""

    file: Path
    audience: str
    mapping: Mapping[str, Sequence[str]]
    conditions: Sequence[tuple[str, str]]
    identity_column: str | None
    sheet: str | None
    encoding: str | None
    delimiter: str | None
    on_known: OnKnown
    rejects: Path | None
    as_json: bool

    def reading(self) -> Reading:
        """Returns how to read the file here."""
        from leadyard.files.tables import Reading

        named = [*(name for names in self.mapping.values() for name in names), *(name for name, _ in self.conditions)]
        named += [self.identity_column] if self.identity_column else []
        return Reading(encoding=self.encoding, delimiter=self.delimiter, sheet=self.sheet, wanted=named)

    def of_api(self) -> dict[str, object]:
        """Returns how the service reads the file, with the names of the API."""
        values = {
            "mapping": {field: list(columns) for field, columns in self.mapping.items()} or None,
            "identityColumn": self.identity_column,
            "sheet": self.sheet,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "onKnown": self.on_known,
        }
        return {name: value for name, value in values.items() if value is not None}

    def rejects_file(self) -> Path:
        """Returns the file for the rejected and noted rows."""
        if self.rejects is not None:
            return self.rejects
        if str(self.file) == "-":
            return Path("stdin.rejects.csv")
        unpacked = self.file.with_suffix("") if self.file.suffix.lower() == ".gz" else self.file
        return self.file.with_name(f"{unpacked.stem}.rejects.csv")


def imported(
    audience_id: str, name: str, counts: Mapping[str, int], *, change_id: str | None, rejects: Path | None
) -> Output:
    """Returns the output of an import. It fails if every row was rejected. `rejects` is None if there is no such
    file."""
    # An import does not look for e-mails.
    shown = {key: count for key, count in counts.items() if key != "emailsFound"}
    file = str(rejects) if rejects else None
    data = {"audience": {"id": audience_id, "name": name}, **shown, "rejectsFile": file, "changeId": change_id}
    lines = [f"Imported into {name} ({audience_id}).", "  ".join(f"{key} {count}" for key, count in shown.items())]
    if change_id:
        lines.append(f"Change {change_id}")
    if file:
        lines.append(f"Rejected and noted rows, with reasons: {file}")
    has_failed = counts["read"] > 0 and counts["rejected"] == counts["read"]
    return Output(data, "\n".join(lines), int(has_failed))
