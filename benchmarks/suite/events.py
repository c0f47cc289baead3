"""Row 17: what the event of a move costs the database: processor time, because that is the same on a busy machine."""

from __future__ import annotations

import asyncio

from benchmarks.move import make_lanes
from benchmarks.suite.figures import Figure, take_turns
from benchmarks.suite.move_function import FunctionSession
from benchmarks.suite.stage import Stage
from leadyard.store import move_statements
from rig.service import make_tenant, run_sql

_WITHOUT = "move_leads_without_event"


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
            session = runner.run(FunctionSession.open(service.database_url, tenant, lane))
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


def _function_without_event() -> str:
    step = f"{move_statements.EVENT.in_function};"
    text = move_statements.FUNCTION_OF_POSTGRESQL
    assert text.count(step) == 1
    return text.replace("move_leads_1", _WITHOUT).replace(step, "")
