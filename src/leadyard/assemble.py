"""Wires database and app from the settings; the only file that knows all rooms."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, MutableMapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, TextIO, cast

from leadyard.config import Settings, read_settings, shared_metrics
from leadyard.errors import BadSetting, SchemaOutOfDate
from leadyard.networks import parse_networks
from leadyard.plain_structlog import structlog
from leadyard.rate_policies import parse_policies
from leadyard.store.db import Database, open_database
from leadyard.store.db.log import log_statements
from leadyard.watching import metrics, spans

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from leadyard.http.gate import Gate
    from leadyard.intake.provider import Provider
    from leadyard.operations.key_uses import KeyUses
    from leadyard.worker.worker import Worker

# A client that has not read on for so long has gone away without saying so.
_WRITE_TIMEOUT_S = 60.0


def assemble_database(settings: Settings) -> Database:
    """Returns the database of the settings; nothing connects yet."""
    _make_data_dir(settings)
    return open_database(
        settings.resolved_database_url(),
        pool_size=settings.database_pool_size,
        wait_s=settings.database_wait_s,
        queue_size=settings.database_queue,
        prepared_statements=settings.database_prepared_statements,
    )


def assemble_provider(settings: Settings) -> Provider | None:
    """Returns the prospect provider of the settings, None when there is none; nothing connects yet."""
    if not settings.provider_url:
        return None
    # Only here: most commands need no HTTP client, and loading one takes longer than they do.
    from leadyard.intake.provider import Provider

    token = settings.provider_token.get_secret_value()
    return Provider(settings.provider_url, token or None, timeout_s=settings.provider_timeout_s)


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


def assemble_app(admin_port: int | None) -> ASGIApp:
    """Returns the ASGI application; what comes in by `admin_port` gets metrics and health. Called once in every server
    process, which is why it reads the settings itself."""
    gc.disable()
    # Only here, so that the commands start without loading the web framework.
    from leadyard.http.admin import Ports
    from leadyard.http.limits import TimeLimits
    from leadyard.http.server import build_app
    from leadyard.operations.key_uses import KeyUses
    from leadyard.worker.housekeeping import keep_house
    from leadyard.worker.key_uses import keep_key_uses

    settings = read_settings()
    set_up_logs(settings)
    set_up_watching(settings, with_metrics=admin_port is not None)
    db, provider = assemble_database(settings), assemble_provider(settings)
    uses = KeyUses()
    in_background: list[Callable[[], Coroutine[Any, Any, None]]] = [
        partial(keep_house, db),
        partial(keep_key_uses, db, uses),
    ]
    if settings.serve_runs_worker():
        in_background.append(_worker(settings, db, provider, settings.worker_concurrency).run)
    app = build_app(
        db,
        gate=_assemble_gate(settings, uses),
        provider=provider,
        in_background=in_background,
        time_limits=TimeLimits(read_s=settings.read_timeout_s, request_s=settings.request_timeout_s),
    )
    whole = app if admin_port is None else Ports(app, assemble_admin(db), admin_port=admin_port)
    # The application is some hundred thousand objects that live as long as the process. The collector would look at all
    # of them again and again, a twentieth of the processor time of a move, to find out each time that they do.
    gc.freeze()
    gc.enable()
    return whole


def assemble_admin(db: Database) -> ASGIApp:
    """Returns the application behind the admin port of whoever uses this database."""
    from leadyard.http.admin import build_admin_app

    return build_admin_app(db)


def _assemble_gate(settings: Settings, uses: KeyUses) -> Gate:
    from leadyard.http.client_address import ClientAddresses
    from leadyard.http.gate import Gate
    from leadyard.http.rate_limit import RateLimits

    policies = parse_policies(settings.rate_limits)
    shared = None
    # Without rules there is nothing to count, and so nobody to count it.
    if settings.redis_url and any(policies.values()):
        # Only here: the client of Redis takes longer to load than our own code, and most services have none.
        from leadyard.http.shared_quotas import SharedQuotas

        shared = SharedQuotas(settings.redis_url)
    addresses = ClientAddresses(parse_networks(settings.trusted_proxies))
    return Gate(limits=RateLimits(policies, shared=shared), addresses=addresses, uses=uses)


@asynccontextmanager
async def assemble_worker(settings: Settings, *, concurrency: int) -> AsyncIterator[tuple[Worker, Database]]:
    """Yields a worker and its database; that and a provider are its own, and closed in the end. What a service does
    without being asked goes on meanwhile, so that a machine that only works keeps house too."""
    from leadyard.worker.housekeeping import keep_house

    db, provider = assemble_database(settings), assemble_provider(settings)
    housekeeping = asyncio.create_task(keep_house(db))
    try:
        yield _worker(settings, db, provider, concurrency), db
    finally:
        housekeeping.cancel()
        await asyncio.gather(housekeeping, return_exceptions=True)
        if provider is not None:
            await provider.close()
        await db.close()


def _worker(settings: Settings, db: Database, provider: Provider | None, concurrency: int) -> Worker:
    from leadyard.worker.sources import Sources
    from leadyard.worker.worker import Worker

    return Worker(db, Sources(provider), concurrency=concurrency, lease_s=settings.worker_lease_s)


def assemble_protocol(settings: Settings, admin_port: int | None) -> type[asyncio.Protocol]:
    """Returns what uvicorn makes of every connection, with the limits of the settings. How many there may be does not
    count for `admin_port`."""
    from leadyard.http.protocol import BoundedProtocol, ConnectionLimits

    limits = ConnectionLimits(
        read_s=settings.read_timeout_s,
        write_s=_WRITE_TIMEOUT_S,
        connections=settings.max_connections,
        admin_port=admin_port,
    )
    # uvicorn says that it wants a class; what it does with it is to call it.
    return cast("type[asyncio.Protocol]", partial(BoundedProtocol, limits=limits))


def set_up_watching(settings: Settings, *, with_metrics: bool) -> None:
    """Switches on what is asked for. Raises BadSetting when traces are, and the packages for them are missing."""
    if with_metrics:
        metrics.start(shared_dir=shared_metrics())
    if settings.traces == "otlp":
        spans.start(version=version("leadyard"))


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


# One encoder for all lines: json.dumps makes a new one for each when it is told what to do with strange values.
_ENCODER = json.JSONEncoder(default=repr)


def _as_json(event: Any, **_: Any) -> str:
    return _ENCODER.encode(event)


class _Unfailing:
    """A stream whose disk may be full. The line is lost then; the request it tells of is not."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _make_data_dir(settings: Settings) -> None:
    if settings.database_url:
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(
            f"LEADYARD_DATA_DIR={settings.data_dir}: {error.strerror}. Name a folder that is there or can be made."
        ) from error


def set_up_logs(settings: Settings) -> None:
    """JSON lines on stderr, from `log_level` up."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_the_exception,
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    log_statements(enabled=level <= logging.DEBUG)
