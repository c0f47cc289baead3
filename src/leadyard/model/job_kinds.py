"""All kinds of jobs with their stages, in order. To add a kind, begin with a line here.

mypy then reports each place that has to handle it: its source in `model/jobs.py` and `store/job_sources.py`, its
positions in `store/job_positions.py`, and its work in `worker/jobs/kinds.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class JobKind(StrEnum):
    """The purpose of a job. A worker claims only the kinds of its own version, so the next version can add a kind while
    this one is running."""

    PROSPECTING = "prospecting"
    TRANSFER = "transfer"
    UNDO = "undo"


class JobStage(StrEnum):
    """One part of a job, done step by step. The column of its progress has its name: `import_progress`."""

    IMPORT = "import"
    ENRICHMENT = "enrichment"
    SELECT = "select"
    APPLY = "apply"
    WITHDRAW = "withdraw"
    REVERT = "revert"


STAGES_OF_KIND: Mapping[JobKind, tuple[JobStage, ...]] = {
    JobKind.PROSPECTING: (JobStage.IMPORT, JobStage.ENRICHMENT),
    JobKind.TRANSFER: (JobStage.SELECT, JobStage.APPLY),
    JobKind.UNDO: (JobStage.SELECT, JobStage.APPLY, JobStage.WITHDRAW),
}
ALL_OR_NOTHING = frozenset({JobKind.TRANSFER, JobKind.UNDO})
"""The kinds that make one change completely or not at all. If such a job is cancelled or fails, its only stage is
REVERT, which takes back what was applied, and only then the job ends."""
STAGES_WITHOUT_WAY_BACK = frozenset({JobStage.WITHDRAW, JobStage.REVERT})
"""The stages that a job cannot leave but by finishing them: it is neither cancelled nor failed there, only tried
again."""
