"""Opens one connection to PostgreSQL: tries the hosts of the URL one by one, each with a time limit."""

from __future__ import annotations

from typing import Any

import asyncpg

from leadyard.postgresql_url import Host, PostgresqlUrl, parse_postgresql_url

# How long one of several hosts may take, in seconds, unless the URL contains connect_timeout. A frozen server accepts
# the connection and then stays silent, so without a limit the next host would never be tried.
_HOST_LIMIT_S = 3.0
# The last host may help: this one cannot be reached, starts, stops, or is not of the kind that the URL requires.
_NEXT_HOST = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TargetServerAttributeNotMatched,
)
_NOT_MATCHED = {
    "read-write": "it takes no writes: a standby, or default_transaction_read_only is on",
    "primary": "it is a standby",
    "read-only": "it takes writes",
    "standby": "it is not a standby",
}
# URL → the host that the last attempt chose. Only a host that was chosen because it takes writes is tried first, so a
# frozen host delays one connection and not each of them. It is for the whole process because the pool and the readiness
# probe use the same hosts.
_chosen: dict[str, Host] = {}


class NoUsableHost(ConnectionError):
    """None of the hosts of the URL can be used. The message contains the reason for each of them."""


async def connect(url: str, *, within_s: float, **options: Any) -> asyncpg.Connection:
    """Returns a connection to the first host of the URL that can be used.

    A single host may take `within_s`, one of several its share of them and at most 3; `connect_timeout` in the
    URL replaces either limit. Raises what asyncpg raises, or NoUsableHost.
    """
    parsed = parse_postgresql_url(url)
    if len(parsed.hosts) < 2:
        return await _connect_to_one(parsed, within_s, options)
    failed: list[str] = []
    for target in ("standby", "any") if parsed.target == "prefer-standby" else (parsed.target,):
        for host in _in_order(url, parsed):
            try:
                connection = await _connect_to(host, parsed, target, within_s, options)
            except _NEXT_HOST as error:
                failed.append(f"{host}: {_reason(error, target)}")
                continue
            _chosen[url] = host
            return connection
    raise NoUsableHost(f"None of the hosts can be used. {'; '.join(failed)}")


async def _connect_to_one(parsed: PostgresqlUrl, within_s: float, options: dict[str, Any]) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(parsed.for_driver, timeout=parsed.connect_timeout_s or within_s, **options)
    except asyncpg.TargetServerAttributeNotMatched as error:
        where = parsed.hosts[0] if parsed.hosts else "the server"
        raise NoUsableHost(f"{where}: {_reason(error, parsed.target)}") from error


async def _connect_to(
    host: Host, parsed: PostgresqlUrl, target: str | None, within_s: float, options: dict[str, Any]
) -> asyncpg.Connection:
    share_s = max(1.0, min(_HOST_LIMIT_S, within_s / len(parsed.hosts)))
    return await asyncpg.connect(
        parsed.for_driver,
        host=host.name,
        port=host.port,
        target_session_attrs=target,
        timeout=parsed.connect_timeout_s or share_s,
        **options,
    )


def _in_order(url: str, parsed: PostgresqlUrl) -> list[Host]:
    hosts = list(parsed.hosts)
    chosen = _chosen.get(url)
    if chosen in hosts and parsed.target in ("read-write", "primary"):
        hosts.remove(chosen)
        hosts.insert(0, chosen)
    return hosts


def _reason(error: BaseException, target: str | None) -> str:
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return _NOT_MATCHED.get(target or "", f"it is not {target}")
    return sentence_of(error)


def is_out_of_slots(error: BaseException) -> bool:
    """Returns whether the server, or a PgBouncer between, refused a connection because all of them are taken."""
    refused_by_pooler = isinstance(error, asyncpg.ProtocolViolationError) and "max_client_conn" in str(error)
    return isinstance(error, asyncpg.TooManyConnectionsError) or refused_by_pooler


def sentence_of(error: BaseException) -> str:
    """Returns the reason why a connection failed, without a full stop. It may contain the name of a user, a database or
    a host, and never a password."""
    if isinstance(error, OSError):
        said = error.strerror or str(error) or "No answer in time"
    else:
        said = str(error).partition("\n")[0]
    return said.rstrip(".")


def report_of(error: BaseException) -> str:
    """Returns the name of the error and its first line, for the log of the operator. The values of a row that broke a
    constraint are in the lines after it."""
    return f"{type(error).__name__}: {sentence_of(error)}"
