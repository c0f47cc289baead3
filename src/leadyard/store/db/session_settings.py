"""The settings that every session on PostgreSQL needs: name, value and reason, in one table."""

from __future__ import annotations

from typing import NamedTuple

from leadyard.postgresql_url import parse_postgresql_url


class SessionSetting(NamedTuple):
    """A setting of PostgreSQL. `for_migrations`: a migration needs it as well."""

    name: str
    value: str
    why: str
    for_migrations: bool = False


SESSION_SETTINGS = (
    SessionSetting(
        "default_transaction_isolation",
        "read committed",
        "Under another level transactions that only wait today would fail, and be retried and given up.",
        for_migrations=True,
    ),
    SessionSetting(
        "standard_conforming_strings",
        "on",
        "Our statements contain a backslash in a literal (LIKE … ESCAPE), which off would read in another way.",
        for_migrations=True,
    ),
    SessionSetting(
        "synchronous_commit",
        "on",
        "A move that was answered must survive a crash of the server. off would answer before it is on disk.",
        for_migrations=True,
    ),
    SessionSetting(
        "plan_cache_mode",
        "force_generic_plan",
        "The plans are the same for every list, audience and hour (docs/decisions/0007).",
    ),
    SessionSetting(
        "enable_seqscan",
        "off",
        # The check of a foreign key then read a grown table of leads once for each new member. Every query of a
        # request has an index. Only the check-up, which does read everything, takes 5 to 10 % longer with them.
        "A plan that PostgreSQL made while a table was small reads all of it, until a client analyses the table.",
    ),
    SessionSetting("jit", "off", "Our statements are small, and compiling them takes longer than running them."),
    SessionSetting("lock_timeout", "10s", "Leadyard retries the transaction, so that a request does not hang."),
    SessionSetting("statement_timeout", "60s", "A statement ends with the request that waits for it."),
    SessionSetting(
        "idle_in_transaction_session_timeout",
        "60s",
        "The server drops the locks of a process that is frozen or has lost its network.",
    ),
)
APPLICATION_NAME = "leadyard"
# The first statements of a migration, in its transaction. A migration may take long, so the timeouts of the role do not
# count. A pooler does not pass on what we send when we connect, so these do not depend on it.
SETTINGS_OF_A_MIGRATION = (
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL plan_cache_mode = auto",
    "SET LOCAL enable_seqscan = on",
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'",
)
_PLAN_MODES = {"generic": "force_generic_plan", "custom": "force_custom_plan", "auto": "auto"}
# A stricter value, such as synchronous_commit=remote_apply, is the choice of the operator. The check of the URL refuses
# `off`. The other settings belong to our statements, so a URL does not replace them.
_URL_MAY_REPLACE = {"synchronous_commit"}


def startup_settings(url: str, *, plan_mode: str = "generic") -> dict[str, str]:
    """Returns the settings that a connection of the pool sends when it starts. `plan_mode` is generic, custom or
    auto."""
    return {"application_name": APPLICATION_NAME, **_chosen_by(url, needed_settings(plan_mode=plan_mode))}


def needed_settings(*, plan_mode: str) -> dict[str, str]:
    """Returns the settings that every session needs, and their values."""
    settings = {each.name: each.value for each in SESSION_SETTINGS}
    return {**settings, "plan_cache_mode": _PLAN_MODES[plan_mode]}


def is_met(name: str, needed: str, in_force: str) -> bool:
    """Returns whether the value that is in force, written as in pg_settings, is the needed one. Another
    synchronous_commit than off is the choice of the operator."""
    if name == "synchronous_commit":
        return in_force != "off"
    if name.endswith("_timeout"):
        return int(in_force) == int(needed.removesuffix("s")) * 1_000
    return in_force == needed


def startup_settings_for_migrations(url: str, *, is_pooled: bool) -> dict[str, str]:
    """Returns the settings for a connection that migrates. It has no timeouts, because a migration may take long."""
    if is_pooled:
        # Every pooler passes on this one. SQLAlchemy reads it before the first statement of the migration.
        return {"standard_conforming_strings": "on"}
    return _chosen_by(url, {each.name: each.value for each in SESSION_SETTINGS if each.for_migrations})


def _chosen_by(url: str, settings: dict[str, str]) -> dict[str, str]:
    replaced = {name: value for name, value in parse_postgresql_url(url).parameters.items() if name in _URL_MAY_REPLACE}
    return {**settings, **replaced}
