"""A keyed move that got 503, for whatever reason: the same request is done or replayed as soon as the cause is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from leadyard.store import schema
from rig.answers import data_of
from rig.racing import Session, assert_exact, assert_healthy, code_of, on_postgresql_only, wait_until
from rig.service import Service, Tenant, make_tenant, run_sql
from rig.throwaway_postgres import ThrowawayPostgres

# The first repeat has to succeed, so it is never longer than this until the request is done.
REPEATED_WITHIN_S = 1.0


@dataclass
class Moves:
    """A tenant with leads to move, and requests that are the same for the same key."""

    tenant: Tenant
    source: str
    target: str
    leads: list[str]

    @classmethod
    def of(cls, service: Service, count: int = 5) -> Moves:
        tenant = make_tenant(service)
        source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
        return cls(tenant, source, target, tenant.add_leads(source, count))

    def send(self, number: int) -> httpx.Response:
        """Moves the lead of this number, with the key of this number."""
        with self.tenant.new_client() as client:
            return client.post(
                f"/audiences/{self.source}/move-leads",
                json={"targetAudienceId": self.target, "leadIds": [self.leads[number]]},
                headers={"Idempotency-Key": f"move-{number}"},
            )

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Moves wait until the end of the block: for the audience, on SQLite for the writer."""
        with Session(self.tenant.service.database_url) as session:
            session.begin()
            if session.is_postgresql:
                session.run("SELECT 1 FROM audiences WHERE account_group_id = $1 FOR UPDATE", self.tenant.number)
            yield
            session.commit()

    def wait_until_one_waits(self) -> None:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        if self.tenant.service.is_postgresql:
            wait_until(lambda: self.tenant.sql(waiting), "a move waits for the audience")
        else:
            time.sleep(0.5)

    def assert_each_is_done_once(self, *numbers: int) -> None:
        """Every listed request is done or replayed the first time it is repeated, and replayed from then on."""
        for number in numbers:
            again = self.send(number)
            assert data_of(again)["movedCount"] == 1
            repeated = self.send(number)
            assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (again.content, "true")
        moved = {self.leads[number] for number in numbers}
        recorded = self.tenant.walk("/moves")
        assert len(recorded) == len(numbers)
        assert_exact(self.tenant, {self.target: moved, self.source: set(self.leads) - moved})
        assert_healthy(self.tenant)


def refused(answer: httpx.Response, reason: str = "", *, by: Moves | None = None) -> None:
    """The answer is a documented 503; the log has its reason."""
    assert (answer.status_code, code_of(answer)) == (503, "SERVICE_UNAVAILABLE"), answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 2
    if by is not None:
        lines = by.tenant.service.log_lines(while_busy=True)
        assert reason in {line.get("reason") for line in lines if line.get("event") == "service_unavailable"}


# ------------------------------------------------------------------------------------------ overload, on both databases


def test_a_full_queue(new_service: Callable[..., Service]) -> None:
    moves = Moves.of(new_service(LEADYARD_DATABASE_POOL_SIZE="1", LEADYARD_DATABASE_QUEUE="1"))
    moves.send(0)  # The key of the API is recognised from now on, without the database.
    with ThreadPoolExecutor(2) as pool:
        with moves.held_back():
            running = pool.submit(moves.send, 1)
            moves.wait_until_one_waits()
            queued = pool.submit(moves.send, 2)
            time.sleep(0.3)
            for _ in range(3):
                for number in (3, 4):
                    refused(moves.send(number), "queue_full", by=moves)
        assert data_of(running.result()) and data_of(queued.result())
    started = time.monotonic()
    moves.assert_each_is_done_once(3, 4, 1, 2, 0)
    assert time.monotonic() - started < 20


def test_a_wait_for_a_connection_that_is_too_long(new_service: Callable[..., Service]) -> None:
    moves = Moves.of(new_service(LEADYARD_DATABASE_POOL_SIZE="1", LEADYARD_DATABASE_WAIT_S="0.6"))
    moves.send(0)
    with ThreadPoolExecutor(1) as pool:
        with moves.held_back():
            running = pool.submit(moves.send, 1)
            moves.wait_until_one_waits()
            for number in (2, 3, 2):
                refused(moves.send(number), "wait_timeout", by=moves)
        outcome = running.result()
        if moves.tenant.service.is_postgresql:
            data_of(outcome)
        else:
            refused(outcome)
    moves.assert_each_is_done_once(2, 3, 1, 0)


def test_a_request_that_takes_too_long(new_service: Callable[..., Service]) -> None:
    moves = Moves.of(new_service(LEADYARD_REQUEST_TIMEOUT_S="2"))
    moves.send(0)
    with moves.held_back():
        for number in (1, 2, 1):
            answer = moves.send(number)
            refused(answer)
            assert "timed out after 2 s" in answer.json()["error"]["details"]
    moves.assert_each_is_done_once(1, 2, 0)


def test_conflicts_in_every_attempt(new_service: Callable[..., Service]) -> None:
    moves = Moves.of(new_service())
    url = moves.tenant.service.database_url
    with conflicting_moves(url):
        for number in (1, 2, 1):
            answer = moves.send(number)
            refused(answer)
            assert "Nothing was changed" in answer.json()["error"]["details"]
    moves.assert_each_is_done_once(1, 2)


