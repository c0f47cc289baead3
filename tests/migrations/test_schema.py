"""The migrations end where tables.py says, and bringing a database there is safe whoever does it, and however often."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import BigInteger, CheckConstraint, Column, Index, MetaData, Table, Text
from sqlalchemy import text as sql

from leadyard.errors import SchemaOutOfDate
from leadyard.model import Caller, MemberFilter
from leadyard.operations.audiences import empty_deleted_audiences
from leadyard.operations.prospects import list_prospects
from leadyard.store import moving, schema
from leadyard.store.tables import metadata
from tests.cli.commands import command
from tests.migrations.schema_of import SEARCH_TABLES, on_connection, schema_of, search_of, triggers_of
from tests.racing import on_postgresql_only
from tests.service import LEADYARD, Service, leadyard, on_database, run_sql

SEARCH_OF_SQLITE = {
    **dict.fromkeys(SEARCH_TABLES, ""),
    "lead_search": "CREATE VIRTUAL TABLE lead_search USING fts5(search_text, tokenize='trigram')",
    "lead_search_keys": "CREATE TABLE lead_search_keys (key INTEGER PRIMARY KEY, account_group_id TEXT NOT NULL,"
    " lead_id TEXT NOT NULL, UNIQUE (account_group_id, lead_id))",
}


def create_all(url: str, tables: MetaData = metadata) -> None:
    # An extension is no table either; without it there is no index of trigrams.
    if url.startswith("postgres"):
        run_sql(url, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    on_connection(url, lambda connection: tables.create_all(connection))


def set_revision(url: str, revision: str) -> None:
    run_sql(url, "UPDATE alembic_version SET version_num = $1", revision)


def revision_of(url: str) -> str | None:
    return asyncio.run(schema.current_revision(url))


def migrate_by_command(url: str) -> dict[str, Any]:
    done = command("migrate", "--json", url=url)
    assert done.code == 0, done
    return done.json()


# ------------------------------------------------------------------------------------------ fresh = migrated


def test_a_migrated_database_is_what_the_tables_say(new_database: Callable[[], str]) -> None:
    migrated, fresh = new_database(), new_database()
    asyncio.run(schema.migrate(migrated))
    create_all(fresh)
    assert set(schema_of(migrated)) == set(metadata.tables)
    for name, table in schema_of(fresh).items():
        assert schema_of(migrated)[name] == table, f"{name}: a migration is missing, or tables.py was not changed"


def test_the_search_is_made_by_a_migration(migrated_database: Callable[[], str], backend: str) -> None:
    """All that tables.py does not say, to the last table: the comparison above leaves out nothing else."""
    assert search_of(migrated_database()) == (SEARCH_OF_SQLITE if backend == "sqlite" else {"pg_trgm": ""})


def test_the_comparison_sees_what_a_migration_could_forget(new_database: Callable[[], str]) -> None:
    def variant(*, predicate: str, check: str, type_: Any = Text) -> MetaData:
        tables = MetaData()
        Table(
            "t",
            tables,
            Column("a", Text, primary_key=True),
            Column("b", type_),
            CheckConstraint(check, name="c"),
            Index("i", "b", unique=True, postgresql_where=sql(predicate), sqlite_where=sql(predicate)),
        )
        return tables

    described = []
    for tables in (
        variant(predicate="b IS NOT NULL", check="a <> b"),
        variant(predicate="a <> 'x'", check="a <> b"),
        variant(predicate="b IS NOT NULL", check="a < b"),
        variant(predicate="b IS NOT NULL", check="a <> 'b'", type_=BigInteger),
    ):
        url = new_database()
        create_all(url, tables)
        described.append(schema_of(url)["t"])
    assert all(each != described[0] for each in described[1:])


def test_no_trigger_is_made(migrated_database: Callable[[], str]) -> None:
    assert triggers_of(migrated_database()) == []


# ------------------------------------------------------------------------------------------ the function of the move


def plain(sql: str) -> str:
    return " ".join(sql.split())


@on_postgresql_only
def test_the_function_in_the_database_is_the_one_of_the_store(migrated_database: Callable[[], str]) -> None:
    head, body, _ = moving.FUNCTION_OF_POSTGRESQL.split("$$")
    name, parameters = plain(head).removeprefix("CREATE FUNCTION ").split("(", 1)
    [(known_name, arguments, result, source, volatile, language)] = run_sql(
        migrated_database(),
        "SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prosrc, p.provolatile,"
        " l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
        " WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'move%'",
    )
    assert plain(source) == plain(body)
    assert f"{known_name}({arguments}) RETURNS {result} LANGUAGE {language} AS" == (
        f"{name}({parameters}".replace("TABLE (", "TABLE(")
    )
    assert volatile in (b"v", "v"), "its statements must each see what was committed before they began"


def test_the_migration_makes_the_function_of_the_store() -> None:
    """As long as this is the newest version of it: a change in the store needs a new name in a new migration."""
    spec = importlib.util.spec_from_file_location(
        "migration_of_the_move", schema.MIGRATIONS / "versions" / "0006_moves_in_one_round_trip.py"
    )
    assert spec is not None and spec.loader is not None
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    assert plain(migration.MOVE_LEADS_1) == plain(moving.FUNCTION_OF_POSTGRESQL)
    assert moving.FUNCTION_OF_POSTGRESQL.startswith("CREATE FUNCTION move_leads_1(")


# ------------------------------------------------------------------------------------------ leadyard migrate


def test_migrating_twice_changes_nothing(new_database: Callable[[], str]) -> None:
    url = new_database()
    first = migrate_by_command(url)
    before = schema_of(url)
    assert first == {"from": None, "to": schema.head_revision(), "changed": True}
    assert migrate_by_command(url) == {"from": first["to"], "to": first["to"], "changed": False}
    assert schema_of(url) == before
    assert command("migrate", url=url).out == f"The schema is current ({first['to']}).\n"


def test_several_may_migrate_at_once(new_database: Callable[[], str]) -> None:
    url = new_database()
    environment = {**os.environ, "LEADYARD_DATABASE_URL": url}
    running = [
        subprocess.Popen(
            [*LEADYARD, "migrate", "--json"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert [json.loads(out)["to"] for (out, _), _ in ended] == [schema.head_revision()] * 3
    assert set(schema_of(url)) == set(metadata.tables)


def test_many_in_one_process_at_once(new_database: Callable[[], str]) -> None:
    """Closer together than processes start: on PostgreSQL all of them pass the first look before any has migrated."""
    url = new_database()

    async def all_at_once() -> list[tuple[str | None, str]]:
        return await asyncio.gather(*(schema.migrate(url) for _ in range(6)))

    assert {after for _, after in asyncio.run(all_at_once())} == {schema.head_revision()}


@pytest.fixture
def with_failing_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Migrations of a next version, whose last step fails after it has made and filled a table."""
    migrations = tmp_path / "migrations"
    copytree(schema.MIGRATIONS, migrations)
    (migrations / "versions" / "9999_fails.py").write_text(
        f'''"""Fails half way."""
from alembic import op
revision, down_revision = "9999", "{schema.head_revision()}"
def upgrade():
    op.execute("CREATE TABLE half_done (id TEXT)")
    op.execute("INSERT INTO half_done VALUES ('x')")
    op.execute("ALTER TABLE audiences ADD COLUMN half_done TEXT")
    op.execute("INSERT INTO there_is_no_such_table VALUES (1)")
'''
    )
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    yield


