"""Settings: the only reader of the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from leadyard.errors import BadSetting
from leadyard.networks import parse_networks
from leadyard.rate_policies import DEFAULT_RATE_LIMITS, parse_policies

PREFIX = "LEADYARD_"
# Up to the last @, for a password may hold one; asyncpg also takes it, and that of a key for TLS, as a parameter.
_PASSWORD = re.compile(r"(://[^:/@]*:).*@|([?&](?:ssl)?password=)[^&]*")
# What a base URL must not have, and where people put secrets: whatever is before the last @ and after ? or #.
_BESIDE_BASE_URL = re.compile(r"(?<=//).*@|(?<=[?#]).*")
_VISIBLE_ASCII = re.compile(r"[!-~]{0,4096}")


class Settings(BaseSettings):
    """Everything an operator can set, each by the environment variable LEADYARD_<NAME IN CAPITALS>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    data_dir: Annotated[Path, Field(description="Where the embedded database lives.")] = Path("data")
    database_url: Annotated[
        str,
        Field(description="postgresql://user:password@host:port/database, or sqlite:///path. Empty: DATA_DIR."),
    ] = ""
    database_pool_size: Annotated[
        int, Field(ge=1, le=1_000, description="Connections to the database, per process.")
    ] = 10
    database_wait_s: Annotated[
        float,
        Field(gt=0, le=300, description="How long a request waits for a connection or for SQLite's other writers."),
    ] = 15
    database_queue: Annotated[
        int, Field(ge=0, le=100_000, description="How many may wait for a connection at once, per process.")
    ] = 200
    database_prepared_statements: Annotated[
        bool, Field(description="Off for a pooler that hands every transaction another session.")
    ] = True
    host: Annotated[str, Field(description="The address the HTTP service listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Its port; 0 takes a free one.")] = 8000
    admin_host: Annotated[str, Field(description="The address that metrics and health are served on.")] = "127.0.0.1"
    admin_port: Annotated[
        int | None,
        Field(ge=0, le=65_535, description="The port of metrics and health; 0 takes a free one. Empty: none."),
    ] = None
    read_timeout_s: Annotated[
        float, Field(gt=0, le=3_600, description="How long the head of a request, and then its body, may take to come.")
    ] = 20
    request_timeout_s: Annotated[
        float, Field(gt=0, le=3_600, description="How long the work on a request may take before it answers 503.")
    ] = 60
    stop_timeout_s: Annotated[
        int, Field(ge=1, le=3_600, description="How long requests under way may take when the service is stopped.")
    ] = 30
    max_connections: Annotated[
        int, Field(ge=1, le=1_000_000, description="Connections of clients, per process; further ones get 503.")
    ] = 1000
    traces: Annotated[
        Literal["off", "otlp"],
        Field(description="otlp sends spans as the OTEL_* variables say; needs leadyard[otel]."),
    ] = "off"
    rate_limits: Annotated[
        str, Field(description="Requests per key, account group and address, wrong keys per address; or off.")
    ] = DEFAULT_RATE_LIMITS
    redis_url: Annotated[
        str,
        Field(description="redis://user:password@host:port/0, where all processes count together. Empty: each alone."),
    ] = ""
    trusted_proxies: Annotated[
        str, Field(description="Addresses and networks whose X-Forwarded-For is believed, such as 10.0.0.0/8.")
    ] = ""
    worker_in_serve: Annotated[
        Literal["auto", "on", "off"],
        Field(description="Whether serve works on prospecting jobs too; auto: with the embedded database only."),
    ] = "auto"
    worker_concurrency: Annotated[int, Field(ge=1, le=64, description="Jobs at a time, in each worker.")] = 4
    worker_lease_s: Annotated[
        float,
        Field(ge=2, le=300, description="How long a job waits for a worker that went silent before another takes it."),
    ] = 30
    provider_url: Annotated[
        str, Field(description="Base URL of the prospect provider, http or https. Empty: there is none.")
    ] = ""
    provider_token: Annotated[
        SecretStr, Field(description="The secret sent to the provider as 'Authorization: Bearer'.")
    ] = SecretStr("")
    provider_timeout_s: Annotated[
        float, Field(gt=0, le=300, description="How long one request to the provider may take from start to end.")
    ] = 30
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="debug also logs the text of every SQL statement, never its values."),
    ] = "info"

    @field_validator("log_level", "worker_in_serve", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ValueError("must start with postgresql:// or sqlite:///")
        if not value.startswith("sqlite:"):
            try:
                # The driver would find out only when it connects, and then not say whose fault it is.
                _ = urlsplit(value).port
            except ValueError:
                # Its own message quotes what it took for the port: the start of a password with a slash, for one.
                raise ValueError("the port is no number; write / ? # in a password as %2F %3F %23") from None
        return value

    @field_validator("admin_port", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("host", "admin_host")
    @classmethod
    def _possible_host(cls, value: str) -> str:
        if not value or any(character.isspace() or character == "/" for character in value):
            raise ValueError("must be an address or a host name, without a scheme or a port")
        return value

    @field_validator("provider_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or any(character.isspace() for character in value):
            raise ValueError("must be a URL such as https://provider.example or http://127.0.0.1:9000")
        if "@" in parts.netloc or "?" in value or "#" in value:
            raise ValueError("must have no user, password, ? or #; the secret goes into LEADYARD_PROVIDER_TOKEN")
        return value

    @field_validator("provider_token")
    @classmethod
    def _fits_a_header(cls, value: SecretStr) -> SecretStr:
        if not _VISIBLE_ASCII.fullmatch(value.get_secret_value()):
            raise ValueError("must be at most 4,096 visible ASCII characters without spaces")
        return value

    @field_validator("rate_limits")
    @classmethod
    def _readable_limits(cls, value: str) -> str:
        parse_policies(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis_scheme(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "valkey://", "valkeys://", "unix://")):
            raise ValueError("must start with redis:// or rediss://")
        if value:
            try:
                _ = urlsplit(value).port
            except ValueError:
                raise ValueError("the port is no number; write / ? # in a password as %2F %3F %23") from None
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _readable_networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    def resolved_database_url(self) -> str:
        """Returns the URL of the database in use; without one set, that of the SQLite file in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'leadyard.db'}"

    def is_embedded(self) -> bool:
        """Returns whether the database is an SQLite file of ours, which is migrated at the start."""
        return self.resolved_database_url().startswith("sqlite:")

    def serve_runs_worker(self) -> bool:
        """Returns whether `serve` works on prospecting jobs besides answering requests."""
        return self.is_embedded() if self.worker_in_serve == "auto" else self.worker_in_serve == "on"


def read_settings() -> Settings:
    """Returns the settings. Raises BadSetting with a sentence that names every wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = []
        for problem in error.errors():
            name = PREFIX + str(problem["loc"][0]).upper()
            wrong.append(
                f"{name}={_quoted(name, problem.get('input'))}: {problem['msg'].removeprefix('Value error, ')}"
            )
        raise BadSetting("; ".join(wrong) + ". 'leadyard config' lists all settings.") from None


def share_metrics(directory: Path) -> None:
    """Tells the processes that are started from here on where they keep their counts together. prometheus_client asks
    the environment when it is imported, and nothing else."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)


def shared_metrics() -> Path | None:
    """Returns the directory that share_metrics named in the process that started this one."""
    named = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(named) if named else None


def _quoted(name: str, value: object) -> str:
    """Returns a wrong value as a sentence may quote it."""
    if name == "LEADYARD_PROVIDER_TOKEN":
        return "***"
    if name == "LEADYARD_PROVIDER_URL":
        return repr(_BESIDE_BASE_URL.sub(lambda found: "***@" if found[0].endswith("@") else "***", str(value)))
    if name.endswith("_URL") and "://" not in str(value):
        # It may have been meant as one, without its scheme or with a slash too few.
        return repr(masked(re.sub(".*@", "***@", str(value))))
    return masked(repr(value))


def masked(value: str) -> str:
    """Returns the value of a setting without the passwords of the URLs in it."""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", value)
