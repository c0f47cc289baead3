"""A throwaway PgBouncer in transaction mode, on a port of 127.0.0.1, in front of a server of the tests."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg

from rig.run_folder import free_port
from rig.tcp_postgres import TcpPostgres
from rig.throwaway_postgres import die_with_parent, server_user

READY_WITHIN_S = 20
# Debian installs it where only root has its PATH.
SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])


class PgBouncer:
    """Lends the sessions of `server`, four at most for each user and database, so that clients share them all the time.

    Clients connect with the names of `users` and the password of the server. `settings` are further settings.
    """

    def __init__(self, server: TcpPostgres, *users: str, **settings: str) -> None:
        self.server = server
        self.port = free_port()
        self._users = ("postgres", *users)
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._program = shutil.which("pgbouncer", path=SEARCHED)

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(prefix="leadyard-pgbouncer-")
        self._write_settings()
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()
        self._home.cleanup()

    @property
    def version(self) -> tuple[int, int]:
        """The version, such as (1, 18)."""
        assert self._program is not None
        shown = subprocess.run([self._program, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"(\d+)\.(\d+)", shown)
        assert found is not None, shown
        return int(found[1]), int(found[2])

    @property
    def keeps_prepared_statements(self) -> bool:
        """Whether it can keep the prepared statements of clients itself."""
        return self.version >= (1, 21)

    def url_of(self, user: str, database: str, query: str = "") -> str:
        return f"postgresql://{user}:{self.server.password}@127.0.0.1:{self.port}/{database}{query}"

    def start(self) -> None:
        """Returns when it passes on a statement."""
        assert self._program is not None and self._process is None
        user = server_user()
        with (Path(self._home.name) / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, str(self._settings_file)],
                cwd="/",
                user=user.uid,
                group=user.gid,
                extra_groups=user.groups,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                asyncio.run(self._execute("postgres", "SELECT 1"))
                return
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                assert self._process.poll() is None and time.monotonic() < deadline, f"{error}\n{self.log()}"
                time.sleep(0.05)

    def kill(self) -> None:
        """kill -9: all clients lose their connections at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def stop(self, *, within_s: float = 20) -> None:
        """Lets it end the transactions that are running, and no further ones."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(within_s)
        self._process = None

    def reconnect(self) -> None:
        """Makes it replace its sessions, each after its transaction."""
        asyncio.run(self._execute("pgbouncer", "RECONNECT"))

    def log(self) -> str:
        return (Path(self._home.name) / "log").read_text(errors="replace")

    @property
    def _settings_file(self) -> Path:
        return Path(self._home.name) / "pgbouncer.ini"

    def _write_settings(self) -> None:
        users = Path(self._home.name) / "users"
        users.write_text("".join(f'"{user}" "{self.server.password}"\n' for user in self._users))
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": str(users),
            "admin_users": "postgres",
            "pool_mode": "transaction",
            "default_pool_size": "4",
            **({"max_prepared_statements": "200"} if self.keeps_prepared_statements else {}),
            **self._settings,
        }
        lines = ["[databases]", f"* = host=127.0.0.1 port={self.server.port}", "[pgbouncer]"]
        self._settings_file.write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in settings.items())]))
        server_user().give(Path(self._home.name))

    async def _execute(self, database: str, statement: str) -> None:
        connection: Any = await asyncpg.connect(self.url_of("postgres", database), timeout=10)
        try:
            # Without parameters it is one simple query, the only kind that the admin console takes.
            await connection.execute(statement)
        finally:
            await connection.close()
