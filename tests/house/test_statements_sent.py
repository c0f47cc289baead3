"""The rules of docs/decisions on one schema for SQLite, PostgreSQL and Citus, applied to all statements of this run.

Every text in the services' logs must be a constant of the store or one of a few commands. So the rules are checked on
the constants, where every bound value still has a name. conftest.py runs this file last. See sql_rules.py.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import pkgutil
import re
import secrets
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import UniqueConstraint

import leadyard.operations
import leadyard.store
from leadyard.assemble import assemble_database
from leadyard.database import Database as LeadyardDatabase
from leadyard.ids import id_of, key_of, keys_of, new_id, number_of
from leadyard.model import Caller
from leadyard.operations.moves import move_leads
from leadyard.settings.settings import Settings
from leadyard.store import move_statements
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import NewRows, Statement
from leadyard.store.tables import metadata
from rig.racing import on_postgresql_only
from rig.service import Service, Tenant, make_tenant, on_database, run_sql
from rig.sqlite_file import open_sqlite
from tests.house.explained import explained_move, rows_touched
from tests.house.sent_statements import CONSTANTS, COPIES_IN_THE_BACKGROUND, ONLY_ON, WALKS_A_GROUP, Sent
from tests.house.sql_rules import COMMANDS, GROUP, REFERENCE_TABLES, TENANT_TABLES, Database, broken_rules
from tests.migrations.schema_of import schema_of, triggers_of

# Statements that may read beyond one account group, and why. An addition needs a reason that convinces in a review.
ACROSS_GROUPS = {
    "account_groups._INSERT": "makes the account group itself",
    "account_groups._LIST": "the operator's list of tenants",
    "account_groups._FIND": "the operator names a tenant; nothing has proven the group yet",
    "account_groups._LIST_OF_KEY": "a key lists the several groups it may use",
    "api_keys._INSERT": "keys are outside of tenants: one key may serve several",
    "api_keys._ALLOW": "the same",
    "api_keys._FIND": "finding a key is how the group becomes known",
    "api_keys._LIST": "the operator's list of keys",
    "api_keys._REVOKE": "the operator revokes a key by its id",
    "api_keys._EXISTS": "the same",
    "api_keys._FIND_BY_ID": "the operator rotates a key by its id",
    "api_keys._EXPIRE": "the same",
    "page_sessions._INSERT": "a session serves all account groups of its key",
    "page_sessions._FIND": "finding a session is how the group becomes known",
    "page_sessions._REMOVE": "the same",
    "page_sessions._PRUNE": "the same",
    "api_keys._SET_LAST_USED": "when keys were last used, written for all of them at once",
    "audiences._GROUPS_TO_EMPTY": "housekeeping finds the tenants with something to remove; ids of groups, no data",
    "uploads._GROUPS_TO_PRUNE": "the same, of uploads that have expired",
    "change_subjects._GROUPS_TO_INDEX": "housekeeping finds the tenants with changes to enter into the index",
    "change_expiry._GROUPS": "housekeeping finds the tenants that may have old changes, in their own table",
    "change_expiry._LOCK_GROUP": "locks the tenant's own row, in whose table the group's id is called id",
    "change_expiry._SET_MARK": "writes the same row",
    "event_outbox._GROUPS": "housekeeping finds the tenants with events that have no place yet",
    "events._GROUPS_TO_PRUNE": "housekeeping finds the tenants with old events",
    "record_check._EXPLAINED_FROM": "reads the same row",
    "events._ENDS": "one look for all tenants whose readers wait: how far their feeds are; ids of events, no data",
    "duplicates._GROUPS": "housekeeping finds the tenants with leads to compare",
    "duplicates._LOCK_GROUP": "locks the tenant's own row, in whose table the group's id is called id",
    "duplicates._WAIT_FOR_GROUP": "the same",
    "idempotency._GROUPS_TO_PRUNE": "the same, of idempotency keys that have expired",
    "account_groups._SET_MAX_RESULTS": "the operator changes a tenant by its id",
    "engine._VERSION": "reads the version of the server and no table",
    "job_leases._CLOCK": "reads the database's clock and no table",
    "job_leases._WAITING_GROUPS": "a worker finds whose turn it is; ids of groups, no data",
    "job_leases._GROUP_LEFT_OUT": "the same",
    "job_rejections._GROUPS_WITH_OLD_REJECTIONS": "housekeeping finds the tenants with something to remove",
    "jobs._COUNT_BY_STATUS": "metrics: how many jobs wait, and since when; numbers only, on the operator's own port",
    "secret_key_check._READ": "the key of the installation belongs to no tenant",
    "secret_key_check._ADD": "the same",
    "webhooks._LOCK_GROUP": "locks the tenant's own row, in whose table the group's id is called id",
    "webhooks._GROUPS_TO_REMOVE": "housekeeping finds the tenants with a deleted webhook",
    "webhook_leases._DUE": "a worker finds the webhooks that have something to send; ids only, no data",
    "webhook_deliveries._WEBHOOKS_WITH_OLD": "housekeeping finds the webhooks with old deliveries; ids only",
    "webhook_state._COUNT": "metrics: how many webhooks there are; numbers only, on the operator's own port",
    "webhook_state._OLDEST": "metrics: how long the oldest event has been waiting; one number",
    "folders._LOCK_GROUP": "locks the tenant's own row, in whose table the group's id is called id",
}
# The statements that really read a tenant table beyond one group.
READ_BEYOND_THE_GROUP = {
    "audiences._GROUPS_TO_EMPTY",
    "uploads._GROUPS_TO_PRUNE",
    "change_subjects._GROUPS_TO_INDEX",
    "event_outbox._GROUPS",
    "events._GROUPS_TO_PRUNE",
    "events._ENDS",
    "duplicates._GROUPS",
    "idempotency._GROUPS_TO_PRUNE",
    "jobs._COUNT_BY_STATUS",
    "job_leases._WAITING_GROUPS",
    "job_leases._GROUP_LEFT_OUT",
    "webhooks._GROUPS_TO_REMOVE",
    "webhook_leases._DUE",
    "webhook_state._COUNT",
    "webhook_state._OLDEST",
    "webhook_deliveries._WEBHOOKS_WITH_OLD",
    "job_rejections._GROUPS_WITH_OLD_REJECTIONS",
}
DATABASES: tuple[Database, ...] = ("sqlite", "postgresql")
BY_TEXT = {each.text: each for each in CONSTANTS}
# Behind a pooler, rows are not copied but inserted one by one.
BEHIND_A_POOLER = {
    value.pooled_postgresql
    for module in pkgutil.iter_modules(leadyard.store.__path__)
    if not module.ispkg
    for value in vars(importlib.import_module(f"leadyard.store.{module.name}")).values()
    if isinstance(value, NewRows)
}


def texts_sent(log_dir: Path) -> set[str]:
    """Returns every distinct text in the logs of all services of this run."""
    texts: set[str] = set()
    for file in log_dir.glob("*.log"):
        with file.open(errors="replace") as lines:
            for line in lines:
                if '"event":"statement"' in line and line.startswith("{"):
                    texts.add(json.loads(line)["sql"])
    return texts


def statements_of(service: Service, trace_id: str) -> list[str]:
    return [
        line["sql"] for line in service.log_lines() if line["event"] == "statement" and line.get("trace_id") == trace_id
    ]


def insert_members(url: str, account_group_id: str, audience_id: str, count: int) -> list[str]:
    """Quickly adds `count` new leads to the audience, without the service, and returns their ids."""
    first = secrets.randbelow(1 << 41) << 21
    key = "CAST($2 AS bigint) + n"
    series = (
        "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < $3)"
        if url.startswith("sqlite:")
        else "WITH s(n) AS (SELECT generate_series(0, CAST($3 AS integer) - 1))"
    )
    run_sql(
        url,
        f"{series} INSERT INTO leads (account_group_id, id, email, search_block_id, created_at)"
        f" SELECT $1, {key}, CAST({key} AS text) || '@example.com', 1, 1 FROM s",
        number_of(account_group_id),
        first,
        count,
    )
    run_sql(
        url,
        f"{series} INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        f" SELECT $1, $4, {key}, 1 FROM s",
        number_of(account_group_id),
        first,
        count,
        number_of(audience_id),
    )
    run_sql(
        url,
        "UPDATE audiences SET prospect_count = prospect_count + $1 WHERE account_group_id = $2 AND id = $3",
        count,
        number_of(account_group_id),
        key_of(audience_id),
    )
    return [id_of(first + n) for n in range(count)]


def traced_move(tenant: Tenant, source: str, target: str, lead_ids: list[str], **headers: str) -> list[str]:
    """Moves the leads and returns the texts that the service sent for it, without the statement that finds the key. The
    service does not send that one if it found the key a moment ago."""
    trace_id = secrets.token_hex(16)
    answer = tenant.client.post(
        f"/audiences/{source}/move-leads",
        json={"targetAudienceId": target, "leadIds": lead_ids},
        headers={"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01", **headers},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["traceId"] == trace_id
    texts = statements_of(tenant.service, trace_id)
    return texts[1:] if names_of(texts[:1]) == ["api_keys._FIND"] else texts


def names_of(texts: list[str]) -> list[str]:
    """Returns the names of the texts in the store; commands are their own names."""
    return [BY_TEXT[text].name if text in BY_TEXT else text for text in texts]


# ------------------------------------------------------------------------------------------ what was sent


@pytest.fixture
def traffic(tenant: Tenant) -> Tenant:
    """A little of everything, so that this file checks something when it runs alone."""
    client = tenant.client
    source, target = tenant.create_audience(), tenant.create_audience()
    people = [{"email": f"{n}@example.com", "company": {"name": "Acme"}} for n in range(3)]
    assert client.post(f"/audiences/{source}/prospects", json={"prospects": people}).status_code == 200
    filled = [{**people[0], "title": "Engineer"}]
    assert client.post(f"/audiences/{source}/prospects", json={"prospects": filled}).status_code == 200
    lead_ids = tenant.members(source)
    moved = tenant.move(source, target, lead_ids[:2])
    assert moved.status_code == 200
    assert tenant.move(source, target, lead_ids).status_code == 422
    assert client.get(f"/moves/{moved.headers['Move-Id']}").status_code == 200
    assert len(tenant.walk("/moves")) == 1
    assert len(tenant.walk("/audiences")) == 2
    assert client.get(f"{tenant.service.base_url}/v1/accounts").status_code == 200
    tenant.count(target)
    return tenant


def test_everything_that_was_sent_is_a_constant_of_the_store(traffic: Tenant, log_dir: Path, backend: Database) -> None:
    sent = texts_sent(log_dir)
    unknown = sent - set(BY_TEXT) - BEHIND_A_POOLER - COMMANDS
    assert not unknown, "every statement is a module constant of leadyard.store, never a text made per request"
    names = {each.name for each in CONSTANTS if each.database == backend and each.text in sent}
    assert len(names) >= 16, f"the logs hold only {sorted(names)}; other statements were not checked"
    assert "COMMIT" in sent


@pytest.mark.parametrize("sent", CONSTANTS, ids=lambda sent: f"{sent.name}-{sent.database}")
def test_no_statement_breaks_a_rule(sent: Sent) -> None:
    broken = broken_rules(sent.named, database=sent.database, across_groups=sent.across_groups)
    if sent.name in COPIES_IN_THE_BACKGROUND and sent.database == "postgresql":
        assert [each.partition(":")[0] for each in broken] == ["rule 7"]
    else:
        assert broken == []


def test_statements_across_groups_are_the_list_above() -> None:
    assert {each.name for each in CONSTANTS if each.across_groups} == set(ACROSS_GROUPS)
    assert {each.name for each in CONSTANTS if each.name in ONLY_ON} == set(ONLY_ON)


def test_only_those_above_read_a_tenant_table_across_groups() -> None:
    """Stricter than the rule: the other statements do not need their exemption."""
    breaking = {each.name for each in CONSTANTS if broken_rules(each.named, database=each.database)}
    assert breaking == READ_BEYOND_THE_GROUP | COPIES_IN_THE_BACKGROUND.keys()


def test_what_is_read_across_groups_is_no_data() -> None:
    for each in CONSTANTS:
        if each.name == "jobs._COUNT_BY_STATUS":
            # They read only a status with two possible values, a number and a time.
            assert each.text.startswith("SELECT status, count(*) AS jobs, min(created_at) AS oldest FROM jobs "), (
                each.text
            )
        elif each.name == "webhook_state._COUNT":
            assert each.text.startswith("SELECT status, count(*) AS webhooks, count(failing_since) AS failing "), (
                each.text
            )
        elif each.name == "webhook_state._OLDEST":
            assert each.text.startswith("SELECT min(next_id) AS next_id FROM "), each.text
        elif each.name in ("webhook_leases._DUE", "webhook_deliveries._WEBHOOKS_WITH_OLD"):
            # The webhook, beside its account group.
            assert each.text.startswith(f"SELECT {KEY_OF_GROUP}, id FROM ("), each.text
        elif each.name == "events._ENDS":
            assert each.text.startswith("SELECT f.account_group_id, f.last_id, EXISTS (SELECT 1 FROM "), each.text
        elif each.name in READ_BEYOND_THE_GROUP:
            # Account groups, by their numbers or by their whole ids.
            key = re.escape(KEY_OF_GROUP)
            shown = rf"SELECT key FROM \(SELECT {key}, running FROM \(|SELECT {key} FROM \(|SELECT {GROUP} FROM "
            assert re.match(shown, each.text), each.text


def test_every_statement_can_be_planned(backend: Database, migrated_database: Callable[[], str]) -> None:
    """Rule 15. When the tests run on PostgreSQL 15, the oldest server that we support, the server itself checks it."""
    url = migrated_database()
    mine = [each for each in CONSTANTS if each.database == backend]
    if backend == "sqlite":
        with closing(open_sqlite(url)) as connection:
            for each in mine:
                names = dict.fromkeys(re.findall(r":(\w+)", each.text), "[]")
                connection.execute(f"EXPLAIN {each.text}", names)
        return

    async def prepare_all() -> None:
        connection: Any = await asyncpg.connect(url)
        try:
            for each in mine:
                await connection.prepare(each.text)
        finally:
            await connection.close()

    asyncio.run(prepare_all())


# ------------------------------------------------------------------------------------------ the checker itself

GROUPED = "account_group_id = :account_group_id"
BAD: list[tuple[str, str]] = [
    ("rule 2", "SELECT id FROM audiences WHERE id = :id"),
    ("rule 2", "SELECT id FROM audiences WHERE account_group_id = :id"),
    ("rule 2", "SELECT id FROM audiences WHERE account_group_id = 'abc'"),
    ("rule 2", f"SELECT id FROM audiences WHERE {GROUPED} OR id = :id"),
    ("rule 2", f"SELECT id FROM audiences WHERE NOT ({GROUPED})"),
    ("rule 2", f"SELECT a.id FROM audiences a JOIN leads l ON l.id = a.id WHERE a.{GROUPED}"),
    ("rule 2", f"SELECT a.id FROM audiences a, leads l WHERE {GROUPED}"),
    ("rule 2", f"SELECT a.id FROM audiences a LEFT JOIN leads l ON a.{GROUPED} AND l.id = a.id"),
    ("rule 2", f"SELECT a.id FROM audiences a WHERE a.{GROUPED} AND EXISTS (SELECT 1 FROM jobs j WHERE j.id = a.id)"),
    ("rule 2", f"SELECT id FROM audiences WHERE {GROUPED} UNION SELECT id FROM leads"),
    ("rule 2", f"WITH c AS (SELECT id FROM leads) SELECT c.id FROM c, audiences a WHERE a.{GROUPED}"),
    ("rule 2", f"WITH leads AS (SELECT 1) SELECT * FROM audiences WHERE {GROUPED}"),
    (
        "rule 2",
        f"WITH RECURSIVE r AS (SELECT id FROM folders WHERE {GROUPED} UNION ALL SELECT f.id FROM folders f"
        " JOIN r ON r.id = f.id) SELECT id FROM r",
    ),
    ("rule 2", "UPDATE audiences SET name = :name WHERE id = :id"),
    ("rule 2", f"UPDATE audiences SET account_group_id = :other WHERE {GROUPED} AND id = :id"),
    ("rule 2", f"UPDATE leads SET name = a.name FROM audiences a WHERE leads.{GROUPED} AND leads.id = a.id"),
    ("rule 2", "DELETE FROM memberships WHERE audience_id = :audience_id"),
    ("rule 2", "WITH gone AS (DELETE FROM memberships WHERE lead_id = :id RETURNING lead_id) SELECT * FROM gone"),
    ("rule 2", "INSERT INTO audiences (id, name) VALUES (:id, :name)"),
    ("rule 2", "INSERT INTO audiences (account_group_id, id) VALUES (:other, :id)"),
    ("rule 4", "LISTEN jobs"),
    ("rule 4", "NOTIFY jobs"),
    ("rule 4", "LOCK TABLE audiences"),
    ("rule 4", "SELECT pg_advisory_xact_lock(1)"),
    ("rule 4", "SELECT pg_notify('jobs', :id)"),
    ("rule 4", f"SELECT id FROM audiences WHERE {GROUPED} FOR UPDATE"),
    ("rule 4", f"SELECT id FROM audiences WHERE {GROUPED} ORDER BY name FOR NO KEY UPDATE"),
    ("rule 4", f"SELECT id FROM audiences WHERE {GROUPED} ORDER BY id DESC FOR UPDATE"),
    ("rule 5", f"SELECT CASE id WHEN :id THEN 1 ELSE 2 END FROM audiences WHERE {GROUPED}"),
    (
        "rule 6",
        "INSERT INTO leads (account_group_id, id) VALUES (:account_group_id, :id)"
        " ON CONFLICT (account_group_id, id) DO UPDATE SET created_at = now()",
    ),
    (
        "rule 6",
        "INSERT INTO leads (account_group_id, id) VALUES (:account_group_id, :id)"
        " ON CONFLICT (account_group_id, id) DO UPDATE SET name = coalesce(leads.name, excluded.name)",
    ),
    (
        "rule 6",
        "INSERT INTO leads (account_group_id, id) VALUES (:account_group_id, :id)"
        f" ON CONFLICT (account_group_id, id) DO UPDATE SET name = (SELECT name FROM audiences WHERE {GROUPED})",
    ),
    (
        "rule 7",
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        f" SELECT :account_group_id, :target, lead_id, :now FROM memberships WHERE {GROUPED}",
    ),
    ("rule 8", "MERGE INTO leads USING audiences ON leads.id = audiences.id WHEN MATCHED THEN DELETE"),
    (
        "rule 9",
        "INSERT INTO changes (account_group_id, id, lead_ids) VALUES (:account_group_id, :id, :lead_ids),"
        " (:account_group_id, :id2, :lead_ids)",
    ),
    ("rule 9", "INSERT INTO changes (account_group_id, id) VALUES (:account_group_id, :id)"),
    ("rule 13", f"EXPLAIN SELECT id FROM audiences WHERE {GROUPED}"),
    ("rule 13", f"PREPARE x AS SELECT id FROM audiences WHERE {GROUPED}"),
    ("rule 13", f"SELECT * FROM audiences WHERE {GROUPED}"),
    ("rule 13", f"SELECT a.* FROM audiences a WHERE a.{GROUPED}"),
    ("rule 13", f"SELECT l.id FROM (SELECT * FROM leads WHERE {GROUPED}) l"),
    ("rule 13", f"UPDATE audiences SET name = :name WHERE {GROUPED} RETURNING *"),
    ("rule 15", f"SELECT any_value(name) FROM audiences WHERE {GROUPED}"),
    ("rule 15", f"UPDATE audiences SET name = :name WHERE {GROUPED} RETURNING old.name"),
    ("rule 15", "SELECT uuidv7()"),
    (
        "rule 16",
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        " SELECT :account_group_id, :target, u.lead_id, :now FROM unnest(:lead_ids) AS u(lead_id)"
        " WHERE true ON CONFLICT DO NOTHING",
    ),
    ("only one", "SELECT 1; SELECT 2"),
    ("only one", "CREATE TRIGGER t BEFORE INSERT ON leads EXECUTE FUNCTION f()"),
    ("only one", "TRUNCATE memberships"),
]
GOOD = [
    f"SELECT id FROM audiences WHERE {GROUPED} AND (name = :name OR id = :id)",
    "SELECT a.id FROM audiences a WHERE :account_group_id = a.account_group_id",
    f"SELECT a.id FROM audiences a JOIN leads l ON l.account_group_id = a.account_group_id WHERE a.{GROUPED}",
    f"SELECT a.id FROM audiences a LEFT JOIN jobs j ON j.{GROUPED} WHERE a.{GROUPED}",
    f"SELECT a.id FROM audiences a WHERE a.{GROUPED} AND EXISTS"
    " (SELECT 1 FROM jobs j WHERE j.account_group_id = a.account_group_id)",
    f"SELECT j.id FROM jobs j WHERE j.{GROUPED} ORDER BY j.created_at LIMIT :limit FOR UPDATE SKIP LOCKED",
    f"SELECT CASE WHEN id = :id THEN 1 ELSE 2 END FROM audiences WHERE {GROUPED} ORDER BY id FOR UPDATE",
    "INSERT INTO leads (account_group_id, id, name) VALUES (:account_group_id, :id, :name)"
    " ON CONFLICT (account_group_id, id) DO UPDATE SET name = excluded.name, created_at = CAST(:now AS bigint)",
    "SELECT 'EXPLAIN any_value(x)' FROM account_groups",
]


@pytest.mark.parametrize(("rule", "sql"), BAD, ids=lambda text: str(text)[:60])
def test_the_checker_refuses(rule: str, sql: str) -> None:
    assert any(problem.startswith(rule) for problem in broken_rules(sql, database="postgresql")), sql


@pytest.mark.parametrize("sql", GOOD, ids=lambda text: str(text)[:60])
def test_the_checker_accepts(sql: str) -> None:
    assert broken_rules(sql, database="postgresql") == []


def test_the_checker_knows_what_is_too_new_for_sqlite() -> None:
    for sql in ("SELECT name ->> '$.x' FROM account_groups", "SELECT unixepoch() FROM account_groups"):
        assert broken_rules(sql, database="sqlite")[0].startswith("rule 15")


def test_a_statement_without_a_group_cannot_even_be_made() -> None:
    with pytest.raises(ValueError, match="affects other groups"):
        Statement("SELECT id FROM audiences WHERE id = :id")


# ------------------------------------------------------------------------------------------ the schema


def schema_faults(tables: dict[str, dict[str, Any]]) -> list[str]:
    """Returns what breaks rule 1 or 8 in a schema described by schema_of."""
    types = {described["columns"][GROUP][0] for described in tables.values() if GROUP in described["columns"]}
    faults = [f"{GROUP} has several types: {sorted(types)}"] if len(types) > 1 else []
    for name, table in tables.items():
        faults += [f"{name}: ON DELETE SET NULL" for action in table["on_delete"] if action.startswith("SET NULL")]
        if name in REFERENCE_TABLES:
            continue
        unique = [("primary key", table["primary_key"][1]), *table["unique"]]
        unique += [(index, columns) for index, columns, is_unique in table["indexes"] if is_unique]
        faults += [f"{name}: {key} begins with {columns[:1]}" for key, columns in unique if columns[:1] != (GROUP,)]
        for key, columns, other, referred in table["foreign_keys"]:
            same_group = columns[:1] == (GROUP,) and (other in REFERENCE_TABLES or referred[:1] == (GROUP,))
            faults += [] if same_group else [f"{name}: foreign key {key} leaves the account group"]
    return faults


def test_the_migrated_schema_keeps_rule_1(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()
    tables = schema_of(url)
    assert set(tables) >= TENANT_TABLES
    assert schema_faults(tables) == []
    assert triggers_of(url) == []


def test_the_tables_keep_rule_1() -> None:
    id_type = repr(metadata.tables["account_groups"].c.id.type)
    for table in metadata.tables.values():
        if table.name in REFERENCE_TABLES:
            continue
        assert repr(table.c[GROUP].type) == id_type, table.name
        assert next(iter(table.primary_key.columns)).name == GROUP, table.name
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                assert next(iter(constraint.columns)).name == GROUP, constraint
        for index in table.indexes:
            assert not index.unique or next(iter(index.columns)).name == GROUP, index.name


def test_the_schema_check_sees_faults(new_database: Callable[[], str]) -> None:
    url = new_database()
    for sql in (
        "CREATE TABLE account_groups (id INTEGER PRIMARY KEY)",
        "CREATE TABLE audiences (account_group_id TEXT NOT NULL, id TEXT NOT NULL UNIQUE, PRIMARY KEY (id))",
        "CREATE TABLE jobs (account_group_id BIGINT NOT NULL, id TEXT NOT NULL, audience_id TEXT REFERENCES"
        " audiences(id) ON DELETE SET NULL, PRIMARY KEY (account_group_id, id))",
        "CREATE UNIQUE INDEX jobs_key ON jobs (audience_id)",
    ):
        run_sql(url, sql)
    faults = "\n".join(schema_faults(schema_of(url)))
    for expected in (
        "several types",
        "audiences: primary key begins",
        "jobs: jobs_key begins",
        "leaves the account group",
        "jobs: ON DELETE SET NULL",
    ):
        assert expected in faults


def test_the_lead_ids_of_a_move_are_in_its_one_row() -> None:
    """Rule 9: the transaction of a move writes its leads into no second table. Jobs write change_parts, and the
    housekeeping writes change_subjects. The event of a move refers to its change and repeats no lead."""
    assert {name for name in metadata.tables if "change" in name} == {"changes", "change_parts", "change_subjects"}
    assert "lead_ids" in metadata.tables["changes"].c
    assert set(re.findall(r"INTO (\w+) \(", move_statements.FUNCTION_OF_POSTGRESQL)) == {"changes", "event_outbox"}


# ------------------------------------------------------------------------------------------ rule 3: one group


def test_a_transaction_is_of_one_group_whatever_is_passed(service: Service) -> None:
    """The group is the transaction's own: a value that a caller passes under its name is ignored."""
    mine, other = make_tenant(service), make_tenant(service)
    mine.create_audience("mine")
    other.create_audience("other")
    names = Statement("SELECT name FROM audiences WHERE account_group_id = :account_group_id")

    async def ask(db: LeadyardDatabase) -> list[str]:
        found = []
        for way_in in (db.read, db.write, db.snapshot):
            async with way_in(mine.account_group_id) as tx:
                found += [row["name"] for row in await tx.rows(names, account_group_id=other.account_group_id)]
        return found

    assert on_database(service.database_url, ask) == ["mine"] * 3
    mine.client.close()
    other.client.close()


