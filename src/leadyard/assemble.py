"""Builds the database and the application from the settings; the only file that imports all packages."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from leadyard.database import Database
from leadyard.errors import BadSetting
from leadyard.logs import set_up_logs
from leadyard.secret_key import SecretKey
from leadyard.settings.networks import parse_networks
from leadyard.settings.rate_policies import parse_policies
from leadyard.settings.settings import Settings, read_settings, shared_metrics
from leadyard.store.db import open_database
from leadyard.watching import metrics, spans

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from leadyard.http.admission.gate import Gate
    from leadyard.http.agents import Door
    from leadyard.model import Distribution
    from leadyard.operations.key_uses import KeyUses
    from leadyard.provider.client import Provider
    from leadyard.webhooks.client import WebhookClient
    from leadyard.worker.background import Background
    from leadyard.worker.housekeeping import Keeping
    from leadyard.worker.jobs.worker import Worker

# A client that has not read anything for this long has gone away without closing the connection.
_WRITE_TIMEOUT_S = 60.0
_LOOK_FOR_JOB_EVERY_S = 0.5


def assemble_database(settings: Settings) -> Database:
    """Returns the database of the settings. Does not connect yet."""
    _make_data_dir(settings)
    return open_database(
        settings.resolved_database_url(),
        pool_size=settings.database_pool_size,
        wait_s=settings.database_wait_s,
        queue_size=settings.database_queue,
        is_pooled=settings.is_pooled(),
        plan_mode=settings.database_plan_mode,
        secret_key=assemble_secret_key(settings),
    )


def assemble_secret_key(settings: Settings) -> SecretKey | None:
    """Returns the secret key of the settings. Without one, an embedded database has its key in a file beside it, which
    this makes if necessary, and PostgreSQL has none, because all machines need the same. Raises BadSetting."""
    text = settings.secret_key.get_secret_value()
    # Without its folder the database cannot be opened either, and that refusal names the remedy.
    if not text and settings.is_embedded() and settings.embedded_folder().is_dir():
        from leadyard.settings.secret_key_file import read_or_make_secret

        text = read_or_make_secret(settings.embedded_folder())
    return SecretKey(text) if text else None


def assemble_provider(settings: Settings) -> Provider | None:
    """Returns the prospect provider of the settings, or None if it is not configured. Does not connect yet."""
    if not settings.provider_url:
        return None
    # Imported here, because most commands need no HTTP client, and loading it takes longer than running them.
    from leadyard.provider.client import Provider

    token = settings.provider_token.get_secret_value()
    return Provider(settings.provider_url, token or None, timeout_s=settings.provider_timeout_s)


def assemble_webhook_client(settings: Settings) -> WebhookClient:
    """Returns the client that sends webhooks, within the networks of the settings. It connects at its first use."""
    from leadyard.webhooks.client import WebhookClient

    return WebhookClient(parse_networks(settings.webhook_networks))


async def migrate_database(settings: Settings) -> tuple[str | None, str]:
    """Migrates the database to the current schema. Returns the revisions before and after."""
    from leadyard.store import schema

    _make_data_dir(settings)
    return await schema.migrate(settings.resolved_database_url(), is_pooled=settings.is_pooled())


async def write_role_settings(settings: Settings) -> dict[str, str]:
    """Gives the role the settings that every session needs. Returns what was missing. Raises BadSetting for SQLite,
    ServiceUnavailable, DatabaseUnfit or DatabaseReadOnly."""
    from leadyard.store import role_settings, schema

    if settings.is_embedded():
        raise BadSetting("--role-settings is for PostgreSQL, and LEADYARD_DATABASE_URL names no server.")
    url = settings.resolved_database_url()
    state = await schema.read_state(url)
    schema.refuse_unknown_pooler(state, is_pooled=settings.is_pooled())
    schema.refuse_read_only(state)
    return await role_settings.write(url, plan_mode=settings.database_plan_mode, within_s=schema.CONNECT_WITHIN_S)


async def distribute_database(settings: Settings, *, plan_only: bool) -> tuple[Distribution, dict[str, str]]:
    """Distributes the tables over the nodes of a Citus cluster, and gives the role the settings that its sessions on
    the nodes need. Returns what was done, or with `plan_only` what would be, and these settings. Raises BadSetting for
    SQLite, ServiceUnavailable, DatabaseUnfit, SchemaOutOfDate or DatabaseReadOnly."""
    from leadyard.store import role_settings, schema

    if settings.is_embedded():
        raise BadSetting("distribute is for a cluster of PostgreSQL with Citus, and LEADYARD_DATABASE_URL names none.")
    url = settings.resolved_database_url()
    done = await schema.distribute(url, is_pooled=settings.is_pooled(), plan_only=plan_only)
    chosen = settings.database_plan_mode
    # What it will be is not there yet during a plan.
    plan_mode = "auto" if chosen == "detect" else chosen
    write = role_settings.read_missing if plan_only else role_settings.write
    return done, await write(url, plan_mode=plan_mode, within_s=schema.CONNECT_WITHIN_S)


async def make_ready(settings: Settings, *, to_write: bool = False) -> None:
    """Makes the database ready for a command or, with `to_write`, for a service. Raises the refusals of both steps:
    `_make_schema_ready`, and for a service SecretKeyMissing or SecretKeyDiffers if the database is used with a secret
    key that this process lacks."""
    await _make_schema_ready(settings, to_write=to_write)
    if to_write:
        from leadyard.operations.secret_keys import refuse_other_secret_key

        db = assemble_database(settings)
        try:
            await refuse_other_secret_key(db)
        finally:
            await db.close()


async def _make_schema_ready(settings: Settings, *, to_write: bool) -> None:
    """Migrates an embedded database. Raises SchemaOutOfDate for a server database that needs a migration, because other
    processes, of another version, may be using it; and with `to_write` DatabaseReadOnly for a server that takes no
    writes. Raises DatabaseUnfit if the sessions of a pooler lack a setting."""
    from leadyard.store import schema

    if settings.is_embedded():
        await migrate_database(settings)
        return
    url = settings.resolved_database_url()
    state = await schema.read_state(url)
    schema.refuse_unknown_pooler(state, is_pooled=settings.is_pooled())
    schema.refuse_unknown(state.revision)
    schema.refuse_outdated(state)
    if to_write:
        schema.refuse_read_only(state)
    if settings.is_pooled():
        from leadyard.store import role_settings

        await role_settings.refuse_missing(url, plan_mode=settings.database_plan_mode, within_s=schema.CONNECT_WITHIN_S)


def assemble_app(admin_port: int | None) -> ASGIApp:
    """Returns the ASGI application. Requests to `admin_port` get metrics and health. Each server process calls this
    once, so it reads the settings itself."""
    # Imported here, so that the commands start without loading the web framework.
    from leadyard.http.after_start import load_the_rest
    from leadyard.http.server import build_app
    from leadyard.http.wire.time_limits import TimeLimits
    from leadyard.operations.key_uses import KeyUses
    from leadyard.worker.housekeeping import keep_house
    from leadyard.worker.key_uses import keep_key_uses

    settings = read_settings()
    set_up_logs(settings.log_level)
    set_up_watching(settings, with_metrics=admin_port is not None)
    db, provider = assemble_database(settings), assemble_provider(settings)
    uses = KeyUses()
    in_background: list[Callable[[], Coroutine[Any, Any, None]]] = [
        load_the_rest,
        partial(keep_house, db, _keeping(settings)),
        partial(keep_key_uses, db, uses),
    ]
    if settings.serve_runs_worker():
        in_background.append(partial(_run_worker, settings, db, provider))
    app = build_app(
        db,
        gate=_assemble_gate(settings, uses),
        provider=provider,
        webhook_client=assemble_webhook_client(settings),
        in_background=in_background,
        time_limits=TimeLimits(read_s=settings.read_timeout_s, request_s=settings.request_timeout_s),
        page_session_h=settings.page_session_h if settings.page == "on" else None,
        agents=_assemble_agent_door(settings),
    )
    whole = app if admin_port is None else _with_admin_port(app, db, admin_port)
    # The application is some hundred thousand objects that live as long as the process. Without this the collector
    # would scan all of them again and again for nothing, which costs a twentieth of the processor time of a move.
    gc.freeze()
    return whole


def _assemble_agent_door(settings: Settings) -> Door | None:
    if settings.mcp == "off":
        return None
    # It loads the MCP library at its first request: most services have no agents.
    from leadyard.agents.door import AgentDoor

    return AgentDoor()


class OperatorApp(NamedTuple):
    """An application for the operator of one account group, which has no port, and its database."""

    app: ASGIApp
    db: Database


@asynccontextmanager
async def assemble_operator_app(
    settings: Settings, account_group_id: str, *, for_long: bool
) -> AsyncIterator[OperatorApp]:
    """Yields an application for the operator of one account group. With `for_long` it also runs the jobs of an
    embedded database, as `serve` does, and loads what later requests may need. Raises NotFound for an unknown account
    group."""
    from leadyard.http.admission.operator_gate import OperatorGate
    from leadyard.http.after_start import load_the_rest
    from leadyard.http.server import build_app
    from leadyard.operations.account_groups import get_account_group

    db, provider = assemble_database(settings), assemble_provider(settings)
    try:
        group = await get_account_group(db, account_group_id=account_group_id)
    except BaseException:
        await db.close()
        raise
    in_background: list[Callable[[], Coroutine[Any, Any, None]]] = [load_the_rest] if for_long else []
    if for_long and settings.serve_runs_worker():
        in_background.append(partial(_run_worker, settings, db, provider))
    app = build_app(
        db,
        gate=OperatorGate(group.id),
        provider=provider,
        webhook_client=assemble_webhook_client(settings),
        in_background=in_background,
    )
    async with app.router.lifespan_context(app):
        yield OperatorApp(app, db)


def _with_admin_port(app: ASGIApp, db: Database, admin_port: int) -> ASGIApp:
    from leadyard.http.admin import Ports

    return Ports(app, assemble_admin(db), admin_port=admin_port)


def assemble_admin(db: Database) -> ASGIApp:
    """Returns the application behind the admin port of a process that uses this database."""
    from leadyard.http.admin import build_admin_app

    return build_admin_app(db)


def _assemble_gate(settings: Settings, uses: KeyUses) -> Gate:
    from leadyard.http.admission.client_address import ClientAddresses
    from leadyard.http.admission.gate import Gate
    from leadyard.http.admission.rate_limits import RateLimits

    policies = parse_policies(settings.rate_limits)
    shared = None
    # Without rules there is nothing to count, so Redis is not needed.
    redis_url = settings.redis_url.get_secret_value()
    if redis_url and any(policies.values()):
        # Imported here, because the Redis client takes longer to load than our own code, and most services have none.
        from leadyard.http.admission.shared_quotas import SharedQuotas

        shared = SharedQuotas(redis_url)
    addresses = ClientAddresses(parse_networks(settings.trusted_proxies))
    return Gate(limits=RateLimits(policies, shared=shared), addresses=addresses, uses=uses)


@asynccontextmanager
async def assemble_worker(settings: Settings, *, concurrency: int) -> AsyncIterator[tuple[Background, Database]]:
    """Yields a worker, which runs jobs and sends webhooks, and its database. It has its own database and provider,
    which are closed at the end. The housekeeping runs at the same time, so that a process that is only a worker does it
    too."""
    from leadyard.worker.housekeeping import keep_house

    db, provider = assemble_database(settings), assemble_provider(settings)
    housekeeping = asyncio.create_task(keep_house(db, _keeping(settings)))
    try:
        yield _background(settings, db, provider, concurrency), db
    finally:
        housekeeping.cancel()
        await asyncio.gather(housekeeping, return_exceptions=True)
        if provider is not None:
            await provider.close()
        await db.close()


async def _run_worker(settings: Settings, db: Database, provider: Provider | None) -> None:
    """Works beside the requests of this process. Loads its code after the start, in a thread, so that the first answer
    does not wait for it."""
    for module in ("leadyard.worker.jobs.kinds", "leadyard.worker.background", "leadyard.worker.webhooks.sender"):
        await asyncio.to_thread(import_module, module)
    await _background(settings, db, provider, settings.worker_concurrency).run()


def _keeping(settings: Settings) -> Keeping:
    from leadyard.worker.housekeeping import Keeping

    return Keeping(changes_days=settings.changes_keep_days, events_days=settings.events_keep_days)


def _background(settings: Settings, db: Database, provider: Provider | None, concurrency: int) -> Background:
    from leadyard.worker.background import Background
    from leadyard.worker.webhooks.sender import WebhookSender

    sender = WebhookSender(db, assemble_webhook_client(settings), lease_s=settings.worker_lease_s)
    return Background(_worker(settings, db, provider, concurrency), sender)


def _worker(settings: Settings, db: Database, provider: Provider | None, concurrency: int) -> Worker:
    from leadyard.worker.jobs.kinds import Kinds
    from leadyard.worker.jobs.worker import Worker

    return Worker(db, Kinds(provider), concurrency=concurrency, lease_s=settings.worker_lease_s)


async def work_on_job(db: Database, account_group_id: str, job_id: str) -> None:
    """Works on this job of a command whenever no worker has it, until it is cancelled: then the job goes back to the
    queue. The job must not need a prospect provider."""
    from leadyard.operations.jobs.leases import claim_this_job
    from leadyard.worker.jobs.job_run import JobRun
    from leadyard.worker.jobs.kinds import Kinds

    lease_ms = round(read_settings().worker_lease_s * 1000)
    while True:
        claimed = await claim_this_job(db, account_group_id, job_id, lease_ms=lease_ms)
        if claimed is None:
            await asyncio.sleep(_LOOK_FOR_JOB_EVERY_S)
            continue
        work = Kinds(None).work_of(claimed.job.kind)
        await JobRun(
            db=db,
            work=work,
            claimed=claimed,
            lease_ms=lease_ms,
            is_stopping=lambda: False,
            others_wait=lambda: False,
        ).run()


def assemble_protocol(settings: Settings, admin_port: int | None) -> type[asyncio.Protocol]:
    """Returns the protocol class that uvicorn uses for each connection, with the limits of the settings. The limit on
    the number of connections does not apply to `admin_port`."""
    from leadyard.http.wire.protocol import BoundedProtocol, ConnectionLimits

    limits = ConnectionLimits(
        read_s=settings.read_timeout_s,
        write_s=_WRITE_TIMEOUT_S,
        connections=settings.max_connections,
        admin_port=admin_port,
    )
    # uvicorn declares that it needs a class, but it only calls it.
    return cast("type[asyncio.Protocol]", partial(BoundedProtocol, limits=limits))


def set_up_watching(settings: Settings, *, with_metrics: bool) -> None:
    """Switches on metrics and traces as configured. Raises BadSetting if traces are on but their packages missing."""
    if with_metrics:
        metrics.start(shared_dir=shared_metrics())
    if settings.traces == "otlp":
        spans.start(version=version("leadyard"))


def _make_data_dir(settings: Settings) -> None:
    if settings.database_url.get_secret_value():
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(
            f"LEADYARD_DATA_DIR={settings.data_dir}: {error.strerror}. Use a folder that exists or can be created."
        ) from error
