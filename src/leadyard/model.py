"""The nouns of Leadyard as frozen values. Nothing here reads, writes, waits or knows who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeVar

MAX_LEADS_PER_MOVE = 10_000
MAX_PROSPECTS_PER_ADD = 1_000
MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000
MAX_CUSTOM_FIELDS = 200
MAX_PROFILE_URLS = 1_000
DEFAULT_MAX_RESULTS = 2_000
MOST_MAX_RESULTS = 1_000_000
MAX_UPLOAD_BYTES = 1024**3
UPLOAD_PIECE_BYTES = 1024**2
MAX_STORED_REJECTIONS = 100_000
MAX_ACTIVE_JOBS = 10_000

T = TypeVar("T")

NO_CUSTOM_FIELDS: Mapping[str, str] = MappingProxyType({})


class Permission(StrEnum):
    """What a key may do. The closed list: an unknown permission is refused when a key is made."""

    AUDIENCES_READ = "audiences:read"
    AUDIENCES_WRITE = "audiences:write"
    PROSPECTS_READ = "prospects:read"
    PROSPECTING_READ = "prospecting:read"
    PROSPECTING_WRITE = "prospecting:write"


class AudienceType(StrEnum):
    """Where an audience comes from: made by hand (the first two) or by a prospecting job from its source."""

    ON_DEMAND = "on_demand"
    MONITORING = "monitoring"
    LINKEDIN_SEARCH = "linkedin_search"
    SALES_NAVIGATOR = "sales_navigator"
    POST_COMMENTERS = "post_commenters"
    URL_UPLOAD = "url_upload"
    CSV_UPLOAD = "csv_upload"


HANDMADE_AUDIENCE_TYPES = frozenset({AudienceType.ON_DEMAND, AudienceType.MONITORING})


class JobStatus(StrEnum):
    """The life of a prospecting job. An audience is being populated exactly while its job is queued or running."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobStage(StrEnum):
    """What a job is at: bringing prospects in, then, if that was asked for, looking for their e-mails."""

    IMPORT = "import"
    ENRICHMENT = "enrichment"


ACTIVE_JOB_STATUSES = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})

UPLOAD_JOB_TYPES = frozenset({AudienceType.CSV_UPLOAD, AudienceType.URL_UPLOAD})
PROVIDER_JOB_TYPES = frozenset(
    {AudienceType.LINKEDIN_SEARCH, AudienceType.SALES_NAVIGATOR, AudienceType.POST_COMMENTERS}
)


