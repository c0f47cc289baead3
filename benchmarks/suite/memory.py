"""Row 10: whether the memory of `serve` grows with the requests it has answered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from benchmarks.move import Lane, make_lanes
from benchmarks.suite.connection import Connection, move_request, request_of
from benchmarks.suite.figures import Figure, Limit
from benchmarks.suite.stage import Stage, ToolMissing
from leadyard.ids import new_id
from rig.service import Tenant, make_tenant

CLIENTS = 8
Asked = tuple[bytes, int]


def memory(stage: Stage) -> list[Figure]:
    if not Path("/proc/self/status").exists():
        raise ToolMissing("There is no /proc here, from which the memory of another process is read.")
    early, late = stage.size(1_000, 500), stage.size(100_000, 3_000)
    # A measurement at least every fiftieth of the way, for the plot.
    points = sorted({early, *range(0, late, max(early, late // 50)), late} - {0})
    with stage.service("postgresql") as service, ExitStack() as closing:
        tenant = make_tenant(service)
        closing.callback(tenant.client.close)
        assert service.process is not None
        lanes = make_lanes(tenant, clients=CLIENTS, leads=25, audience_size=1_000)
        clients = [_Client(tenant, lane, closing.enter_context(Connection(service.port))) for lane in lanes]
        found: dict[int, float] = {}
        done = 0
        with stage.progress(f"{late:,} requests", len(points)) as told:
            for point in points:
                _ask_all(clients, point - done)
                done = point
                found[point] = _resident_mib(service.process.pid)
                told()
    return [
        Figure(
            number=10,
            name="memory",
            what=f"resident memory of `serve` after {late:,} requests",
            against=f"after {early:,} requests",
            ratio=found[late] / found[early],
            better="lower",
            goal=1.05,
            rounds=(found[late] / found[early],),
            limits=(Limit("a process", round(max(found.values()), 1), 160, "MiB"),),
            details={"mibAfter": found},
        )
    ]


class _Client:
    """Sends every kind of request in turn: moves, pages, single resources, and requests that are refused."""

    def __init__(self, tenant: Tenant, lane: Lane, connection: Connection) -> None:
        self._connection = connection
        here, there, leads = lane.here, lane.there, lane.lead_ids
        asked: list[Asked] = [
            (move_request(tenant, here, there, leads), 200),
            (request_of(tenant, "GET", f"/audiences/{here}"), 200),
            (request_of(tenant, "GET", f"/audiences/{here}/prospects?limit=200"), 200),
            (request_of(tenant, "GET", f"/prospects/{leads[0]}"), 200),
            (move_request(tenant, there, here, leads), 200),
            (request_of(tenant, "GET", "/audiences?limit=50"), 200),
            (request_of(tenant, "GET", f"/audiences/{new_id()}"), 404),
            (move_request(tenant, here, there, [new_id()]), 422),
            (move_request(tenant, here, there, ["no id"]), 400),
            (request_of(tenant, "GET", "/nowhere"), 404),
        ]
        self._asked = cycle(asked)

    def ask(self, count: int) -> None:
        for request, status in islice(self._asked, count):
            self._connection.ask(request, status)


def _ask_all(clients: list[_Client], count: int) -> None:
    each, left = divmod(count, len(clients))
    with ThreadPoolExecutor(len(clients)) as pool:
        tasks: list[Callable[[], object]] = []
        for number, client in enumerate(clients):
            tasks.append(lambda client=client, number=number: client.ask(each + (number < left)))  # type: ignore[misc]
        for done in [pool.submit(task) for task in tasks]:
            done.result()


def _resident_mib(pid: int) -> float:
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    [found] = [line for line in lines if line.startswith("VmRSS")]
    return int(found.split()[1]) / 1024