def test_a_failing_migration_leaves_an_empty_database_empty(
    new_database: Callable[[], str], with_failing_migration: None
) -> None:
    url = new_database()
    with pytest.raises(SchemaOutOfDate, match="there_is_no_such_table"):
        asyncio.run(schema.migrate(url))
    assert (schema_of(url), search_of(url)) == ({}, {})
    assert revision_of(url) is None


def test_a_failing_migration_leaves_the_schema_before_it(
    new_database: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    url = new_database()
    asyncio.run(schema.migrate(url))
    before, revision = (schema_of(url), search_of(url)), revision_of(url)
    request.getfixturevalue("with_failing_migration")
    with pytest.raises(SchemaOutOfDate, match="nothing was changed"):
        asyncio.run(schema.migrate(url))
    assert ((schema_of(url), search_of(url)), revision_of(url)) == (before, revision)


# ------------------------------------------------------------------------------------------ rows that were there


@pytest.fixture
def database_of(
    new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """A function that makes an empty database of an earlier version and returns its URL."""

    def make(revision: str) -> str:
        migrations = tmp_path / "of-then"
        copytree(schema.MIGRATIONS, migrations)
        for file in (migrations / "versions").glob("0*.py"):
            if file.name.partition("_")[0] > revision:
                file.unlink()
        url = new_database()
        with monkeypatch.context() as then:
            then.setattr(schema, "MIGRATIONS", migrations)
            asyncio.run(schema.migrate(url))
        assert revision_of(url) == revision
        return url

    return make


@pytest.fixture(params=["0001", "0002"])
def filled_long_ago(request: pytest.FixtureRequest, database_of: Callable[[str], str]) -> str:
    """A database of an earlier version, with two account groups, an audience each and more people than one batch of the
    migration takes."""
    url = database_of(request.param)
    for group, people in (("a" * 24, 2_100), ("b" * 24, 1)):
        run_sql(url, "INSERT INTO account_groups (id, name, created_at) VALUES ($1, 'Old', 1)", group)
        run_sql(
            url,
            "INSERT INTO audiences (account_group_id, id, name, type, prospect_count, created_at, changed_at)"
            " VALUES ($1, $2, 'Old', 'on_demand', $3, 1, 1)",
            group,
            "c" * 24,
            people,
        )
        series = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < $2)"
            if url.startswith("sqlite:")
            else "WITH s(n) AS (SELECT generate_series(1, CAST($2 AS integer)))"
        )
        run_sql(
            url,
            f"{series} INSERT INTO leads (account_group_id, id, first_name, last_name, email, company_name, title,"
            " custom_fields, created_at) SELECT $1, '000000000000000000' || (100000 + n), 'Ada' || n,"
            " 'GROSSE', 'p' || n || '@example.com', 'Straße ' || n, CASE WHEN n % 2 = 0 THEN 'Head of Tea' END,"
            " '{}', 1 FROM s",
            group,
            people,
        )
        run_sql(
            url,
            "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
            " SELECT account_group_id, $2, id, 1 FROM leads WHERE account_group_id = $1",
            group,
            "c" * 24,
        )
    return url


