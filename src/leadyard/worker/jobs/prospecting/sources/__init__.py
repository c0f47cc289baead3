"""The sources of prospects, one file per kind. Each yields batches from a position on, and does nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import assert_never

from leadyard.database import Database
from leadyard.model import Batch, ClaimedJob, CsvSource, SearchSource, UrlSource
from leadyard.provider.client import Provider
from leadyard.worker.jobs.outcomes import CannotGoOn
from leadyard.worker.jobs.prospecting.sources import csv_upload, provider_search, url_upload


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources. `provider` is None if the operator has configured none."""

    provider: Provider | None

    def batches(self, db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
        """Returns the batches of the job from its position on. Iteration raises CannotGoOn and the source's errors."""
        source = claimed.job.prospecting_source
        match source:
            case CsvSource():
                return csv_upload.batches(db, claimed, source)
            case UrlSource():
                return url_upload.batches(claimed, source)
            case SearchSource():
                return provider_search.batches(self.required_provider(), claimed, source)
            case _:
                assert_never(source)

    def required_provider(self) -> Provider:
        """Returns the provider. Raises CannotGoOn if the service has none, or no longer has one."""
        if self.provider is None:
            raise CannotGoOn(
                "SOURCE_NOT_CONFIGURED",
                "This service no longer has a prospect provider. The operator can configure one.",
            )
        return self.provider