def transactions_in(function: ast.AST) -> list[str]:
    """Returns the group of each transaction that the function opens, as source text."""
    return [
        ast.unparse(node.args[0])
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read", "write", "snapshot")
        and ast.unparse(node.func.value) == "db"
    ]


def test_an_operation_opens_one_transaction() -> None:
    seen = 0
    for file in Path(leadyard.operations.__path__[0]).rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                groups = transactions_in(node)
                seen += len(groups)
                assert len(groups) <= 1, f"{file.name}: {node.name} opens {len(groups)} transactions; make it one"
                assert set(groups) <= {
                    "caller.account_group_id",
                    "claimed.account_group_id",
                    "account_group_id",
                    "None",
                }, f"{file.name}: {groups}"
    assert seen >= 10


def test_two_transactions_in_one_operation_would_be_seen() -> None:
    source = "async def f(db):\n async with db.write(a) as x, db.read(b) as y: pass"
    assert transactions_in(ast.parse(source)) == ["a", "b"]


# ------------------------------------------------------------------------------------------ the move


# In the order in which they are done.
STEPS = {
    name: getattr(move_statements, name)
    for name in ("_LOCK", "_POPULATING", "_CHANGE_AUDIENCE", "_LEAVE_SOURCE", "_RECORD", "EVENT", "_COUNT")
}
# SQLite records the move first, while the old times are in the rows. For leads in the target it completes the record.
STEPS_OF_SQLITE = (
    "_LOCK", "_POPULATING", "_RECORD", "_CHANGE_AUDIENCE", "_LEAVE_SOURCE", "_RECORD_ALREADY", "EVENT",
    "_COUNT",
)  # fmt: skip
ONLY_FOR_LEADS_IN_THE_TARGET = ("_LEAVE_SOURCE", "_RECORD_ALREADY")


