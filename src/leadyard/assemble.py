"""Wires database and app from the settings; the only file that knows all rooms."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

import structlog

from leadyard.config import Settings, read_settings
from leadyard.errors import BadSetting, SchemaOutOfDate
from leadyard.store.db import Database, open_database
from leadyard.store.db.log import log_statements

if TYPE_CHECKING:
    from fastapi import FastAPI


def assemble_database(settings: Settings) -> Database:
    """Returns the database of the settings; nothing connects yet."""
    _make_data_dir(settings)
    return open_database(
        settings.resolved_database_url(),
        pool_size=settings.database_pool_size,
        wait_s=settings.database_wait_s,
        prepared_statements=settings.database_prepared_statements,
    )


async def migrate_database(settings: Settings) -> tuple[str | None, str]:
    """Brings the database to the current schema. Returns the revision before and after."""
    from leadyard.store import schema

    _make_data_dir(settings)
    return await schema.migrate(settings.resolved_database_url())


async def make_ready(settings: Settings) -> None:
    """Migrates the embedded database by itself. Raises SchemaOutOfDate for a server database that needs it: other
    processes, of another version, may be using that one."""
    from leadyard.store import schema

    if settings.is_embedded():
        await migrate_database(settings)
        return
    current, needed = await schema.current_revision(settings.resolved_database_url()), schema.head_revision()
    schema.refuse_unknown(current)
    if current != needed:
        raise SchemaOutOfDate(f"It is at {current or 'nothing'}, needed is {needed}. Run 'leadyard migrate'.")


def assemble_app() -> FastAPI:
    """Returns the ASGI application. Called once in every server process, which is why it reads the settings itself."""
    # Only here, so that the commands start without loading the web framework.
    from leadyard.http.server import build_app
    from leadyard.worker.housekeeping import keep_house

    settings = read_settings()
    set_up_logs(settings)
    return build_app(assemble_database(settings), rate_limits=settings.rate_limits, in_background=keep_house)


def _name_the_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Says which exceptions there were and where, and nothing else: their messages and the variables around them hold
    keys and lead data."""
    if not event.pop("exc_info", None):
        return event
    error: BaseException | None = sys.exc_info()[1]
    chain = []
    while error is not None:
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
        chain.append({"type": f"{type(error).__module__}.{type(error).__qualname__}", "places": places})
        error = error.__cause__ or error.__context__
    return {**event, "exceptions": chain}


def _make_data_dir(settings: Settings) -> None:
    if settings.database_url:
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"LEADYARD_DATA_DIR={settings.data_dir}: {error.strerror}.") from error


def set_up_logs(settings: Settings) -> None:
    """JSON lines on stderr, from `log_level` up."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_the_exception,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    log_statements(enabled=level <= logging.DEBUG)
