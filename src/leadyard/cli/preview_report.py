"""The output of `leadyard import --dry-run`: what an import would make of a file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from leadyard.cli.table import table
from leadyard.files.column_search import listed
from leadyard.files.columns import ColumnPlan
from leadyard.files.usable_columns import nobody_identified
from leadyard.model import FilePreview, ForeseenImport, PreviewColumn, PreviewRow, Profile
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


def preview_as_text(name: str, plan: ColumnPlan, found: FilePreview, foreseen: ForeseenImport) -> str:
    """Returns the look at the file of this name as tables for people."""
    parts = [
        _first_line(name, found),
        table(("column", "for example", "becomes", "why"), list(map(_column, found.columns[:_MOST_COLUMNS]))),
    ]
    if len(found.columns) > _MOST_COLUMNS:
        parts.append(f"{len(found.columns) - _MOST_COLUMNS} more columns are not shown.")
    if foreseen.rows:
        parts.append(table(("line", "name", "identity", "title", "company", "notes"), list(map(_row, foreseen.rows))))
    parts.append(_estimate(found, foreseen))
    if not plan.identifies:
        refused = nobody_identified(plan)
        parts.append(f"{refused.message} {refused.details}")
    return "\n\n".join(parts)


def _first_line(name: str, found: FilePreview) -> str:
    facts = [found.format]
    if found.sheet is not None:
        others = f", one of {listed(found.sheets)}" if len(found.sheets) > 1 else ""
        facts.append(f"sheet {found.sheet!r}{others}")
    if found.encoding is not None:
        facts.append(f"encoding {found.encoding}")
    if found.delimiter is not None:
        facts.append(f"delimiter {found.delimiter!r}")
    facts.append("no header" if found.header_line is None else f"header on line {found.header_line:,}")
    facts.append("many rows" if found.row_count is None else f"{found.row_count:,} rows")
    return f"{name}: {', '.join(facts)}"


def _column(column: PreviewColumn) -> tuple[str, ...]:
    use = column.field or ("-" if column.how == "ignored" else "a custom field")
    return column.name, ", ".join(column.samples[:1]), use, column.how


def _row(row: PreviewRow) -> tuple[str, ...]:
    profile = row.prospect
    notes = ", ".join(dict.fromkeys(note.code for note in row.notes))
    line = "" if row.line is None else f"{row.line:,}"
    if profile is None:
        return line, "(rejected)", "", "", "", notes
    name = full_name(profile.name, profile.first_name, profile.last_name)
    identity = _identity(profile)
    texts = (name, identity["value"] if identity else None, profile.title, profile.company_name)
    return line, *(text or "" for text in texts), notes


def _estimate(found: FilePreview, foreseen: ForeseenImport) -> str:
    estimate = foreseen.estimate
    scope = "All" if found.row_count is not None else "The first"
    counts = {name: count for name, count in asdict(estimate).items() if name not in ("read", "notes")}
    lines = [f"{scope} {estimate.read:,} rows: " + "  ".join(f"{name} {count:,}" for name, count in counts.items())]
    if estimate.notes:
        lines.append("Notes: " + "  ".join(f"{code} {count:,}" for code, count in estimate.notes.items()))
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
