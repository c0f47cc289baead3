"""Refusals of files that cannot be imported as they are."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.errors.leadyard_error import LeadyardError


class NobodyIdentified(LeadyardError):
    """No column of the file identifies a person."""

    code = "NOBODY_IDENTIFIED"

    def __init__(self, candidates: Sequence[tuple[str, str]], *, columns: str, hint: str = "") -> None:
        """`candidates` are columns that would do, with their fields. `columns` lists the columns of the file."""
        ids = [repr(name[:60]) for name, field in candidates if field == "providerId"]
        mapped = [f"{name[:60]!r} as {field}" for name, field in candidates if field != "providerId"]
        ways = []
        if mapped:
            ways.append(f"Map {', or '.join(mapped)}, with mapping or, on the command line, --map.")
        if ids:
            ways.append(
                f"Name {' or '.join(ids)} as identityColumn or, on the command line, with --identity-column, if it "
                "differs from person to person."
            )
        if not ways:
            ways.append(
                "Add a column with e-mail addresses, LinkedIn profiles or ids, and map it if it has another name. The "
                f"file has: {columns}."
            )
        super().__init__(
            f"Without one, a second import of the file would make every person twice. {' '.join(ways)}{hint}",
            extra={"columns": [{"name": name, "field": field} for name, field in candidates]},
        )
