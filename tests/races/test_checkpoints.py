"""Several processes write to one SQLite file and checkpoint it at the same moment, and some are killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from leadyard.store.db.sqlite_check import find_damage
from leadyard.store.db.sqlite_engine import open_file
from rig.racing import TORTURE
from rig.sqlite_writer import ACCOUNTS, BALANCE, make_ledger

ROOT = Path(__file__).parents[2]
WRITERS = 4
SECONDS = 600 if TORTURE else 5
SECONDS_BETWEEN_KILLS = 0.7


class Writers:
    """The processes, and the last commit that SQLite confirmed to each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.confirmed = [0] * WRITERS
        self.processes = [self._start(number) for number in range(WRITERS)]

    def _start(self, number: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rig.sqlite_writer", str(self.path), str(number)]
        with self._output(number).open("a") as output:
            return subprocess.Popen(command, cwd=ROOT, stdout=output, text=True)

    def _output(self, number: int) -> Path:
        return self.path.with_name(f"writer-{number}.txt")

    def kill(self, number: int) -> None:
        ended = self.processes[number].poll()
        self.processes[number].kill()
        self.processes[number].wait(10)
        assert ended is None, "a writer ended by itself"
        text = self._output(number).read_text()
        whole = text[: text.rfind("\n") + 1].split()
        self.confirmed[number] = int(whole[-1]) if whole else 0

    def kill_and_restart(self, number: int) -> None:
        self.kill(number)
        self.processes[number] = self._start(number)


@contextmanager
def writing(path: Path) -> Iterator[Writers]:
    writers = Writers(path)
    try:
        yield writers
    finally:
        for number in range(WRITERS):
            writers.kill(number)


@pytest.mark.timeout(SECONDS + 120)
def test_processes_that_write_and_checkpoint_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    make_ledger(path, writers=WRITERS)
    with writing(path) as writers:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            time.sleep(SECONDS_BETWEEN_KILLS)
            writers.kill_and_restart(random.randrange(WRITERS))
            assert_sum(path)
    assert find_damage(path) == []
    assert_sum(path)
    with closing(open_file(path, wait_s=30)) as connection:
        stored = [row[0] for row in connection.execute("SELECT number FROM commits ORDER BY writer")]
    assert sum(stored) > 100, "the processes hardly wrote anything"
    # A commit may be durable whose confirmation was lost with the process, but only the last one.
    assert all(told <= kept for told, kept in zip(writers.confirmed, stored, strict=True)), (writers.confirmed, stored)


def assert_sum(path: Path) -> None:
    with closing(open_file(path, mode="ro", wait_s=30)) as connection:
        assert connection.execute("SELECT sum(balance) FROM accounts").get == ACCOUNTS * BALANCE


def test_damage_would_be_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    make_ledger(path, writers=1)
    with closing(open_file(path, wait_s=1)) as connection:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'accounts_note'").get
        assert isinstance(root, int)
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(bytes(4096))
    assert find_damage(path)
