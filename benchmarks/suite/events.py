"""Row 17: what the event of a move costs the database: processor time, because that is the same on a busy machine."""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.move import Lane, make_lanes
from benchmarks.suite.figures import Figure, take_turns
from benchmarks.suite.stage import Stage, ToolMissing
from leadyard.clock import now_ms
from leadyard.ids import key_of, keys_of
from leadyard.store import move_statements
from rig.service import Tenant, make_tenant, run_sql

_WITHOUT = "move_leads_without_event"
# The settings of the service's own sessions.
_SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}


def events(stage: Stage) -> list[Figure]:
    return [_measure(stage, leads=leads) for leads in (1, 25)]


def _measure(stage: Stage, *, leads: int) -> Figure:
    moves = stage.rounds(60, 40)
    with stage.service("postgresql") as service:
        tenant = make_tenant(service)
        [lane] = make_lanes(tenant, clients=1, leads=leads, audience_size=1_000)
        # Otherwise its housekeeping would give the events their places in the middle of a round.
        service.stop()
        run_sql(service.database_url, _function_without_event())
        run_sql(service.database_url, "ANALYZE")
        with asyncio.Runner() as runner:
            session = runner.run(_Session.open(service.database_url, tenant, lane))
            found = take_turns(
                lambda: runner.run(session.move("move_leads_1", moves)),
                lambda: runner.run(session.move(_WITHOUT, moves)),
                rounds=stage.rounds(30, 10),
            )
            runner.run(session.close())
        tenant.client.close()
    return Figure(
        number=17,
        name=f"move-events-{leads}",
        what=f"processor time of PostgreSQL for a move of {leads} lead{'s' if leads > 1 else ''} with its event",
        against="for the same move by a function that writes no event",
        ratio=found.ratio,
        better="lower",
        goal=1.05,
        rounds=found.ratios,
        details={"withSeconds": found.ours, "withoutSeconds": found.theirs},
    )


class _Session:
    """One connection, and the processor time of the server process behind it."""

    def __init__(self, connection: Any, tenant: Tenant, lane: Lane) -> None:
        self._connection = connection
        self._group, self._sides = tenant.number, (key_of(lane.here), key_of(lane.there))
        self._lead_ids = keys_of(lane.lead_ids)
        self._numbers = itertools.count(1)
        self._file = Path(f"/proc/{connection.get_server_pid()}/schedstat")
        if not os.access(self._file, os.R_OK):
            raise ToolMissing("There is no /proc here, from which the processor time of another process is read.")

    @classmethod
    async def open(cls, url: str, tenant: Tenant, lane: Lane) -> _Session:
        return cls(await asyncpg.connect(url, server_settings=_SETTINGS), tenant, lane)

    async def move(self, function: str, moves: int) -> float:
        """Moves the leads there and back. Returns the median of the seconds that the server worked on a move."""
        prepared = await self._connection.prepare(
            f"SELECT move_id FROM {function}(_account_group_id => $1, _number => $2, _attempt => 1, _source => $3,"
            " _target => $4, _lead_ids => CAST($5 AS bigint[]), _lead_count => $6, _now => $7, _api_key_id => NULL)"
        )
        took = []
        for _ in range(moves):
            for source, target in (self._sides, self._sides[::-1]):
                before = self._worked_ns()
                values = (source, target, self._lead_ids, len(self._lead_ids), now_ms())
                moved = await prepared.fetch(self._group, next(self._numbers), *values)
                took.append(self._worked_ns() - before)
                assert len(moved) == 2
        return statistics.median(took) / 1e9

    async def close(self) -> None:
        await self._connection.close()

    def _worked_ns(self) -> int:
        return int(self._file.read_text().split()[0])


def _function_without_event() -> str:
    step = f"{move_statements.EVENT.in_function};"
    text = move_statements.FUNCTION_OF_POSTGRESQL
    assert text.count(step) == 1
    return text.replace("move_leads_1", _WITHOUT).replace(step, "")
