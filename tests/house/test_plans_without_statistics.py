"""PostgreSQL walks no account group, also before it has statistics (docs/decisions/0007): no statement reads all leads,
memberships or changes of a group, unless it is for that."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg

from leadyard.store.db.session_settings import startup_settings
from rig.racing import on_postgresql_only
from tests.house.sent_statements import CONSTANTS, WALKS_A_GROUP, Sent

# Tables with a row for each person, or for each change. An account group has thousands of audiences at most.
LONG = {
    "leads",
    "memberships",
    "changes",
    "change_parts",
    "change_subjects",
    "search_blocks",
    "duplicate_keys",
    "duplicate_blocks",
}
# In addition to those that also walk on SQLite.
WALKS_BY_AN_INDEX_OF_FEW = {
    "change_subjects._OF_LEAD": "reads those that are not in the index of changes, by an index of these alone",
    "withdrawn_leads._IN_CHANGES": "the same",
    "search_blocks._SMALL_ONE": "takes the first block with room, by an index of these alone",
    "planned_parts._TAKEN_OUT": "reads those that are not in the index of changes, by an index of these alone",
    "planned_parts._REMOVE_CHANGE": "finds a change that a job is writing, by an index of these alone",
    "doctor._ABANDONED_CHANGES": "the same",
}
WALKS_ON_PURPOSE = WALKS_A_GROUP.keys() | WALKS_BY_AN_INDEX_OF_FEW.keys() | {"doctor._UNDONE_PLANS"}
PEOPLE = 60_000
_KEY = "(CAST(1750000000000 + n AS bigint) << 21)"
_FILL = (
    "INSERT INTO account_groups (id, key, name, created_at) VALUES (7, 7, 'g', 1)",
    f"""INSERT INTO leads (account_group_id, id, email, search_block_id, created_at)
        SELECT 7, {_KEY}, 'p' || n || '@example.com', n / 50, 1 FROM generate_series(1, {PEOPLE}) n""",
    f"""INSERT INTO search_blocks (account_group_id, id, is_small, first_lead_id, last_lead_id, lead_ids, lines)
        SELECT 7, {_KEY}, false, {_KEY}, {_KEY}, '', '' FROM generate_series(1, {PEOPLE // 50}) n""",
    f"""INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)
        SELECT 7, {_KEY} + n, n, 'a', 'on_demand', 0, 1, 1 FROM generate_series(1, 300) n""",
    f"""INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
        SELECT 7, 1 + n % 300, {_KEY}, 1 FROM generate_series(1, {PEOPLE}) n""",
    f"""INSERT INTO changes (account_group_id, id, kind, is_indexed, source_audience_id, lead_count,
            already_in_target_count, changed_at, lead_ids)
        SELECT 7, {_KEY}, 'remove', n % 1000 <> 0, {_KEY}, 1, 0, 1, ARRAY[{_KEY}]
        FROM generate_series(1, {PEOPLE}) n""",
    f"INSERT INTO change_subjects SELECT 7, {_KEY}, {_KEY} FROM generate_series(1, {PEOPLE}) n",
    f"""INSERT INTO change_parts (account_group_id, change_id, position, changed_at, lead_ids)
        SELECT 7, {_KEY}, 0, 1, ARRAY[{_KEY}] FROM generate_series(1, {PEOPLE // 3}) n""",
    f"""INSERT INTO duplicate_keys (account_group_id, key, lead_id)
        SELECT 7, n, {_KEY} FROM generate_series(1, {PEOPLE}) n""",
    f"""INSERT INTO duplicate_blocks (account_group_id, first, entries)
        SELECT 7, n, '' FROM generate_series(1, {PEOPLE}) n""",
)


@on_postgresql_only
def test_no_statement_reads_all_rows_of_a_big_group(migrated_database: Callable[[], str]) -> None:
    mine = [each for each in CONSTANTS if each.database == "postgresql" and not each.across_groups]
    plans = asyncio.run(_plans(migrated_database(), [each for each in mine if not each.text.startswith("COPY ")]))
    walks = {name: found for name, plan in plans.items() if (found := sorted(set(_walks(plan))))}
    assert {name: found for name, found in walks.items() if name not in WALKS_ON_PURPOSE} == {}
    assert {name for name in WALKS_BY_AN_INDEX_OF_FEW if name not in walks} == set(), "remove it from the list"


async def _plans(url: str, statements: list[Sent]) -> dict[str, dict[str, Any]]:
    """Fills the tables, without statistics, and returns the generic plan of each statement, by its name."""
    filling: Any = await asyncpg.connect(url)
    try:
        for table in LONG | {"audiences"}:
            await filling.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        await filling.execute("SET session_replication_role = replica")
        for text in _FILL:
            await filling.execute(text)
    finally:
        await filling.close()
    # With the settings of the service, but without the statements that asyncpg prepares by itself.
    connection: Any = await asyncpg.connect(url, server_settings=startup_settings(url), statement_cache_size=0)
    try:
        return {each.name: await _plan(connection, each.text) for each in statements}
    finally:
        await connection.close()


async def _plan(connection: Any, text: str) -> dict[str, Any]:
    await connection.execute(f"PREPARE planned AS {text}")
    values = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", text))))
    explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE planned{f'({values})' if values else ''}")
    await connection.execute("DEALLOCATE planned")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def _walks(plan: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yields the parts of the plan that read a long table by nothing but the account group."""
    # A Bitmap Index Scan does not name its table; the node above it does.
    table, kind = plan.get("Relation Name", above), plan["Node Type"]
    if table in LONG and kind.endswith("Scan") and "Heap" not in kind:
        condition = plan.get("Index Cond", "")
        if kind == "Seq Scan" or ("Index" in kind and _is_only_the_group(condition)):
            yield f"{kind} of {table} {condition}"
    for child in plan.get("Plans", ()):
        yield from _walks(child, table)


def _is_only_the_group(condition: str) -> bool:
    return re.fullmatch(r"(\(account_group_id = [^()]*\))?", condition) is not None


def test_a_walk_would_be_seen() -> None:
    group = "(account_group_id = $1)"
    bits = {"Node Type": "Bitmap Index Scan", "Index Name": "leads_pkey", "Index Cond": group}
    plans = [
        {"Node Type": "Bitmap Heap Scan", "Relation Name": "leads", "Plans": [bits]},
        {"Node Type": "Index Scan", "Relation Name": "leads", "Index Cond": f"({group} AND (id = 2))"},
        {"Node Type": "Seq Scan", "Relation Name": "changes"},
        {"Node Type": "Index Only Scan", "Relation Name": "audiences", "Index Cond": group},
    ]
    found = list(_walks({"Node Type": "Nested Loop", "Plans": plans}))
    assert found == [f"Bitmap Index Scan of leads {group}", "Seq Scan of changes "]
