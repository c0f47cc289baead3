"""The second stage of a job: looking for the e-mails of the people it has brought in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from leadyard.intake.provider import Provider
from leadyard.model import ClaimedJob
from leadyard.operations.job_runs import list_leads_without_email
from leadyard.operations.operation import Database

_LEADS_A_TIME = 100


class FoundEmails(NamedTuple):
    """What one question brought: e-mails by lead id, where the next one begins, how far this has come."""

    emails: Mapping[str, str]
    position: Mapping[str, Any]
    progress: float


async def found_emails(
    db: Database, provider: Provider, claimed: ClaimedJob, position: Mapping[str, Any]
) -> AsyncIterator[FoundEmails]:
    """Yields what the provider finds for the leads of the job that have no e-mail, 100 at a time, in the order of their
    ids. Raises what the provider raises."""
    after, done, total = position["after"], position["done"], position["total"]
    while leads := await list_leads_without_email(db, claimed, after=after, limit=_LEADS_A_TIME):
        emails = await provider.find_emails(
            account_group_id=claimed.account_group_id,
            job_id=claimed.job.id,
            prospects={lead.id: lead.profile for lead in leads},
        )
        after, done = leads[-1].id, done + len(leads)
        yield FoundEmails(emails, {"after": after, "done": done, "total": total}, done / max(total, done))
