"""A worker runs at a lower priority than other processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from leadyard.cli import worker_command
from rig.racing import wait_until
from rig.service import Service, WorkerProcess

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "leadyard-worker.service"


def test_a_worker_gives_way_to_whoever_is_waited_for(
    job_service: Service, new_worker: Callable[..., WorkerProcess]
) -> None:
    process = new_worker(job_service).process
    assert process is not None
    lower = min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) == lower, "the worker has lowered its priority")


def test_a_worker_works_where_it_may_not_lower_its_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is the case in the unit of deploy/, whose filter `@resources` includes the system call for that."""

    def refuse(_by: int) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "nice", refuse)
    worker_command._give_way()
    settings = UNIT.read_text().splitlines()
    assert "SystemCallFilter=~@privileged @resources" in settings
    assert f"Nice={worker_command._NICENESS}" in settings, "systemd lowers it instead, before it puts the filter up"