class StageStatus(StrEnum):
    """How far one stage of a prospecting job has come. SKIPPED: not asked for, or the job ended before it began."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountGroup:
    """The tenant. `created_at` here and below: milliseconds since 1970-01-01T00:00Z.

    `max_results` is how many prospects one job may bring in from a provider.
    """

    id: str
    name: str
    created_at: int
    max_results: int = DEFAULT_MAX_RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A bearer secret as it is remembered: everything but the secret. `None` in a time means never."""

    id: str
    name: str | None
    permissions: tuple[Permission, ...]
    account_group_ids: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer as it went out. `job_id` names the job that a prospecting start has made."""

    status: int
    headers: Mapping[str, str]
    body: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """The promise to do a request once: the key it came with, the token that says the key is reserved for this very
    attempt, and how the result of its operation becomes the answer to keep."""

    key: str
    token: str
    render: Callable[[Any], StoredAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, within one account group. Made once at a door and handed to every operation.

    `api_key_id` is None for the operator at the command line, who needs no key. `once` is there when the request came
    with an idempotency key: the operation then stores its answer in its own transaction.
    """

    account_group_id: str
    permissions: frozenset[Permission]
    api_key_id: str | None
    once: Once | None = None

    @classmethod
    def operator(cls, account_group_id: str) -> Caller:
        """Returns the caller that stands for the operator at the command line: every permission, no key."""
        return cls(account_group_id=account_group_id, permissions=frozenset(Permission), api_key_id=None)


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
    """Which audiences a folder takes: monitoring ones, or all the others."""

    ON_DEMAND = "on_demand"
    MONITORING = "monitoring"

    @classmethod
    def of(cls, audience_type: AudienceType) -> FolderType:
        """Returns the type of folder that takes audiences of this type."""
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
    """Everything one needs to draw the list of audiences: the folders with theirs, and those in no folder."""

    folders: tuple[tuple[Folder, tuple[Audience, ...]], ...]
    ungrouped: tuple[Audience, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a person. None is unknown; an empty string never occurs in a normalised profile.

    `public_identifier` is LinkedIn's name for the person (the part after `/in/`), `provider_id` any outside id.
    """

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
    company_name: str | None = None
    company_linkedin_identifier: str | None = None
    company_linkedin_url: str | None = None
    company_industry: str | None = None
    company_website: str | None = None
    provider_id: str | None = None
    custom_fields: Mapping[str, str] = field(default_factory=lambda: NO_CUSTOM_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One person, once per account group."""

    id: str
    profile: Profile
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A lead as listed in one audience."""

    lead: Lead
    added_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFilter:
    """Which members of an audience to list; what is None does not matter, the others must all hold.

    `q` occurs in name, e-mail, company or title, `company` and `title` in theirs; case does not matter. The times are
    exclusive, in milliseconds.
    """

    q: str | None = None
    company: str | None = None
    title: str | None = None
    has_email: bool | None = None
    added_after: int | None = None
    added_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadWithAudiences:
    """A lead and the audiences it is in, oldest first."""

    lead: Lead
    audiences: tuple[Audience, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One prospect that was not added, and why. `index` counts from 0 in the list that was handed in."""

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResult:
    """What became of the prospects handed in: created + matched + len(rejected) is how many there were;
    added + already_in_audience is how many distinct leads they are."""

    created: int
    matched: int
    added: int
    already_in_audience: int
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """What became of the prospects of a job so far: read = created + matched + rejected. `added` and
    `already_in_audience` count what each batch did to the audience; `emails_found` what the enrichment brought."""

    read: int = 0
    created: int = 0
    matched: int = 0
    added: int = 0
    already_in_audience: int = 0
    rejected: int = 0
    emails_found: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job failed: a stable code and a sentence that says what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A prospecting job: background work that fills one audience from a source.

    `source` is what its type needs, as JSON: `profileUrls`; `uploadId`, `mapping`, `identityColumn`, `header`;
    `searchUrl`; `savedSearchId` or `leadListId`; `postUrl`; and `maxResults` for those of a provider. Both progresses
    go from 0 to 1 and never back. `error` is set when the status is failed.
    """

    id: str
    type: AudienceType
    status: JobStatus
    audience_id: str
    source: Mapping[str, Any]
    search_emails: bool
    stage: JobStage
    import_progress: float
    enrichment_progress: float
    counts: JobCounts
    error: JobError | None
    api_key_id: str | None
    created_at: int
    updated_at: int

    @property
    def import_status(self) -> StageStatus:
        """How far the import has come."""
        return StageStatus.COMPLETED if self.stage is JobStage.ENRICHMENT else self._status_of_current_stage()

    @property
    def enrichment_status(self) -> StageStatus:
        """How far the search for e-mails has come."""
        if not self.search_emails:
            return StageStatus.SKIPPED
        if self.stage is JobStage.ENRICHMENT:
            return self._status_of_current_stage()
        return StageStatus.PENDING if self.status in ACTIVE_JOB_STATUSES else StageStatus.SKIPPED

    def _status_of_current_stage(self) -> StageStatus:
        return StageStatus.PENDING if self.status is JobStatus.QUEUED else StageStatus(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job that a worker may work on until `lease_until`, and the account group it belongs to.

    `lease_number` rises with every claim; whoever holds an older one is refused. `position` is where the next batch
    begins, None at the beginning; its form is known to the source alone. `failed_attempts` counts those since the last
    batch that was saved.
    """

    job: Job
    account_group_id: str
    lease_number: int
    position: Mapping[str, Any] | None
    failed_attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """One row of a source that did not become a lead. `line` is where it begins in a file; `cells` what it held."""

    line: int | None
    code: str
    message: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedProfiles:
    """Normalised profiles with their index in the list they came in, and those that are not valid."""

    valid: tuple[tuple[int, Profile], ...]
    invalid: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a source gives at a time: the prospects, what their rows held (in the same order, for the rejected ones),
    the rows that are no prospects at all, where the next batch begins, and how far this one has brought the import.

    `checked` is there when the source has had the prospects checked already, while the batch before was being saved.
    """

    profiles: tuple[Profile, ...]
    rows: tuple[tuple[int | None, tuple[str, ...]], ...]
    rejected: tuple[RejectedRow, ...]
    position: Mapping[str, Any]
    progress: float
    checked: CheckedProfiles | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent for a prospecting job. Kept until `expires_at`, or the end of the jobs that read it."""

    id: str
    size_bytes: int
    sha256: str
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesNavigatorEntry:
    """A lead list or a saved search of Sales Navigator, as the prospect provider names it. None: it did not count."""

    id: str
    name: str
    lead_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The record of one move. `api_key_id` is the key that asked; `moved_count` the distinct leads that left the
    source, of which `already_in_target_count` were in the target before."""

    id: str
    source_audience_id: str
    target_audience_id: str
    moved_count: int
    already_in_target_count: int
    moved_at: int
    api_key_id: str | None
    undone_by_move_id: str | None
    lead_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """A committed move with both audiences exactly as the commit left them."""

    move: Move
    source: Audience
    target: Audience


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a list. `next_key` is the sort key to continue after, None on the last page."""

    items: tuple[T, ...]
    next_key: str | None

    @classmethod
    def of(cls, found: Sequence[T], limit: int, key: Callable[[T], str]) -> Page[T]:
        """Returns the page of at most `limit` items from `found`, which was asked for one more to see if there is."""
        items = tuple(found[:limit])
        return cls(items, key(items[-1]) if len(found) > limit else None)
