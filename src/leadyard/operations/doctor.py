"""The check-up: does the database still hold what the service promises?"""

from __future__ import annotations

from dataclasses import dataclass

from leadyard.operations.operation import retried
from leadyard.store import doctor
from leadyard.store.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise that does not hold. `check` is a stable name, `message` a sentence."""

    account_group_id: str
    check: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckUp:
    """What was looked at in one account group, and what was wrong (at most 100 findings a check)."""

    account_group_id: str
    looked_at: dict[str, int]
    findings: tuple[Finding, ...]


@retried
async def check_account_group(db: Database, *, account_group_id: str) -> CheckUp:
    """Checks one account group in a single snapshot, so that work going on meanwhile is not taken for a fault."""
    found: list[tuple[str, str]] = []
    async with db.snapshot(account_group_id) as tx:
        looked_at = await doctor.count_rows(tx)
        for row in await doctor.find_drifted_counts(tx):
            found.append(
                (
                    "prospect_count",
                    f"Audience {row['id']} counts {row['prospect_count']} prospects but has {row['members']}.",
                )
            )
        for row in await doctor.find_orphans(tx):
            found.append(
                ("orphan", f"Lead {row['lead_id']} in audience {row['audience_id']} lacks its lead or audience row.")
            )
        for row in await doctor.find_half_moved(tx):
            found.append(
                ("half_move", f"Move {row['id']}: {row['lead_count']} of its leads never left the source audience.")
            )
        for row in await doctor.find_miscounted_moves(tx):
            found.append(
                ("move_count", f"Move {row['id']} counts {row['moved_count']} leads but lists {row['lead_count']}.")
            )
        found += await _check_jobs(tx)
    findings = tuple(Finding(account_group_id, check, message) for check, message in found)
    return CheckUp(account_group_id, looked_at, findings)


async def _check_jobs(tx: Transaction) -> list[tuple[str, str]]:
    found = [
        (
            "job_counts",
            f"Job {row['id']} has read {row['read_count']} prospects but accounts for {row['accounted_count']}.",
        )
        for row in await doctor.find_miscounted_jobs(tx)
    ]
    found += [
        ("job_on_deleted_audience", f"Job {row['id']} is active but its audience {row['audience_id']} was deleted.")
        for row in await doctor.find_jobs_on_deleted_audiences(tx)
    ]
    found += [
        ("job_rejections", f"Job {row['id']} keeps {row['stored']} rejected rows but counts {row['rejected_count']}.")
        for row in await doctor.find_excess_rejections(tx)
    ]
    found += [
        ("upload_pieces", f"Upload {row['id']} has {row['size_bytes']} bytes but its pieces {row['stored_bytes']}.")
        for row in await doctor.find_incomplete_uploads(tx)
    ]
    return found