@contextmanager
def conflicting_moves(url: str) -> Iterator[None]:
    """The database itself reports a conflict to every move."""
    if url.startswith("sqlite:"):
        run_sql(url, "CREATE TRIGGER conflict BEFORE INSERT ON changes BEGIN SELECT RAISE(ABORT, 'conflict'); END")
        yield
        run_sql(url, "DROP TRIGGER conflict")
        return
    raising = "BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = 'serialization_failure'; END"
    run_sql(url, f"CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ {raising} $$")
    run_sql(url, "CREATE TRIGGER conflict BEFORE INSERT ON changes FOR EACH ROW EXECUTE FUNCTION conflict()")
    yield
    run_sql(url, "DROP TRIGGER conflict ON changes")


# ---------------------------------------------------------------------------------------- a server that is not there


@pytest.fixture(scope="module")
def postgres(backend: str) -> Iterator[ThrowawayPostgres]:
    """A server that tests may stop."""
    assert backend == "postgresql"
    with ThrowawayPostgres(fsync=True) as server:
        yield server


@pytest.fixture
def moves_of_a_role(postgres: ThrowawayPostgres, log_dir: Path) -> Iterator[Moves]:
    """Moves of a service that connects as a role without special rights, the owner of its database."""
    postgres.start()
    name = f"retries_{time.time_ns()}"
    run_sql(postgres.url, f"CREATE ROLE {name} LOGIN")
    postgres.create_database(name)
    run_sql(postgres.url, f"ALTER DATABASE {name} OWNER TO {name}")
    run_sql(postgres.url, f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    own_url = postgres.url_of(name)
    run_sql(own_url, f"ALTER SCHEMA public OWNER TO {name}")
    service_url = own_url.replace("postgres@", f"{name}@")
    asyncio.run(schema.migrate(service_url))
    service = Service(service_url, log_dir, {"LEADYARD_DATABASE_WAIT_S": "3"}).start()
    moves = Moves.of(service)
    moves.send(0)
    yield moves
    service.stop()
    moves.tenant.client.close()


def role_of(moves: Moves) -> str:
    return moves.tenant.service.database_url.rsplit("/", 1)[0].removeprefix("postgresql://").split("@")[0]


def admin(postgres: ThrowawayPostgres, *statements: str) -> None:
    """Runs the statements as the superuser."""

    async def run() -> None:
        connection = await asyncpg.connect(postgres.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def end_sessions_of(role: str) -> str:
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"


@on_postgresql_only
def test_a_server_that_is_stopped_while_moves_wait(postgres: ThrowawayPostgres, moves_of_a_role: Moves) -> None:
    moves = moves_of_a_role
    with ThreadPoolExecutor(2) as pool, Session(postgres.url_of(role_of(moves))) as session:
        session.begin()
        session.run("LOCK TABLE audiences IN ACCESS EXCLUSIVE MODE")
        waiting: list[Future[httpx.Response]] = [pool.submit(moves.send, number) for number in (1, 2)]
        time.sleep(1)
        postgres.stop(keep_data=True)
        for each in waiting:
            refused(each.result())
    refused(moves.send(3))
    postgres.start()
    time.sleep(REPEATED_WITHIN_S)
    moves.assert_each_is_done_once(1, 2, 3, 0)


@on_postgresql_only
@pytest.mark.parametrize("cause", ["read-only", "no CONNECT", "no LOGIN", "no connection left"])
def test_a_role_that_may_not(postgres: ThrowawayPostgres, moves_of_a_role: Moves, cause: str) -> None:
    moves = moves_of_a_role
    role = role_of(moves)
    begin, end = {
        "read-only": (
            f"ALTER ROLE {role} SET default_transaction_read_only = on",
            f"ALTER ROLE {role} RESET default_transaction_read_only",
        ),
        "no CONNECT": (f"REVOKE CONNECT ON DATABASE {role} FROM {role}", f"GRANT CONNECT ON DATABASE {role} TO {role}"),
        "no LOGIN": (f"ALTER ROLE {role} NOLOGIN", f"ALTER ROLE {role} LOGIN"),
        "no connection left": (
            f"ALTER ROLE {role} CONNECTION LIMIT 0",
            f"ALTER ROLE {role} CONNECTION LIMIT -1",
        ),
    }[cause]

    admin(postgres, begin, end_sessions_of(role))
    for number in (1, 2, 1):
        refused(moves.send(number))
    admin(postgres, end, end_sessions_of(role))

    time.sleep(REPEATED_WITHIN_S)
    moves.assert_each_is_done_once(1, 2, 0)


@on_postgresql_only
def test_sessions_that_are_ended_again_and_again(postgres: ThrowawayPostgres, moves_of_a_role: Moves) -> None:
    """Most keyed moves do not notice it. Those that get a 503 are done or replayed when they are repeated."""
    moves = moves_of_a_role
    role = role_of(moves)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(moves.send, number) for number in (1, 2, 3, 4) for _ in range(5)]
        while not all(each.done() for each in running):
            admin(postgres, end_sessions_of(role))
            time.sleep(0.02)
        answers = [each.result() for each in running]
    assert {answer.status_code for answer in answers} <= {200, 409, 503}, [answer.text for answer in answers]
    assert {code_of(answer) for answer in answers} <= {"", "IDEMPOTENCY_CONFLICT", "SERVICE_UNAVAILABLE"}
    moves.assert_each_is_done_once(1, 2, 3, 4, 0)
