"""Which part of a run script/test measures for coverage. Everything would cost more than the time that the suite has.

Python 3.11 traces each line, and that makes a process half as slow again. So the run measures the tests of some rooms
on SQLite: our code in the test process where these tests call it, and the services that they start. The tests of times,
races and attacks are never measured, apart from the requests to the service that all tests share.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import coverage

from tests.schedule import database_of, runs_alone

VARIABLE = "COVERAGE_PROCESS_START"
CALL_OUR_CODE = ("tests/cli/", "tests/files/", "tests/operations/", "tests/people/", "tests/provider/")
START_SERVICES = ("tests/cli/", "tests/http/", "tests/worker/")


class CoverageScope:
    """Starts and stops the measuring of this test process, and of the processes that it starts."""

    def __init__(self) -> None:
        # The main process of a distributed run keeps the variable, because the workers inherit it from there.
        self._configuration = os.environ.pop(VARIABLE, "") if "PYTEST_XDIST_WORKER" in os.environ else ""
        self._measured = coverage.Coverage.current() if self._configuration else None

    def end_of_collection(self) -> None:
        """Until here the process has imported our modules, and that runs their first lines."""
        if self._measured is not None:
            self._measured.stop()

    @contextmanager
    def of_test(self, test_id: str) -> Iterator[None]:
        """Measures during a test what the rules above name."""
        measured = self._measured if is_measured(test_id, CALL_OUR_CODE) else None
        with self.of_processes(is_measured(test_id, START_SERVICES)):
            if measured is not None:
                measured.start()
            try:
                yield
            finally:
                if measured is not None:
                    measured.stop()

    @contextmanager
    def of_processes(self, is_measured: bool) -> Iterator[None]:
        """Lets the processes that start inside of the block measure themselves, or not."""
        before = os.environ.pop(VARIABLE, None)
        if is_measured and self._configuration:
            os.environ[VARIABLE] = self._configuration
        try:
            yield
        finally:
            os.environ.pop(VARIABLE, None)
            if before is not None:
                os.environ[VARIABLE] = before

    def save(self) -> None:
        """Writes what this process has measured. A worker of pytest-xdist ends without the usual goodbye."""
        if self._measured is not None:
            self._measured.stop()
            self._measured.save()


def is_measured(test_id: str, folders: tuple[str, ...]) -> bool:
    """Returns whether a test belongs to one of the folders, and may be slowed down."""
    return test_id.startswith(folders) and database_of(test_id) != "postgresql" and not runs_alone(test_id)
