"""Row 19: what the times of the leads in the record cost a move, in PostgreSQL and over HTTP."""

from __future__ import annotations

import asyncio
import re

from benchmarks.move import drive_http, make_lanes
from benchmarks.suite.figures import Figure, Pairs, take_turns
from benchmarks.suite.move_function import FunctionSession
from benchmarks.suite.stage import Stage
from leadyard.store import move_statements
from rig.service import make_tenant, run_sql

_CLIENTS = 8
_FUNCTION, _WITHOUT = "move_leads_1", "move_leads_without_times"
# What is left is a change with its leads and counts, as before the record had times.
_TAKEN_OUT = (
    (r", previous_added_at = added_at", ""),
    (r"RETURNING lead_id, previous_added_at\) SELECT .*? INTO _changed,\s+_moved_ids,\s+_left_at",
     "RETURNING lead_id) SELECT count(*) FROM moved INTO _changed"),
    (r"IF _moved_ids IS DISTINCT FROM _lead_ids THEN.*?END IF;", ""),
)  # fmt: skip


def record(stage: Stage) -> list[Figure]:
    return [figure for leads in (1, 25) for figure in (_in_database(stage, leads), _over_http(stage, leads))]


def _in_database(stage: Stage, leads: int) -> Figure:
    moves = stage.rounds(60, 40)
    with stage.service("postgresql") as service:
        tenant = make_tenant(service)
        [lane] = make_lanes(tenant, clients=1, leads=leads, audience_size=1_000)
        # Otherwise its housekeeping would work in the middle of a round.
        service.stop()
        run_sql(service.database_url, _without_times(move_statements.FUNCTION_OF_POSTGRESQL, name=_WITHOUT))
        run_sql(service.database_url, "ANALYZE")
        with asyncio.Runner() as runner:
            session = runner.run(FunctionSession.open(service.database_url, tenant, lane))
            found = take_turns(
                lambda: runner.run(session.move(_FUNCTION, moves)),
                lambda: runner.run(session.move(_WITHOUT, moves)),
                rounds=stage.rounds(30, 10),
            )
            runner.run(session.close())
        tenant.client.close()
    return _figure(
        f"move-record-{leads}", f"processor time of PostgreSQL for a move of {_many(leads)} with its record", found
    )


def _over_http(stage: Stage, leads: int) -> Figure:
    """Replaces the function of the running service before each turn."""
    seconds = stage.rounds(4, 1)
    whole = re.sub("^CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", move_statements.FUNCTION_OF_POSTGRESQL)
    with stage.service("postgresql") as service:
        tenant = make_tenant(service)
        lanes = make_lanes(tenant, clients=_CLIENTS, leads=leads, audience_size=stage.size(2_000, 500))
        run_sql(service.database_url, "ANALYZE")

        def seconds_of_a_move(function: str) -> float:
            run_sql(service.database_url, function)
            return 1 / asyncio.run(drive_http(service, tenant, lanes, seconds))

        found = take_turns(
            lambda: seconds_of_a_move(whole),
            lambda: seconds_of_a_move(_without_times(whole, name=_FUNCTION)),
            rounds=stage.rounds(9, 2),
        )
        tenant.client.close()
    return _figure(f"move-record-{leads}-http", f"time of a move of {_many(leads)} with its record over HTTP", found)


def _figure(name: str, what: str, found: Pairs) -> Figure:
    return Figure(
        number=19,
        name=name,
        what=f"{what}, PostgreSQL",
        against="the same move by a function that records no times of leads",
        ratio=found.ratio,
        better="lower",
        goal=1.05,
        rounds=found.ratios,
        details={"withSeconds": found.ours, "withoutSeconds": found.theirs},
    )


def _many(leads: int) -> str:
    return f"{leads} lead{'s' if leads > 1 else ''}"


def _without_times(function: str, *, name: str) -> str:
    text = function.replace(_FUNCTION, name)
    for pattern, instead in _TAKEN_OUT:
        text, count = re.subn(pattern, instead, text, flags=re.DOTALL)
        assert count == 1, pattern
    return text
