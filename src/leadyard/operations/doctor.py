"""The check-up: checks that the data in the database still keeps the promises of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadyard.counted import counted
from leadyard.database import Database
from leadyard.model import DatabaseState, Discrepancy
from leadyard.operations.operation import retried
from leadyard.store import doctor, schema


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise. `check` is a stable name, `message` a sentence."""

    account_group_id: str
    check: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckUp:
    """The number of rows that were checked in one account group, by table, and the findings (at most 100 per check)."""

    account_group_id: str
    looked_at: dict[str, int]
    findings: tuple[Finding, ...]


_SENTENCES = {
    "prospect_count": "Audience {id} counts {prospect_count} but has {members}.",
    "orphan": "Lead {lead_id} in audience {audience_id} lacks its lead row.",
    "change_count": "Change {id} counts {counted} but lists {listed}.",
    "abandoned_change": "Change {id} of job {job_id} is hidden, and the job has ended.",
    "planned_part": "Change {id} is complete, but has not done what it planned for its leads from place {position} on.",
    "job_counts": "Job {id} has read {read_count} but accounts for {accounted_count}.",
    "job_on_deleted_audience": "Job {id} is active but its audience {audience_id} was deleted.",
    "jobs_on_audience": "Audience {audience_id} has {jobs}; it may have one.",
    "job_rejections": "Job {id} keeps {stored} but counts {rejected_count}.",
    "search": "Lead {id} is not in the block of searched texts that it names, {search_block_id}.",
    "identity": "Lead {lead_id} has the {kind} of a merged person, but it is gone or another lead has the {kind}.",
    "event": "Change {id} of the kind {kind} has no event.",
    "feed": "Event {id} is after the end of the feed, so readers may skip events.",
    "webhook_position": "Webhook {id} stands at event {event_id}, beyond the end of its feed, and would skip events.",
    "webhook_retries": "Webhook {id} has {retries} that no worker will send again in time.",
    "index": "Change {id} is partly in the index of changes already, which can stop the indexing of its account group.",
    "upload_pieces": "Upload {id} has {size_bytes} but its pieces {stored_bytes}.",
}
_NOUNS = {
    "prospect_count": ("prospect",),
    "counted": ("lead",),
    "read_count": ("prospect",),
    "jobs": ("active job",),
    "stored": ("rejected row",),
    "retries": ("failed delivery", "failed deliveries"),
    "size_bytes": ("byte",),
}
_NO_AUDIENCE = "Lead {lead_id} is in an audience that does not exist, with the number {audience_number}."


@retried
async def check_account_group(
    db: Database, *, account_group_id: str, report: Callable[[int, int], None] = lambda _done, _total: None
) -> CheckUp:
    """Checks one account group in a single snapshot, so that it does not report concurrent work as a discrepancy.

    `report` is called with the changes and memberships that were compared so far, and the number of both.
    """
    async with db.snapshot(account_group_id) as tx:
        looked_at = await doctor.count_rows(tx)
        total = looked_at["changes"] + looked_at["memberships"]
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            report(min(done, total), total)

        found = await doctor.find_discrepancies(tx, told)
    findings = tuple(Finding(account_group_id, each.check, _sentence(each)) for each in found)
    return CheckUp(account_group_id, looked_at, findings)


def _sentence(found: Discrepancy) -> str:
    if found.check == "record":
        return _difference(found.facts).format(**found.facts)
    # The id of an audience is in its row. Without the row, its members have only its number.
    lacks_audience = found.check == "orphan" and found.facts["audience_id"] is None
    sentence = _NO_AUDIENCE if lacks_audience else _SENTENCES[found.check]
    return sentence.format(**{name: _with_noun(name, value) for name, value in found.facts.items()})


def _with_noun(name: str, value: Any) -> Any:
    """Returns the number with its noun, if it is a number that has one."""
    return counted(value, *_NOUNS[name]) if name in _NOUNS else value


def _difference(facts: Mapping[str, Any]) -> str:
    audience = "Lead {lead_id} is in audience {audience_id}"
    if facts["recorded_at"] is None:
        return f"{audience}, but no change has put it there."
    if facts["recorded_at"] == 0:
        return f"{audience}, but the last change has taken it out."
    if facts["member_at"] is None:
        return "Lead {lead_id} is not in audience {audience_id}, but the last change has put it there."
    return f"{audience} since {{member_at}}, but the record of changes says since {{recorded_at}}."


async def check_distribution(db: Database, server: DatabaseState | None) -> tuple[str, ...]:
    """Returns sentences on what is wrong with the tables of a distributed database or with its nodes."""
    if server is None or not server.has_citus:
        return ()
    found = await schema.read_distribution(db.url, is_pooled=server.is_pooled)
    return found.problems if found is not None else ()


async def describe_server(db: Database) -> DatabaseState | None:
    """Returns the state of the PostgreSQL server, None for SQLite. Raises ServiceUnavailable or DatabaseUnfit."""
    state = await schema.read_state(db.url)
    return state if state.server_version is not None else None
