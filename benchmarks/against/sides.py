"""The databases and services of both builds. Each side is driven only through its commands and its HTTP API, because an
older build has other tables and other modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from benchmarks.against.builds import Build
from benchmarks.importing import by_command, by_job, write_people
from benchmarks.move import Lane
from benchmarks.peers.cpu import seconds_of
from benchmarks.suite.stage import SETTINGS, Kind, Stage, on_server
from leadyard.ids import new_id
from rig.service import Service, Tenant, run_sql

T = TypeVar("T")
# The README and the documentation give their keys these permissions.
PERMISSIONS = "audiences:read,audiences:write,prospects:read,prospecting:read,prospecting:write"
CLIENTS = 8
MOVED = 25
MOST_PER_REQUEST = 1_000
Movers = tuple[Tenant, list[Lane]]
DOORS: dict[str, Callable[[str, Tenant, Path, int], tuple[float, float]]] = {"command": by_command, "job": by_job}


class SideFailed(Exception):
    """A command of one of the builds failed."""


@dataclass(frozen=True)
class Pair(Generic[T]):
    """The same thing for this checkout and for the other build."""

    ours: T
    theirs: T

    def each(self) -> tuple[T, T]:
        return self.ours, self.theirs


@dataclass
class Yard:
    """Creates what the measures need, for both builds. The stage removes all of it at the end of its block."""

    stage: Stage
    builds: Pair[Build]
    rows: int
    lane_size: int
    closing: ExitStack
    _lanes: dict[Kind, Pair[Movers]] = field(default_factory=dict)
    _imported: dict[Kind, Pair[Tenant]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------- tenants

    def tenants(self, kind: Kind, closing: ExitStack) -> Pair[Tenant]:
        """Returns an account group with its key and a running service, on a new database for each build. `closing`
        stops the services and removes the databases."""
        return Pair(*(self._tenant(build, kind, closing) for build in self.builds.each()))

    def _tenant(self, build: Build, kind: Kind, closing: ExitStack) -> Tenant:
        url = self._empty_database(kind, closing)
        command(build, url, "migrate")
        group = json.loads(command(build, url, "account-groups", "create", "Measured", "--json"))["id"]
        asked = ("keys", "create", "--account-group", group, "--permission", PERMISSIONS, "--json")
        key = json.loads(command(build, url, *asked))
        logs = self.stage.folder / f"logs-{new_id()}"
        logs.mkdir()
        closing.callback(shutil.rmtree, logs)
        service = Service(url, logs, SETTINGS, program=build.program)
        closing.callback(service.stop)
        try:
            service.start()
        except AssertionError as error:
            raise SideFailed(f"{build.name}: {error}") from error
        tenant = Tenant(service, group, key["id"], key["key"])
        closing.callback(tenant.client.close)
        return tenant

    def _empty_database(self, kind: Kind, closing: ExitStack) -> str:
        name = f"leadyard_against_{new_id()}"
        if kind == "sqlite":
            folder = self.stage.folder / name
            folder.mkdir()
            closing.callback(shutil.rmtree, folder)
            return f"sqlite:///{folder}/leadyard.db"
        server = self.stage.server_url()
        on_server(server, f"CREATE DATABASE {name}")
        closing.callback(on_server, server, f"DROP DATABASE {name} WITH (FORCE)")
        return urlsplit(server)._replace(path=f"/{name}").geturl()

    # ------------------------------------------------------------------------------------------- what they have

    def lanes(self, kind: Kind) -> Pair[Movers]:
        """Returns, for each build, its tenant and the lanes of eight clients with 25 leads each."""
        if kind not in self._lanes:
            tenants = self.tenants(kind, self.closing)
            self._lanes[kind] = Pair(*((tenant, self._lanes_of(tenant)) for tenant in tenants.each()))
        return self._lanes[kind]

    def _lanes_of(self, tenant: Tenant) -> list[Lane]:
        return [make_lane(tenant, f"Lane {number}", self.lane_size) for number in range(CLIENTS)]

    # ---------------------------------------------------------------------------------------------- the import

    def import_in_turns(self, kind: Kind, door: str, rounds: int) -> Pair[list[float]]:
        """Imports the rows by one door into new databases, in turns. Returns the seconds of each round. The databases
        of the last round stay for the other measures, if the door was the command."""
        seconds: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds):
            keep = door == "command" and number == rounds - 1 and kind not in self._imported
            with ExitStack() as closing:
                tenants = self.tenants(kind, self.closing if keep else closing)
                path = write_people(self.stage.folder / f"import-{number}.csv", rows=self.rows, name=f"import{number}")
                sides = list(zip(tenants.each(), seconds, strict=True))
                for tenant, took in sides if number % 2 else sides[::-1]:
                    took.append(DOORS[door](tenant.service.database_url, tenant, path, self.rows)[0])
                path.unlink()
                if keep:
                    self._imported[kind] = tenants
        return Pair(*seconds)

    def imported(self, kind: Kind) -> Pair[Tenant]:
        """Returns the tenants of both builds after an import of the rows by the command."""
        if kind not in self._imported:
            self.import_in_turns(kind, "command", rounds=1)
        return self._imported[kind]


def command(build: Build, url: str, *arguments: str) -> str:
    """Runs a command of the build to its end. Returns its output. Raises SideFailed with the end of its messages."""
    done = subprocess.run(
        [*build.program, *arguments],
        env={**os.environ, "LEADYARD_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SideFailed(
            f"{build.name}: `leadyard {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr[-2000:]}"
        )
    return done.stdout


def make_lane(tenant: Tenant, name: str, size: int) -> Lane:
    """Returns two audiences of one client. The first has `size` leads, 25 of which, from all over it, are moved."""
    here = filled_audience(tenant, name, size)
    members = tenant.members(here)
    return Lane(here, tenant.create_audience(f"{name}, back"), members[:: size // MOVED][:MOVED])


def filled_audience(tenant: Tenant, name: str, size: int) -> str:
    """Creates an audience and adds new people to it over HTTP. Returns its id."""
    audience_id, prefix = tenant.create_audience(name), name.replace(" ", "-")
    for start in range(0, size, MOST_PER_REQUEST):
        people = [
            {"email": f"{prefix}-{n}@example.com", "firstName": f"Given{n}", "lastName": f"Family{n}"}
            for n in range(start, min(size, start + MOST_PER_REQUEST))
        ]
        answer = tenant.client.post(f"/audiences/{audience_id}/prospects", json={"prospects": people})
        assert answer.status_code == 200 and answer.json()["data"]["added"] == len(people), answer.text
    return audience_id


def settle(url: str) -> None:
    """Removes dead rows and writes the changed pages of a PostgreSQL, so that no side pays for the turn before."""
    if not url.startswith("sqlite:"):
        run_sql(url, "VACUUM (ANALYZE)")
        run_sql(url, "CHECKPOINT")


def processor_seconds(tenant: Tenant) -> dict[str, float]:
    """Returns the processor time that the service, and its connections to PostgreSQL, have used so far. It depends less
    on the load of the machine than a rate. A part that cannot be measured here is left out."""
    assert tenant.service.process is not None
    url, service = tenant.service.database_url, seconds_of(tenant.service.process.pid)
    found = {} if service is None else {"service": service}
    if not url.startswith("sqlite:"):
        rows = run_sql(
            url,
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' "
            "AND pid <> pg_backend_pid()",
        )
        backends = [Path(f"/proc/{pid}") for (pid,) in rows]
        # The server may run on another machine, where other processes have these numbers.
        if all(each.is_dir() and "postgres" in (each / "comm").read_text() for each in backends):
            found["database"] = sum(int((each / "schedstat").read_text().split()[0]) for each in backends) / 1e9
    return found


def bytes_of_everything(url: str) -> int:
    """Returns the size of all tables with their indexes, without the system's own, after dead rows were removed."""
    if url.startswith("sqlite:"):
        [(pages,)], [(page_size,)] = run_sql(url, "PRAGMA page_count"), run_sql(url, "PRAGMA page_size")
        return int(pages) * int(page_size)
    settle(url)
    [(size,)] = run_sql(
        url,
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND n.nspname NOT LIKE 'pg\\_toast%'",
    )
    return int(size)


def bytes_of_a_membership(url: str) -> float:
    """Returns the size of the memberships with their indexes, divided by their number."""
    [(count,)] = run_sql(url, "SELECT count(*) FROM memberships")
    if url.startswith("sqlite:"):
        [(size,)] = run_sql(
            url,
            "SELECT sum(pgsize) FROM dbstat WHERE name IN "
            "(SELECT name FROM sqlite_schema WHERE tbl_name = 'memberships')",
        )
    else:
        settle(url)
        [(size,)] = run_sql(url, "SELECT pg_total_relation_size('memberships')")
    return float(size) / int(count)
