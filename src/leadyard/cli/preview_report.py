"""The output of `leadyard import --dry-run`: what an import would make of a file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from leadyard.cli.output import Data
from leadyard.cli.table import table
from leadyard.counted import counted
from leadyard.files.column_search import listed
from leadyard.model import FilePreview, ForeseenImport, PreviewRow, Profile
from leadyard.people.fields import TEXT_FIELDS, full_name
from leadyard.people.identity import identity_key

_FIELD_OF_KIND = {"linkedin": "linkedinUrl", "email": "email", "provider_id": "providerId"}
_MOST_COLUMNS = 200


def preview_as_dict(found: FilePreview, foreseen: ForeseenImport) -> dict[str, Any]:
    """Returns the look at the file with the names of the API."""
    return {
        "format": found.format,
        "sheets": list(found.sheets),
        "sheet": found.sheet,
        "encoding": found.encoding,
        "delimiter": found.delimiter,
        "headerLine": found.header_line,
        "rowCount": found.row_count,
        "columns": [asdict(column) for column in found.columns],
        "rows": list(map(_row_as_dict, foreseen.rows)),
        "estimate": asdict(foreseen.estimate),
    }


def preview_as_text(name: str, preview: Data, *, advice: str = "") -> str:
    """Returns the look at the file of this name as tables for people, and the advice after them. `preview` is as
    `preview_as_dict` returns it."""
    columns, rows = preview["columns"], preview["rows"]
    parts = [
        _first_line(name, preview),
        table(("column", "for example", "becomes", "why"), list(map(_column, columns[:_MOST_COLUMNS]))),
    ]
    if len(columns) > _MOST_COLUMNS:
        parts.append(f"{counted(len(columns) - _MOST_COLUMNS, 'more column')} not shown.")
    if rows:
        parts.append(table(("line", "name", "identity", "title", "company", "notes"), list(map(_row, rows))))
    parts.append(_estimate(preview))
    if advice:
        parts.append(advice)
    return "\n\n".join(parts)


def _first_line(name: str, preview: Data) -> str:
    facts = [preview["format"]]
    if preview["sheet"] is not None:
        others = f", one of {listed(preview['sheets'])}" if len(preview["sheets"]) > 1 else ""
        facts.append(f"sheet {preview['sheet']!r}{others}")
    if preview["encoding"] is not None:
        facts.append(f"encoding {preview['encoding']}")
    if preview["delimiter"] is not None:
        facts.append(f"delimiter {preview['delimiter']!r}")
    line, count = preview["headerLine"], preview["rowCount"]
    facts.append("no header" if line is None else f"header on line {line:,}")
    facts.append("many rows" if count is None else counted(count, "row"))
    return f"{name}: {', '.join(facts)}"


def _column(column: Data) -> tuple[str, ...]:
    use = column["field"] or ("-" if column["how"] == "ignored" else "a custom field")
    return column["name"], ", ".join(column["samples"][:1]), use, column["how"]


def _row(row: Data) -> tuple[str, ...]:
    notes = ", ".join(dict.fromkeys(note["code"] for note in row["notes"]))
    line = "" if row["line"] is None else f"{row['line']:,}"
    prospect = row["prospect"]
    if prospect is None:
        return line, "(rejected)", "", "", "", notes
    identity = row["identity"]["value"] if row["identity"] else None
    company = (prospect["company"] or {}).get("name")
    return line, *(text or "" for text in (prospect["name"], identity, prospect["title"], company)), notes


def _estimate(preview: Data) -> str:
    estimate = preview["estimate"]
    scope = "All" if preview["rowCount"] is not None else "The first"
    counts = {name: count for name, count in estimate.items() if name not in ("read", "notes")}
    lines = [
        f"{scope} {counted(estimate['read'], 'row')}: "
        + "  ".join(f"{name} {count:,}" for name, count in counts.items())
    ]
    if estimate["notes"]:
        lines.append("Notes: " + "  ".join(f"{code} {count:,}" for code, count in estimate["notes"].items()))
    lines.append("This was a dry run: nothing was written.")
    return "\n".join(lines)


def _row_as_dict(row: PreviewRow) -> dict[str, Any]:
    return {
        "line": row.line,
        "prospect": _prospect(row.prospect) if row.prospect else None,
        "identity": _identity(row.prospect) if row.prospect else None,
        "notes": [asdict(note) for note in row.notes],
    }


def _prospect(profile: Profile) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in TEXT_FIELDS:
        place = found.setdefault("company", {}) if field.in_company else found
        place[field.json_key] = getattr(profile, field.attribute)
    found["name"] = full_name(profile.name, profile.first_name, profile.last_name)
    found["customFields"] = dict(profile.custom_fields)
    return found


def _identity(profile: Profile) -> dict[str, Any] | None:
    key = identity_key(profile)
    if key is None:
        return None
    kind, value = key
    return {"field": _FIELD_OF_KIND[kind], "value": profile.linkedin_url if kind == "linkedin" else value}
