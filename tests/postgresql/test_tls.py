"""TLS to PostgreSQL: what works, and for everything else a sentence that names the file, the host or the setting."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadyard.store import schema
from rig.certificates import Authority
from rig.moving import at_work
from rig.racing import on_postgresql_only, wait_until
from rig.service import Service, leadyard, run_sql
from rig.tcp_postgres import TcpPostgres
from rig.watching import readiness

pytestmark = [on_postgresql_only, pytest.mark.needs_tls_server]
HOST_LINES = ("hostssl all all 127.0.0.1/32 scram-sha-256", "hostnossl all all 127.0.0.1/32 reject")


def install(server: TcpPostgres, certificate: Path, key: Path) -> None:
    """Gives the server a certificate. It reads it when it starts, and when it is reloaded."""
    for source, name in ((certificate, "server.crt"), (key, "server.key")):
        target = server.data_directory / name
        shutil.copy(source, target)
        target.chmod(0o600)
        if server.user.uid is not None:
            os.chown(target, server.user.uid, server.user.gid or -1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ca").create()


@pytest.fixture(scope="module")
def tls(backend: str, authority: Authority) -> Iterator[TcpPostgres]:
    """A server for TLS only, whose certificate is for `localhost`."""
    assert backend == "postgresql"
    with TcpPostgres(source="system") as server:
        install(server, *authority.issue("localhost"))
        asyncio.run(schema.migrate(server.create_database("leadyard")))
        server.reload(*HOST_LINES, ssl="on")
        yield server


def url(server: TcpPostgres, query: str, host: str = "localhost") -> str:
    return server.url_of("leadyard", f"{host}:{server.port}", query=query)


@pytest.mark.parametrize("query", ["?sslmode=verify-full&sslrootcert={ca}", "?sslmode=require", ""])
def test_what_works(tls: TcpPostgres, authority: Authority, query: str) -> None:
    done = leadyard("doctor", url=url(tls, query.format(ca=authority.file)))
    assert done.returncode == 0, done.stderr


def test_each_failure_names_what_to_correct(tls: TcpPostgres, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other").create()
    text = tmp_path / "text"
    text.write_text("no certificate")
    full, ca = "?sslmode=verify-full&sslrootcert=", authority.file
    failures = {
        url(tls, f"{full}{ca}", "127.0.0.1"): (
            "certificate is not valid for '127.0.0.1'",
            "Write the host",
            "verify-ca",
        ),
        url(tls, f"{full}{other.file}"): ("certificate verify failed", "Set sslrootcert"),
        url(tls, f"{full}{tmp_path}/missing.crt"): (
            f"sslrootcert={tmp_path}/missing.crt: No such file",
            "put the file",
        ),
        url(tls, f"{full}{text}"): (f"sslrootcert={text}: the file contains no certificate",),
        url(tls, f"{full}{ca}&sslcert={tmp_path}/me.crt"): (f"sslcert={tmp_path}/me.crt: No such file",),
        url(tls, "?sslmode=verify-full"): ("root certificate file", "Set sslrootcert"),
        url(tls, "?sslmode=disable"): ("no encryption", "The server requires TLS", "sslmode=require"),
    }
    for each, words in failures.items():
        done = leadyard("doctor", url=each, HOME=str(tmp_path))
        assert (done.returncode, done.stdout) == (1, ""), done
        assert len(done.stderr.splitlines()) == 2, done.stderr
        for word in words:
            assert word in done.stderr, done.stderr
        assert tls.password not in done.stderr


def test_a_server_without_tls(backend: str) -> None:
    assert backend == "postgresql"
    with TcpPostgres() as plain:
        done = leadyard("doctor", url=plain.url_of("postgres", query="?sslmode=require"))
        assert done.returncode == 1
        assert "rejected SSL upgrade" in done.stderr
        assert "The server has no TLS" in done.stderr


def test_a_certificate_that_is_replaced_while_moves_run(
    tls: TcpPostgres, authority: Authority, tmp_path: Path, new_failing_service: Callable[..., Service]
) -> None:
    """Open connections go on. New ones are refused until the right certificate is back."""
    right = tuple((tls.data_directory / name).read_bytes() for name in ("server.crt", "server.key"))
    service = new_failing_service(url(tls, f"?sslmode=verify-full&sslrootcert={authority.file}"))
    with at_work(service, one=3) as scene:
        install(tls, *Authority(tmp_path / "other").create().issue("localhost"))
        tls.reload()
        wait_until(lambda: readiness(service)[0] == 503, "the service is not ready")
        assert "certificate verify failed" in readiness(service)[1]["details"]
        scene.wait_for_success()
        tls.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leadyard'")
        refused = wait_until(
            lambda: [each for each in service.log_lines(while_busy=True) if each.get("reason") == "unreachable"],
            "a move is refused",
        )
        assert "certificate verify failed" in refused[-1]["detail"]
        for content, name in zip(right, ("server.crt", "server.key"), strict=True):
            (tls.data_directory / name).write_bytes(content)
        tls.reload()
        scene.wait_for_success()
    assert run_sql(tls.url, "SELECT 1") == [(1,)]
