"""The measures of `script/bench against`, by name.

The targets belong to the narrow keys and have commit c38097e as their base (docs/performance.md).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.against.report import Line, faster, quicker
from benchmarks.against.sides import (
    DOORS,
    Movers,
    Pair,
    Yard,
    bytes_of_a_membership,
    bytes_of_everything,
    filled_audience,
    make_lane,
    processor_seconds,
    settle,
)
from benchmarks.importing import write_people
from benchmarks.move import Lane, drive_http
from benchmarks.suite.connection import Connection, request_of
from benchmarks.suite.figures import Better, percentile, take_turns
from benchmarks.suite.latency import after, beside_import, move_until
from benchmarks.suite.stage import DATABASES, TITLES, Kind
from rig.service import Tenant, WorkerProcess

LIMIT = 200
FURTHEST_PAGE = 10_000
SHARE = 0.99


@dataclass(frozen=True)
class Effort:
    """How much is measured. `rounds` are turns of each side after one that warms up, `import_rounds` whole imports.
    `lane_size` is the size of an audience whose leads are moved. `beside_rows` is the size of the import beside which
    moves are measured, and `walked` of the list beside it."""

    rounds: int
    seconds: float
    import_rounds: int
    page_requests: int
    lane_size: int
    beside_rows: int
    walked: int


QUICK = Effort(rounds=3, seconds=2, import_rounds=2, page_requests=40, lane_size=500, beside_rows=10_000, walked=4_000)
FULL = Effort(
    rounds=7, seconds=5, import_rounds=3, page_requests=200, lane_size=2_000, beside_rows=50_000, walked=20_000
)


@dataclass(frozen=True)
class Measure:
    name: str
    what: str
    run: Callable[[Yard, Effort], list[Line]]


# -------------------------------------------------------------------------------------------------------- moves


def moves(yard: Yard, effort: Effort, *, name: str, kind: Kind, leads: int, target: float) -> list[Line]:
    pair = yard.lanes(kind)
    costs = Pair(list[dict[str, float]](), list[dict[str, float]]())

    def side(which: Movers, costs_of_turns: list[dict[str, float]]) -> float:
        tenant, lanes = which
        fewer = [Lane(lane.here, lane.there, lane.lead_ids[:leads]) for lane in lanes]
        settle(tenant.service.database_url)
        before, started = processor_seconds(tenant), time.perf_counter()
        rate = asyncio.run(drive_http(tenant.service, tenant, fewer, effort.seconds))
        made, after = rate * (time.perf_counter() - started), processor_seconds(tenant)
        costs_of_turns.append({part: (after[part] - before[part]) / made for part in before})
        return rate

    found = take_turns(
        lambda: side(pair.ours, costs.ours), lambda: side(pair.theirs, costs.theirs), rounds=effort.rounds
    )
    what = f"moves of {leads} a second over HTTP, 8 connections, {TITLES[kind]}"
    lines = [_line(yard, name, what, "moves/s", faster(found.ours, found.theirs), found.ours, found.theirs, target)]
    for part in costs.ours[0]:
        ours, theirs = (tuple(turn[part] for turn in turns[1:]) for turns in costs.each())  # the first warms up
        what = f"processor time of the {part} for a move of {leads}, {TITLES[kind]}"
        lines.append(_line(yard, f"{name}-{part}", what, "s", quicker(ours, theirs), ours, theirs))
    return lines


# ------------------------------------------------------------------------------------------------ imports and sizes


def imports(yard: Yard, effort: Effort, *, kind: Kind, door: str) -> list[Line]:
    seconds = yard.import_in_turns(kind, door, effort.import_rounds)
    ours, theirs = tuple(seconds.ours), tuple(seconds.theirs)
    by = "`leadyard import`" if door == "command" else "a csv_upload job in `leadyard worker`"
    what = f"import of {yard.rows:,} rows by {by}, {TITLES[kind]}"
    return [_line(yard, f"import-{door}-{kind}", what, "s", quicker(ours, theirs), ours, theirs, 2.5)]


def sizes(yard: Yard, _effort: Effort, *, kind: Kind) -> list[Line]:
    urls = [tenant.service.database_url for tenant in yard.imported(kind).each()]
    lines = []
    for name, what, unit, target, size in (
        ("membership", "bytes per membership with its indexes", "bytes", 0.40, bytes_of_a_membership),
        ("size", f"whole database after an import of {yard.rows:,} rows", "bytes", 0.60, bytes_of_everything),
    ):
        ours, theirs = (float(size(url)) for url in urls)
        values = ((ours / theirs,), (ours,), (theirs,))
        lines.append(_line(yard, f"{name}-{kind}", f"{what}, {TITLES[kind]}", unit, *values, target, better="lower"))
    return lines


# -------------------------------------------------------------------------------------------------------- pages


def pages(yard: Yard, effort: Effort, *, kind: Kind) -> list[Line]:
    tenants = yard.imported(kind).each()
    lists = [_list_of(tenant) for tenant in tenants]
    furthest = max(1, min(FURTHEST_PAGE, yard.rows // LIMIT))
    lines = []
    for name, number in (("first", 1), ("far", furthest)):
        requests = [_page(tenant, path, number) for tenant, path in zip(tenants, lists, strict=True)]
        rounds = [_seconds_in_turns(tenants, requests, effort.page_requests) for _ in range(effort.rounds + 1)]
        ours, theirs = (tuple(each[side] for each in rounds[1:]) for side in (0, 1))  # the first warms up
        what = f"page {number:,} of an audience, {LIMIT} people, {TITLES[kind]}"
        lines.append(_line(yard, f"page-{name}-{kind}", what, "s", quicker(ours, theirs), ours, theirs, 1.5))
    return lines


def _list_of(tenant: Tenant) -> str:
    """Returns the path of the list of the people who were imported, which are in the only audience."""
    [imported] = tenant.walk("/audiences")
    return f"/audiences/{imported['id']}/prospects"


def _page(tenant: Tenant, path: str, number: int) -> bytes:
    """Returns the request for a page. A client gets its cursor only from the page before, so this walks there."""
    request = request_of(tenant, "GET", f"{path}?limit={LIMIT}")
    with Connection(tenant.service.port) as connection:
        for _ in range(number - 1):
            cursor = json.loads(connection.ask(request, 200))["data"]["nextCursor"]
            request = request_of(tenant, "GET", f"{path}?limit={LIMIT}&cursor={cursor}")
    return request


def _seconds_in_turns(tenants: tuple[Tenant, Tenant], requests: list[bytes], times: int) -> list[float]:
    """Returns the median time of each side's request. The sides take turns after each request, because a page is quick
    and the load of the machine changes."""
    took: list[list[float]] = [[], []]
    with ExitStack() as closing:
        connections = [closing.enter_context(Connection(tenant.service.port)) for tenant in tenants]
        for number in range(times):
            for side in (0, 1) if number % 2 else (1, 0):
                started = time.perf_counter()
                connections[side].ask(requests[side], 200)
                took[side].append(time.perf_counter() - started)
    return [statistics.median(each) for each in took]


# ------------------------------------------------------------------------------------------------------ latency


def latency(yard: Yard, effort: Effort) -> list[Line]:
    with ExitStack() as closing:
        sides = [_Mover(tenant, effort, closing) for tenant in yard.tenants("postgresql", closing).each()]
        rounds: list[tuple[tuple[float, float], ...]] = []
        for number in range(effort.import_rounds + 1):
            path = write_people(yard.stage.folder / f"beside-{number}.csv", rows=effort.beside_rows, name=f"b{number}")
            turns = {side: side.turn(path) for side in (sides if number % 2 else sides[::-1])}
            path.unlink()
            if number:  # the first round warms up
                rounds.append(tuple(turns[side] for side in sides))
    beside, o_beside = (tuple(each[side][0] for each in rounds) for side in (0, 1))
    alone, o_alone = (tuple(each[side][1] for each in rounds) for side in (0, 1))
    what, other = "99th percentile of a move beside an import and two walks", yard.builds.theirs.name
    quiet = "nothing else running"
    both = quicker(beside, o_beside)
    return [
        Line("latency", what, quiet, "s", "lower", faster(beside, alone), beside, alone, 5.0),
        Line("latency-other", f"{what}, {other}", quiet, "s", "lower", faster(o_beside, o_alone), o_beside, o_alone),
        _line(yard, "latency-builds", what, "s", both, beside, o_beside),
    ]


class _Mover:
    """One build with a lane, an audience to walk over, and a worker, which has nothing to do in the quiet half."""

    def __init__(self, tenant: Tenant, effort: Effort, closing: ExitStack) -> None:
        self.tenant = tenant
        self.lane = make_lane(tenant, "Moved", effort.lane_size)
        self.walked = filled_audience(tenant, "Walked", effort.walked)
        url, service = tenant.service.database_url, tenant.service
        worker = WorkerProcess(url, service.log_dir, {"LEADYARD_LOG_LEVEL": "info"}, program=service.program).start()
        closing.callback(worker.stop, within_s=60)

    def turn(self, path: Path) -> tuple[float, float]:
        """Returns the 99th percentile of the seconds of a move beside the import, and then alone for as long."""
        settle(self.tenant.service.database_url)
        with Connection(self.tenant.service.port) as mover:
            started = time.perf_counter()
            busy = beside_import(mover, self.tenant, self.lane, path, self.walked)
            idle = move_until(mover, self.tenant, self.lane, after(time.perf_counter() - started))
        return percentile(busy, SHARE), percentile(idle, SHARE)


# ---------------------------------------------------------------------------------------------------- all of them


def _line(
    yard: Yard,
    name: str,
    what: str,
    unit: str,
    ratios: tuple[float, ...],
    ours: tuple[float, ...],
    theirs: tuple[float, ...],
    target: float | None = None,
    *,
    better: Better = "higher",
) -> Line:
    return Line(name, what, yard.builds.theirs.name, unit, better, ratios, ours, theirs, target)


def _all() -> Iterator[Measure]:
    for leads, target in ((25, 1.6), (1, 1.5)):
        name = f"move-{leads}"
        work = partial(moves, name=name, kind="postgresql", leads=leads, target=target)
        yield Measure(name, f"moves of {leads} over HTTP, PostgreSQL", work)
    work = partial(moves, name="move-sqlite", kind="sqlite", leads=25, target=1.6)
    yield Measure("move-sqlite", "moves of 25 over HTTP, SQLite", work)
    for kind in DATABASES:
        for door in DOORS:
            work = partial(imports, kind=kind, door=door)
            yield Measure(f"import-{door}-{kind}", f"time of an import by the {door}, {TITLES[kind]}", work)
    for kind in DATABASES:
        size = f"bytes per membership and of the whole database, {TITLES[kind]}"
        yield Measure(f"size-{kind}", size, partial(sizes, kind=kind))
        page = f"time of the first and of the furthest page of an audience, {TITLES[kind]}"
        yield Measure(f"page-{kind}", page, partial(pages, kind=kind))
    yield Measure("latency", "time of moves beside an import and two walks, PostgreSQL", latency)


MEASURES = {each.name: each for each in _all()}


def chosen(names: list[str]) -> list[Measure]:
    """Returns the measures of these names; all, if none is given. `import` stands for every name that begins with
    `import-`. Raises KeyError for a name that fits none."""
    if not names:
        return list(MEASURES.values())
    fitting = {name for asked in names for name in MEASURES if name == asked or name.startswith(f"{asked}-")}
    for asked in names:
        if not any(name == asked or name.startswith(f"{asked}-") for name in MEASURES):
            raise KeyError(asked)
    return [each for each in MEASURES.values() if each.name in fitting]
