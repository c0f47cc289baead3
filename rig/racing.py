"""Shared by the tests of races and crashes: threads that start at the same moment, open transactions, and the exact
check."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncpg
import httpx
import pytest

from leadyard.ids import id_of
from leadyard.operations.doctor import check_account_group
from rig.service import Service, Tenant, on_database
from rig.sqlite_file import open_sqlite, run_numbered

R = TypeVar("R")

TORTURE = os.environ.get("LEADYARD_TEST_TORTURE") == "1"
_DATABASES = os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql").split(",")
# For failures that only a database server can have. The parameter has one value, instead of a skip on the other
# database.
on_postgresql_only = pytest.mark.parametrize(
    "backend", [name for name in _DATABASES if name == "postgresql"], indirect=True, scope="session"
)

# The reason in the details of a 503 when the service cannot determine whether the change was made.
UNKNOWN_OUTCOME = "during the commit"


def at_once(*tasks: Callable[[], R]) -> list[R]:
    """Runs each task on a separate thread; all start at the same moment. Returns their results in order."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], R]) -> R:
        start.wait(30)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]


def wait_until(condition: Callable[[], R], what: str, *, within_s: float = 30) -> R:
    """Returns the first true value of the condition. Fails after `within_s` with the name of the awaited event."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"This did not happen within {within_s} s: {what}."
        time.sleep(0.002)


def code_of(answer: httpx.Response) -> str:
    """Returns the error code of a refusal, '' for a success."""
    error = answer.json()["error"]
    return str(error["code"]) if error else ""


def assert_documented_503(answer: httpx.Response) -> None:
    """The answer contains Retry-After, and states whether anything may have changed."""
    assert (answer.status_code, code_of(answer)) == (503, "SERVICE_UNAVAILABLE"), answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was changed." in answer.json()["error"]["details"] or is_of_unknown_outcome(answer)


def is_of_unknown_outcome(answer: httpx.Response) -> bool:
    """Returns whether a 503 leaves open whether the change was made, and advises to read the current state."""
    details = answer.json()["error"]["details"]
    return "either completely or not at all: read the current state" in details


def membership(tenant: Tenant) -> dict[str, set[str]]:
    """Returns the leads of every audience that has any. It reads them in one statement, so that they are one consistent
    state."""
    found: dict[str, set[str]] = {}
    rows = tenant.sql(
        "SELECT a.id, m.lead_id FROM memberships m LEFT JOIN audiences a ON a.account_group_id = m.account_group_id"
        " AND a.number = m.audience_id WHERE m.account_group_id = $1",
        tenant.number,
    )
    for audience, lead in rows:
        found.setdefault(id_of(audience), set()).add(id_of(lead))
    return found


def counts(tenant: Tenant) -> dict[str, int]:
    """Returns the stored count of every audience."""
    rows = tenant.sql("SELECT id, prospect_count FROM audiences WHERE account_group_id = $1", tenant.number)
    return {id_of(audience): count for audience, count in rows}


def assert_exact(tenant: Tenant, expected: Mapping[str, set[str]]) -> None:
    """The audience's pages, its count and the expected set are all equal."""
    for audience_id, leads in expected.items():
        walked = tenant.members(audience_id)
        assert len(walked) == len(set(walked)), f"{audience_id} lists a lead twice"
        assert set(walked) == leads, f"{audience_id}: {set(walked) - leads} too many, {leads - set(walked)} missing"
        assert tenant.count(audience_id) == len(leads)


def assert_healthy(tenant: Tenant) -> None:
    """The doctor's checks of this account group, without starting a process."""
    check_up = on_database(
        tenant.service.database_url, lambda db: check_account_group(db, account_group_id=tenant.account_group_id)
    )
    assert check_up.findings == ()