def test_people_who_were_there_before_the_search_are_found(filled_long_ago: str, backend: str) -> None:
    url = filled_long_ago
    assert migrate_by_command(url)["to"] == schema.head_revision()

    def found(group: str, **wanted: Any) -> list[str | None]:
        caller, filters = Caller.operator(group * 24), MemberFilter(**wanted)
        page = on_database(
            url,
            lambda db: list_prospects(db, caller, audience_id="c" * 24, wanted=filters, after=None, limit=3_000),
        )
        return [member.lead.profile.email for member in page.items]

    assert found("a", q="ADA1234 grosse") == ["p1234@example.com"]
    assert found("a", q="p2100@") == ["p2100@example.com"]
    assert found("a", q="strasse 77") == ["p77@example.com", *(f"p{n}@example.com" for n in range(770, 780))]
    assert found("a", company="STRASSE 2099") == ["p2099@example.com"]
    assert len(found("a", title="HEAD OF TEA")) == 1_050
    assert (found("b", q="ada"), found("b", title="tea")) == (["p1@example.com"], [])
    if backend == "sqlite":
        pairs = "SELECT l.id FROM leads l JOIN lead_search_keys k ON k.account_group_id = l.account_group_id"
        pairs += " AND k.lead_id = l.id JOIN lead_search s ON s.rowid = k.key AND s.search_text = l.search_text"
        assert len(run_sql(url, pairs)) == 2_101
        assert run_sql(url, "SELECT (SELECT count(*) FROM lead_search), count(*) FROM lead_search_keys") == [
            (2101, 2101)
        ]
    assert run_sql(url, "SELECT DISTINCT deleted_at FROM audiences") == [(None,)]
    assert command("doctor", url=url).code == 0


