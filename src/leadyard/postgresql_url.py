"""Reads the URL of a PostgreSQL database: its hosts, its time limit, and mistakes that the driver explains badly."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote

# Which of several hosts to use. They are the words of libpq, so psql and pg_dump accept the same URL.
TARGETS = ("any", "read-write", "primary", "read-only", "standby", "prefer-standby")
# The names that begin with ssl. The driver takes any other name for a setting of the session, and connects without it.
_TLS_PARAMETERS = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcrl",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
)
# The driver takes any name that is not among these and the ones above for a setting of the session.
_CONNECTION_PARAMETERS = (
    *_TLS_PARAMETERS,
    "host",
    "port",
    "user",
    "password",
    "passfile",
    "dbname",
    "database",
    "service",
    "servicefile",
    "krbsrvname",
    "gsslib",
    "connect_timeout",
    "target_session_attrs",
    # Not a setting on which anything depends. Every pooler passes it on.
    "application_name",
)
_PARTS = re.compile(
    r"(?P<scheme>[a-z]+://)(?:(?P<user>[^/?#]*)@)?(?P<hosts>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?P<rest>.*)"
)
_HOST = re.compile(r"(?P<name>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?")


@dataclass(frozen=True, slots=True)
class Host:
    """A server: its name, its address or the directory of its socket, and its port; None is the port of the driver."""

    name: str
    port: int | None

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class PostgresqlUrl:
    """A URL as Leadyard uses it. `hosts` is empty if the URL names none, and `target` is one of TARGETS or None.

    `for_driver` is the URL without `connect_timeout`, which the driver does not know. If there are several hosts it
    contains none of them, because each attempt names its host.
    """

    hosts: tuple[Host, ...]
    target: str | None
    connect_timeout_s: float | None
    parameters: Mapping[str, str]
    for_driver: str


def parse_postgresql_url(url: str) -> PostgresqlUrl:
    """Returns the parts of the URL. Raises ValueError with a sentence that contains no secret."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise ValueError("must be written as postgresql://user:password@host:port/database")
    parameters = _parameters(parts["query"])
    hosts = _hosts(parts["hosts"], parameters)
    _check(parameters)
    return PostgresqlUrl(
        hosts=hosts,
        target=parameters.get("target_session_attrs"),
        connect_timeout_s=_connect_timeout_s(parameters),
        parameters=parameters,
        for_driver=_for_driver(url, parts, parameters, several=len(hosts) > 1),
    )


def refuse_session_settings(url: str) -> None:
    """Raises ValueError if the URL sets the session. A pooler refuses such a parameter, or applies it to some of its
    sessions and not to others."""
    for name in parse_postgresql_url(url).parameters:
        if name not in _CONNECTION_PARAMETERS:
            raise ValueError(
                f"a pooler does not pass on {name}, which is in LEADYARD_DATABASE_URL; remove it there, and set it "
                f"for the role: ALTER ROLE … SET {name} = …"
            )


def _parameters(query: str | None) -> dict[str, str]:
    if not query:
        return {}
    try:
        # The last one counts, as it does for the driver.
        return {name: values[-1] for name, values in parse_qs(query, strict_parsing=True).items()}
    except ValueError:
        raise ValueError("the parameters after ? must be written as name=value, with & between them") from None


def _hosts(written: str, parameters: Mapping[str, str]) -> tuple[Host, ...]:
    """Returns the hosts of either form, postgresql://h1:p1,h2:p2/db and postgresql:///db?host=h1,h2&port=p1,p2."""
    if written:
        return tuple(_host(unquote(each)) for each in written.split(","))
    if "host" not in parameters:
        return ()
    names = parameters["host"].split(",")
    ports = parameters.get("port", "").split(",")
    if len(ports) == 1:
        ports *= len(names)
    if len(ports) != len(names):
        raise ValueError("host and port must name the same number of servers, or port only one port")
    return tuple(
        Host(name, _port(port)) if port or name.startswith("/") else _host(name)
        for name, port in zip(names, ports, strict=True)
    )


def _host(written: str) -> Host:
    found = None if written.startswith("/") else _HOST.fullmatch(written)
    if found is None:
        return Host(written, None)
    return Host(found["name"].strip("[]"), _port(found["port"]))


def _port(written: str | None) -> int | None:
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and int(written) <= 65_535):
        # The supposed port is not quoted, because it may be the start of a password with a slash.
        raise ValueError("the port must be a number; write / ? # in a password as %2F %3F %23")
    return int(written)


def _check(parameters: Mapping[str, str]) -> None:
    target = parameters.get("target_session_attrs")
    if target is not None and target not in TARGETS:
        raise ValueError(f"target_session_attrs must be one of: {', '.join(TARGETS)}")
    if parameters.get("sslrootcert") == "system":
        raise ValueError(
            "sslrootcert=system is not supported; name the file of the CA, such as /etc/ssl/certs/ca-certificates.crt"
        )
    if parameters.get("synchronous_commit") == "off":
        raise ValueError("synchronous_commit=off would lose answered moves in a crash of the server; remove it")
    for name in parameters:
        if name.startswith("ssl") and name not in _TLS_PARAMETERS:
            [likely] = difflib.get_close_matches(name, _TLS_PARAMETERS, n=1, cutoff=0)
            raise ValueError(f"{name} is not a parameter of a connection; {likely} is")


def _connect_timeout_s(parameters: Mapping[str, str]) -> float | None:
    written = parameters.get("connect_timeout")
    if written is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,6}", written):
        raise ValueError("connect_timeout must be a number of seconds")
    # 0 and less mean no limit to libpq. The limit of the caller then counts, as if the parameter were missing.
    return float(written) if int(written) > 0 else None


def _for_driver(url: str, parts: re.Match[str], parameters: Mapping[str, str], *, several: bool) -> str:
    left_out = {"connect_timeout"} | ({"host", "port", "target_session_attrs"} if several else set())
    if not several and not left_out & parameters.keys():
        return url
    kept = "&".join(f"{name}={quote(value, safe='/')}" for name, value in parameters.items() if name not in left_out)
    # The driver ends the user at the first @, and we at the last one, as libpq does.
    user = "" if parts["user"] is None else parts["user"].replace("@", "%40") + "@"
    hosts = "" if several else parts["hosts"]
    return f"{parts['scheme']}{user}{hosts}{parts['path']}{'?' if kept else ''}{kept}{parts['rest']}"