def recorded_moves(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Returns the whole record of moves by id, oldest first, each with its lead ids."""
    ids = [item["id"] for item in tenant.walk("/moves")]
    assert ids == sorted(set(ids), reverse=True)
    return {move_id: tenant.client.get(f"/moves/{move_id}").json()["data"] for move_id in reversed(ids)}


@dataclass
class Replay:
    """Repeats the recorded moves, one by one, on plain sets, in the order of their times. A move takes its time with
    both audiences locked, and the time is not before the last change of either. Moves of one millisecond may have
    happened in any order. At least one order must agree with every record and every answer."""

    members: dict[str, set[str]]
    counts_after: dict[str, tuple[int, int]] = field(default_factory=dict)

    def run(self, moves: Iterable[Mapping[str, Any]], answers: Iterable[httpx.Response] = ()) -> Self:
        told = {answer.headers["Move-Id"]: counts_told(answer) for answer in answers}
        in_order = sorted(moves, key=lambda move: (move["movedAt"], move["id"]))
        for moment, together in groupby(in_order, key=lambda move: str(move["movedAt"])):
            faults: list[str] = []
            assert self._fit(list(together), told, faults), f"{moment}: {faults}"
        return self

    def _fit(self, moves: list[Mapping[str, Any]], told: Mapping[str, tuple[int, int]], faults: list[str]) -> bool:
        """Does the moves in an order that fits. If there is none, it changes nothing."""
        for at, move in enumerate(moves):
            source, target = move["sourceAudienceId"], move["targetAudienceId"]
            before = self.members[source], self.members[target]
            fault = self._do(move, told)
            if not fault and self._fit(moves[:at] + moves[at + 1 :], told, faults):
                return True
            faults += [fault] if fault else []
            self.members[source], self.members[target] = before
        return not moves

    def _do(self, move: Mapping[str, Any], told: Mapping[str, tuple[int, int]]) -> str:
        """Does the move and returns ''; or returns what is wrong with it."""
        source, target = self.members[move["sourceAudienceId"]], self.members[move["targetAudienceId"]]
        leads = set(move["leadIds"])
        if not leads <= source:
            return f"move {move['id']} took {leads - source}, which were not in its source"
        if (move["movedCount"], move["alreadyInTargetCount"]) != (len(leads), len(leads & target)):
            return f"move {move['id']} counted wrongly: {len(leads & target)} were there already"
        left = len(source - leads), len(target | leads)
        if told.get(move["id"], left) != left:
            return f"move {move['id']} reported {told[move['id']]}, and left {left}"
        self.members[move["sourceAudienceId"]] = source - leads
        self.members[move["targetAudienceId"]] = target | leads
        self.counts_after[move["id"]] = left
        return ""

    def assert_answer(self, answer: httpx.Response) -> None:
        """The counts in the answer are exactly the counts that the commit left."""
        assert counts_told(answer) == self.counts_after[answer.headers["Move-Id"]]


def counts_told(answer: httpx.Response) -> tuple[int, int]:
    """Returns the counts of the source and the target after the move, as its answer reports them."""
    data = answer.json()["data"]
    return data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"]


class Session:
    """A connection of another client, whose transactions stay open as long as the test wants."""

    def __init__(self, url: str) -> None:
        self.is_postgresql = not url.startswith("sqlite:")
        if self.is_postgresql:
            self._runner = asyncio.Runner()
            self._remote: Any = self._runner.run(asyncpg.connect(url))
            self.pid: int = self._remote.get_server_pid()
        else:
            self._local = open_sqlite(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_postgresql:
            self._remote.terminate()
            self._runner.close()
        else:
            self._local.close()

    def run(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Runs one statement with $1, $2, … for the values."""
        if self.is_postgresql:
            return [tuple(row) for row in self._runner.run(self._remote.fetch(text, *values))]
        return run_numbered(self._local, text, values)

    def begin(self) -> None:
        self.run("BEGIN" if self.is_postgresql else "BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.run("COMMIT")


def soon(within_s: float, attempt: Callable[[], float], *, attempts: int = 3) -> None:
    """Fails when something is slow in every attempt. `attempt` does it and returns the seconds it took. One slow
    attempt may be due to the machine, which stands still for seconds now and then. An operation that is slow by itself
    is slow again."""
    took: list[float] = []
    while not took or took[-1] >= within_s:
        assert len(took) < attempts, f"It took {', '.join(f'{each:.2f}' for each in took)} s, in every attempt."
        took.append(attempt())


def assert_nothing_leaked(service: Service, *, since: int = 0) -> int:
    """No client got a 5xx, and every conflict between transactions was run again until it had an answer. Returns the
    number of conflicts. `since` is the number of lines that the log of a shared service had before."""

    def lines_of_answered_requests() -> list[list[dict[str, Any]]]:
        lines = service.log_lines()[since:]
        answered = {line["trace_id"] for line in lines if line.get("event") == "request"}
        met = {line["trace_id"] for line in lines if line.get("event") == "transaction_conflict" and "trace_id" in line}
        return [lines] if met <= answered else []

    # The line of a request is written after its answer was sent, so the client may have read the answer already.
    [lines] = wait_until(lines_of_answered_requests, "each request with a conflict was answered")
    status_of = {line["trace_id"]: line["status"] for line in lines if line.get("event") == "request"}
    assert [line for line in lines if line.get("event") == "unhandled_error"] == []
    assert {status for status in status_of.values() if status >= 500} == set()
    conflicts = [line for line in lines if line.get("event") == "transaction_conflict"]
    # The housekeeping has no trace id, because no request started it.
    assert all(status_of[line["trace_id"]] < 500 for line in conflicts if "trace_id" in line)
    assert [line for line in lines if line.get("event") == "housekeeping_failed"] == []
    return len(conflicts)
