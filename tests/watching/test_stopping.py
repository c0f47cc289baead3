"""SIGTERM: the service finishes and answers what is in progress, accepts nothing new, and exits with success."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from leadyard.ids import key_of
from rig.racing import Session, assert_healthy, membership, wait_until
from rig.service import Service, make_tenant

ENDS_WITHIN_S = 15
# The log line of the statement that sends a move to the database.
BEGUN = {True: b"move_leads_", False: b'"BEGIN'}


def is_refused(service: Service) -> bool:
    try:
        socket.create_connection(("127.0.0.1", service.port), timeout=1).close()
    except OSError:
        return True
    return False


def test_a_move_under_way_is_finished(backend: str, migrated_database: Callable[[], str], log_dir: Path) -> None:
    """With one process on one database and with several on the other, because the number does not change how it
    ends."""
    workers = 1 if backend == "sqlite" else 2
    service = Service(migrated_database(), log_dir).start("--workers", str(workers))
    try:
        tenant = make_tenant(service)
        source, target = tenant.create_audience(), tenant.create_audience()
        leads = tenant.add_leads(source, 3)
        process = service.process
        assert process is not None
        with Session(service.database_url) as session, ThreadPoolExecutor(1) as pool:
            session.begin()
            if session.is_postgresql:
                session.run("SELECT 1 FROM audiences WHERE id = $1 FOR UPDATE", key_of(source))
            size = service.log_file.stat().st_size
            moving = pool.submit(tenant.move, source, target, leads)
            wait_until(
                lambda: BEGUN[service.is_postgresql] in service.log_file.read_bytes()[size:], "the move has begun"
            )
            process.terminate()
            wait_until(lambda: is_refused(service), "new connections are refused", within_s=ENDS_WITHIN_S)
            time.sleep(0.3)
            assert process.poll() is None, "it did not wait for the move"
            assert not moving.done()
            session.commit()
            answer = moving.result()
        assert answer.status_code == 200, answer.text
        assert answer.headers["Connection"] == "close"
        assert process.wait(ENDS_WITHIN_S) == 0
        assert "Traceback" not in service.log_file.read_text()
        assert tenant.sql("SELECT id FROM changes WHERE kind = 'move'") == [(key_of(answer.headers["Move-Id"]),)]
    finally:
        service.stop()
    assert membership(tenant) == {target: set(leads)}
    assert_healthy(tenant)
    tenant.client.close()


def test_what_does_not_end_in_time_is_given_up_and_says_so(new_service: Callable[..., Service]) -> None:
    service = new_service(LEADYARD_STOP_TIMEOUT_S="1")
    tenant = make_tenant(service)
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)
    process = service.process
    assert process is not None
    with Session(service.database_url) as session, ThreadPoolExecutor(1) as pool:
        session.begin()
        if session.is_postgresql:
            session.run("SELECT 1 FROM audiences WHERE id = $1 FOR UPDATE", key_of(source))
        size = service.log_file.stat().st_size
        moving = pool.submit(tenant.move, source, target, leads)
        wait_until(lambda: BEGUN[service.is_postgresql] in service.log_file.read_bytes()[size:], "the move has begun")
        process.terminate()
        answer = moving.result()
        assert process.wait(ENDS_WITHIN_S) == 0
        session.commit()
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["details"].startswith("The service is stopping.")
    trace_id = answer.json()["traceId"]
    told = [line for line in service.log_lines() if line.get("trace_id") == trace_id and line["event"] == "request"]
    assert [line["status"] for line in told] == [503]
    assert "Traceback" not in service.log_file.read_text()
    assert tenant.sql("SELECT id FROM changes WHERE kind = 'move'") == []
    assert_healthy(tenant)
    tenant.client.close()