def test_a_move_is_a_few_statements_whatever_its_size(tenant: Tenant, backend: Database) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = insert_members(tenant.service.database_url, tenant.account_group_id, source, 10_026)
    sent = [traced_move(tenant, source, target, part) for part in (lead_ids[:1], lead_ids[1:26], lead_ids[26:])]
    assert sent[0] == sent[1] == sent[2], "the texts must not depend on the number of leads"
    if backend == "postgresql":
        assert names_of(sent[0]) == ["move_statements._CALL"], "one round trip, which is a transaction by itself"
    else:
        assert (sent[0][0], sent[0][-1]) == ("BEGIN IMMEDIATE", "COMMIT")
        assert len(sent[0]) <= 8, sent[0]
    assert tenant.count(target) == 10_026


def test_a_move_with_a_key_is_a_transaction_with_the_answer_in_it(tenant: Tenant, backend: Database) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = insert_members(tenant.service.database_url, tenant.account_group_id, source, 30)
    sent = [
        names_of(traced_move(tenant, source, target, part, **{"Idempotency-Key": secrets.token_hex(8)}))
        for part in (lead_ids[:1], lead_ids[1:])
    ]
    assert sent[0] == sent[1]
    begin = {"postgresql": "BEGIN", "sqlite": "BEGIN IMMEDIATE"}[backend]
    moved = ["move_statements._CALL"]
    if backend == "sqlite":
        moved = [f"move_statements.{name}" for name in STEPS_OF_SQLITE if name not in ONLY_FOR_LEADS_IN_THE_TARGET]
    assert sent[0] == [begin, "idempotency._RESERVE", *moved, "idempotency._STORE", "COMMIT"]


