"""The database without a service: the same moves driven by pgbench, with one connection for each client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.move import Lane as MoveLane
from benchmarks.move import drive_pgbench, run_pgbench
from benchmarks.peers.contender import Contender, Lane
from benchmarks.peers.leadyard_itself import Leadyard
from benchmarks.peers.postgraphile import PostGraphile

Drive = Callable[[list[Lane], float], float]


def ideals(contenders: list[Contender], folder: Path) -> dict[str, tuple[Contender, Drive]]:
    """Returns the variants that pgbench can drive without a service: each with its name, the contender whose tables it
    uses, and its script."""
    found: dict[str, tuple[Contender, Drive]] = {}
    for contender in contenders:
        if isinstance(contender, Leadyard):
            found["pgbench, Leadyard's statements"] = (contender, _statements_of(contender, folder))
        if isinstance(contender, PostGraphile):
            found["pgbench, the SQL function"] = (contender, _function_of(contender, folder))
    return found


def _statements_of(contender: Leadyard, folder: Path) -> Drive:
    def drive(lanes: list[Lane], seconds: float) -> float:
        assert contender.tenant is not None
        texts = [MoveLane(str(lane.here), str(lane.there), list(map(str, lane.lead_ids))) for lane in lanes]
        return drive_pgbench(contender.tenant, texts, seconds, folder)

    return drive


def _function_of(contender: PostGraphile, folder: Path) -> Drive:
    def call(lane: Lane) -> str:
        return f"SELECT * FROM app.move_leads({lane.here}, {lane.there}, '{{{','.join(map(str, lane.lead_ids))}}}');\n"

    def drive(lanes: list[Lane], seconds: float) -> float:
        scripts = [call(lane) + call(lane.back()) for lane in lanes]
        return 2 * run_pgbench(contender.database_url, scripts, seconds, folder)

    return drive
