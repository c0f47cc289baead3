"""The e-mails that the prospect provider finds for the people of a job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from leadyard.database import Database
from leadyard.model import ClaimedJob, EnrichmentPosition
from leadyard.operations.jobs.prospecting_steps import list_leads_without_email
from leadyard.provider.client import Provider

_LEADS_A_TIME = 100


class FoundEmails(NamedTuple):
    """The answer to one request: e-mails by lead id, the position of the next request, and the progress from 0 to 1."""

    emails: Mapping[str, str]
    position: EnrichmentPosition
    progress: float


async def found_emails(
    db: Database, provider: Provider, claimed: ClaimedJob, position: EnrichmentPosition
) -> AsyncIterator[FoundEmails]:
    """Yields the e-mails that the provider finds for the job's leads without one, 100 leads at a time, ordered by id.
    Raises the errors of the provider."""
    while leads := await list_leads_without_email(db, claimed, after=position.after, limit=_LEADS_A_TIME):
        emails = await provider.find_emails(
            account_group_id=claimed.account_group_id,
            job_id=claimed.job.id,
            prospects={lead.id: lead.profile for lead in leads},
        )
        position = replace(position, after=leads[-1].id, done=position.done + len(leads))
        yield FoundEmails(emails, position, position.done / max(position.total, position.done))