def test_both_databases_do_the_same_steps_in_the_same_order(tenant: Tenant, backend: Database) -> None:
    """The function's own statements are in none of our logs, so the test reads its text."""
    if backend == "postgresql":
        text = move_statements.FUNCTION_OF_POSTGRESQL
        assert set(STEPS) == {
            name
            for name, value in vars(move_statements).items()
            if isinstance(value, Statement) and name not in ("_CALL", "_PRESENT", "_RECORD_ALREADY")
        }
        places = [text.index(step.in_function) for step in STEPS.values()]
        assert places == sorted(places)
        for step in STEPS.values():
            text = text.replace(step.in_function, "")
        text = re.sub("'.*?'", "", text)
        left = sorted(name for name in metadata.tables if re.search(rf"\b{name}\b", text))
        assert not left, f"the function also contains {left}, in words that no rule has checked"
        return
    source, target = tenant.create_audience(), tenant.create_audience()
    [lead_id] = insert_members(tenant.service.database_url, tenant.account_group_id, source, 1)
    tenant.sql(
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at) VALUES ($1, $2, $3, 1)",
        tenant.number,
        number_of(target),
        key_of(lead_id),
    )
    tenant.sql(
        "UPDATE audiences SET prospect_count = 1 WHERE account_group_id = $1 AND id = $2",
        tenant.number,
        key_of(target),
    )
    # A lead that is already in the target makes the move take all of its steps.
    sent = names_of(traced_move(tenant, source, target, [lead_id]))
    assert sent == ["BEGIN IMMEDIATE", *(f"move_statements.{name}" for name in STEPS_OF_SQLITE), "COMMIT"]


