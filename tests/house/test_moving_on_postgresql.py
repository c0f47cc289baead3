"""The move inside PostgreSQL: what the statements of its function read, and what they do to the indexes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from leadyard.ids import new_id
from leadyard.store import moving
from leadyard.store.db import Database, Statement, open_database
from tests.house.explained import explained_move, move_of, rows_touched
from tests.racing import on_postgresql_only
from tests.service import run_sql

AUDIENCES = "SELECT seq_scan, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'audiences'"

pytestmark = on_postgresql_only


# ------------------------------------------------------------------------------------------ what it reads


class Yard:
    """Two audiences in a group of their own, statistics as fresh as can be while the tables are tiny."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.group, self.source, self.target = (new_id() for _ in range(3))
        # Nobody but us renews them: plans are kept until somebody does.
        run_sql(url, "ALTER TABLE audiences SET (autovacuum_enabled = off)")
        run_sql(url, "INSERT INTO account_groups (id, name, created_at) VALUES ($1, 'g', 1)", self.group)
        self.insert_audiences([self.source, self.target])
        self.lead_ids = [new_id() for _ in range(40)]
        run_sql(
            url,
            "INSERT INTO leads (account_group_id, id, custom_fields, created_at)"
            " SELECT $1, id, '{}', 1 FROM unnest(CAST($2 AS text[])) AS id",
            self.group,
            self.lead_ids,
        )
        run_sql(
            url,
            "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
            " SELECT $1, $2, id, 1 FROM unnest(CAST($3 AS text[])) AS id",
            self.group,
            self.source,
            self.lead_ids,
        )
        run_sql(url, "UPDATE audiences SET prospect_count = 40 WHERE id = $1", self.source)
        run_sql(url, "VACUUM ANALYZE")

    def insert_audiences(self, ids: list[str]) -> None:
        run_sql(
            self.url,
            "INSERT INTO audiences (account_group_id, id, name, type, prospect_count, created_at, changed_at)"
            " SELECT $1, id, 'a', 'on_demand', 0, 1, 1 FROM unnest(CAST($2 AS text[])) AS id",
            self.group,
            ids,
        )

    def grow(self) -> None:
        self.insert_audiences([new_id() for _ in range(3_000)])

    async def move(self, db: Database, lead_ids: list[str]) -> None:
        await moving.move_alone(db, self.group, move_of(self.source, self.target, lead_ids))


async def looks_at_audiences(db: Database) -> tuple[int, int, int]:
    """Returns how often it was read from end to end, and of its rows how many were changed, and how many in place; all
    that the only session of this database object did is told first."""
    async with db.read(None) as tx:
        await tx.rows(Statement("SELECT pg_stat_force_next_flush()", across_groups=True))
    async with db.read(None) as tx:
        row = await tx.row(Statement(AUDIENCES, across_groups=True))
    assert row is not None
    return row["seq_scan"], row["n_tup_upd"], row["n_tup_hot_upd"]


def test_no_check_of_a_foreign_key_reads_a_table_that_has_grown(migrated_database: Callable[[], str]) -> None:
    """Also when its plan was made while the table had a single page. It is made once in a session and kept."""

    async def reads_of_a_move(yard: Yard, *commands: str) -> int:
        db = open_database(yard.url, pool_size=1, wait_s=10)
        try:
            async with db.read(None) as tx:
                for command in commands:
                    await tx._connection.execute(command)  # type: ignore[attr-defined]
            await yard.move(db, yard.lead_ids[:10])
            await asyncio.to_thread(yard.grow)
            before, *_ = await looks_at_audiences(db)
            await yard.move(db, yard.lead_ids[10:34])
            after, *_ = await looks_at_audiences(db)
            return after - before
        finally:
            await db.close()

    assert asyncio.run(reads_of_a_move(Yard(migrated_database()))) == 0
    # And that this would see them: one for each of the leads, with what PostgreSQL does when it is left alone.
    assert asyncio.run(reads_of_a_move(Yard(migrated_database()), "SET enable_seqscan = on")) >= 24


def test_the_plans_looked_at_are_all_of_the_move(migrated_database: Callable[[], str]) -> None:
    """Every step of the function, and the check of the foreign key of every lead that changes its audience."""
    yard = Yard(migrated_database())
    plans = explained_move(yard.url, yard.group, yard.source, yard.target, yard.lead_ids[:25])
    changed = [plan["Relation Name"] for plan in plans if plan["Node Type"] == "ModifyTable"]
    assert changed == ["memberships", "moves", "audiences"]
    checks = [json.dumps(plan) for plan in plans if plan["Node Type"] == "LockRows"]
    assert sum('"Relation Name": "audiences"' in check for check in checks) == 25
    assert any('"Relation Name": "jobs"' in json.dumps(plan) for plan in plans)
    assert rows_touched(plans) >= 25


# ------------------------------------------------------------------------------------------ what it writes


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
