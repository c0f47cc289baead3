"""Creates the databases and services of a benchmark, and removes them after it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.move import GENEROUS
from leadyard.ids import new_id
from leadyard.store import schema
from leadyard.store.db.sqlite_engine import engine_version
from rig.service import LEADYARD, Service
from rig.throwaway_postgres import ThrowawayPostgres, wheel_directory

Kind = Literal["postgresql", "sqlite"]
DATABASES: tuple[Kind, ...] = ("postgresql", "sqlite")
TITLES: dict[Kind, str] = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
MEMORY_DISK = Path("/dev/shm")
# As in production: everything is counted and logged, and nothing is refused.
SETTINGS = {"LEADYARD_LOG_LEVEL": "info", "LEADYARD_RATE_LIMITS": GENEROUS}


class ToolMissing(Exception):
    """A program that a benchmark needs is not on this machine."""


@dataclass
class Stage:
    """Hands out what benchmarks need. Use it as a context manager; everything it created is removed when the block
    ends."""

    quick: bool = False
    scale: float = 1.0
    server: str | None = None
    console: Console = field(default_factory=lambda: Console(stderr=True))

    def __enter__(self) -> Stage:
        self._closing = ExitStack()
        # Read now, because later it would include our own load.
        self.load_before = os.getloadavg()[0]
        # The guard compares our code, not the disk. SQLite waits for the disk at every commit, on both sides: the
        # slower the disk, the nearer any ratio comes to 1. PostgreSQL commits eight clients at once and hardly notices.
        in_memory = MEMORY_DISK if self.quick and MEMORY_DISK.is_dir() and os.access(MEMORY_DISK, os.W_OK) else None
        folder = tempfile.TemporaryDirectory(prefix="leadyard-bench-", dir=in_memory)
        self.folder = Path(self._closing.enter_context(folder))
        self._progress = self._closing.enter_context(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
                disable=not self.console.is_terminal,
            )
        )
        self.throwaway: ThrowawayPostgres | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    # ------------------------------------------------------------------------------------------------ how much

    def size(self, full: int, quick: int) -> int:
        """Returns how much to create: the quick size, or the full size scaled by --scale."""
        return quick if self.quick else max(quick, round(full * self.scale))

    def rounds(self, full: int, quick: int) -> int:
        """Returns how often to take turns. Not scaled: fewer rounds would be a worse measurement, not a smaller one."""
        return quick if self.quick else full

    @contextmanager
    def progress(self, text: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Shows a bar. Yields a function to call when one of `total` steps is done."""
        task = self._progress.add_task(text, total=total)
        if self._progress.disable:
            self.console.print(f"  {text}")
        try:
            yield lambda: self._progress.advance(task)
        finally:
            self._progress.remove_task(task)

    # ---------------------------------------------------------------------------------------- databases, services

    @contextmanager
    def database(self, kind: Kind) -> Iterator[str]:
        """Yields the URL of a migrated database that is removed afterwards."""
        name = f"leadyard_bench_{new_id()}"
        if kind == "sqlite":
            folder = self.folder / name
            folder.mkdir()
            url = f"sqlite:///{folder}/leadyard.db"
            asyncio.run(schema.migrate(url))
            yield url
            shutil.rmtree(folder)
            return
        server = self.server_url()
        on_server(server, f"CREATE DATABASE {name}")
        try:
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
            asyncio.run(schema.migrate(url))
            yield url
        finally:
            on_server(server, f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def service(self, kind: Kind, *arguments: str, **settings: str) -> Iterator[Service]:
        """Yields `leadyard serve` on a new database. The other parameters are its arguments and settings."""
        with self.database(kind) as url, self.service_on(url, *arguments, **settings) as service:
            yield service

    @contextmanager
    def service_on(self, url: str, *arguments: str, **settings: str) -> Iterator[Service]:
        """Yields `leadyard serve` on an existing database."""
        service = Service(url, self.folder, {**SETTINGS, **settings})
        service.start(*arguments)
        try:
            yield service
        finally:
            service.stop()
            # The log has a line for each request, so in a long benchmark it takes much disk space.
            service.log_file.unlink()

    def server_url(self) -> str:
        """Returns the URL of the named PostgreSQL, or of a throwaway one that is started at the first call."""
        if self.server is None:
            # With fsync on, because a database without it is faster than any database in production.
            self.throwaway = self._closing.enter_context(ThrowawayPostgres())
            self.server = self.throwaway.url
        return self.server

    # ------------------------------------------------------------------------------------------------------ tools

    def require(self, tool: str) -> str:
        """Returns the path of a program of PostgreSQL and puts it on the PATH. Raises ToolMissing."""
        self.server_url()
        beside = self.throwaway.binaries.directory if self.throwaway and self.throwaway.binaries else None
        places = [None, *(str(place) for place in (beside, wheel_directory()) if place is not None)]
        found = next(filter(None, (shutil.which(tool, path=place) for place in places)), None)
        if found is None:
            raise ToolMissing(f"{tool} is not on the PATH; it comes with PostgreSQL's client or contrib package.")
        if shutil.which(tool) is None:
            os.environ["PATH"] += f"{os.pathsep}{Path(found).parent}"
        return found

    def facts(self) -> dict[str, Any]:
        """Returns the versions and the machine, as far as a reader needs them to judge a figure."""
        facts: dict[str, Any] = {
            "python": ".".join(map(str, sys.version_info[:3])),
            "sqlite": engine_version(),
            "cpus": os.cpu_count(),
            "loadBefore": round(self.load_before, 1),
            "scale": self.scale,
            "quick": self.quick,
        }
        if self.server is not None:
            facts["postgresql"] = on_server(self.server, "SHOW server_version")[0][0].split()[0]
        return facts


def on_server(url: str, text: str) -> list[Any]:
    """Runs one statement outside of any transaction."""

    async def run() -> list[Any]:
        connection: Any = await asyncpg.connect(url, timeout=30)
        try:
            return [tuple(row) for row in await connection.fetch(text)]
        finally:
            await connection.close()

    return asyncio.run(run())


def leadyard_command() -> list[str]:
    """Returns how an operator starts Leadyard: the installed command, where this environment has it."""
    installed = Path(sys.executable).with_name("leadyard")
    return [str(installed)] if installed.exists() else list(LEADYARD)
