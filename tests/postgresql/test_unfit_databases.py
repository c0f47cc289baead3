"""Databases and roles that are set up in other ways: refused with the reason and a remedy, or used all the same."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import shlex
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import pytest

from leadyard.store import postgresql_state, schema
from rig.racing import code_of, on_postgresql_only, wait_until
from rig.service import Service, leadyard, make_tenant, run_sql
from rig.tcp_postgres import TcpPostgres
from rig.watching import readiness

pytestmark = on_postgresql_only
NewService = Callable[..., Service]
_numbers = itertools.count(1)


class Database:
    """A database whose owner is a role of its own, which is not a superuser."""

    def __init__(self, server: TcpPostgres, *options: str) -> None:
        self.server = server
        self.name = f"leadyard_{next(_numbers)}"
        server.execute(f"CREATE ROLE {self.name} LOGIN PASSWORD '{server.password}'")
        server.execute(" ".join([f"CREATE DATABASE {self.name} OWNER {self.name}", *options]))
        self.url = server.url_of(self.name).replace("//postgres:", f"//{self.name}:")

    def migrated(self) -> Database:
        asyncio.run(schema.migrate(self.url))
        return self

    def as_superuser(self, *statements: str) -> None:
        for statement in statements:
            self._run(statement, attempts=5)

    def _run(self, statement: str, *, attempts: int) -> None:
        """Runs it again after a deadlock: it may lock all tables, in another order than the service that uses them."""
        try:
            run_sql(self.server.url_of(self.name), statement)
        except asyncpg.DeadlockDetectedError:
            if attempts == 1:
                raise
            self._run(statement, attempts=attempts - 1)

    def reconnect(self) -> None:
        """Ends the sessions of the role, so that its changed settings count."""
        self.as_superuser(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{self.name}'")

    def set(self, setting: str) -> None:
        self.as_superuser(f"ALTER ROLE {self.name} SET {setting}")
        self.reconnect()


@pytest.fixture
def new(server: TcpPostgres) -> Callable[..., Database]:
    """A function that creates a database, with these options of CREATE DATABASE."""
    return lambda *options: Database(server, *options)


@pytest.fixture
def service_on(new_failing_service: NewService) -> Iterator[Callable[..., Service]]:
    """A function that starts a service on a database."""
    return lambda database, **settings: new_failing_service(database.url, **settings)  # type: ignore[return-value]


def refused(url: str, *words: str, commands: tuple[str, ...] = ("migrate", "serve --port 0", "doctor")) -> None:
    for each in commands:
        done = leadyard(*each.split(), url=url)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert len(done.stderr.splitlines()) == 2, done.stderr
        for word in words:
            assert word in done.stderr, done.stderr


def assert_not_ready(service: Service, code: str, *words: str) -> None:
    status, answer = readiness(service)
    assert (status, answer["code"]) == (503, code), answer
    for word in words:
        assert word in answer["details"], answer


def events(service: Service, *names: str) -> list[dict[str, Any]]:
    return [line for line in service.log_lines(while_busy=True) if line["event"] in names]


# ------------------------------------------------------------------------------------------------------- encoding


def test_a_database_that_is_not_utf8_is_refused_with_the_right_command(new: Callable[..., Database]) -> None:
    database = new("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    refused(database.url, "The database cannot be used as it is.", "Its encoding is LATIN1", "createdb --encoding=UTF8")
    done = leadyard("migrate", url=database.url)
    found = re.search(r"createdb .*", done.stderr)
    assert found
    server = database.server
    assert server.binaries is not None
    program, *arguments = shlex.split(found[0])
    connection = [f"--host={server.socket_directory}", f"--port={server.port}", "--username=postgres"]
    made = server.user.run(server.binaries.directory / program, *connection, *arguments)
    assert made.returncode == 0, made.stdout
    assert leadyard("migrate", url=server.url_of(arguments[-1])).returncode == 0


def test_sql_ascii_is_refused_too(new: Callable[..., Database]) -> None:
    refused(new("ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0").url, "Its encoding is SQL_ASCII")


# ---------------------------------------------------------------------------------------------------- search_path


def test_a_search_path_that_hides_the_tables(new: Callable[..., Database], service_on: NewService) -> None:
    database = new().migrated()
    service = service_on(database)
    tenant = make_tenant(service)
    audience = tenant.create_audience()
    database.as_superuser("CREATE SCHEMA elsewhere", f"GRANT ALL ON SCHEMA elsewhere TO {database.name}")
    database.set("search_path = elsewhere")

    for answer in (
        tenant.client.get("/audiences"),
        tenant.client.post("/audiences", json={"name": "A", "type": "on_demand"}),
        tenant.move(audience, audience[::-1], [audience]),
    ):
        assert (answer.status_code, code_of(answer)) == (503, "SERVICE_UNAVAILABLE"), answer.text
        assert int(answer.headers["Retry-After"]) > 0
    assert_not_ready(service, "DATABASE_UNFIT", "the schema public", "search_path is elsewhere", "Do not migrate")
    wait_until(lambda: events(service, "housekeeping_postponed"), "the housekeeping is postponed")
    assert not events(service, "unhandled_error", "housekeeping_failed")
    [line, *_] = events(service, "database_tables_missing")
    assert "search_path" in line["advice"]
    assert {line["reason"] for line in events(service, "service_unavailable")} == {"tables_missing"}
    refused(database.url, "search_path is elsewhere", "ALTER ROLE … SET search_path = public;")
    run_sql(database.url, "SELECT 1")
    assert run_sql(database.url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'elsewhere'") == [(0,)]

    database.as_superuser(f"ALTER ROLE {database.name} RESET search_path")
    database.reconnect()
    assert tenant.client.get("/audiences").status_code == 200
    assert readiness(service)[0] == 200


def test_a_search_path_in_the_url_chooses_another_schema(new: Callable[..., Database]) -> None:
    """Two installations in one database are possible, if the operator writes so."""
    database = new()
    for name in ("first", "second"):
        run_sql(database.url, f"CREATE SCHEMA {name}")
        done = leadyard("migrate", url=f"{database.url}?search_path={name}")
        assert (done.returncode, done.stdout.startswith("Migrated from an empty database")) == (0, True), done
    refused(database.url, "The tables are in the schema first and in second", 'search_path is "$user", public')


def test_a_search_path_to_nowhere(new: Callable[..., Database]) -> None:
    database = new()
    database.set("search_path = nowhere")
    refused(database.url, "no schema has been selected", "search_path", commands=("migrate",))


# --------------------------------------------------------------------------------------------------- rights, dumps


def test_a_role_without_rights_on_the_tables(new: Callable[..., Database], service_on: NewService) -> None:
    database = new().migrated()
    service = service_on(database)
    tenant = make_tenant(service)
    database.as_superuser(f"REASSIGN OWNED BY {database.name} TO postgres")
    answer = tenant.client.get("/audiences")
    assert answer.status_code == 503, answer.text
    [line, *_] = events(service, "database_permission_denied")
    assert "GRANT" in line["advice"]
    assert not events(service, "unhandled_error")
    assert_not_ready(service, "SERVICE_UNAVAILABLE", "permission denied for table", "must own the tables")
    refused(database.url, "permission denied for table alembic_version", "must own the tables")


def test_a_role_that_may_not_connect_or_create(new: Callable[..., Database]) -> None:
    database = new()
    database.as_superuser("ALTER SCHEMA public OWNER TO postgres", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    database.as_superuser(f"REVOKE CREATE ON SCHEMA public FROM {database.name}")
    refused(database.url, "permission denied for schema public", "GRANT USAGE, CREATE", commands=("migrate",))
    database.as_superuser(
        f"ALTER DATABASE {database.name} OWNER TO postgres", f"REVOKE ALL ON DATABASE {database.name} FROM PUBLIC"
    )
    database.as_superuser(f"REVOKE ALL ON DATABASE {database.name} FROM {database.name}")
    refused(database.url, "permission denied for database", "GRANT CONNECT ON DATABASE")


def test_a_schema_that_was_restored_without_its_data(new: Callable[..., Database]) -> None:
    database = new().migrated()
    run_sql(database.url, "DELETE FROM alembic_version")
    refused(database.url, "the tables of Leadyard but no revision", "Do not migrate it", "Restore the whole dump")
    run_sql(database.url, "DROP TABLE alembic_version")
    refused(database.url, "the tables of Leadyard but no revision")


def test_a_password_that_was_changed_is_named_in_the_log(new: Callable[..., Database], service_on: NewService) -> None:
    database = new().migrated()
    service = service_on(database)
    tenant = make_tenant(service)
    database.as_superuser(f"ALTER ROLE {database.name} PASSWORD 'another'")
    database.reconnect()
    assert tenant.client.get("/audiences").status_code == 503
    [line, *_] = events(service, "service_unavailable")
    assert (line["reason"], database.name in line["detail"]) == ("unreachable", True)
    assert "password authentication failed" in line["detail"]
    # The first line may be of a session that ended in the middle of a chore, which has no such detail.
    wait_until(
        lambda: any(
            "password authentication failed" in (line["detail"] or "")
            for line in events(service, "housekeeping_postponed")
        ),
        "the housekeeping is postponed, and the log has the reason",
    )


# ------------------------------------------------------------------------------------------------------ read-only


def test_a_read_only_role(new: Callable[..., Database], service_on: NewService, new_worker: Any) -> None:
    database = new().migrated()
    service = service_on(database)
    tenant = make_tenant(service)
    database.set("default_transaction_read_only = on")

    assert tenant.client.get("/audiences").status_code == 200
    answer = tenant.client.post("/audiences", json={"name": "A", "type": "on_demand"})
    assert (answer.status_code, code_of(answer)) == (503, "SERVICE_UNAVAILABLE"), answer.text
    assert answer.json()["error"]["message"] == "The database is read-only."
    assert_not_ready(service, "DATABASE_READ_ONLY", "read-only", "default_transaction_read_only is on")
    [line, *_] = events(service, "database_read_only")
    for word in ("standby", "target_session_attrs", "default_transaction_read_only"):
        assert word in line["advice"]
    words = ("The database is read-only.", "default_transaction_read_only is on")
    refused(database.url, *words, commands=("serve --port 0", "worker"))
    assert leadyard("doctor", url=database.url).returncode == 0
    assert leadyard("account-groups", "list", url=database.url).returncode == 0

    database.as_superuser(f"ALTER ROLE {database.name} RESET default_transaction_read_only")
    database.reconnect()
    assert tenant.client.post("/audiences", json={"name": "A", "type": "on_demand"}).status_code == 201
    assert readiness(service)[0] == 200


def test_a_migration_ends_while_the_state_is_read(
    new: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = new()
    opened = postgresql_state.connected_to
    waiting = [database.migrated]

    class MigratedAfterTheFirstAnswer:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        async def fetchrow(self, statement: str) -> Any:
            row = await self._connection.fetchrow(statement)
            if waiting:
                # The migration reads the state, too.
                await asyncio.to_thread(waiting.pop())
            return row

    @contextlib.asynccontextmanager
    async def connected_to(url: str, *, within_s: float) -> AsyncIterator[Any]:
        async with opened(url, within_s=within_s) as connection:
            yield MigratedAfterTheFirstAnswer(connection)

    monkeypatch.setattr(postgresql_state, "connected_to", connected_to)
    assert asyncio.run(schema.current_revision(database.url)) == schema.head_revision()
