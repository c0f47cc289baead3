"""The two stages of a prospecting job: it adds people batch by batch, then searches for their e-mails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial

from leadyard.database import Database
from leadyard.model import ClaimedJob, EnrichmentPosition, JobStage
from leadyard.operations.jobs.prospecting_steps import (
    begin_enrichment,
    complete_prospecting,
    save_batch,
    save_emails,
)
from leadyard.worker.jobs.prospecting.enrichment import found_emails
from leadyard.worker.jobs.prospecting.sources import Sources
from leadyard.worker.jobs.work import Work


def prospecting_work(sources: Sources) -> Work:
    """Returns the work of prospecting jobs on these sources."""
    return Work(
        steps={JobStage.IMPORT: partial(_import, sources), JobStage.ENRICHMENT: partial(_enrich, sources)},
        complete=complete_prospecting,
    )


async def _import(sources: Sources, db: Database, claimed: ClaimedJob, lease_ms: int) -> AsyncGenerator[None, None]:
    async for batch in sources.batches(db, claimed):
        await save_batch(db, claimed, batch, lease_ms=lease_ms)
        yield


async def _enrich(sources: Sources, db: Database, claimed: ClaimedJob, lease_ms: int) -> AsyncGenerator[None, None]:
    position = claimed.position_as(EnrichmentPosition)
    if position is None:
        position = await begin_enrichment(db, claimed, lease_ms=lease_ms)
    async for found in found_emails(db, sources.required_provider(), claimed, position):
        await save_emails(
            db, claimed, found.emails, position=found.position, progress=found.progress, lease_ms=lease_ms
        )
        yield