def test_the_cost_of_a_move_does_not_grow_with_the_audience(
    migrated_database: Callable[[], str], backend: Database
) -> None:
    url = migrated_database()
    group, small, big, target = (new_id() for _ in range(4))
    insert = "INSERT INTO account_groups (id, key, name, created_at) VALUES ($1, $2, 'g', 1)"
    run_sql(url, insert, number_of(group), key_of(group))
    for audience in (small, big, target):
        run_sql(
            url,
            "INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)"
            " VALUES ($1, $2, $3, 'a', 'on_demand', 0, 1, 1)",
            number_of(group),
            key_of(audience),
            number_of(audience),
        )
    few, many = insert_members(url, group, small, 500), insert_members(url, group, big, 50_000)
    # A walk through the target would show as well.
    insert_members(url, group, target, 5_000)
    if backend == "sqlite":
        assert_sqlite_looks_each_lead_up(url)
        run_sql(url, "ANALYZE")
        assert_sqlite_looks_each_lead_up(url)
        return
    # Some of them are in the target already, so that the test also covers these.
    for leads in (few, many):
        run_sql(
            url,
            "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
            " SELECT $1, $2, lead_id, 1 FROM unnest(CAST($3 AS bigint[])) AS lead_id",
            number_of(group),
            number_of(target),
            keys_of(leads[100:110]),
        )
    for statistics in (False, True):
        if statistics:
            run_sql(url, "ANALYZE")
        for count in (25, 250):
            touched = [
                rows_touched(explained_move(url, group, source, target, leads[100 : 100 + count]))
                for source, leads in ((small, few), (big, many))
            ]
            # Each lead is looked up in the source and in the target: for the change and, in some cases, for the
            # removal.
            assert count <= max(touched) <= 4 * count + 4 * 10, (statistics, count, touched)


