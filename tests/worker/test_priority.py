"""A worker lets others go first."""

from __future__ import annotations

import os
from collections.abc import Callable

from tests.racing import wait_until
from tests.service import Service, WorkerProcess


def test_a_worker_gives_way_to_whoever_is_waited_for(
    job_service: Service, new_worker: Callable[..., WorkerProcess]
) -> None:
    process = new_worker(job_service).process
    assert process is not None
    lower = min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) == lower, "the worker has lowered its priority")
