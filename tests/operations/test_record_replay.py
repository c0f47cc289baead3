"""The doctor replays the record of changes in pieces: exactly, in bounded memory, and far below the timeout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from leadyard.database import Database, Transaction
from leadyard.ids import key_of, number_of
from leadyard.model import Discrepancy
from leadyard.store import record_check, record_replay
from leadyard.store.db import Row, Statement
from rig.change_storm import members_of, replayed
from rig.service import Service, Tenant, make_tenant, on_database

MANY = 100_000
LEADS_A_CHANGE, CHANGES = 100, 3_000
TIMEOUT_MS = 3_000


@pytest.fixture
def tenant(new_service: Callable[..., Service]) -> Tenant:
    return make_tenant(new_service())


def unexplained(tenant: Tenant, *, places: int, most: int = 100) -> list[Mapping[str, Any]]:
    async def find(db: Database) -> list[Discrepancy]:
        async with db.snapshot(tenant.account_group_id) as tx:
            return await record_replay.find_unexplained(tx, lambda _: None, most=most, places=places)

    return [each.facts for each in on_database(tenant.service.database_url, find)]


def test_the_replay_is_the_same_in_any_number_of_pieces(tenant: Tenant) -> None:
    one, two, three = (tenant.create_audience(name) for name in ("One", "Two", "Three"))
    people = tenant.add_leads(one, 30)
    tenant.add_leads(two, 10)
    for source, target, leads in ((one, two, people[5:20]), (two, three, people[:15]), (one, three, people[20:25])):
        assert tenant.move(source, target, leads).status_code == 200
    copied = tenant.copy(three, one, people[:5])
    assert copied.status_code == 200
    undo = f"/changes/{copied.headers['Change-Id']}/undo"
    assert tenant.client.post(undo, json={"skipChanged": False}).status_code == 200
    merged = tenant.client.post(f"/prospects/{people[20]}/merge", json={"prospectId": people[3]})
    assert merged.status_code == 200
    assert tenant.client.delete(f"/prospects/{people[4]}").status_code == 200
    assert tenant.remove(three, people[20:21]).status_code == 200
    assert replayed(tenant) == members_of(tenant)
    pieces = (1, 3, 7, 50, MANY)
    assert [unexplained(tenant, places=places) for places in pieces] == [[]] * len(pieces)

    # Three kinds of damage, in several audiences: members that are gone, that are new, and that have another time.
    for change in (
        "DELETE FROM memberships WHERE account_group_id = $1 AND lead_id % 5 = 0",
        "UPDATE memberships SET added_at = added_at + 1 WHERE account_group_id = $1 AND lead_id % 5 = 1",
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        f" SELECT $1, {number_of(three)}, id, 9000000000000 FROM leads WHERE account_group_id = $1 AND id % 5 = 0"
        " AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.account_group_id = $1 AND m.lead_id = leads.id"
        f" AND m.audience_id = {number_of(three)})",
    ):
        tenant.sql(change, tenant.number)
    expected, now = replayed(tenant), members_of(tenant)
    wrong = {
        (audience, lead)
        for audience in expected.keys() | now.keys()
        for lead in expected.get(audience, {}).keys() | now.get(audience, {}).keys()
        if expected.get(audience, {}).get(lead) != now.get(audience, {}).get(lead)
    }
    assert len(wrong) >= 10
    found = [unexplained(tenant, places=places) for places in pieces]
    assert all(each == found[0] for each in found)
    assert {(each["audience_id"], each["lead_id"]) for each in found[0]} == wrong
    assert unexplained(tenant, places=3, most=4) == found[0][:4]


class Counted:
    """A transaction that notes the most rows of a statement, and the most leads in the lists of one."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.most_rows = self.most_leads = self.statements = 0

    async def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        found = await self._tx.rows(statement, **values)
        self.statements += 1
        self.most_rows = max(self.most_rows, len(found))
        lists = [row["lead_ids"] for row in found if "lead_ids" in row]
        self.most_leads = max(self.most_leads, sum(map(_length, lists)))
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


def _length(leads: str | list[int]) -> int:
    return leads.count(",") + 1 if isinstance(leads, str) else len(leads)


@pytest.mark.timeout(300)
def test_no_statement_of_the_replay_grows_with_the_record(tenant: Tenant, backend: str) -> None:
    """On PostgreSQL also with a timeout that is too short for a statement for the whole record."""
    fill(tenant, backend)
    told: list[int] = []

    async def find(db: Database) -> tuple[list[Discrepancy], Counted]:
        async with db.snapshot(tenant.account_group_id) as tx:
            if tx.is_postgresql:
                await tx._connection.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}")  # type: ignore[attr-defined]
            counted = Counted(tx)
            found = await record_replay.find_miscounted(counted, most=100)
            found += await record_replay.find_unexplained(
                counted,
                told.append,
                most=100,
                places=MANY // 2,
            )
            return found, counted

    found, counted = on_database(tenant.service.database_url, find)

    assert found == []
    assert counted.most_rows == record_check._MEMBERS
    assert record_check._LEADS / 2 < counted.most_leads <= record_check._LEADS
    # However often the record was read.
    assert sum(told) == CHANGES + MANY
    assert counted.statements > 10


def fill(tenant: Tenant, backend: str) -> None:
    """Makes a record of many changes by SQL. Each moves some leads from the first audience into the second, and three
    of these are about each lead, so the last of them decides."""
    source, target = (tenant.create_audience(name) for name in ("Source", "Target"))
    each = "CAST(1700000000000 AS bigint) * 2097152 + (n % 1000) * 100 + i"
    if backend == "sqlite":
        series = (
            f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {CHANGES}),"
            f" k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i + 1 < {LEADS_A_CHANGE})"
        )
        listed, times = f"(SELECT json_group_array({each}) FROM k)", "(SELECT json_group_array(1) FROM k)"
    else:
        series = (
            f"WITH s AS (SELECT generate_series(0, {CHANGES - 1}) AS n),"
            f" k AS (SELECT generate_series(0, {LEADS_A_CHANGE - 1}) AS i)"
        )
        listed = f"(SELECT array_agg({each}) FROM k)"
        times = f"array_fill(CAST(1 AS bigint), ARRAY[{LEADS_A_CHANGE}])"
    key = "(CAST(1750000000000 AS bigint) + n) * 2097152"
    tenant.sql(
        f"{series} INSERT INTO changes (account_group_id, id, kind, is_indexed, source_audience_id, target_audience_id,"
        f" lead_count, already_in_target_count, changed_at, lead_ids, left_at)"
        f" SELECT $1, {key}, 'move', true, $2, $3, {LEADS_A_CHANGE}, 0, 1750000000000 + n, {listed}, {times} FROM s",
        tenant.number,
        key_of(source),
        key_of(target),
    )
    tenant.sql(
        f"{series} INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        f" SELECT $1, $2, {each}, 1750000000000 + n FROM s, k WHERE n >= {CHANGES - 1000}",
        tenant.number,
        number_of(target),
    )
