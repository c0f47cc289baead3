"""Row 14: what the first page of a history costs with very many changes, compared with one with ten changes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from benchmarks.suite.figures import Figure, take_turns
from benchmarks.suite.stage import DATABASES, TITLES, Kind, Stage
from leadyard.ids import NUMBER_BITS, key_of
from rig.service import Tenant, make_tenant
from rig.sqlite_file import open_sqlite

FEW = 10
Asked = tuple[str, dict[str, str]]
"""A path in the account group, and its query."""
STEP = 100_000
# In the order of time, and before everything that the service itself records.
_FIRST_MS = 1_700_000_000_000
_KEY = f"(CAST({_FIRST_MS} AS bigint) + n) * {1 << NUMBER_BITS}"
_CHANGES = """INSERT INTO changes (account_group_id, id, kind, is_indexed, source_audience_id, target_audience_id,
        lead_count, already_in_target_count, changed_at, lead_ids)
    SELECT {group}, {key}, 'move', true, CASE WHEN n % 2 = 0 THEN {here} ELSE {there} END,
        CASE WHEN n % 2 = 0 THEN {there} ELSE {here} END, 1, 0, CAST({first} AS bigint) + n, {list} FROM s"""
_SUBJECTS = "INSERT INTO change_subjects (account_group_id, subject, change_id) SELECT {group}, {subject}, {key} FROM s"


def history(stage: Stage) -> list[Figure]:
    return [figure for kind in DATABASES for figure in _on(stage, kind, many=stage.size(1_000_000, 50_000))]


def _on(stage: Stage, kind: Kind, *, many: int) -> list[Figure]:
    with stage.service(kind) as service:
        ours, theirs = make_tenant(service, "many"), make_tenant(service, "few")
        asked = [_fill(stage, tenant, kind, count) for tenant, count in ((ours, many), (theirs, FEW))]
        figures = []
        for what, (with_many, with_few) in zip(("a lead", "an audience"), zip(*asked, strict=True), strict=True):
            rounds = stage.rounds(200, 60)
            with stage.progress(f"histories of {what}, {kind}", rounds + 1) as told:
                found = take_turns(
                    lambda asked=with_many: _timed(ours, asked),  # type: ignore[misc]
                    lambda asked=with_few: _timed(theirs, asked),  # type: ignore[misc]
                    rounds=rounds,
                    told=told,
                )
            figures.append(
                Figure(
                    number=14,
                    name=f"history-{what.split()[1]}-{kind}",
                    what=f"time of the first page of the history of {what} with {many:,} changes, {TITLES[kind]}",
                    against=f"the same with {FEW}",
                    ratio=found.ratio,
                    better="lower",
                    goal=1.2,
                    rounds=found.ratios,
                    details={"manySeconds": found.ours, "fewSeconds": found.theirs, "changes": many},
                )
            )
        ours.client.close()
        theirs.client.close()
    return figures


def _fill(stage: Stage, tenant: Tenant, kind: Kind, count: int) -> tuple[Asked, Asked]:
    """Records `count` moves of one lead to and fro between two audiences, by SQL alone. Returns the requests for the
    history of the lead, and of one of the audiences."""
    here, there = tenant.create_audience("Here"), tenant.create_audience("There")
    [lead] = tenant.add_leads(here, 1)
    tenant.expect_members_without_record()
    parts = {
        "group": tenant.number,
        "key": _KEY,
        "first": _FIRST_MS,
        "here": key_of(here),
        "there": key_of(there),
        "list": f"'[{key_of(lead)}]'" if kind == "sqlite" else f"ARRAY[CAST({key_of(lead)} AS bigint)]",
    }
    texts = [_CHANGES.format(**parts)]
    texts += [
        _SUBJECTS.format(subject=subject, **parts) for subject in (key_of(lead), -key_of(here), -key_of(there), 1)
    ]
    with stage.progress(f"{count:,} changes, {kind}", -(-count // STEP)) as told:
        for start in range(0, count, STEP):
            _run(tenant.service.database_url, texts, start, min(count, start + STEP))
            told()
    return (f"/prospects/{lead}/changes", {}), ("/changes", {"audienceId": here})


def _run(url: str, texts: list[str], start: int, stop: int) -> None:
    if url.startswith("sqlite:"):
        series = f"WITH RECURSIVE s(n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {stop})"
        connection = open_sqlite(url)
        for text in texts:
            connection.execute(f"{series} {text}")
        connection.close()
        return

    async def run() -> None:
        connection: Any = await asyncpg.connect(url)
        for text in texts:
            await connection.execute(f"WITH s AS (SELECT generate_series({start}, {stop - 1}) AS n) {text}")
        await connection.close()

    asyncio.run(run())


def _timed(tenant: Tenant, asked: Asked) -> float:
    path, query = asked
    started = time.perf_counter()
    answer = tenant.client.get(path, params={"limit": FEW, **query})
    took = time.perf_counter() - started
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]["items"]) == FEW
    return took
