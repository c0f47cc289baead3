"""All kinds of jobs with their work. A new kind needs a line here and a folder next to this file."""

from __future__ import annotations

from dataclasses import dataclass

from leadyard.model import JobKind
from leadyard.provider.client import Provider
from leadyard.worker.jobs.prospecting.sources import Sources
from leadyard.worker.jobs.prospecting.stages import prospecting_work
from leadyard.worker.jobs.transfers.stages import transfer_work, undo_work
from leadyard.worker.jobs.work import Work


@dataclass(frozen=True, slots=True)
class Kinds:
    """The work of all kinds. `provider` is None if the operator has configured none."""

    provider: Provider | None

    def work_of(self, kind: JobKind) -> Work:
        """Returns the work of that kind."""
        match kind:
            case JobKind.PROSPECTING:
                return prospecting_work(Sources(self.provider))
            case JobKind.TRANSFER:
                return transfer_work()
            case JobKind.UNDO:
                return undo_work()
