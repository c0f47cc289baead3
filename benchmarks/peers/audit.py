"""Reads a contender's tables to check that it did what its answers claim."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.peers import cpu
from benchmarks.peers.client import ask_once, contend, drive, move_all
from benchmarks.peers.contender import Contender, Id, Lane, Loaded, Records
from benchmarks.peers.report import Turn


@dataclass(frozen=True)
class State:
    """The members of each audience, the audiences' own counts, and the sums of the record."""

    members: dict[Id, list[Id]]
    counts: dict[Id, int]
    records: Records

    def check_counts(self, name: str) -> None:
        """Raises AssertionError unless every count equals the number of members, and no lead is in an audience
        twice."""
        for audience, count in self.counts.items():
            members = self.members.get(audience, [])
            assert count == len(members), f"{name}: audience {audience} counts {count} but has {len(members)}"
            assert len(set(members)) == len(members), f"{name}: a lead is in audience {audience} twice"


async def look(contender: Contender) -> State:
    connection: Any = await asyncpg.connect(contender.database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            members = defaultdict(list)
            for audience, lead in await connection.fetch(contender.members_sql):
                members[audience].append(lead)
            counts = dict(await connection.fetch(contender.counts_sql))
            return State(dict(members), counts, Records(*map(int, await connection.fetchrow(contender.records_sql))))
    finally:
        await connection.close()


async def prove_moves(contender: Contender, lanes: list[Lane]) -> None:
    """Moves every lane away and back, and reads the tables each time. Raises AssertionError if a lead is in the wrong
    audience, or a move is not on record."""
    before = await look(contender)
    before.check_counts(contender.name)
    for way, step in (([*lanes], 1), ([lane.back() for lane in lanes], 2)):
        await move_all(contender, way)
        state = await look(contender)
        state.check_counts(contender.name)
        for lane in way:
            assert set(lane.lead_ids) <= set(state.members[lane.there]), (
                f"{contender.name}: a lead is not in the target"
            )
            assert not set(lane.lead_ids) & set(state.members.get(lane.here, [])), (
                f"{contender.name}: a lead is still in the source"
            )
        _check_records(contender, before.records, state.records, step * len(lanes), len(lanes[0].lead_ids))
    assert _sorted(state) == _sorted(before), f"{contender.name}: moving there and back changed something else"


async def prove_refusals(contender: Contender, loaded: Loaded) -> None:
    """Raises AssertionError unless four moves are refused and change nothing: with one lead that is not in the source,
    to the same audience, of no leads, and with a wrong key."""
    before = await look(contender)
    (here, members), (there, others) = loaded.audiences[:2]
    foreign = contender.move(here, there, [*members[:5], others[0]])
    status, body = await ask_once(contender, foreign)
    assert contender.refused(status, body), (
        f"{contender.name}: the answer to a foreign lead was {status} {body[:300]!r}"
    )
    refused = {"to the same audience": contender.move(here, here, members[:5]),
               "of no leads": contender.move(here, there, [])}  # fmt: skip
    if contender.needs_key:
        refused["with a wrong key"] = contender.move(here, there, members[:5], key="wrong")
    for what, request in refused.items():
        status, body = await ask_once(contender, request)
        assert contender.moved(status, body) is None, (
            f"{contender.name}: the answer to a move {what} was {body[:300]!r}"
        )
    after = await look(contender)
    assert (_sorted(after), after.records) == (_sorted(before), before.records), (
        f"{contender.name} refused a move but changed the tables"
    )


async def measure(contender: Contender, lanes: list[Lane], seconds: float) -> Turn:
    """Returns the result of a turn. Raises AssertionError unless the record grew by every answered move, and all counts
    and members are right afterwards."""
    before, cpu_before = await look(contender), cpu.seconds_of(contender.pid)
    done, took = await drive(contender, lanes, seconds)
    cpu_after, after = cpu.seconds_of(contender.pid), await look(contender)
    after.check_counts(contender.name)
    assert _sorted(after) == _sorted(before), f"{contender.name}: leads are not where the answers report them"
    _check_records(contender, before.records, after.records, done, len(lanes[0].lead_ids))
    used = None if cpu_before is None or cpu_after is None else (cpu_after - cpu_before) * 1000 / done
    return Turn(done / took, used)


async def prove_overlapping(contender: Contender, loaded: Loaded, *, clients: int, seconds: float) -> Counter[str]:
    """Returns the outcomes of overlapping moves. Raises AssertionError if a count is wrong afterwards, a lead of the
    pool is lost, or the record does not explain the memberships."""
    pool = loaded.pool
    before = await look(contender)
    outcomes = await contend(contender, pool, clients=clients, seconds=seconds)
    after = await look(contender)
    after.check_counts(contender.name)
    left, right = (after.members.get(end, []) for end in (pool.here, pool.there))
    assert {*left, *right} == set(pool.lead_ids), f"{contender.name}: leads were lost"
    others = {a: m for a, m in _sorted(after).items() if a not in (pool.here, pool.there)}
    assert others == {a: m for a, m in _sorted(before).items() if a in others}, (
        f"{contender.name}: leads are in other audiences"
    )
    was_in = sum(len(before.members.get(end, [])) for end in (pool.here, pool.there))
    merged = after.records.already_in_target - before.records.already_in_target
    assert was_in - merged == len(left) + len(right), f"{contender.name}: the record does not explain the members"
    assert after.records.moves - before.records.moves == outcomes["moved"], f"{contender.name}: answered != recorded"
    assert after.records.moved - before.records.moved == outcomes["leads"], f"{contender.name}: answered != recorded"
    return outcomes


def _check_records(contender: Contender, before: Records, after: Records, moves: int, size: int) -> None:
    assert after.moves - before.moves == moves, f"{contender.name}: {moves} moves answered, a different number recorded"
    assert after.moved - before.moved == moves * size, f"{contender.name}: the sums of the record are wrong"


def _sorted(state: State) -> dict[Id, list[Any]]:
    return {audience: sorted(members) for audience, members in state.members.items() if members}


def settle(contender: Contender) -> None:
    """Removes dead rows and writes what is in memory to disk, so that no turn pays for the turn before it."""

    async def run() -> None:
        connection: Any = await asyncpg.connect(contender.database_url)
        await connection.execute("VACUUM (ANALYZE)")
        try:
            await connection.execute("CHECKPOINT")
        except asyncpg.InsufficientPrivilegeError:
            pass  # After that the server decides when to write, for every contender in the same way.
        finally:
            await connection.close()

    asyncio.run(run())
