"""The shapes of the prospect provider's answers (docs/providers.md), and its prospects as profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from leadyard.model import LinkedInSearch, PostCommenters, RejectedRow, SalesNavigatorList, SearchQuery
from leadyard.people.fields import COLUMN_NAMES, TEXT_FIELDS, Profile
from leadyard.people.shapes import company_fields, may_be_left_out, person_fields, profile_of, with_fields

_CUSTOM_FIELDS = "customFields"
ROW_HEADER = (*COLUMN_NAMES, _CUSTOM_FIELDS)
"""The names of the cells of a rejected row, for the header of a file of such rows."""

_MAX_CELL = 10_000
_Count = Annotated[int, Field(ge=0, le=2**53)]


class _Shape(BaseModel):
    """Unknown fields are ignored, so that a provider may send more. Known fields are never converted."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True, frozen=True, defer_build=True)


@with_fields(company_fields(may_be_left_out))
class _Company(_Shape):
    """Where the person works."""


@with_fields(
    person_fields(may_be_left_out, company=(_Company | None, None), custom_fields=(dict[str, str | None] | None, None))
)
class _Prospect(_Shape):
    """A person in an answer of the provider."""


class SearchAnswer(_Shape):
    """A page of a search. The prospects are parsed one by one, so that an invalid one does not affect the others.

    `nextCursor` may be null but not left out, because a misspelt name would silently end the search after its first
    page."""

    prospects: list[Any]
    next_cursor: str | None
    total: _Count | None = None


class FoundEmail(_Shape):
    """The e-mail of a prospect in the request, or null if none was found."""

    key: str
    email: str | None


class EmailsAnswer(_Shape):
    """The found e-mails."""

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


def to_profile(raw: Any) -> Profile | RejectedRow:
    """Returns the profile, not normalised, or a rejected row if `raw` does not have the shape of a prospect."""
    try:
        prospect = _read_prospect(raw)
    except ValidationError as error:
        return RejectedRow(line=None, code="MALFORMED_PROSPECT", message=_what_is_wrong(error), cells=row_cells(raw))
    return profile_of(prospect)


def to_request(profile: Profile) -> dict[str, Any]:
    """Returns the data of a person that the provider gets to find an e-mail: the name, the profile, the employer."""
    known: dict[str, Any] = {"company": {}}
    for field in TEXT_FIELDS:
        if field.is_sent_to_provider:
            (known["company"] if field.in_company else known)[field.json_key] = getattr(profile, field.attribute)
    return known


def query_fields(query: SearchQuery) -> dict[str, str]:
    """Returns the type of a search and its parameters, with the names of the protocol."""
    match query:
        case LinkedInSearch():
            wanted = {"searchUrl": query.search_url}
        case SalesNavigatorList(saved_search_id=str(saved_search_id)):
            wanted = {"savedSearchId": saved_search_id}
        case SalesNavigatorList():
            wanted = {"leadListId": query.lead_list_id or ""}
        case PostCommenters():
            wanted = {"postUrl": query.post_url}
        case _:
            assert_never(query)
    return {"type": str(query.type), **wanted}


def row_cells(raw: Any) -> tuple[str, ...]:
    """Returns the content of a prospect of any shape as the cells under ROW_HEADER, each cut to 10,000 characters. If
    `raw` is not an object, the first cell contains all of it."""
    if not isinstance(raw, Mapping):
        return (_cell(raw), *("" for _ in ROW_HEADER[1:]))
    company = raw.get("company")
    inner = company if isinstance(company, Mapping) else {"name": company}
    texts = (_cell((inner if field.in_company else raw).get(field.json_key)) for field in TEXT_FIELDS)
    return (*texts, _cell(raw.get(_CUSTOM_FIELDS)))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_CELL else text[: _MAX_CELL - 1] + "…"


def _what_is_wrong(error: ValidationError) -> str:
    """Returns a message with the place of the first wrong field. Pydantic's own text would quote the value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # The keys of custom fields are the provider's own and may be anything.
    place = ".".join(str(part)[:100] for part in first["loc"] if part != "[key]").encode("ascii", "replace").decode()
    what = {"string_type": "text", "dict_type": "an object", "model_type": "an object"}.get(first["type"], "valid")
    return f"{place or 'A prospect'} must be {what}."
