"""Jobs of every kind: background work on one or two audiences, done stage by stage under a lease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from leadyard.model.job_kinds import STAGES_WITHOUT_WAY_BACK, JobKind, JobStage
from leadyard.model.prospecting import EnrichmentPosition, ImportPosition, ProspectingSource
from leadyard.model.transfers import PartPosition, PlanPosition, RestPosition, TransferSource, UndoSource

MAX_ACTIVE_JOBS = 10_000
# The part of the work of a transfer that making the selection is, as a client sees it.
_SELECTING = 0.1

JobSource: TypeAlias = ProspectingSource | TransferSource | UndoSource
"""The input of a job. Each kind of job adds its own values."""
JobPosition: TypeAlias = ImportPosition | EnrichmentPosition | PlanPosition | PartPosition | RestPosition
"""The place where the next step of a stage begins. Each stage adds its own value."""

P = TypeVar("P", bound=JobPosition)
S = TypeVar("S", bound=JobSource)


class JobStatus(StrEnum):
    """The status of a job. Its audiences answer 409 while the job is queued or running."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_JOB_STATUSES = (JobStatus.QUEUED, JobStatus.RUNNING)


class StageStatus(StrEnum):
    """The progress of one stage of a job. SKIPPED: it was not requested, or the job ended before it began."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """The counts of a job so far. Each count has a column with its name: `read_count`.

    For prospecting, read = created + matched + rejected. `skipped` counts the rows of a file that are not people, such
    as a repeated header, and `read` does not contain them. `noted` counts the rows that were imported with a note,
    `differing` those of known people with other values, and `suppressed` the rejected ones that are suppressed.
    `added` counts the leads that were new in the audience, `already_in_audience` the others, and `emails_found` the
    e-mails that the enrichment found.

    For transfers and undos, `selected` counts the leads of the change, `applied` those that are done so far,
    `already_in_audience` those of them that were in the target before, and `skipped` the leads that an undo leaves as
    they are. `kept_edits` counts the known people into whose empty fields an undone import wrote values.
    """

    read: int = 0
    created: int = 0
    matched: int = 0
    added: int = 0
    already_in_audience: int = 0
    rejected: int = 0
    skipped: int = 0
    noted: int = 0
    differing: int = 0
    suppressed: int = 0
    emails_found: int = 0
    selected: int = 0
    applied: int = 0
    kept_edits: int = 0

    def __add__(self, other: JobCounts) -> JobCounts:
        return JobCounts(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


JOB_COUNTS = tuple(field.name for field in fields(JobCounts))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job failed: a stable code, and a sentence that explains what to do. `extra` has the machine-readable keys
    that some codes add."""

    code: str
    message: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Background work of one kind.

    `audience_ids` are the one or two audiences that it reserves until it has ended. `stages` are its stages in order,
    and `stage` is the current one. The progress of a stage goes from 0 to 1 and never decreases. `error` is set when
    the status is failed. `ends_as` is set while the job takes back what it has applied: the status that it will have.
    `change_id` is the change that a transfer or an undo makes, None before its selection is known, and for other kinds.
    """

    id: str
    kind: JobKind
    status: JobStatus
    audience_ids: tuple[str] | tuple[str, str]
    source: JobSource
    stages: tuple[JobStage, ...]
    stage: JobStage
    progress: Mapping[JobStage, float]
    counts: JobCounts
    error: JobError | None
    api_key_id: str | None
    created_at: int
    updated_at: int
    ends_as: JobStatus | None = None
    change_id: str | None = None

    @property
    def has_way_back(self) -> bool:
        """Whether the job can still be cancelled, or fail."""
        return self.stage not in STAGES_WITHOUT_WAY_BACK

    def source_as(self, *forms: type[S]) -> S:
        """Returns the source. Raises TypeError if it is not of one of these forms."""
        if not isinstance(self.source, forms):
            raise TypeError(f"Job {self.id} has the source {self.source}, which is not one of {forms}")
        return self.source

    @property
    def part_done(self) -> float:
        """The part of a transfer or an undo that is done, from 0 to 1. It falls while the job takes back what it has
        applied."""
        if self.status is JobStatus.COMPLETED:
            return 1.0
        if self.counts.applied and self.counts.selected:
            return min(1.0, _SELECTING + (1 - _SELECTING) * self.counts.applied / self.counts.selected)
        return _SELECTING * self.progress.get(JobStage.SELECT, 0.0)

    @property
    def prospecting_source(self) -> ProspectingSource:
        """The source of a prospecting job. Raises TypeError for other kinds."""
        if isinstance(self.source, TransferSource | UndoSource):
            raise TypeError(f"Job {self.id} is not a prospecting job, but has the source {self.source}")
        return self.source

    @property
    def audience_id(self) -> str:
        """The first audience, which is the only one for most kinds."""
        return self.audience_ids[0]

    @property
    def remaining_stages(self) -> tuple[JobStage, ...]:
        """The current stage and all later ones."""
        return self.stages[self.stages.index(self.stage) :]

    def status_of(self, stage: JobStage) -> StageStatus:
        """Returns the status of the stage."""
        if stage not in self.stages:
            return StageStatus.SKIPPED
        if stage is self.stage:
            return StageStatus.PENDING if self.status is JobStatus.QUEUED else StageStatus(self.status)
        if stage not in self.remaining_stages:
            return StageStatus.COMPLETED
        return StageStatus.PENDING if self.status in ACTIVE_JOB_STATUSES else StageStatus.SKIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job that a worker may work on until its lease runs out, and the account group it belongs to.

    `lease_number` rises with every claim, and the service refuses a worker with an older number. `position` is where
    the next step of the current stage begins, None at the beginning. `failed_attempts` counts the failures since the
    last saved step.
    """

    job: Job
    account_group_id: str
    lease_number: int
    position: JobPosition | None
    failed_attempts: int

    def position_as(self, form: type[P]) -> P | None:
        """Returns the position, None at the beginning. Raises TypeError if it is not one of that form."""
        if self.position is not None and not isinstance(self.position, form):
            raise TypeError(f"Job {self.job.id} is at {self.position}, which is not a {form.__name__}")
        return self.position
