"""Audiences, folders, and the navigation that shows both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000


class AudienceType(StrEnum):
    """How an audience was created: by a client (the first two) or by a prospecting job with this source."""

    ON_DEMAND = "on_demand"
    MONITORING = "monitoring"
    LINKEDIN_SEARCH = "linkedin_search"
    SALES_NAVIGATOR = "sales_navigator"
    POST_COMMENTERS = "post_commenters"
    URL_UPLOAD = "url_upload"
    CSV_UPLOAD = "csv_upload"


HANDMADE_AUDIENCE_TYPES = frozenset({AudienceType.ON_DEMAND, AudienceType.MONITORING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A named set of leads. `prospect_count` is the exact number of its members."""

    id: str
    name: str
    type: AudienceType
    description: str | None
    folder_id: str | None
    prospect_count: int
    created_at: int


class FolderType(StrEnum):
    """The audiences that a folder accepts: monitoring audiences, or all others."""

    ON_DEMAND = "on_demand"
    MONITORING = "monitoring"

    @classmethod
    def of(cls, audience_type: AudienceType) -> FolderType:
        """Returns the type of folder that accepts audiences of this type."""
        return cls.MONITORING if audience_type is AudienceType.MONITORING else cls.ON_DEMAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Groups audiences. `position` counts from 0 among the folders of the account group, without gaps."""

    id: str
    name: str
    audience_type: FolderType
    is_pinned: bool
    position: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """The data to draw the list of audiences: the folders with their audiences, and the ungrouped audiences."""

    folders: tuple[tuple[Folder, tuple[Audience, ...]], ...]
    ungrouped: tuple[Audience, ...]
