"""The scope of the coverage: some rooms, on SQLite, and never a test that measures time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.coverage_scope import CALL_OUR_CODE, START_SERVICES, VARIABLE, CoverageScope, is_measured
from tests.schedule import MEASURES_TIMES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("test_id", "expected"),
    [
        ("tests/http/v1/test_moves.py::test_x[sqlite]", True),
        ("tests/http/v1/test_moves.py::test_x", True),
        ("tests/http/v1/test_moves.py::test_x[postgresql]", False),
        ("tests/races/test_moves.py::test_x[sqlite]", False),
    ],
)
def test_which_services_are_measured(test_id: str, expected: bool) -> None:
    assert is_measured(test_id, START_SERVICES) is expected


def test_a_test_that_measures_times_is_never_measured() -> None:
    assert not [each for each in MEASURES_TIMES if is_measured(f"tests/{each}", START_SERVICES + CALL_OUR_CODE)]


def test_the_folders_exist() -> None:
    assert all((ROOT / folder).is_dir() for folder in CALL_OUR_CODE + START_SERVICES)


def test_only_the_processes_of_a_measured_test_inherit_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv(VARIABLE, "configuration")
    monkeypatch.setattr("coverage.Coverage.current", lambda: None)
    scope = CoverageScope()
    assert VARIABLE not in os.environ
    for test_id, expected in (("tests/http/test_x.py::test[sqlite]", "configuration"), ("tests/races/test_x.py", None)):
        with scope.of_test(test_id):
            assert os.environ.get(VARIABLE) == expected
    assert VARIABLE not in os.environ
