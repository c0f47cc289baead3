"""How the housekeeping removes idempotency keys: it finds the expired ones, and reads nothing else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

import asyncpg
import pytest

from leadyard.clock import now_ms
from leadyard.ids import key_of, new_id, number_of
from leadyard.operations.idempotency import prune_answers
from leadyard.store import idempotency
from rig.service import on_database, run_sql
from rig.sqlite_file import open_sqlite

KEPT, EXPIRED = 10_000, 700
_INDEX = "idempotency_answers_expires_at_idx"


@pytest.fixture
def url(migrated_database: Callable[[], str]) -> str:
    """A database without statistics, of two groups with many keys, a few of which have expired."""
    url = migrated_database()
    for group in (new_id(), new_id()):
        insert = "INSERT INTO account_groups (id, key, name, created_at) VALUES ($1, $2, 'g', 1)"
        run_sql(url, insert, number_of(group), key_of(group))
        run_sql(
            url,
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < $4)"
            " INSERT INTO idempotency_answers (account_group_id, key, fingerprint, status, body, expires_at)"
            " SELECT $1, 'key-' || CAST(n AS text), 'f', 200, '{}',"
            " CASE WHEN n <= $3 THEN 1 ELSE CAST($2 AS bigint) END FROM s",
            number_of(group),
            now_ms() + 600_000,
            EXPIRED,
            KEPT + EXPIRED,
        )
    return url


def test_expired_keys_are_removed_batch_by_batch_and_no_others(url: str) -> None:
    batches = []
    while removed := on_database(url, prune_answers):
        batches.append(removed)
    assert sum(batches) == 2 * EXPIRED
    assert len(batches) >= 2
    assert run_sql(url, "SELECT count(*) FROM idempotency_answers") == [(2 * KEPT,)]


@pytest.mark.parametrize("statistics", [False, True], ids=["without statistics", "with statistics"])
def test_looking_for_expired_keys_does_not_read_those_that_are_kept(url: str, statistics: bool) -> None:
    if statistics:
        run_sql(url, "ANALYZE idempotency_answers")
    looked = plan(url, idempotency._GROUPS_TO_PRUNE.sqlite, idempotency._GROUPS_TO_PRUNE.postgresql)
    assert _INDEX in looked
    removed = plan(url, idempotency._PRUNE.sqlite, idempotency._PRUNE.postgresql)
    assert _INDEX in removed
    for text in (looked, removed):
        assert not re.search(r"Seq Scan on|SCAN idempotency_answers", text), text


def plan(url: str, sqlite: str, postgresql: str) -> str:
    """Returns the plan of the statement, for any values."""
    if url.startswith("sqlite:"):
        with closing(open_sqlite(url)) as connection:
            values = dict.fromkeys(re.findall(r":(\w+)", sqlite), 1)
            return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sqlite}", values))

    async def explain() -> str:
        connection: Any = await asyncpg.connect(url)
        try:
            count = len(set(re.findall(r"\$\d+", postgresql)))
            await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE p AS {postgresql}")
            rows = await connection.fetch(f"EXPLAIN EXECUTE p({', '.join(['1'] * count)})")
            return "\n".join(row[0] for row in rows)
        finally:
            await connection.close()

    return asyncio.run(explain())
