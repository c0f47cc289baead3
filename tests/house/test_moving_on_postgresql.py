"""Moving and adding inside PostgreSQL: what the statements and the checks of foreign keys read, and how a move changes
the indexes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from leadyard.database import Database
from leadyard.ids import key_of, keys_of, new_id, number_of
from leadyard.store import leads, membership_changes, move_statements
from leadyard.store.db import Statement, open_database
from rig.racing import on_postgresql_only
from rig.service import run_sql
from tests.house.explained import explained_move, move_of, rows_touched

AUDIENCES = "SELECT seq_scan, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'audiences'"

pytestmark = on_postgresql_only


# -------------------------------------------------------------------------------------------------- reads


class Yard:
    """Two audiences in a separate group, with statistics taken while the tables were tiny."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.group, self.source, self.target = (new_id() for _ in range(3))
        # Only this test renews the statistics, because new statistics would discard the kept plans.
        for table in ("audiences", "leads"):
            run_sql(url, f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        insert = "INSERT INTO account_groups (id, key, name, created_at) VALUES ($1, $2, 'g', 1)"
        run_sql(url, insert, number_of(self.group), key_of(self.group))
        self.insert_audiences([self.source, self.target])
        self.lead_ids = [new_id() for _ in range(40)]
        self.insert_leads(self.lead_ids)
        run_sql(
            url,
            "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
            " SELECT $1, $2, id, 1 FROM unnest(CAST($3 AS bigint[])) AS id",
            number_of(self.group),
            number_of(self.source),
            keys_of(self.lead_ids),
        )
        run_sql(url, "UPDATE audiences SET prospect_count = 40 WHERE id = $1", key_of(self.source))
        run_sql(url, "VACUUM ANALYZE")

    def insert_audiences(self, ids: list[str]) -> None:
        run_sql(
            self.url,
            "INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)"
            " SELECT $1, id, id & 2097151, 'a', 'on_demand', 0, 1, 1 FROM unnest(CAST($2 AS bigint[])) AS id",
            number_of(self.group),
            keys_of(ids),
        )

    def insert_leads(self, ids: list[str]) -> None:
        run_sql(
            self.url,
            "INSERT INTO leads (account_group_id, id, search_block_id, created_at)"
            " SELECT $1, id, 1, 1 FROM unnest(CAST($2 AS bigint[])) AS id",
            number_of(self.group),
            keys_of(ids),
        )

    def grow(self) -> None:
        self.insert_audiences([new_id() for _ in range(3_000)])
        self.insert_leads([new_id() for _ in range(3_000)])

    async def move(self, db: Database, lead_ids: list[str]) -> None:
        await move_statements.move_alone(db, self.group, move_of(self.source, self.target, lead_ids))

    async def add(self, db: Database, lead_ids: list[str]) -> None:
        async with db.write(self.group) as tx:
            assert await leads.keep(tx, lead_ids) == len(lead_ids)
            assert len(await membership_changes.add(tx, self.target, lead_ids, now=1)) == len(lead_ids)


async def reads_from_end_to_end(db: Database, table: str) -> int:
    """Returns how often the table was read from end to end. It first flushes the statistics of this database object's
    only session."""
    async with db.read(None) as tx:
        await tx.rows(Statement("SELECT pg_stat_force_next_flush()", across_groups=True))
    async with db.read(None) as tx:
        text = f"SELECT seq_scan FROM pg_stat_user_tables WHERE relname = '{table}'"
        row = await tx.row(Statement(text, across_groups=True))
    assert row is not None
    return int(row["seq_scan"])


async def looks_at_audiences(db: Database) -> tuple[int, int, int]:
    """Returns how often the table was read from end to end, how many of its rows were changed, and how many of them in
    place. It first flushes the statistics of this database object's only session."""
    async with db.read(None) as tx:
        await tx.rows(Statement("SELECT pg_stat_force_next_flush()", across_groups=True))
    async with db.read(None) as tx:
        row = await tx.row(Statement(AUDIENCES, across_groups=True))
    assert row is not None
    return row["seq_scan"], row["n_tup_upd"], row["n_tup_hot_upd"]


def test_no_lock_on_known_leads_reads_a_table_that_has_grown(migrated_database: Callable[[], str]) -> None:
    """Also when its plan was made while the table had a single page. A session makes the plan once and keeps it."""

    async def reads_of_adding(yard: Yard, *commands: str) -> int:
        db = open_database(yard.url, pool_size=1, wait_s=10)
        try:
            async with db.read(None) as tx:
                for command in commands:
                    await tx._connection.execute(command)  # type: ignore[attr-defined]
            await yard.add(db, yard.lead_ids[:10])
            await asyncio.to_thread(yard.grow)
            before = await reads_from_end_to_end(db, "leads")
            await yard.add(db, yard.lead_ids[10:34])
            return await reads_from_end_to_end(db, "leads") - before
        finally:
            await db.close()

    assert asyncio.run(reads_of_adding(Yard(migrated_database()))) == 0
    # The control: PostgreSQL with its default settings reads the table, and the test sees it.
    assert asyncio.run(reads_of_adding(Yard(migrated_database()), "SET enable_seqscan = on")) >= 1


def test_no_plan_of_a_move_reads_a_table_that_has_grown(migrated_database: Callable[[], str]) -> None:
    async def reads_of_a_move(yard: Yard) -> int:
        db = open_database(yard.url, pool_size=1, wait_s=10)
        try:
            await yard.move(db, yard.lead_ids[:10])
            await asyncio.to_thread(yard.grow)
            before, *_ = await looks_at_audiences(db)
            await yard.move(db, yard.lead_ids[10:34])
            after, *_ = await looks_at_audiences(db)
            return after - before
        finally:
            await db.close()

    assert asyncio.run(reads_of_a_move(Yard(migrated_database()))) == 0


def test_the_plans_looked_at_are_all_of_the_move(migrated_database: Callable[[], str]) -> None:
    """Every step of the function. No foreign key is checked, because no column of one changes (docs/decisions/0034)."""
    yard = Yard(migrated_database())
    plans = explained_move(yard.url, yard.group, yard.source, yard.target, yard.lead_ids[:25])
    changed = [name for plan in plans for name in changed_tables(plan)]
    assert changed == ["memberships", "changes", "event_outbox", "audiences"]
    # The check of a foreign key would be a lock on a row, once for each lead.
    locks = [json.dumps(plan) for plan in plans if '"Node Type": "LockRows"' in json.dumps(plan)]
    assert ['"Relation Name": "audiences"' in lock for lock in locks] == [True]
    assert any('"Relation Name": "jobs"' in json.dumps(plan) for plan in plans)
    assert rows_touched(plans) >= 25


def changed_tables(plan: dict[str, Any]) -> list[str]:
    """Returns the tables that the plan changes, also within a WITH."""
    own = [plan["Relation Name"]] if plan["Node Type"] == "ModifyTable" else []
    return own + [name for child in plan.get("Plans", ()) for name in changed_tables(child)]


# -------------------------------------------------------------------------------------------------- writes


def test_a_count_that_changes_leaves_every_index_alone(migrated_database: Callable[[], str]) -> None:
    """PostgreSQL then replaces the row within its page (HOT), instead of adding an entry to each index."""
    yard = Yard(migrated_database())

    async def run(db: Database) -> tuple[int, int]:
        _, changed, in_place = await looks_at_audiences(db)
        for at in range(10):
            await yard.move(db, yard.lead_ids[at : at + 1])
        _, changed_after, in_place_after = await looks_at_audiences(db)
        return changed_after - changed, in_place_after - in_place

    async def on_one_session() -> tuple[int, int]:
        db = open_database(yard.url, pool_size=1, wait_s=10)
        try:
            return await run(db)
        finally:
            await db.close()

    assert asyncio.run(on_one_session()) == (20, 20)
    mentioned: list[Any] = run_sql(
        yard.url,
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'audiences' AND"
        " (indexdef LIKE '%prospect_count%' OR indexdef LIKE '%changed_at%')",
    )
    assert mentioned == []