def test_deleted_audiences_that_were_empty_are_marked_and_the_others_are_emptied(
    database_of: Callable[[str], str],
) -> None:
    url, group, lead_id = database_of("0005"), "a" * 24, "e" * 24
    kept, emptied, left = (letter * 24 for letter in "bcd")
    run_sql(url, "INSERT INTO account_groups (id, name, created_at) VALUES ($1, 'Old', 1)", group)
    run_sql(
        url,
        "INSERT INTO leads (account_group_id, id, custom_fields, created_at) VALUES ($1, $2, '{}', 1)",
        group,
        lead_id,
    )
    for audience, deleted_at, count in ((kept, None, 0), (emptied, 7, 0), (left, 8, 1)):
        run_sql(
            url,
            "INSERT INTO audiences (account_group_id, id, name, type, prospect_count, created_at, changed_at,"
            " deleted_at) VALUES ($1, $2, 'Old', 'on_demand', $3, 1, 1, $4)",
            group,
            audience,
            count,
            deleted_at,
        )
    run_sql(
        url,
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at) VALUES ($1, $2, $3, 1)",
        group,
        left,
        lead_id,
    )
    assert migrate_by_command(url)["from"] == "0005"
    marks = "SELECT id, emptied_at FROM audiences ORDER BY id"
    assert run_sql(url, marks) == [(kept, None), (emptied, 7), (left, None)]

    assert on_database(url, empty_deleted_audiences) == 1
    assert on_database(url, empty_deleted_audiences) == 0
    [unmarked, marked, now_marked] = run_sql(url, marks)
    assert (unmarked, marked) == ((kept, None), (emptied, 7))
    assert now_marked[1] is not None
    assert run_sql(url, "SELECT count(*) FROM memberships") == [(0,)]


# ------------------------------------------------------------------------------------------ who does not migrate


def test_serve_migrates_the_embedded_database_only(
    backend: str, new_database: Callable[[], str], log_dir: Path
) -> None:
    url = new_database()
    if backend == "sqlite":
        service = Service(url, log_dir).start()
        service.stop()
        assert set(schema_of(url)) == set(metadata.tables)
        return
    refused = leadyard("serve", "--port", "0", url=url, timeout_s=30)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "leadyard migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
    for arguments in (["doctor"], ["account-groups", "list"]):
        command(*arguments, url=url).refused(1, "leadyard migrate")
    assert schema_of(url) == {}


def test_a_database_of_a_newer_version_is_left_alone(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()
    set_revision(url, "9998")
    refused = leadyard("serve", "--port", "0", url=url, timeout_s=30)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "9998" in refused.stderr
    assert "Traceback" not in refused.stderr
    for arguments in (["migrate"], ["doctor"]):
        command(*arguments, url=url).refused(1, "9998", "newer Leadyard")
    assert revision_of(url) == "9998"


def test_migrations_leave_distributing_the_tables_to_a_step_of_its_own() -> None:
    for file in schema.MIGRATIONS.rglob("*.py"):
        assert "create_distributed_table" not in file.read_text(), f"rule 14: {file.name}"


def test_migrations_form_one_line_and_are_named_after_their_revision() -> None:
    from alembic.script import ScriptDirectory

    scripts = list(ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions())
    newest_first = [script.revision for script in scripts]
    assert newest_first == sorted(newest_first, reverse=True)
    assert [script.down_revision for script in scripts] == [*newest_first[1:], None]
    assert newest_first[0] == schema.head_revision()
    for script in scripts:
        assert Path(script.path).name.startswith(f"{script.revision}_")
        # A migration must not change when the tables do.
        assert "leadyard.store.tables" not in Path(script.path).read_text(), script.path
