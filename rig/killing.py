"""Kills a server at a chosen moment, and waits until PostgreSQL has noticed."""

from __future__ import annotations

import time

from rig.racing import wait_until
from rig.service import Service, run_sql


def kill_when_logged(service: Service, statement: str, log_size: int, delay_s: float) -> None:
    """Kills the server `delay_s` after it has logged that it sends the statement (it logs before it sends)."""

    def is_logged() -> bool:
        with service.log_file.open("rb") as log:
            log.seek(log_size)
            return statement.encode() in log.read()

    wait_until(is_logged, f"the server sends {statement}")
    time.sleep(delay_s)
    service.kill()


def wait_for_orphans(url: str) -> None:
    """PostgreSQL's backends outlive a dead client until they notice. Until then they may hold locks, or commit."""
    if url.startswith("postgres"):
        orphans = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'leadyard'"
        )
        wait_until(lambda: run_sql(url, orphans) == [(0,)], "the dead server's connections are gone")
