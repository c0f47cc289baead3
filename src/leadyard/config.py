"""Settings: the only reader of the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from leadyard.errors import BadSetting

PREFIX = "LEADYARD_"
# Up to the last @, for a password may hold one; asyncpg also takes it as a parameter.
_PASSWORD = re.compile(r"(://[^:/@]*:).*@|([?&]password=)[^&]*")


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
    database_prepared_statements: Annotated[
        bool, Field(description="Off for a pooler that hands every transaction another session.")
    ] = True
    host: Annotated[str, Field(description="The address the HTTP service listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Its port; 0 takes a free one.")] = 8000
    rate_limits: Annotated[str, Field(description="Requests per API key, such as 100/second;3000/minute, or off.")] = (
        "1000/second"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="debug also logs the text of every SQL statement, never its values."),
    ] = "info"

    @field_validator("log_level", mode="before")
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

    @field_validator("host")
    @classmethod
    def _possible_host(cls, value: str) -> str:
        if not value or any(character.isspace() or character == "/" for character in value):
            raise ValueError("must be an address or a host name, without a scheme or a port")
        return value

    @field_validator("rate_limits")
    @classmethod
    def _readable_limits(cls, value: str) -> str:
        if value != "off":
            from limits import parse_many

            parse_many(value)
        return value

    def resolved_database_url(self) -> str:
        """Returns the URL of the database in use; without one set, that of the SQLite file in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'leadyard.db'}"

    def is_embedded(self) -> bool:
        """Returns whether the database is an SQLite file of ours, which is migrated at the start."""
        return self.resolved_database_url().startswith("sqlite:")


def read_settings() -> Settings:
    """Returns the settings. Raises BadSetting with a sentence that names every wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = []
        for problem in error.errors():
            name = PREFIX + str(problem["loc"][0]).upper()
            wrong.append(f"{name}={masked(repr(problem.get('input')))}: {problem['msg'].removeprefix('Value error, ')}")
        raise BadSetting("; ".join(wrong) + ". 'leadyard config' lists all settings.") from None


def masked(value: str) -> str:
    """Returns the value of a setting without the passwords of the URLs in it."""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", value)
