"""Fixtures: every test that requests a service, a tenant or a database runs once on each database."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from leadyard.store import schema
from leadyard.store.db.plan_mode import DETECT, PlanMode
from rig.real_parts import summary
from rig.run_folder import make_run_folder, run_folder
from rig.service import Service, Tenant, WorkerProcess, make_tenant, run_sql, stop_together
from rig.throwaway_postgres import ThrowawayPostgres
from rig.throwaway_redis import ThrowawayRedis
from tests.attacks import tally
from tests.coverage_scope import CoverageScope
from tests.same_examples import leave_out_constants_of_modules
from tests.schedule import Schedule, place_in_run
from tests.tools import can_run, left_out

# A shell lets background processes ignore Ctrl-C, and their children inherit that, but some tests press Ctrl-C. With
# our own handler here, our children have the usual one again.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# An ordinary run tries the same examples every time, and takes as long as the machine needs. Random finds, and a busy
# machine, are not related to the change under test. The torture run searches at random.
settings.register_profile(
    "ordinary",
    derandomize=os.environ.get("LEADYARD_TEST_TORTURE") != "1",
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ordinary")
if os.environ.get("LEADYARD_TEST_TORTURE") != "1":
    leave_out_constants_of_modules()

DATABASES = os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql").split(",")
_coverage = CoverageScope()
_numbers = itertools.count(1)
_services: list[Service] = []


@pytest.fixture(scope="session", autouse=True)
def _plan_mode_of_the_run() -> None:
    """With LEADYARD_TEST_PLAN_MODE=auto everything runs as on a distributed database, where PostgreSQL plans with the
    values of each call: the processes that the tests start, and the databases that they open themselves."""
    chosen = os.environ.get("LEADYARD_TEST_PLAN_MODE")
    if not chosen:
        return

    os.environ["LEADYARD_DATABASE_PLAN_MODE"] = chosen
    of_pool = PlanMode.__init__

    def in_mode_of_the_run(self: PlanMode, mode: str) -> None:
        of_pool(self, chosen if mode == DETECT else mode)

    PlanMode.__init__ = in_mode_of_the_run  # type: ignore[method-assign, assignment]


@pytest.fixture(scope="session", params=DATABASES)
def backend(request: pytest.FixtureRequest) -> str:
    """'sqlite' or 'postgresql'."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one that LEADYARD_TEST_POSTGRES_URL names, or else a throwaway one."""
    given = os.environ.get("LEADYARD_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    # fsync off: the tests that kill the server start their own, with fsync on.
    with ThrowawayPostgres(fsync=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that several tests may share: the one that LEADYARD_TEST_REDIS_URL names, or else a throwaway one."""
    given = os.environ.get("LEADYARD_TEST_REDIS_URL")
    if given:
        yield given
        return
    with ThrowawayRedis() as server:
        yield server.url


@pytest.fixture(scope="session")
def new_database(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], str]]:
    """A function that creates an empty database and returns its URL."""
    made: list[str] = []
    # Requested here and not in `make`, so that the server is stopped only after we have cleaned up.
    server: str = request.getfixturevalue("postgres_url") if backend == "postgresql" else ""

    def make() -> str:
        if backend == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('database')}/leadyard.db"
        name = f"leadyard_test_{os.getpid()}_{next(_numbers)}"
        run_sql(server, f"CREATE DATABASE {name}")
        made.append(name)
        return _with_database(server, name)

    yield make
    for name in made:
        run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_database(new_database: Callable[[], str]) -> Callable[[], str]:
    """A function that creates a database with the current schema and returns its URL."""

    def make() -> str:
        url = new_database()
        asyncio.run(schema.migrate(url))
        return url

    return make


@pytest.fixture(scope="session")
def log_dir() -> Path:
    """The folder to which every service of the run writes its log, in any process; the house tests read them all."""
    return run_folder() / "service-logs"


@pytest.fixture(scope="session")
def new_service(migrated_database: Callable[[], str], log_dir: Path) -> Iterator[Callable[..., Service]]:
    """A function that starts a real server process on a new database. Keyword arguments become its settings.

    A service that a test starts itself ends with the test, and a fixture's service at the end of the session.
    """

    def make(*, database_url: str | None = None, **environment: str) -> Service:
        service = Service(database_url or migrated_database(), log_dir, environment)
        _services.append(service)
        return service.start()

    yield make
    stop_together(_services)
    _services.clear()


@pytest.fixture
def new_worker(log_dir: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """A function that starts a `leadyard worker` for a service. Keyword arguments become its settings."""
    workers: list[WorkerProcess] = []

    def make(service: Service, *arguments: str, **environment: str) -> WorkerProcess:
        worker = WorkerProcess(service.database_url, log_dir, {**service.environment, **environment})
        workers.append(worker)
        return worker.start(*arguments)

    yield make
    for worker in workers:
        if worker.process is not None:
            worker.kill()


@pytest.fixture(scope="session")
def job_service(new_service: Callable[..., Service]) -> Service:
    """A server process for tests that run jobs. It has a separate database, because a worker takes every job it finds.
    Starting a job sends the provider no request, so none has to be there."""
    return new_service(LEADYARD_PROVIDER_URL="http://127.0.0.1:9")


@pytest.fixture
def job_tenant(job_service: Service) -> Iterator[Tenant]:
    """A new account group on that service. No worker will take the jobs that it leaves behind."""
    made = make_tenant(job_service)
    yield made
    made.client.close()
    run_sql(job_service.database_url, "UPDATE jobs SET status = 'cancelled' WHERE status IN ('queued', 'running')")


@pytest.fixture(scope="session")
def service(new_service: Callable[..., Service], backend: str) -> Service:
    """The server process that most tests share; each test has its own tenant there."""
    with _coverage.of_processes(backend == "sqlite"):
        return new_service()


@pytest.fixture
def tenant(service: Service) -> Iterator[Tenant]:
    """A new account group."""
    made = make_tenant(service)
    yield made
    made.client.close()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Creates the folder of the run, before pytest-xdist starts workers."""
    if not _is_worker(session.config):
        # The folder of all temporary files of pytest, which removes it after some runs.
        make_run_folder(session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts two kinds of tests at the end: those that measure times, and the house tests that check what the rest of the
    run has sent and logged. Leaves out tests marked `torture` unless they are requested, and tests whose programs the
    machine lacks."""
    without_tools = [item for item in items if not can_run(item)]
    config.hook.pytest_deselected(items=without_tools)
    items[:] = [item for item in items if item not in without_tools]
    if not os.environ.get("LEADYARD_TEST_TORTURE"):
        tortures = [item for item in items if item.get_closest_marker("torture")]
        config.hook.pytest_deselected(items=tortures)
        items[:] = [item for item in items if item not in tortures]
    items.sort(key=lambda item: place_in_run(item.nodeid))


def pytest_collection_finish() -> None:
    _coverage.end_of_collection()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with _coverage.of_test(item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Stops the services that a test has started. Dozens of unused servers would need 80 MB each, in both processes."""
    before = len(_services)
    try:
        yield
    finally:
        stop_together(_services[before:])
        del _services[before:]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> Schedule:
    """Used with `-n`, whatever the value of `--dist`."""
    return Schedule(config, config.getoption("numprocesses"))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Fails a run on a build machine if a test was skipped, because a skipped test checks nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(
            "A test was skipped. That is a failure in CI, where every test runs on every database.", red=True
        )
    tally.write(run_folder() / "attacks")
    yield
    _coverage.save()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table of attacks that docs/security.md has, of all processes together, and what was left out."""
    if found := tally.lines(run_folder() / "attacks"):
        terminalreporter.section("attacks")
        for line in found:
            terminalreporter.write_line(line)
    for sentence in left_out():
        terminalreporter.write_line(sentence, yellow=True)
    for line in summary():
        terminalreporter.write_line(line)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _with_database(url: str, name: str) -> str:
    """Returns the URL of another database on the same server. The path is between the host and the query."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))
