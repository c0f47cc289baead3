"""Distributes the tests over the processes of a run, for pytest-xdist, whose own schedulers do not consider our two
databases.

A file's tests for one database stay together, so that their servers, and the session's, are started once. Tests are
sorted: SQLite, neither, PostgreSQL. The first process takes from the front, the second from the end, until all are
taken; so in most runs each process uses one database only. At the very end one process alone runs the tests that
measure times, or read what all the others have left.
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

import pytest

# In this order, one after the other. The text is a part of the test's id.
MEASURES_TIMES = (
    "attacks/test_keys.py::test_how_long_",
    "attacks/test_keys.py::test_a_difference_would_be_measured",
    "http/test_first_requests.py::",
    "http/test_many_readers.py::",
    "http/test_quotas.py::test_counting_in_the_process_is_quick",
    "http/test_quotas.py::test_a_redis_that_is_gone_",
    "races/test_deleting.py::test_deleting_a_big_audience_takes_no_longer_",
)
READS_WHAT_OTHERS_LEFT = ("house/test_statements_sent.py::", "house/test_nothing_secret_logged.py::")
_DATABASES = ("sqlite", "", "postgresql")
# xdist's worker runs a test when it has the next one, or was informed that there is none.
_AT_HAND = 2


class Worker(Protocol):
    """xdist's WorkerController, which it also calls a node."""

    @property
    def shutting_down(self) -> bool: ...

    def send_runtest_some(self, indices: Sequence[int]) -> None: ...

    def shutdown(self) -> None: ...


def place_in_run(test_id: str) -> tuple[int, int]:
    """Returns the sort key of a test."""
    rank = 1 if any(part in test_id for part in MEASURES_TIMES) else 0
    for at, part in enumerate(READS_WHAT_OTHERS_LEFT, start=2):
        rank = at if part in test_id else rank
    return rank, _DATABASES.index(database_of(test_id))


def runs_alone(test_id: str) -> bool:
    """Returns whether no other test may run at the same time."""
    return place_in_run(test_id)[0] > 0


def database_of(test_id: str) -> str:
    """Returns 'sqlite', 'postgresql' or '', by the test's id."""
    found = re.search(r"[\[-](sqlite|postgresql)(?=[]-])", test_id)
    return found[1] if found else ""


class Schedule:
    """The methods and properties that xdist requires of a scheduler (`xdist.scheduler.protocol`)."""

    def __init__(self, config: pytest.Config, worker_count: int) -> None:
        self._config = config
        self._worker_count = worker_count
        self._collected: dict[Worker, list[str]] = {}
        # The tests that were sent to each worker and are not finished, in its order. The workers are in the order of
        # arrival.
        self._sent: dict[Worker, list[str]] = {}
        self._takes_first: dict[Worker, bool] = {}
        # The tests of a unit run in one worker, one after the other.
        self._units: deque[list[str]] = deque()
        self._alone: list[str] = []
        self._is_scheduled = False

    @property
    def nodes(self) -> list[Worker]:
        return list(self._sent)

    @property
    def collection_is_completed(self) -> bool:
        return self._is_scheduled or len(self._collected) >= self._worker_count

    @property
    def tests_finished(self) -> bool:
        idle = all(len(sent) < _AT_HAND for sent in self._sent.values())
        return self._is_scheduled and not self._units and not self._alone and idle

    @property
    def has_pending(self) -> bool:
        return bool(self._units or self._alone or any(self._sent.values()))

    def add_node(self, node: Worker) -> None:
        ends = list(self._takes_first.values())
        self._takes_first[node] = ends.count(True) <= ends.count(False)
        self._sent[node] = []

    def add_node_collection(self, node: Worker, collection: Sequence[str]) -> None:
        self._collected[node] = list(collection)

    def schedule(self) -> None:
        """Called when the workers have collected, and again when a worker has replaced one that crashed."""
        if not self._is_scheduled:
            self._is_scheduled = True
            if not self._differ():
                tests = next(iter(self._collected.values()))
                units = units_of(test for test in tests if not runs_alone(test))
                theirs = [unit for unit in units if database_of(unit[0]) == "postgresql"]
                # From the end, but in the order of a run in one process. Tests leave data in a database that many
                # share, and only the tests after them have ever had to cope with it.
                self._units.extend([unit for unit in units if unit not in theirs] + theirs[::-1])
                self._alone = [test for test in tests if runs_alone(test)]
        self._send_to_all()

    def mark_test_complete(self, node: Worker, item_index: int, duration: float = 0) -> None:
        self._sent[node].remove(self._collected[node][item_index])
        self._send(node)

    def mark_test_pending(self, item: str) -> None:
        raise NotImplementedError("This scheduler never runs a test again.")

    def remove_pending_tests_from_node(self, node: Worker, indices: Sequence[int]) -> None:
        raise NotImplementedError("This scheduler never takes a test away from a worker.")

    def remove_node(self, node: Worker) -> str | None:
        """Called when a worker has ended. Returns the test that it crashed with; its other tests go to other
        workers."""
        unfinished = self._sent.pop(node)
        del self._takes_first[node]
        for unit in units_of(unfinished[1:]):
            if runs_alone(unit[0]):
                self._alone = [*unit, *self._alone]
            else:
                self._units.append(unit)
        self._send_to_all()
        return unfinished[0] if unfinished else None

    def _send_to_all(self) -> None:
        for node in self.nodes:
            self._send(node)

    def _send(self, node: Worker) -> None:
        # A worker that replaces another must collect first.
        if node.shutting_down or node not in self._collected:
            return
        while self._units and len(self._sent[node]) < _AT_HAND:
            self._hand_over(node, self._units.popleft() if self._takes_first[node] else self._units.pop())
        if self._units or len(self._sent[node]) >= _AT_HAND:
            return
        others = [other for other in self.nodes if other is not node]
        if self._alone and not others:
            self._hand_over(node, self._alone)
            self._alone = []
        # The last active worker stays for the tests that run alone, and begins when the others have gone.
        if not self._alone or any(not other.shutting_down for other in others):
            node.shutdown()

    def _hand_over(self, node: Worker, tests: list[str]) -> None:
        index_of = {test: index for index, test in enumerate(self._collected[node])}
        self._sent[node] += tests
        node.send_runtest_some([index_of[test] for test in tests])

    def _differ(self) -> bool:
        """Reports an error of collecting, and returns True, when the workers have not found the same tests."""
        tests, *others = self._collected.values()
        different = {test for found in others for test in set(tests).symmetric_difference(found)}
        if not different and all(found == tests for found in others):
            return False
        text = "The processes do not have the same tests in the same order. Does a test have a random id?\n"
        longrepr = text + "\n".join(sorted(different)[:20])
        report = pytest.CollectReport(nodeid="collected", outcome="failed", longrepr=longrepr, result=[])
        self._config.hook.pytest_collectreport(report=report)
        return True


def units_of(tests: Iterable[str]) -> list[list[str]]:
    """Returns the tests in parts that stay together: one file, one database."""

    def part(test: str) -> tuple[str, str, bool]:
        return test.partition("::")[0], database_of(test), runs_alone(test)

    return [list(unit) for _, unit in itertools.groupby(tests, key=part)]
