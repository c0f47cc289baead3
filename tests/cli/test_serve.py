"""`leadyard serve`: starts or reports why not, ends on a signal, and runs in several processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from rig.racing import wait_until
from rig.run_folder import free_port
from rig.secret_key import SECRET_KEY
from rig.service import LEADYARD, Service, leadyard, make_tenant

ENDS_WITHIN_S = 20


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "words"),
    [
        (["--port", "eighty"], {}, 2, "--port"),
        (["--port", "70000"], {}, 2, "--port"),
        ([], {"LEADYARD_PORT": "70000"}, 2, "LEADYARD_PORT='70000'"),
        (["--host", "203.0.113.1"], {}, 1, "203.0.113.1"),
    ],
)
def test_what_cannot_be_listened_on(
    url: str, arguments: list[str], settings: dict[str, str], code: int, words: str
) -> None:
    refused = leadyard("serve", *arguments, url=url, timeout_s=30, **settings)
    assert refused.returncode == code, refused
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_address_that_is_taken(url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = leadyard("serve", "--port", str(port), url=url, timeout_s=30)
    assert refused.returncode == 1, refused
    assert str(port) in refused.stderr
    assert "in use" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"], ["--host", "127.0.0.2"]])
def test_metrics_never_take_the_port_of_the_service(url: str, arguments: list[str]) -> None:
    """Several processes share the port, and two addresses have one port each. In both cases the kernel would let both
    listen."""
    port = str(free_port())
    refused = leadyard("serve", "--port", port, *arguments, url=url, timeout_s=30, LEADYARD_ADMIN_PORT=port)
    assert refused.returncode in (1, 2), refused
    assert port in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_ends_when_it_is_told_to(backend: str, url: str, log_dir: Path) -> None:
    service = Service(url, log_dir).start()
    # A supervisor sends the one, a person at a terminal the other. The database does not change how the service ends.
    told = signal.SIGTERM if backend == "postgresql" else signal.SIGINT
    process = service.process
    assert process is not None
    started = time.monotonic()
    process.send_signal(told)
    assert process.wait(ENDS_WITHIN_S) == 0
    assert time.monotonic() - started < ENDS_WITHIN_S
    assert "Traceback" not in service.log_file.read_text()


def test_several_workers(migrated_database: Callable[[], str], log_dir: Path) -> None:
    """Moves of the same leads back and forth through two processes: counts stay exact on either database."""
    service = Service(migrated_database(), log_dir).start("--workers", "2")
    try:
        tenant = make_tenant(service)
        source, target = tenant.create_audience(), tenant.create_audience()
        lead_ids = tenant.add_leads(source, 20)

        def move_one(lead_id: str) -> int:
            # A new client opens a new connection, and so reaches either process.
            with tenant.new_client() as client:
                return tenant.move(source, target, [lead_id], client=client).status_code

        with ThreadPoolExecutor(4) as threads:
            statuses = list(threads.map(move_one, [*lead_ids, *lead_ids]))
        assert sorted(statuses) == [200] * 20 + [422] * 20
        assert (tenant.count(source), tenant.count(target)) == (0, 20)
        tenant.client.close()
        assert service.doctor()["healthy"] is True
        process = service.process
        assert process is not None
        process.terminate()
        assert process.wait(ENDS_WITHIN_S * 2) == 0
    finally:
        service.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the processes share one socket; see cli/listening.py")
def test_several_workers_share_the_connections_and_the_port_with_nobody_else(
    migrated_database: Callable[[], str], log_dir: Path
) -> None:
    """With one socket on which all processes listen, the first to wake up took every connection. By chance alone, one
    of two processes gets fewer than 4 of 32 connections in three runs out of a million."""
    service = Service(migrated_database(), log_dir).start("--workers", "2")
    try:
        again = leadyard("serve", "--workers", "2", "--port", str(service.port), url=service.database_url, timeout_s=30)
        assert again.returncode == 1, again
        assert "in use" in again.stderr
        with ExitStack() as opened:
            for _ in range(32):
                opened.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            wait_until(lambda: sum(connections_of(service).values()) == 32, "all are accepted")
            counts = connections_of(service)
            assert len(counts) == 2 and min(counts.values()) >= 4, counts
    finally:
        service.stop()


def connections_of(service: Service) -> dict[int, int]:
    """Returns how many clients each process of the service has, as Linux reports it."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = {
        f"socket:[{cell[9]}]" for cell in lines if cell[1].endswith(f":{service.port:04X}") and cell[3] == "01"
    }
    assert service.process is not None
    parent = service.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    counts = {}
    for child in children:
        sockets = set()
        for each in Path(f"/proc/{child}/fd").iterdir():
            with suppress(FileNotFoundError):  # It may be closed by now.
                sockets.add(str(each.readlink()))
        if found := len(sockets & established):
            counts[int(child)] = found
    return counts


def test_port_0_takes_a_free_one(url: str) -> None:
    process = subprocess.Popen(
        [*LEADYARD, "serve", "--port", "0"],
        env={**os.environ, "LEADYARD_DATABASE_URL": url, "LEADYARD_SECRET_KEY": SECRET_KEY},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        seen: list[str] = []
        for line in process.stderr:
            seen.append(line)
            if "running on" in line:
                break
        assert "running on" in seen[-1], seen
        port = int(seen[-1].partition("http://127.0.0.1:")[2].split()[0])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
    finally:
        process.terminate()
        process.communicate(timeout=ENDS_WITHIN_S)