def assert_sqlite_looks_each_lead_up(url: str) -> None:
    """With or without statistics: every access to memberships is a search that names the lead, never a walk."""
    for name in ("_LEAVE_SOURCE", "_CHANGE_AUDIENCE"):
        plan = sqlite_plan(url, next(each.text for each in CONSTANTS if each.name == f"move_statements.{name}"))
        looks = [step for step in plan if re.search(r"(SEARCH|SCAN) (memberships|t)\b", step)]
        assert len(looks) == 1, plan
        assert all(step.startswith("SEARCH") and "lead_id=?" in step for step in looks), plan


def test_the_plan_check_sees_a_scan(tenant: Tenant, backend: Database) -> None:
    if backend == "sqlite":
        steps = sqlite_plan(tenant.service.database_url, "DELETE FROM memberships WHERE added_at = :now")
        assert any("SCAN memberships" in step for step in steps)
        return
    plan: dict[str, Any] = {"Node Type": "Limit", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "memberships"}]}
    with pytest.raises(AssertionError, match="Seq Scan"):
        rows_touched([plan])


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_sqlite_walks_no_account_group(migrated_database: Callable[[], str]) -> None:
    """The migration gives SQLite the sizes of large account groups. Without them it expects ten rows of a group, and
    prefers a walk over all of them to a look-up for some statements: 3.54 for others than 3.40."""
    url = migrated_database()
    walks = {
        each.name: [step for step in sqlite_plan(url, each.text) if is_walk(step)]
        for each in CONSTANTS
        if each.database == "sqlite" and not each.across_groups
    }
    assert {name: found for name, found in walks.items() if found and name not in WALKS_A_GROUP} == {}
    assert [name for name in WALKS_A_GROUP if not walks[name]] == [], "remove it from the list"


