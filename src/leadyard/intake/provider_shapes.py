"""What the prospect provider's answers look like (docs/providers.md), and a prospect of theirs as a profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from leadyard.intake.column_spellings import COLUMN_NAMES, FIELDS
from leadyard.model import Profile, RejectedRow

ROW_HEADER = (*COLUMN_NAMES, "customFields")
"""The names of the cells of a row, for whoever writes rejected ones into a file."""

_MAX_CELL = 10_000
_Count = Annotated[int, Field(ge=0, le=2**53)]


class _Shape(BaseModel):
    """Fields we do not know are passed over, so that a provider may say more; those we know are never converted."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True, frozen=True, defer_build=True)


class _Company(_Shape):
    name: str | None = None
    linkedin_identifier: str | None = None
    linkedin_url: str | None = None
    industry: str | None = None
    website: str | None = None


class _Prospect(_Shape):
    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    headline: str | None = None
    about: str | None = None
    photo_url: str | None = None
    linkedin_url: str | None = None
    public_identifier: str | None = None
    title: str | None = None
    email: str | None = None
    phone: str | None = None
    location: str | None = None
    company: _Company | None = None
    custom_fields: dict[str, str | None] | None = None
    provider_id: str | None = None


class SearchAnswer(_Shape):
    """A page of a search. The prospects are looked at one by one, for a bad one must not spoil the others.

    `nextCursor` may be null but not left out: a misspelt one would quietly end the search after its first page."""

    prospects: list[Any]
    next_cursor: str | None
    total: _Count | None = None


class FoundEmail(_Shape):
    """The e-mail of one of the prospects asked for, null when none was found."""

    key: str
    email: str | None


class EmailsAnswer(_Shape):
    """The e-mails found."""

    results: list[FoundEmail]


class ListItem(_Shape):
    """A lead list or a saved search."""

    id: Annotated[str, Field(min_length=1, max_length=300)]
    name: Annotated[str, Field(max_length=1_000)]
    lead_count: _Count | None = None


class ListAnswer(_Shape):
    """A page of lead lists or saved searches."""

    items: list[ListItem]
    next_cursor: str | None


_read_prospect = TypeAdapter(_Prospect).validate_python
_PLAIN = tuple(name for name in _Prospect.model_fields if name not in ("company", "custom_fields"))


def to_profile(raw: Any) -> Profile | RejectedRow:
    """Returns the profile, not normalised, or the row as rejected when it has not the shape of a prospect."""
    try:
        prospect = _read_prospect(raw)
    except ValidationError as error:
        return RejectedRow(line=None, code="MALFORMED_PROSPECT", message=_what_is_wrong(error), cells=row_cells(raw))
    known = {name: getattr(prospect, name) for name in _PLAIN}
    for name, value in (prospect.company or _Company()).model_dump().items():
        known[f"company_{name}"] = value
    custom = {name: value for name, value in (prospect.custom_fields or {}).items() if value is not None}
    return Profile(**known, custom_fields=custom)


def to_request(profile: Profile) -> dict[str, Any]:
    """Returns what a provider is told of a person whose e-mail it is asked for: who it is, and where they work."""
    told = ("firstName", "lastName", "name", "linkedinUrl", "publicIdentifier", "providerId", "title")
    company = {
        field.removeprefix("company."): getattr(profile, attribute)
        for field, attribute in FIELDS.items()
        if field.startswith("company.")
    }
    return {**{field: getattr(profile, FIELDS[field]) for field in told}, "company": company}


def row_cells(raw: Any) -> tuple[str, ...]:
    """Returns what a prospect held, whatever its shape, as the cells under ROW_HEADER; each cut to 10,000 characters.
    What is no object at all stands in the first cell."""
    if not isinstance(raw, Mapping):
        return (_cell(raw), *("" for _ in ROW_HEADER[1:]))
    company = raw.get("company")
    inner = company if isinstance(company, Mapping) else {"name": company}
    return tuple(
        _cell(inner.get(field.removeprefix("company.")) if field.startswith("company.") else raw.get(field))
        for field in ROW_HEADER
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_CELL else text[: _MAX_CELL - 1] + "…"


def _what_is_wrong(error: ValidationError) -> str:
    """Names the first wrong field by its place; Pydantic's own text would quote the value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # The keys of custom fields are the provider's own and may be anything.
    place = ".".join(str(part)[:100] for part in first["loc"] if part != "[key]").encode("ascii", "replace").decode()
    what = {"string_type": "text", "dict_type": "an object", "model_type": "an object"}.get(first["type"], "valid")
    return f"{place or 'A prospect'} must be {what}."
