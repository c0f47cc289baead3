"""The migrations lead to the schema in tables.py, and migrating is safe for any process and any number of times."""

from __future__ import annotations

import asyncio
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
from leadyard.model import DatabaseState
from leadyard.store import move_statements, schema
from leadyard.store.migrations.move_leads_1 import MOVE_LEADS_1
from leadyard.store.tables import metadata
from rig.commands import command
from rig.racing import on_postgresql_only
from rig.service import LEADYARD, Service, leadyard, run_sql
from tests.migrations.schema_of import extensions_of, on_connection, schema_of, triggers_of


def create_all(url: str, tables: MetaData = metadata) -> None:
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


def test_the_database_needs_no_extension(migrated_database: Callable[[], str]) -> None:
    """Neither an extension of PostgreSQL nor a virtual table of SQLite, which the comparison above would not see."""
    assert extensions_of(migrated_database()) == []


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
    head, body, _ = move_statements.FUNCTION_OF_POSTGRESQL.split("$$")
    name, parameters = plain(head).removeprefix("CREATE FUNCTION ").split("(", 1)
    [(known_name, arguments, result, source, volatile, language)] = run_sql(
        migrated_database(),
        "SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prosrc, p.provolatile,"
        " l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
        " WHERE p.pronamespace = current_schema()::regnamespace AND p.proname = $1",
        name,
    )
    assert plain(source) == plain(body)
    assert f"{known_name}({arguments}) RETURNS {result} LANGUAGE {language} AS" == (
        f"{name}({parameters}".replace("TABLE (", "TABLE(")
    )
    assert volatile in (b"v", "v"), "its statements must each see what was committed before they began"


def test_the_migration_makes_the_function_of_the_store() -> None:
    """Valid as long as this is its newest version: a change in the store needs a new name in a new migration."""
    assert plain(MOVE_LEADS_1) == plain(move_statements.FUNCTION_OF_POSTGRESQL)
    assert move_statements.FUNCTION_OF_POSTGRESQL.startswith("CREATE FUNCTION move_leads_1(")


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
    """Closer together than processes start: on PostgreSQL all of them pass the first check before any has migrated."""
    url = new_database()

    async def all_at_once() -> list[tuple[str | None, str]]:
        return await asyncio.gather(*(schema.migrate(url) for _ in range(6)))

    assert {after for _, after in asyncio.run(all_at_once())} == {schema.head_revision()}


@pytest.fixture
def with_failing_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Migrations of a next version, whose last step fails after it has created and filled a table."""
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
    assert (schema_of(url), extensions_of(url)) == ({}, [])
    assert revision_of(url) is None


def test_a_failing_migration_leaves_the_schema_before_it(
    new_database: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    url = new_database()
    asyncio.run(schema.migrate(url))
    before, revision = (schema_of(url), extensions_of(url)), revision_of(url)
    request.getfixturevalue("with_failing_migration")
    with pytest.raises(SchemaOutOfDate, match="nothing was changed"):
        asyncio.run(schema.migrate(url))
    assert ((schema_of(url), extensions_of(url)), revision_of(url)) == (before, revision)


# ---------------------------------------------------------------------------------- commands that do not migrate


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


def test_a_schema_older_than_this_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is only one migration yet, so the test adds the name of a second one."""
    current = schema.head_revision()
    schema.refuse_outdated(DatabaseState(revision=current))
    monkeypatch.setattr(schema, "_known_revisions", lambda: {current, "0002"})
    schema.refuse_outdated(DatabaseState(revision="0002"))
    schema.refuse_outdated(DatabaseState(revision="0003"))
    for revision in (current, None):
        with pytest.raises(SchemaOutOfDate, match=r"0002 is required\. Run 'leadyard migrate'"):
            schema.refuse_outdated(DatabaseState(revision=revision))


def test_a_database_of_a_development_version_is_left_alone_with_a_helpful_sentence(
    migrated_database: Callable[[], str],
) -> None:
    """The versions before 0.1.0 had eight migrations, and ids as text."""
    url = migrated_database()
    set_revision(url, "0008")
    for arguments in (["migrate"], ["doctor"]):
        command(*arguments, url=url).refused(1, "0008", "before 0.1.0", "start with an empty database")
    assert revision_of(url) == "0008"


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
