"""Connections to PostgreSQL that a test run keeps open, because connecting took most of the time of a small test.

Only the main thread keeps connections, and only to a few databases at a time. A connection that has died is replaced
once. They have their own application name, so that tests can count the connections of a service without them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable, TransactionConflict
from leadyard.secret_key import SecretKey
from leadyard.store.db import Statement, open_database
from rig.secret_key import SECRET_KEY

R = TypeVar("R")
_MOST = 6
_NAME = Statement("SELECT set_config('application_name', 'leadyard tests', false)", across_groups=True)
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class _Kept:
    connection: Any
    database: Database


_runner = asyncio.Runner()
_kept: OrderedDict[str, _Kept] = OrderedDict()


def can_keep(url: str) -> bool:
    """Returns whether this thread may use the two functions below for the database."""
    if url.startswith("sqlite:") or threading.current_thread() is not threading.main_thread():
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def fetch(url: str, text: str, *values: Any) -> list[tuple[Any, ...]]:
    """Runs one handwritten statement and commits."""

    async def run() -> list[tuple[Any, ...]]:
        try:
            rows = await (await _get(url)).connection.fetch(text, *values)
        except _LOST:
            await _forget(url)
            rows = await (await _get(url)).connection.fetch(text, *values)
        return [tuple(row) for row in rows]

    return _runner.run(run())


def on_kept(url: str, work: Callable[[Database], Awaitable[R]]) -> R:
    """Runs operations against the database, one transaction at a time."""

    async def run() -> R:
        try:
            await _name(await _get(url))
        except (ServiceUnavailable, TransactionConflict):
            # The new one gets the name, too, or tests would count it as a connection of a service.
            await _forget(url)
            await _name(await _get(url))
        return await work((await _get(url)).database)

    return _runner.run(run())


async def _name(kept: _Kept) -> None:
    async with kept.database.read(None) as tx:
        await tx.rows(_NAME)


async def _get(url: str) -> _Kept:
    if url not in _kept:
        while len(_kept) >= _MOST:
            await _forget(next(iter(_kept)))
        # Tables may change between two uses, so a prepared statement must not outlive one use.
        connection = await asyncpg.connect(
            url, statement_cache_size=0, server_settings={"application_name": "leadyard tests"}
        )
        _kept[url] = _Kept(connection, open_database(url, pool_size=1, wait_s=30, secret_key=SecretKey(SECRET_KEY)))
    _kept.move_to_end(url)
    return _kept[url]


async def _forget(url: str) -> None:
    kept = _kept.pop(url, None)
    if kept is not None:
        kept.connection.terminate()
        await kept.database.close()
