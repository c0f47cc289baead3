"""The two processes of a run share its tests. Each test runs once, together with the tests that use the same servers.
Tests that measure times, or read what others left, run alone at the end. All this holds although a process is quick,
slow, or dies."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rig.run_folder import free_port, note_secret, secrets_noted
from tests.schedule import (
    MEASURES_TIMES,
    READS_WHAT_OTHERS_LEFT,
    Schedule,
    Worker,
    database_of,
    place_in_run,
    runs_alone,
)

ROOT = Path(__file__).parents[2]
ALONE = ["tests/attacks/test_keys.py::test_how_long_x[sqlite]", "tests/house/test_statements_sent.py::test_a"]
FILES = {
    f"tests/{name}.py{database}": [f"tests/{name}.py::test_{n}[{database}]" for n in range(count)]
    for database in ("sqlite", "-", "postgresql")
    for name, count in (("a", 5), ("b", 1), ("c", 12), ("d", 2))
}
TESTS = [test for tests in FILES.values() for test in tests] + ALONE


@dataclass(eq=False)
class FakeWorker:
    """Behaves like xdist's worker: it runs a test when it has the next one, or has been informed that there is none."""

    tests: list[str] = field(default_factory=lambda: list(TESTS))
    queue: list[int] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    shutting_down: bool = False

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        assert not self.shutting_down
        self.queue += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    @property
    def can_run(self) -> bool:
        return len(self.queue) > (0 if self.shutting_down else 1)

    @property
    def has_ended(self) -> bool:
        return self.shutting_down and not self.queue


class Run:
    """A run of fake workers, one step after the other, in a random order."""

    def __init__(self, config: pytest.Config, seed: int, *, deaths: int = 0) -> None:
        self.chance = random.Random(seed)
        self.deaths = deaths
        self.schedule = Schedule(config, 2)
        self.workers: list[FakeWorker] = []
        self.started: list[FakeWorker] = []
        self.crashed: list[str] = []
        # Each test with the number of workers when it ran.
        self.seen: list[tuple[str, int]] = []
        for _ in range(2):
            self._start()
        self.schedule.schedule()

    def _start(self) -> None:
        worker = FakeWorker()
        self.workers.append(worker)
        self.started.append(worker)
        self.schedule.add_node(worker)
        self.schedule.add_node_collection(worker, worker.tests)

    def to_the_end(self) -> None:
        while self.workers:
            able = [each for each in self.workers if each.can_run or each.has_ended]
            assert able, "every worker waits, and gets no tests"
            worker = self.chance.choice(able)
            if worker.has_ended:
                self._remove(worker)
            elif self.deaths and self.chance.random() < 0.05:
                self._die(worker)
            else:
                self._run_one(worker)
        assert self.schedule.tests_finished
        assert not self.schedule.has_pending

    def _run_one(self, worker: FakeWorker) -> None:
        index = worker.queue.pop(0)
        worker.ran.append(worker.tests[index])
        self.seen.append((worker.tests[index], len(self.workers)))
        self.schedule.mark_test_complete(worker, index)

    def _die(self, worker: FakeWorker) -> None:
        self.deaths -= 1
        self.crashed.append(self._remove(worker) or "")
        self._start()
        self.schedule.schedule()

    def _remove(self, worker: FakeWorker) -> str | None:
        self.workers.remove(worker)
        return self.schedule.remove_node(worker)


@pytest.mark.parametrize("seed", range(30))
def test_each_test_runs_once_and_the_last_ones_alone(seed: int, pytestconfig: pytest.Config) -> None:
    run = Run(pytestconfig, seed)
    run.to_the_end()
    first, second = run.started
    assert sorted(first.ran + second.ran) == sorted(TESTS)
    assert run.seen[-len(ALONE) :] == [(test, 1) for test in ALONE]
    for tests in FILES.values():
        assert any([test for test in worker.ran if test in tests] == tests for worker in run.started), tests
    assert first.ran[0] == TESTS[0]
    assert database_of(first.ran[0]) == "sqlite"
    assert second.ran[0] == "tests/a.py::test_0[postgresql]", "each database has its files in their usual order"


def test_the_tests_above_are_sorted_as_in_a_run() -> None:
    assert sorted(TESTS, key=place_in_run) == TESTS


@pytest.mark.parametrize("seed", range(30))
def test_what_a_dead_worker_had_is_run_by_others(seed: int, pytestconfig: pytest.Config) -> None:
    run = Run(pytestconfig, seed, deaths=3)
    run.to_the_end()
    ran = [test for test, _ in run.seen]
    assert sorted([*ran, *filter(None, run.crashed)]) == sorted(TESTS)
    assert len(ran) >= len(TESTS) - 3


def test_workers_that_found_different_tests_are_an_error(pytestconfig: pytest.Config) -> None:
    reports: list[pytest.CollectReport] = []

    class Listener:
        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            reports.append(report)

    class Config:
        class hook:  # noqa: N801
            pytest_collectreport = staticmethod(Listener().pytest_collectreport)

    schedule = Schedule(Config, 2)  # type: ignore[arg-type]
    workers: list[Worker] = [FakeWorker(), FakeWorker([*TESTS[1:], "tests/a.py::test_of_today"])]
    for worker in workers:
        schedule.add_node(worker)
        schedule.add_node_collection(worker, worker.tests)  # type: ignore[attr-defined]
    schedule.schedule()
    [report] = reports
    assert report.failed
    assert "tests/a.py::test_of_today" in str(report.longrepr)
    assert schedule.tests_finished
    assert all(worker.shutting_down for worker in workers)


@pytest.mark.parametrize("name", MEASURES_TIMES + READS_WHAT_OTHERS_LEFT)
def test_what_is_to_run_alone_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert f"def {test}" in (ROOT / "tests" / file).read_text()
    assert runs_alone(f"tests/{name}x[sqlite]")
    assert not runs_alone("tests/http/v1/test_moves.py::test_a")


def test_the_database_is_read_from_the_id_of_a_test() -> None:
    assert database_of("tests/a.py::test_b[sqlite]") == "sqlite"
    assert database_of("tests/a.py::test_b[x-postgresql-y]") == "postgresql"
    assert database_of("tests/a.py::test_sqlite") == database_of("tests/a.py::test_b[sqlite_master]") == ""


def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_a_secret_of_any_process_is_known_to_all() -> None:
    note_secret("a secret of this test alone, and a very long one")
    assert "a secret of this test alone, and a very long one" in secrets_noted()
