"""A throwaway PostgreSQL on a port of 127.0.0.1, which may be a standby, and may be frozen or killed as a whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Mapping
from pathlib import Path

from rig.run_folder import free_port, note_secret
from rig.throwaway_postgres import PostgresUnavailable, Source, ThrowawayPostgres


class TcpPostgres(ThrowawayPostgres):
    """Clients on the port need the password. `settings` are further settings of the server."""

    def __init__(
        self, *, settings: Mapping[str, str] | None = None, fsync: bool = False, source: Source | None = None
    ) -> None:
        super().__init__(fsync=fsync, source=source)
        self.settings = dict(settings or {})
        self.password = secrets.token_hex(16)
        note_secret(self.password)
        self._port = free_port()

    @property
    def address(self) -> str:
        """The host and the port, as a URL has them."""
        return f"127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    def url_of(self, database: str, *addresses: str, query: str = "") -> str:
        """Returns the URL of a database on this server, or on the servers with these addresses."""
        hosts = ",".join(addresses) or self.address
        return f"postgresql://postgres:{self.password}@{hosts}/{database}{query}"

    def initdb_arguments(self) -> list[str]:
        file = self.home / "password"
        file.write_text(self.password)
        self.user.give(self.home)
        return ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={file}"]

    def server_settings(self) -> dict[str, str]:
        return {**super().server_settings(), "listen_addresses": "127.0.0.1", **self.settings}

    def reload(self, *hba_lines: str, **settings: str) -> None:
        """Changes settings of the running server, and the rules for clients on the port if there are any lines."""
        if hba_lines:
            (self.data_directory / "pg_hba.conf").write_text("\n".join(["local all all trust", *hba_lines, ""]))
        self.execute(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()))
        self.execute("SELECT pg_reload_conf()")

    def freeze(self) -> None:
        """Stops all processes of the server where they are. Its connections stay open, and get no answer."""
        self._signal_all(signal.SIGSTOP)

    def kill(self) -> None:
        """kill -9 of all processes of the server."""
        self._signal_all(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)

    def stop(self, *, keep_data: bool = False) -> None:
        """Stops the server, also when it is frozen."""
        if self.is_running:
            self._signal_all(signal.SIGCONT)
        super().stop(keep_data=keep_data)

    def _signal_all(self, number: signal.Signals) -> None:
        # The postmaster first, so that it starts no process which is not in the list.
        os.kill(self.pid, number)
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)


class Standby(TcpPostgres):
    """A copy of a running server, which it then follows."""

    def __init__(self, primary: TcpPostgres) -> None:
        super().__init__(settings=primary.settings, fsync=primary.fsync, source=primary.source)
        self.primary = primary
        self.password = primary.password

    def promote(self) -> None:
        """Makes it a primary, and returns when it takes writes."""
        self.execute("SELECT pg_promote()")

    def _initialise(self) -> None:
        assert self.binaries is not None
        source = f"host={self.primary.socket_directory} port={self.primary.port} user=postgres"
        answer = self.user.run(
            self.binaries.directory / "pg_basebackup",
            f"--pgdata={self.data_directory}",
            f"--dbname={source} application_name=standby",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
            cwd=self.home,
        )
        if answer.returncode != 0:
            raise PostgresUnavailable(f"pg_basebackup failed as {self.user.name}:\n{answer.stdout}")
