"""Reading a URL of PostgreSQL: both forms of several hosts, and mistakes that the driver explains badly."""

from __future__ import annotations

from typing import Any

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args

from leadyard.postgresql_url import Host, parse_postgresql_url
from rig.commands import command

TWO = (Host("h1", 1), Host("h2", 2))


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u:p@h1:1,h2:2/db?target_session_attrs=read-write", TWO),
        ("postgresql://u:p@/db?host=h1,h2&port=1,2&target_session_attrs=read-write", TWO),
        ("postgresql:///db?host=h1:1,h2:2", TWO),
        ("postgresql:///db?host=h1,h2&port=7", (Host("h1", 7), Host("h2", 7))),
        ("postgres://h1,h2/db", (Host("h1", None), Host("h2", None))),
        ("postgresql://[::1]:1,[fe80::2]/db", (Host("::1", 1), Host("fe80::2", None))),
        ("postgresql://u@%2Frun%2Fone,%2Frun%2Ftwo/db", (Host("/run/one", None), Host("/run/two", None))),
        ("postgresql://u@/db?host=/run/one,/run/two&port=1,2", (Host("/run/one", 1), Host("/run/two", 2))),
        ("postgresql://u@/db?host=/run/one", (Host("/run/one", None),)),
        ("postgresql://h/db", (Host("h", None),)),
        ("postgresql:///db", ()),
    ],
)
def test_hosts_of_both_forms(url: str, hosts: tuple[Host, ...]) -> None:
    assert parse_postgresql_url(url).hosts == hosts
    assert command("config", url=url).code == 0


def driver_reads(url: str, **chosen: Any) -> tuple[list[Any], Any]:
    """Returns the addresses and the parameters that the driver takes from a URL and from what we pass beside it."""
    nothing = dict.fromkeys(
        (
            *("host", "port", "user", "password", "passfile", "database", "ssl", "service", "servicefile"),
            *("direct_tls", "server_settings", "target_session_attrs", "krbsrvname", "gsslib"),
        )
    )
    addresses, parameters = _parse_connect_dsn_and_args(dsn=url, **{**nothing, **chosen})
    return addresses, parameters


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40%2F%26@h1:1,h2:2/db%20x?connect_timeout=3&options=-c%20jit%3Doff&sslmode=disable",
        "postgresql://u:p%40%2F%26@/db%20x?host=h1,h2&port=1,2&connect_timeout=3&options=-c+jit%3Doff&sslmode=disable",
    ],
)
def test_the_driver_gets_everything_but_the_hosts(url: str) -> None:
    parsed = parse_postgresql_url(url)
    assert (parsed.hosts, parsed.connect_timeout_s) == (TWO, 3)
    for host in parsed.hosts:
        addresses, parameters = driver_reads(parsed.for_driver, host=host.name, port=host.port)
        assert addresses == [(host.name, host.port)]
        assert (parameters.user, parameters.password, parameters.database) == ("u", "p@/&", "db x")
        assert parameters.server_settings == {"options": "-c jit=off"}


def test_a_url_with_one_host_stays_as_it_is() -> None:
    url = "postgresql://u:p@h:5432/db?sslmode=require&application_name=x%20y"
    assert parse_postgresql_url(url).for_driver == url
    addresses, parameters = driver_reads(parse_postgresql_url(f"{url}&connect_timeout=3").for_driver)
    assert addresses == [("h", 5432)]
    assert parameters.server_settings == {"application_name": "x y"}


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("h1:1,h2:port/db", "the port must be a number"),
        ("h1:1,h2:99999/db", "the port must be a number"),
        ("h/db?port=x&host=h", None),
        ("/db?port=x&host=h", "the port must be a number"),
        ("/db?host=h1,h2,h3&port=1,2", "the same number of servers"),
        ("h/db?target_session_attrs=writeable", "one of: any, read-write, primary, read-only, standby, prefer-standby"),
        ("h/db?connect_timeout=soon", "connect_timeout must be a number of seconds"),
        ("h/db?sslrootcer=/ca.crt", "sslrootcer is not a parameter of a connection; sslrootcert is"),
        ("h/db?sslrootcert=system", "name the file of the CA"),
        ("h/db?synchronous_commit=off", "would lose answered moves"),
        ("h/db?sslmode", "name=value"),
    ],
)
def test_mistakes_are_named(rest: str, words: str | None) -> None:
    done = command("config", url=f"postgresql://u:hush@{rest}")
    if words is None:
        assert done.code == 0
        return
    done.refused(2, "LEADYARD_DATABASE_URL='postgresql://u:***@", words)
    assert "hush" not in done.err
