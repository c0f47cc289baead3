"""Defines what a contender must implement for the benchmark, and the work that all contenders get."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

ROOT = Path(__file__).parents[2]
# Ignored by git. Environments are created once and reused until their requirements change.
CACHE = ROOT / ".cache" / "peers"
READY_WITHIN_S = 30

Id = str | int


@dataclass(frozen=True)
class Work:
    """How much is loaded: `leads` spread over `audiences`, and a pool of `pool` leads for overlapping moves. All of the
    pool is in one audience, and every third lead in another as well."""

    leads: int
    audiences: int
    pool: int = 40

    @property
    def audience_size(self) -> int:
        return self.leads // self.audiences


@dataclass(frozen=True)
class Lane:
    """Leads that one client moves from one audience to another and back."""

    here: Id
    there: Id
    lead_ids: Sequence[Id]

    def back(self) -> Lane:
        return Lane(self.there, self.here, self.lead_ids)


@dataclass(frozen=True)
class Loaded:
    """The ids that a contender gave to the loaded data: each audience with its leads."""

    audiences: list[tuple[Id, list[Id]]]
    pool: Lane

    def lanes(self, *, clients: int, leads: int) -> list[Lane]:
        """Returns a lane for each client. Audiences are used in pairs. When there are more clients than pairs, two
        clients share one and start at opposite ends, so that no lead is moved by both."""
        pairs = len(self.audiences) // 2
        assert clients <= 2 * pairs, f"{len(self.audiences)} audiences are too few for {clients} clients"
        lanes = []
        for client in range(clients):
            end, pair = divmod(client, pairs)
            (here, members), (there, _) = self.audiences[2 * pair + end], self.audiences[2 * pair + 1 - end]
            assert leads <= len(members), f"an audience has {len(members)} leads, too few for a move of {leads}"
            # Spread over the audience, like a selection in a list.
            lanes.append(Lane(here, there, members[:: len(members) // leads][:leads]))
        return lanes


@dataclass(frozen=True)
class Records:
    """The sums of the record of moves."""

    moves: int
    moved: int
    already_in_target: int


@dataclass
class Contender(ABC):
    """A service with its own database. Call `set_up` once, then `start`; `stop` is safe at any time."""

    database_url: str
    folder: Path
    clients: int
    processes: int
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    name = ""
    needs_key = True
    # SQL for the audit: (audience, lead) of each membership; (audience, count); sums of the record.
    members_sql = ""
    counts_sql = ""
    records_sql = ""

    @abstractmethod
    def set_up(self, work: Work) -> Loaded:
        """Installs the packages, creates the tables and loads the work."""

    @abstractmethod
    def start(self) -> None:
        """Starts the service on a free port and returns when it answers."""

    @abstractmethod
    def move(self, source: Id, target: Id, lead_ids: Sequence[Id], *, key: str | None = None) -> bytes:
        """Returns the request for a move, with the right key unless another is given."""

    @abstractmethod
    def moved(self, status: int, body: bytes) -> int | None:
        """Returns how many leads the answer reports as moved; None if the move failed."""

    @abstractmethod
    def refused(self, status: int, body: bytes) -> bool:
        """Returns whether the answer is the refusal of a move because some leads are not in the source."""

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Returns its versions and settings."""

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
            self.process = None

    def _launch(self, command: Sequence[str | Path], *, cwd: Path, environment: dict[str, str]) -> None:
        """Starts the process and waits until its port takes connections."""
        log_file = self.folder / f"{type(self).__name__}.log"
        with log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not start:\n{log_file.read_text(errors='replace')[-3000:]}")


async def load_by_sql(url: str, work: Work, *, audience: str, lead: str, membership: str) -> Loaded:
    """Loads the work into tables whose keys are numbers. The SQL texts insert ids ($1) or pairs of them."""
    ids = list(range(1, work.audiences + 3))
    left, right = ids[-2:]
    size = work.audience_size
    members = {a: list(range((a - 1) * size + 1, a * size + 1)) for a in ids[:-2]}
    pool = list(range(work.leads + 1, work.leads + work.pool + 1))
    placed = {**members, left: pool, right: pool[::3]}
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute(audience, ids, [len(placed[a]) for a in ids])
        await connection.execute(lead, list(range(1, work.leads + work.pool + 1)))
        for a, leads in placed.items():
            await connection.execute(membership, a, leads)
    finally:
        await connection.close()
    return Loaded([(a, list(leads)) for a, leads in members.items()], Lane(left, right, list(pool)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(command: Iterable[str | Path], *, cwd: Path = ROOT, **environment: str) -> str:
    """Runs a command to its end. Returns its output; raises RuntimeError with the output when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
