"""Prospecting: the sources of a job's people, the position of each stage, and the rejected rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from leadyard.model.audiences import AudienceType
from leadyard.model.people import CheckedProfiles, OnKnown, Profile

MAX_PROFILE_URLS = 1_000
MAX_UPLOAD_BYTES = 1024**3
UPLOAD_PIECE_BYTES = 1024**2
MAX_STORED_REJECTIONS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedCsv:
    """A file that was uploaded, and how to read it. The service detects each part that is None or not mapped."""

    type: ClassVar[AudienceType] = AudienceType.CSV_UPLOAD

    upload_id: str
    mapping: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Field → column, or columns in order of trust."""
    identity_column: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    default_encoding: str | None = None
    """The encoding of a file without a byte order mark. The upload says it, not the request."""
    delimiter: str | None = None

    @property
    def named_columns(self) -> frozenset[str]:
        """The columns that the request names. They help to find the header."""
        mapped = [[columns] if isinstance(columns, str) else columns for columns in self.mapping.values()]
        return frozenset(filter(None, [self.identity_column, *(name for names in mapped for name in names)]))


@dataclass(frozen=True, slots=True)
class ProfileUrls:
    """Profile URLs that came with the request."""

    type: ClassVar[AudienceType] = AudienceType.URL_UPLOAD

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkedInSearch:
    """The people that a LinkedIn search finds."""

    type: ClassVar[AudienceType] = AudienceType.LINKEDIN_SEARCH

    search_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesNavigatorList:
    """The people of a saved search or of a lead list of Sales Navigator: exactly one of the two."""

    type: ClassVar[AudienceType] = AudienceType.SALES_NAVIGATOR

    saved_search_id: str | None = None
    lead_list_id: str | None = None


@dataclass(frozen=True, slots=True)
class PostCommenters:
    """The people who commented on a LinkedIn post."""

    type: ClassVar[AudienceType] = AudienceType.POST_COMMENTERS

    post_url: str


SearchQuery: TypeAlias = LinkedInSearch | SalesNavigatorList | PostCommenters
"""A search that needs a prospect provider."""


@dataclass(frozen=True, slots=True)
class NewAudience:
    """The job creates an audience with this name and fills it."""

    name: str


@dataclass(frozen=True, slots=True)
class ExistingAudience:
    """The job adds people to the audience with this id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectingRequest:
    """A caller's request for a new prospecting job. `max_results` applies only to searches, and None means the limit of
    the account group."""

    people: UploadedCsv | ProfileUrls | SearchQuery
    audience: NewAudience | ExistingAudience
    search_emails: bool = False
    max_results: int | None = None
    on_known: OnKnown = OnKnown.FILL


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column of a file. `field` is the field of a person that it feeds, by its JSON name, or None, and `how` it was
    understood: mapped, spelling, parts, content, custom or ignored."""

    name: str
    field: str | None
    how: str


@dataclass(frozen=True, slots=True)
class RowHeader:
    """The names of the cells of a rejected row, and for a file the use of its columns."""

    names: tuple[str, ...]
    plan: tuple[PlannedColumn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSource:
    """The file that a job reads. `header` names the cells of its rejected rows, and `plan` is the use of its columns,
    empty for a job of an earlier version."""

    type: ClassVar[AudienceType] = UploadedCsv.type

    file: UploadedCsv
    upload_bytes: int
    header: tuple[str, ...]
    plan: tuple[PlannedColumn, ...] = ()
    on_known: OnKnown = OnKnown.FILL


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlSource:
    """The profile URLs that a job adds. `header` names the cells of its rejected rows."""

    type: ClassVar[AudienceType] = ProfileUrls.type

    profile_urls: tuple[str, ...]
    header: tuple[str, ...]
    on_known: OnKnown = OnKnown.FILL


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSource:
    """A search whose first `max_results` people a job adds. `header` names the cells of its rejected rows."""

    query: SearchQuery
    max_results: int
    header: tuple[str, ...]
    on_known: OnKnown = OnKnown.FILL

    @property
    def type(self) -> AudienceType:
        """The name of the source in the public API."""
        return self.query.type


ProspectingSource: TypeAlias = CsvSource | UrlSource | SearchSource


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvPosition:
    """The import continues after this number of records of the file."""

    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlPosition:
    """The import continues after this number of URLs."""

    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPosition:
    """The import continues with the page at `cursor`, after `read` prospects, unless the search has `ended`.

    `anchor`, `lap` and `lap_length` detect cursors that repeat, and then `circle` is true.
    """

    cursor: str | None = None
    read: int = 0
    anchor: str | None = None
    lap: int = 0
    lap_length: int = 1
    ended: bool = False
    circle: bool = False


ImportPosition: TypeAlias = CsvPosition | UrlPosition | SearchPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichmentPosition:
    """The enrichment continues after the lead with the id `after`, when `done` of the `total` leads are done."""

    total: int
    after: str = ""
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row of a source that did not become a lead, or a note (`is_note`) on one that did, with that lead. `line` is
    the first line of the row in a file, and `cells` is its content."""

    line: int | None
    code: str
    message: str
    cells: tuple[str, ...]
    is_note: bool = False
    lead_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A part of a source: the prospects, the cells of their rows in the same order, the rows that are not prospects at
    all, the position of the next batch, and the progress of the import after this one.

    `checked` is set if the source has already checked the prospects, while the previous batch was being saved. Then
    `profiles` may be empty. `skipped` counts rows of the source that are not people, such as a repeated header.
    """

    profiles: tuple[Profile, ...]
    rows: tuple[tuple[int | None, tuple[str, ...]], ...]
    rejected: tuple[RejectedRow, ...]
    position: ImportPosition
    progress: float
    checked: CheckedProfiles | None = None
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file for a prospecting job. It is kept until `expires_at`, or until the jobs that read it have ended. `charset`
    is the encoding that its Content-Type names."""

    id: str
    size_bytes: int
    sha256: str
    charset: str | None
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesNavigatorEntry:
    """A lead list or a saved search of Sales Navigator, with the prospect provider's id and name. `lead_count` is None
    if the provider does not report it."""

    id: str
    name: str
    lead_count: int | None
