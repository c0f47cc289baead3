"""The suppression of the people of a table, in batches of one transaction each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from leadyard.cli.api_door import Session
from leadyard.database import Database
from leadyard.files.columns import plan_columns
from leadyard.files.read_ahead import read_ahead
from leadyard.files.row_batches import checked_batches
from leadyard.files.table import Table
from leadyard.model import MAX_SUPPRESSIONS_PER_REQUEST, Batch, Caller, CheckedProfiles, RejectedRow, Rejection
from leadyard.operations.secret_keys import usable_secret_key
from leadyard.operations.suppressions import suppress_people
from leadyard.people.checking import check_batch


@dataclass(slots=True)
class SuppressionReport:
    """The number of rows, of identities that are new on the list, and the rows without an identity, without their
    cells."""

    read: int = 0
    added: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)


class Suppressed(NamedTuple):
    """The number of identities of some people that are new on the list, and the people without an identity."""

    added: int
    rejected: Sequence[Rejection]


Send = Callable[[CheckedProfiles], Awaitable[Suppressed]]


async def suppress_rows(source: Table, send: Send) -> SuppressionReport:
    """Returns the report. Raises like `send`, and UnknownColumn if no column has a known name. Earlier batches then
    stay suppressed."""
    plan = plan_columns(source.header, sample=source.sample())
    report = SuppressionReport()
    batches = checked_batches(source, plan, progress=lambda: source.part_read or 0.0)
    async for batch in read_ahead(batches):
        await _suppress(batch, report, send)
    return report


async def on_database(db: Database, caller: Caller, reason: str | None) -> Send:
    """Returns the function that suppresses people on the database. Raises like `usable_secret_key`."""
    await usable_secret_key(db)

    async def send(checked: CheckedProfiles) -> Suppressed:
        result = await suppress_people(db, caller, checked=checked, reason=reason)
        return Suppressed(result.added, result.rejected)

    return send


def through_api(session: Session, reason: str | None) -> Send:
    """Returns the function that suppresses people on a service."""

    async def send(checked: CheckedProfiles) -> Suppressed:
        added, rejected = 0, list(checked.invalid)
        for start in range(0, len(checked.valid), MAX_SUPPRESSIONS_PER_REQUEST):
            some = checked.valid[start : start + MAX_SUPPRESSIONS_PER_REQUEST]
            people = [{"email": each.email, "linkedinUrl": each.linkedin_url} for _, each in some]
            body = {"prospects": people} | ({} if reason is None else {"reason": reason})
            result = await session.api.post(f"{session.group}/suppressions", body)
            added += result["added"]
            rejected += [Rejection(**{**each, "index": some[each["index"]][0]}) for each in result["rejected"]]
        return Suppressed(added, rejected)

    return send


async def _suppress(batch: Batch, report: SuppressionReport, send: Send) -> None:
    result = await send(check_batch(batch))
    report.read += len(batch.rows) + len(batch.rejected)
    report.added += result.added
    refused = [
        RejectedRow(line=batch.rows[each.index][0], code=each.code, message=each.message, cells=())
        for each in result.rejected
    ]
    report.rejected += sorted([*batch.rejected, *refused], key=lambda row: row.line or 0)
