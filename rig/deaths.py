"""Kills the processes of a service at random: its server, its workers, and the processes of its PostgreSQL."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from rig.racing import Session, wait_until
from rig.service import Service, WorkerProcess, whole_lines
from rig.throwaway_postgres import ThrowawayPostgres

# What a process logs only if something is wrong with it, and not with its database or its neighbours.
_FAULTS = {
    "unhandled_error",
    "worker_claim_failed",
    "job_run_failed",
    "job_failed",
    "job_cannot_end",
    "job_heartbeat_failed",
    "housekeeping_failed",
    "events_failed",
    "key_uses_failed",
}
# What an open connection raises once its server is gone.
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
# One that is doing something, if there is one, because a job spends most of its time in a few statements.
_BUSIEST = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'leadyard'
    ORDER BY state = 'idle', random() LIMIT 1"""


def wait_for_crash(session: Session) -> None:
    """The postmaster ends all connections when one of its processes dies. The end of ours shows that it has noticed."""

    def is_lost() -> bool:
        try:
            session.run("SELECT 1")
        except _LOST:
            return True
        return False

    wait_until(is_lost, "PostgreSQL notices the crash")


@dataclass
class Deaths:
    """Everything that can die. A death returns when its victim is being started again, or works again.

    `postgres` is the server of the service's database, which must belong to this test alone; None with SQLite. Call it
    from the main thread, which PostgreSQL dies with.
    """

    service: Service
    workers: list[WorkerProcess]
    postgres: ThrowawayPostgres | None
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _next: list[Callable[[], None]] = field(default_factory=list)

    def one_more(self) -> None:
        """Kills something. Each kind of death has its turn before the first one happens again."""
        if not self._next:
            self._next = [self.of_a_worker, self.of_all_workers, self.of_the_server, self.of_the_machine]
            if self.postgres is not None:
                self._next += [self.of_a_backend, self.of_a_connection, self.of_the_postmaster]
            self.chance.shuffle(self._next)
        self._die(self._next.pop())

    def during(
        self,
        progress: Callable[[], float | None],
        kills: int,
        *,
        pause_s: float,
        within_s: float,
        before_it_begins: bool = False,
    ) -> None:
        """Kills `kills` times, spread over a piece of work at random, and returns when the work has ended.

        `progress` returns the share of the work that is done, from 0 to 1, and None once it has ended. All workers die
        as soon as some of it is done, so that another one has to go on. Each other death comes up to `pause_s` seconds
        after its share of the work. There is one more at the end, if there is a moment between the last step and the
        end, and with `before_it_begins` one before the first step. Fails after `within_s` seconds.
        """
        moments = [*sorted(self.chance.uniform(0, 0.97) for _ in range(kills - 1)), 1.0]
        moments[:0] = [0.0] if before_it_begins else []
        deadline, is_taken_over = time.monotonic() + within_s, False
        while (share := progress()) is not None:
            assert time.monotonic() < deadline, f"{share:.0%} done after {within_s} s and {dict(self.done)}"
            if share > 0 and not is_taken_over:
                is_taken_over = True
                self._die(self.of_all_workers)
            elif moments and share >= moments[0]:
                moments.pop(0)
                time.sleep(self.chance.uniform(0, pause_s))
                self.one_more()
            self._start_again()
            time.sleep(0.005)

    def assert_faultless(self) -> None:
        """No process has logged a fault, before it died or until now. The service must be idle."""
        processes: list[Service | WorkerProcess] = [self.service, *self.workers]
        for each in processes:
            self._read_log(each)
        assert self.faults == []

    def of_a_worker(self) -> None:
        self._kill_workers([self.chance.choice(self.workers)])

    def of_all_workers(self) -> None:
        self._kill_workers(self.workers)

    def of_the_server(self) -> None:
        self.service.kill()
        self._read_log(self.service)
        self.service.start()

    def of_the_machine(self) -> None:
        """The server and all workers die together. PostgreSQL is on another machine."""
        self.service.kill()
        self._kill_workers(self.workers)
        self._read_log(self.service)
        self.service.start()

    def of_a_backend(self) -> None:
        """kill -9 of one PostgreSQL process, after which the postmaster ends all others and recovers."""
        assert self.postgres is not None
        with Session(self.service.database_url) as witness:
            for (pid,) in witness.run(_BUSIEST):
                os.kill(pid, signal.SIGKILL)
                wait_for_crash(witness)
        self.postgres.wait_until_ready()

    def of_a_connection(self) -> None:
        """An administrator ends one connection."""
        with Session(self.service.database_url) as admin:
            admin.run(f"SELECT pg_terminate_backend(pid) FROM ({_BUSIEST}) AS busiest")

    def of_the_postmaster(self) -> None:
        """kill -9 of the whole database server."""
        assert self.postgres is not None
        with Session(self.service.database_url) as witness:
            os.kill(self.postgres.pid, signal.SIGKILL)
            postgres = self.postgres
            wait_until(lambda: not postgres.is_running, "the postmaster is dead")
            wait_for_crash(witness)
        self.postgres.start()

    def _start_again(self) -> None:
        """Starts workers that have ended because PostgreSQL was dead when they started, as systemd does."""
        for worker in self.workers:
            if worker.process is not None and worker.process.poll() is not None:
                self.done["start again"] += 1
                self._read_log(worker)
                worker.process = None
                worker.start()

    def _die(self, death: Callable[[], None]) -> None:
        death()
        self.done[death.__name__] += 1

    def _kill_workers(self, workers: list[WorkerProcess]) -> None:
        for worker in workers:
            worker.kill()
            self._read_log(worker)
            worker.start()

    def _read_log(self, process: Service | WorkerProcess) -> None:
        lines = [json.loads(line) for line in whole_lines(process.log_file) if line.startswith("{")]
        self.faults += [str(line) for line in lines if line.get("event") in _FAULTS]
