"""Settings: the only reader of the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from leadyard.errors import BadSetting
from leadyard.postgresql_url import parse_postgresql_url, refuse_session_settings
from leadyard.secret_key import MIN_LENGTH
from leadyard.settings.masking import quoted
from leadyard.settings.networks import parse_networks
from leadyard.settings.rate_policies import DEFAULT_RATE_LIMITS, parse_policies
from leadyard.settings.service_urls import VISIBLE_ASCII, check_base_url, check_secret

PREFIX = "LEADYARD_"


@dataclass(frozen=True)
class Heading:
    """Opens a section of docs/settings.md. The fields that follow belong to it, up to the next heading."""

    title: str
    read_more: str = ""


class Settings(BaseSettings):
    """Every setting. The environment variable of a field is LEADYARD_ and the field's name in capitals.

    `leadyard config` prints the descriptions, and script/settings writes docs/settings.md from them.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    data_dir: Annotated[
        Path,
        Heading("Database", "[running.md](running.md#the-database) lists what each database needs."),
        Field(description="The directory of the embedded database, the SQLite file leadyard.db."),
    ] = Path("data")
    database_url: Annotated[
        SecretStr,
        Field(
            description="The database: postgresql://user:password@host:port/database or sqlite:///path. Several "
            "PostgreSQL hosts: postgresql://user:password@host1,host2/database?target_session_attrs=read-write. "
            "Empty: the SQLite file in LEADYARD_DATA_DIR."
        ),
    ] = SecretStr("")
    database_pool_size: Annotated[
        int, Field(ge=1, le=1_000, description="How many database connections each process may open.")
    ] = 10
    database_wait_s: Annotated[
        float,
        Field(
            gt=0,
            le=300,
            description="How long a request waits for a connection, or for SQLite's other writers, before it gets 503.",
        ),
    ] = 15
    database_queue: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            description="How many requests may wait for a connection, per process. Further requests get 503 at once.",
        ),
    ] = 200
    database_pooler: Annotated[
        Literal["none", "transaction"],
        Field(
            description="transaction: a pooler such as PgBouncer is between Leadyard and PostgreSQL. Leadyard then "
            "keeps no prepared statements, and the role has the settings of the sessions: run 'leadyard migrate "
            "--role-settings' once."
        ),
    ] = "none"
    database_plan_mode: Annotated[
        Literal["detect", "generic", "custom", "auto"],
        Field(
            description="How PostgreSQL plans a prepared statement (plan_cache_mode): generic once for all values, "
            "custom for each call, auto as PostgreSQL decides. detect: auto if 'leadyard distribute' has distributed "
            "the database, which Citus needs, else generic."
        ),
    ] = "detect"
    secret_key: Annotated[
        SecretStr,
        Field(
            description="The secret from which Leadyard derives its keys, such as the one for the hashes of suppressed "
            "people: at least 32 random characters, the same for all processes of an installation. It is never shown "
            "or logged. Empty: the file secret.key beside the SQLite file, which Leadyard makes; with PostgreSQL there "
            "is no key."
        ),
    ] = SecretStr("")
    changes_keep_days: Annotated[
        int | None,
        Field(
            ge=1,
            le=36_500,
            description="How many days the record of changes keeps the ids of the leads. After that the numbers of a "
            "change stay, and it can no longer be undone. Empty: for ever.",
        ),
    ] = None
    events_keep_days: Annotated[
        int,
        Field(
            ge=1,
            le=36_500,
            description="How many days the feed keeps events. A reader that was away longer has to read its audiences "
            "again.",
        ),
    ] = 30
    host: Annotated[
        str,
        Heading("Addresses", "Keep the admin port private: [metrics-and-logs.md](metrics-and-logs.md#metrics)."),
        Field(description="The address that the service listens on."),
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="The port of the service. 0 takes a free port.")] = 8000
    admin_host: Annotated[str, Field(description="The address of metrics and health.")] = "127.0.0.1"
    admin_port: Annotated[
        int | None,
        Field(
            ge=0,
            le=65_535,
            description="The port of metrics and health. It must differ from the port of the service, also on another "
            "address. 0 takes a free port and logs it. Empty: metrics and health are off.",
        ),
    ] = None
    read_timeout_s: Annotated[
        float,
        Heading("Limits of a request", "[limits.md](limits.md) has all limits and their answers."),
        Field(gt=0, le=3_600, description="How long the head of a request may take to arrive, and after it the body."),
    ] = 20
    request_timeout_s: Annotated[
        float, Field(gt=0, le=3_600, description="How long the service works on a request before it returns 503.")
    ] = 60
    idle_timeout_s: Annotated[
        int,
        Field(
            ge=1,
            le=3_600,
            description="How long the service keeps an idle connection after an answer. A proxy must close its idle "
            "connections to the service earlier.",
        ),
    ] = 75
    stop_timeout_s: Annotated[
        int, Field(ge=1, le=3_600, description="How long a stopping service waits for requests in progress.")
    ] = 30
    max_connections: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="Client connections per process. Requests on further connections get 503.",
        ),
    ] = 1000
    rate_limits: Annotated[
        str,
        Heading("Rate limits and proxies", "[limits.md](limits.md#rate-limits) explains the rules, with examples."),
        Field(
            description="Quotas per API key, account group and client address, and for wrong keys per address. "
            "off: no limits."
        ),
    ] = DEFAULT_RATE_LIMITS
    redis_url: Annotated[
        SecretStr,
        Field(
            description="The Redis or Valkey in which all processes count together: redis://user:password@host:port/0, "
            "or rediss:// with TLS. Empty: each process counts alone."
        ),
    ] = SecretStr("")
    trusted_proxies: Annotated[
        str,
        Field(
            description="Addresses and networks whose X-Forwarded-For the service trusts, such as "
            "10.0.0.0/8,2001:db8::1."
        ),
    ] = ""
    page: Annotated[
        Literal["on", "off"],
        Heading("The page for people", "[page.md](page.md) shows the page, and how people sign in."),
        Field(description="Whether the service has the page for people at '/'. off: '/' leads to the documentation."),
    ] = "on"
    page_session_h: Annotated[
        int,
        Field(ge=1, le=720, description="How many hours after signing in a browser has to sign in again."),
    ] = 12
    worker_in_serve: Annotated[
        Literal["auto", "on", "off"],
        Heading("Prospecting jobs", "[running.md](running.md#prospecting-jobs) explains workers and leases."),
        Field(description="Whether 'leadyard serve' also works on prospecting jobs. auto: only with SQLite."),
    ] = "auto"
    worker_concurrency: Annotated[
        int, Field(ge=1, le=64, description="How many jobs each worker runs at the same time.")
    ] = 4
    worker_lease_s: Annotated[
        float,
        Field(
            ge=2, le=300, description="How long a job stays with a silent worker before another worker takes it over."
        ),
    ] = 30
    provider_url: Annotated[
        str,
        Heading("Prospect provider", "[providers.md](providers.md) is the protocol."),
        Field(
            description="The base URL of the prospect provider. Use https unless it runs on this machine, because "
            "the token is sent with every request. Empty: there is no provider."
        ),
    ] = ""
    provider_token: Annotated[
        SecretStr,
        Field(description="The secret sent to the provider as 'Authorization: Bearer'. It is never shown or logged."),
    ] = SecretStr("")
    provider_timeout_s: Annotated[
        float, Field(gt=0, le=300, description="How long one request to the provider may take from start to end.")
    ] = 30
    webhook_networks: Annotated[
        str,
        Heading("Webhooks", "[webhooks.md](webhooks.md#for-operators) explains them."),
        Field(
            description="Addresses and networks to which webhooks may lead in addition to public addresses, also with "
            "http, such as 10.1.0.0/16,fd00::/8. Clients choose the URLs of webhooks, so name only networks whose "
            "services may be reached by all of them."
        ),
    ] = ""
    mcp: Annotated[
        Literal["on", "off"],
        Heading("Agents", "[agents.md](agents.md) explains both ways in."),
        Field(description="Whether 'leadyard serve' answers agents at /mcp."),
    ] = "on"
    url: Annotated[
        str,
        Field(
            description="The URL of the service that 'leadyard mcp' and the commands with --url use. Use https unless "
            "it runs on this machine, because the key is sent with every request. Empty: they use the database, and "
            "need --account-group."
        ),
    ] = ""
    api_key: Annotated[
        SecretStr,
        Field(description="The API key that these commands send to the service. It is never shown or logged."),
    ] = SecretStr("")
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Heading("Logs and traces", "[metrics-and-logs.md](metrics-and-logs.md) lists events, metrics and spans."),
        Field(
            description="The least severe level to log. debug adds the text of every SQL statement, never its values."
        ),
    ] = "info"
    traces: Annotated[
        Literal["off", "otlp"],
        Field(description="otlp sends spans to the endpoint in the OTEL_* variables. It needs leadyard[otel]."),
    ] = "off"

    @field_validator(
        *("log_level", "page", "mcp", "worker_in_serve", "database_plan_mode", "database_pooler"), mode="before"
    )
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_scheme(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ValueError("must start with postgresql:// or sqlite:///")
        if url.startswith(("postgresql:", "postgres:")):
            parse_postgresql_url(url)
        return value

    @field_validator("database_pooler")
    @classmethod
    def _url_without_session_settings(cls, value: str, info: ValidationInfo) -> str:
        url = info.data.get("database_url")
        if (
            value == "transaction"
            and url is not None
            and url.get_secret_value().startswith(("postgresql:", "postgres:"))
        ):
            refuse_session_settings(url.get_secret_value())
        return value

    @field_validator("admin_port", "changes_keep_days", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("host", "admin_host")
    @classmethod
    def _possible_host(cls, value: str) -> str:
        if not value or any(character.isspace() or character == "/" for character in value):
            raise ValueError("must be an address or a host name, without a scheme or a port")
        return value

    @field_validator("provider_url", "url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        return check_base_url(value)

    @field_validator("provider_token", "api_key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr) -> SecretStr:
        check_secret(value.get_secret_value())
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and (len(text) < MIN_LENGTH or not VISIBLE_ASCII.fullmatch(text)):
            raise ValueError(f"must be at least {MIN_LENGTH} visible ASCII characters without spaces")
        return value

    @field_validator("rate_limits")
    @classmethod
    def _readable_limits(cls, value: str) -> str:
        parse_policies(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis_scheme(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("redis://", "rediss://", "valkey://", "valkeys://", "unix://")):
            raise ValueError("must start with redis:// or rediss://")
        _check_port(url)
        return value

    @field_validator("trusted_proxies", "webhook_networks")
    @classmethod
    def _readable_networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    def resolved_database_url(self) -> str:
        """Returns the URL of the database in use. Without `database_url` it names the SQLite file in `data_dir`."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'leadyard.db'}"

    def is_embedded(self) -> bool:
        """Returns whether the database is an SQLite file, which `serve` migrates when it starts."""
        return self.resolved_database_url().startswith("sqlite:")

    def embedded_folder(self) -> Path:
        """Returns the folder of the SQLite file."""
        return Path(self.resolved_database_url().removeprefix("sqlite:///")).parent

    def is_pooled(self) -> bool:
        """Returns whether a pooler is between this process and PostgreSQL."""
        return self.database_pooler == "transaction"

    def serve_runs_worker(self) -> bool:
        """Returns whether `serve` also works on prospecting jobs."""
        return self.is_embedded() if self.worker_in_serve == "auto" else self.worker_in_serve == "on"


def read_settings() -> Settings:
    """Returns the settings. Raises BadSetting with a sentence that names every wrong setting."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = []
        for problem in error.errors():
            name = PREFIX + str(problem["loc"][0]).upper()
            wrong.append(f"{name}={quoted(name, problem.get('input'))}: {problem['msg'].removeprefix('Value error, ')}")
        raise BadSetting("; ".join(wrong) + ". 'leadyard config' lists all settings.") from None


def share_metrics(directory: Path) -> None:
    """Makes the processes that are started from now on keep their counts in this directory.

    prometheus_client reads the directory only from the environment, when it is imported.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)


def shared_metrics() -> Path | None:
    """Returns the directory that share_metrics named in the process that started this one."""
    named = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(named) if named else None


def _check_port(url: str) -> None:
    """Raises ValueError if the port is not a number. The driver would fail only when it connects, and not name the
    setting."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        # The message of urlsplit quotes the supposed port, which may be the start of a password with a slash.
        raise ValueError("the port must be a number; write / ? # in a password as %2F %3F %23") from None
