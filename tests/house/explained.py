"""The plans of a move as PostgreSQL really made them: every statement in the function, and checks of foreign keys.

EXPLAIN does not show statements inside a function. auto_explain, which comes with PostgreSQL, sends their plans to the
session itself. The session is one of the service's own, with its settings.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from leadyard.database import Database
from leadyard.ids import new_attempt, new_id
from leadyard.model import Move
from leadyard.store import move_statements
from rig.service import on_database

_EXPLAIN = """LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off; SET auto_explain.log_format = 'json';
    SET auto_explain.log_level = 'notice'; SET client_min_messages = 'notice'"""
Plan = dict[str, Any]


def move_of(source: str, target: str, lead_ids: list[str]) -> Move:
    """Returns a move as the operation passes it to the store."""
    return Move(
        id=new_id(),
        source_audience_id=source,
        target_audience_id=target,
        moved_count=len(lead_ids),
        already_in_target_count=0,
        moved_at=2,
        api_key_id=None,
        undone_by_move_id=None,
        lead_ids=tuple(lead_ids),
        attempt=new_attempt(),
    )


def explained_move(url: str, group: str, source: str, target: str, lead_ids: list[str]) -> list[Plan]:
    """Makes the move in a new session, rolls it back, and returns the plan of everything that ran in it.

    The plans are the ones that are made once for all values, also if the run has another mode: with plans for the
    values of each call, a long list may read the account group until there are statistics (docs/decisions/0007).
    """
    plans: list[Plan] = []

    def note(_connection: Any, message: Any) -> None:
        if "plan:" in message.message:
            plans.append(json.loads(message.message.partition("plan:")[2])["Plan"])

    async def run(db: Database) -> None:
        with suppress(_Enough):
            async with db.write(group) as tx:
                connection: Any = tx._connection  # type: ignore[attr-defined]
                await connection.execute(_EXPLAIN)
                await connection.execute("SET plan_cache_mode = force_generic_plan")
                connection.add_log_listener(note)
                result = await move_statements.move(tx, move_of(source, target, lead_ids))
                assert result.move.moved_count == len(lead_ids)
                # asyncpg hands over the server's messages in a later turn of the loop.
                await asyncio.sleep(0)
                connection.remove_log_listener(note)
                raise _Enough

    on_database(url, run)
    return plans


class _Enough(Exception):
    """Rolls back."""


def rows_touched(plans: list[Plan]) -> int:
    """Returns how many rows of memberships were read. Fails if any table was read from end to end."""
    return sum(_rows_touched(plan) for plan in plans)


def _rows_touched(plan: Plan) -> int:
    touched = 0
    assert plan["Node Type"] != "Seq Scan", f"a Seq Scan of {plan['Relation Name']}: a move would cost what that does"
    if plan.get("Relation Name") == "memberships" and "Scan" in plan["Node Type"]:
        rows = (
            plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        )
        touched = round(rows * plan["Actual Loops"])
    return touched + sum(_rows_touched(child) for child in plan.get("Plans", ()))
