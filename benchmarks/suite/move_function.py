"""The function with which a move runs in PostgreSQL, called directly: the processor time that a call takes."""

from __future__ import annotations

import itertools
import os
import statistics
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.move import Lane
from benchmarks.suite.stage import ToolMissing
from leadyard.clock import now_ms
from leadyard.ids import key_of, keys_of
from rig.service import Tenant

# The settings of the service's own sessions.
_SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}


class FunctionSession:
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
    async def open(cls, url: str, tenant: Tenant, lane: Lane) -> FunctionSession:
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