def is_walk(step: str) -> bool:
    """Returns whether the step reads all rows that an account group has in a table that can be long."""
    long = "leads|memberships|changes|change_parts|change_subjects|job_rejections|upload_pieces|idempotency_answers"
    long += "|events|event_outbox"
    return bool(
        re.match(rf"(SCAN|SEARCH) ({long}|[lmvrkp])( EXISTS)? USING .*\(account_group_id=\?\)$|SCAN ({long})\b", step)
    )


def sqlite_plan(url: str, text: str) -> list[str]:
    with closing(open_sqlite(url)) as connection:
        values = dict.fromkeys(re.findall(r":(\w+)", text), "[]")
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]


# ------------------------------------------------------------------------------------------ rule 13


@on_postgresql_only
@pytest.mark.parametrize("pooler", ["none", "transaction"])
def test_no_prepared_statement_is_kept_behind_a_pooler(
    service: Service, backend: Database, pooler: Literal["none", "transaction"]
) -> None:
    """Seen from the session that moved leads: PostgreSQL lists the statements that this session keeps."""
    assert backend == "postgresql"
    kept = Statement("SELECT name FROM pg_prepared_statements", across_groups=True)
    tenant = make_tenant(service)
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = insert_members(service.database_url, tenant.account_group_id, source, 3)
    settings = Settings(database_url=SecretStr(service.database_url), database_pool_size=1, database_pooler=pooler)

    async def move_and_look() -> int:
        db = assemble_database(settings)
        try:
            await move_leads(
                db,
                Caller.operator(tenant.account_group_id),
                source_audience_id=source,
                target_audience_id=target,
                lead_ids=lead_ids,
            )
            async with db.read(None) as tx:
                return len(await tx.rows(kept))
        finally:
            await db.close()

    assert (asyncio.run(move_and_look()) > 1) is (pooler == "none")
    tenant.client.close()
