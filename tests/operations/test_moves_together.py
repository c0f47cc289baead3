"""Moves on SQLite that wait at the same moment and commit together: each is done or refused by itself, and none returns
before the common commit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import apsw
import pytest

from leadyard.errors import LeadsNotInSource, ServiceUnavailable
from leadyard.ids import new_id
from leadyard.model import MoveResult
from leadyard.operations import operation
from leadyard.operations.doctor import check_account_group
from leadyard.operations.moves import move_leads
from leadyard.store import schema
from leadyard.store.db import sqlite_connection
from rig.racing import Session
from rig.stage import Stage, staged

MOVES = 8


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/leadyard.db"
    asyncio.run(schema.migrate(url))
    return url


def on_stage(url: str, work: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with staged(url) as stage:
            await work(stage)
            check_up = await check_account_group(stage.db, account_group_id=stage.caller.account_group_id)
            assert check_up.findings == ()

    asyncio.run(run())


def moves_of_one(stage: Stage) -> list[asyncio.Task[MoveResult]]:
    """Starts moves of one lead each, at the same moment."""
    return [asyncio.create_task(move_one(stage, lead_id)) for lead_id in stage.lead_ids[:MOVES]]


async def move_one(stage: Stage, lead_id: str) -> MoveResult:
    return await move_leads(
        stage.db,
        stage.caller,
        source_audience_id=stage.source,
        target_audience_id=stage.target,
        lead_ids=[lead_id],
    )


def test_moves_that_wait_at_the_same_moment_share_a_commit(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: Counter[str] = Counter()

    async def work(stage: Stage) -> None:
        monkeypatch.setattr(sqlite_connection, "log_statement", lambda sql: sent.update([sql]))
        results = await asyncio.gather(*moves_of_one(stage))
        # The first begins at once, and the others wait for it.
        assert sent["COMMIT"] == 2 and sent["RELEASE call"] == MOVES - 1
        # Each has the state that it left, as if they had committed one after the other.
        assert sorted(result.target.prospect_count for result in results) == list(range(1, MOVES + 1))
        assert [move.id for move in await stage.recorded()] == sorted((each.move.id for each in results), reverse=True)
        assert set(await stage.members(stage.target)) == set(stage.lead_ids[:MOVES])

    on_stage(url, work)


def test_a_refused_move_is_undone_alone(url: str) -> None:
    async def work(stage: Stage) -> None:
        known = moves_of_one(stage)
        ids = [stage.lead_ids[-1], new_id()]
        half = asyncio.create_task(
            move_leads(
                stage.db,
                stage.caller,
                source_audience_id=stage.source,
                target_audience_id=stage.target,
                lead_ids=ids,
            )
        )
        with pytest.raises(LeadsNotInSource) as refused:
            await half
        assert refused.value.extra["leadIds"] == [ids[1]]
        assert all(result.move.moved_count == 1 for result in await asyncio.gather(*known))
        assert set(await stage.members(stage.target)) == set(stage.lead_ids[:MOVES])

    on_stage(url, work)


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "SAVEPOINT call", "COMMIT"])
@pytest.mark.parametrize("code", [apsw.SQLITE_FULL, apsw.SQLITE_IOERR])
def test_no_move_is_answered_without_the_common_commit(
    url: str, monkeypatch: pytest.MonkeyPatch, statement: str, code: int
) -> None:
    sent: Counter[str] = Counter()

    def refuse_the_common_one(sql: str) -> None:
        sent[sql] += 1
        # The first move has the first transaction, alone.
        if sql == statement and sent["BEGIN IMMEDIATE"] == 2:
            raise apsw.exception_for(code)

    async def work(stage: Stage) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(sqlite_connection, "log_statement", refuse_the_common_one)
            outcomes = await asyncio.gather(*moves_of_one(stage), return_exceptions=True)
        assert isinstance(outcomes[0], MoveResult)
        assert all(isinstance(each, ServiceUnavailable) for each in outcomes[1:])
        assert set(await stage.members(stage.target)) == {stage.lead_ids[0]}
        # The connection is usable, and none of them is left in the queue.
        for lead_id in stage.lead_ids[1:MOVES]:
            await move_one(stage, lead_id)
        assert set(await stage.members(stage.target)) == set(stage.lead_ids[:MOVES])

    on_stage(url, work)


def test_a_conflict_of_all_is_run_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "_FIRST_PAUSE_S", 0)
    sent: Counter[str] = Counter()

    def collide(sql: str) -> None:
        sent[sql] += 1
        if sql == "COMMIT" and sent[sql] == 2:
            raise apsw.ConstraintError

    async def work(stage: Stage) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(sqlite_connection, "log_statement", collide)
            await asyncio.gather(*moves_of_one(stage))
        assert set(await stage.members(stage.target)) == set(stage.lead_ids[:MOVES])

    on_stage(url, work)


def test_a_move_that_is_given_up_while_it_waits_is_not_made(url: str) -> None:
    async def work(stage: Stage) -> None:
        moves = moves_of_one(stage)
        with Session(url) as other:
            other.begin()
            await asyncio.sleep(0.1)
            for given_up in moves[2::2]:
                given_up.cancel()
            await asyncio.sleep(0.1)
            other.commit()
        outcomes = await asyncio.gather(*moves, return_exceptions=True)
        assert [isinstance(each, MoveResult) for each in outcomes] == [True, True, *[False, True] * 3]
        kept = [stage.lead_ids[n] for n, outcome in enumerate(outcomes) if isinstance(outcome, MoveResult)]
        assert set(await stage.members(stage.target)) == set(kept)

    on_stage(url, work)


def test_moves_wait_together_for_another_process_and_not_longer_than_allowed(url: str) -> None:
    async def work(stage: Stage) -> None:
        stage.db._wait_s = stage.db._together._wait_s = 0.5  # type: ignore[attr-defined]
        with Session(url) as other:
            other.begin()
            outcomes = await asyncio.gather(*moves_of_one(stage), return_exceptions=True)
            assert [getattr(each, "reason", each) for each in outcomes] == ["wait_timeout"] * MOVES
            assert not await stage.members(stage.target)
            later = moves_of_one(stage)
            await asyncio.sleep(0.2)
            assert not any(each.done() for each in later)
            other.commit()
        assert len(await asyncio.gather(*later)) == MOVES

    on_stage(url, work)
