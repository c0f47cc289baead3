"""The suppression of the people of a table, in batches of one transaction each."""

from __future__ import annotations

from dataclasses import dataclass, field

from leadyard.database import Database
from leadyard.files.columns import plan_columns
from leadyard.files.read_ahead import read_ahead
from leadyard.files.row_batches import checked_batches
from leadyard.files.table import Table
from leadyard.model import Batch, Caller, RejectedRow
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


async def suppress_rows(db: Database, caller: Caller, source: Table, *, reason: str | None) -> SuppressionReport:
    """Returns the report. Raises like `suppress_people`, and UnknownColumn if no column has a known name. Earlier
    batches then stay suppressed."""
    await usable_secret_key(db)
    plan = plan_columns(source.header, sample=source.sample())
    report = SuppressionReport()
    batches = checked_batches(source, plan, progress=lambda: source.part_read or 0.0)
    async for batch in read_ahead(batches):
        await _suppress(db, caller, batch, report, reason=reason)
    return report


async def _suppress(
    db: Database, caller: Caller, batch: Batch, report: SuppressionReport, *, reason: str | None
) -> None:
    result = await suppress_people(db, caller, checked=check_batch(batch), reason=reason)
    report.read += len(batch.rows) + len(batch.rejected)
    report.added += result.added
    refused = [
        RejectedRow(line=batch.rows[each.index][0], code=each.code, message=each.message, cells=())
        for each in result.rejected
    ]
    report.rejected += sorted([*batch.rejected, *refused], key=lambda row: row.line or 0)
