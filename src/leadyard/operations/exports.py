"""Exports as text, a page at a time: the people of an audience, and the rows that a job rejected.

This is the only operation that writes text, because otherwise the API and the commands would repeat the loop. Each page
is a separate operation, so a slow reader holds neither a transaction nor more than a page of memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from leadyard.database import Database
from leadyard.files.export import header_line, profile_lines, rejected_lines, rejects_header_line
from leadyard.model import Caller, Job
from leadyard.operations.jobs.prospecting import list_rejected_rows
from leadyard.operations.prospects import list_custom_field_names, list_prospects

_PAGE = 1_000


class Piece(NamedTuple):
    """The next lines of a CSV file, and their number of leads or rejected rows. The header does not count."""

    text: str
    rows: int


async def export_audience(db: Database, caller: Caller, *, audience_id: str) -> AsyncIterator[Piece]:
    """Returns the pieces of the audience's export, with a column for each custom field of its current members.

    Raises NotFound, or AudienceNotReady while a job populates the audience. The iteration raises them as well, if the
    audience is deleted or a job starts during the export.
    """
    names = await list_custom_field_names(db, caller, audience_id=audience_id)
    return _audience_pieces(db, caller, audience_id, names)


async def export_rejected_rows(db: Database, caller: Caller, job: Job, *, notes: bool = False) -> AsyncIterator[Piece]:
    """Yields the pieces of the file with the job's rejected rows, and with the notes on imported rows if they are
    wanted. Raises NotFound if the job does not exist."""
    header = job.prospecting_source.header
    yield Piece(rejects_header_line(header), 0)
    after: int | None = 0
    while after is not None:
        rows, after = await list_rejected_rows(db, caller, job_id=job.id, notes=notes, after=after, limit=_PAGE)
        yield Piece(rejected_lines(rows, header), len(rows))


async def _audience_pieces(
    db: Database, caller: Caller, audience_id: str, custom_field_names: Sequence[str]
) -> AsyncIterator[Piece]:
    yield Piece(header_line(custom_field_names), 0)
    after: str | None = None
    while True:
        page = await list_prospects(db, caller, audience_id=audience_id, after=after, limit=_PAGE)
        profiles = (member.lead.profile for member in page.items)
        yield Piece(profile_lines(profiles, custom_field_names), len(page.items))
        if page.next_key is None:
            return
        after = page.next_key
