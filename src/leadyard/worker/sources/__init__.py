"""Where prospects come from: one file a kind of source. Each yields batches from a position on, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from leadyard.intake.provider import Provider
from leadyard.model import AudienceType, Batch, ClaimedJob
from leadyard.operations.operation import Database
from leadyard.worker.outcomes import CannotGoOn
from leadyard.worker.sources import csv_upload, provider_search, url_upload


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources. `provider` is None where the operator has configured none."""

    provider: Provider | None

    def batches(self, db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
        """Returns the batches of the job from its position on. Iterating raises CannotGoOn and what the source adds."""
        match claimed.job.type:
            case AudienceType.CSV_UPLOAD:
                return csv_upload.batches(db, claimed)
            case AudienceType.URL_UPLOAD:
                return url_upload.batches(claimed)
            case _:
                return provider_search.batches(self.required_provider(), claimed)

    def required_provider(self) -> Provider:
        """Returns the provider. Raises CannotGoOn if there is none (any more)."""
        if self.provider is None:
            raise CannotGoOn(
                "SOURCE_NOT_CONFIGURED", "This service has no prospect provider any more. Ask the operator for one."
            )
        return self.provider
