"""The proof after a load: every count is exact, every answered change is on record, and the check-up finds nothing."""

from __future__ import annotations

import asyncio
import json

from benchmarks.load.groups import Group, run_command

_JOBS_END_WITHIN_S = 120.0


async def faults_of(group: Group) -> list[str]:
    """Returns a sentence for each list whose count is wrong, and for each answered change that is not on record."""
    await _jobs_have_ended(group)
    faults = []
    navigation = (await group.client.get("/audiences/navigation")).json()["data"]
    for audience in navigation["ungroupedAudiences"]:
        members = await group.members(audience["id"])
        if (
            len({each["id"] for each in members}) != audience["prospectCount"]
            or len(members) != audience["prospectCount"]
        ):
            faults.append(
                f"{group.id}: list {audience['id']} counts {audience['prospectCount']} but has {len(members)} people."
            )
    recorded = await _recorded(group)
    faults += [
        f"{group.id}: change {each} was answered but is not on record." for each in set(group.changes) - recorded
    ]
    return faults


def check_up(database_url: str) -> list[str]:
    """Returns what `leadyard doctor` finds, which also replays the record of changes."""
    report = json.loads(run_command(database_url, "doctor").stdout)
    if "error" in report:
        return [f"doctor: {report['error']['details']}"]
    return [f"doctor: {each['check']}: {each['message']}" for each in report["findings"]]


async def _jobs_have_ended(group: Group) -> None:
    deadline = asyncio.get_running_loop().time() + _JOBS_END_WITHIN_S
    while asyncio.get_running_loop().time() < deadline:
        active = 0
        for status in ("queued", "running"):
            answer = await group.client.get("/prospecting", params={"status": status})
            active += len(answer.json()["data"]["items"])
        if not active:
            return
        await asyncio.sleep(1)
    raise SystemExit(f"{group.id}: its jobs have not ended after {_JOBS_END_WITHIN_S:.0f} s. Does a worker run?")


async def _recorded(group: Group) -> set[str]:
    found: set[str] = set()
    cursor = ""
    while True:
        path = f"/changes?limit=200{f'&cursor={cursor}' if cursor else ''}"
        page = (await group.client.get(path)).json()["data"]
        found |= {each["id"] for each in page["items"]}
        if not page["hasMore"]:
            return found
        cursor = page["nextCursor"]
