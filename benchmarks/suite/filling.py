"""Fills a database with many leads and memberships, by SQL alone: through the service it would take hours."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import asyncpg

from tests.service import Tenant

STEP = 250_000
# Far from one another, so that two account groups never hold the same ids.
_FIRST = {"big": 0x1A0000000000 << 32, "small": 0x1B0000000000 << 32}

_LEADS = """INSERT INTO leads (account_group_id, id, public_identifier, email, first_name, last_name, title,
    company_name, custom_fields, created_at)
    SELECT {group}, {id}, 'person-' || n, 'person-' || n || '@example.com', 'Given' || n % 997, 'Family' || n,
    'Head of Things ' || n % 101, 'Company ' || n % 5003, '{{}}', 1 FROM s"""
_MEMBERS = """INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT {group}, {audience}, {id}, 1 FROM s{which}"""
_COUNT = """UPDATE audiences SET prospect_count = prospect_count + {count}
    WHERE account_group_id = {group} AND id = {audience}"""


class Filler:
    """Brings leads into one account group and puts them into audiences. Use it as a context manager."""

    def __init__(self, tenant: Tenant, *, kind: str = "big") -> None:
        self.tenant = tenant
        self.first = _FIRST[kind]
        self._url = tenant.service.database_url

    def __enter__(self) -> Filler:
        self._runner = asyncio.Runner()
        self._postgresql: Any = None
        if self._url.startswith("sqlite:"):
            self._sqlite = sqlite3.connect(self._url.removeprefix("sqlite:///"), isolation_level=None, timeout=60)
        else:
            self._postgresql = self._runner.run(asyncpg.connect(self._url))
            self._without_asking_back()
        return self

    def __exit__(self, *_: object) -> None:
        if self._postgresql is not None:
            self._run("ANALYZE")
            self._runner.run(self._postgresql.close())
        else:
            self._sqlite.close()
        self._runner.close()

    def id_of(self, number: int) -> str:
        """Returns the id of the lead of that number: ids sort as numbers do, as those of an import would."""
        return f"{self.first + number:024x}"

    def add_leads(self, count: int, told: Callable[[], object]) -> None:
        """Makes the leads 0 to `count` - 1."""
        for start in range(0, count, STEP):
            self._insert(_LEADS, start, min(count, start + STEP), told)

    def add_members(self, audience_id: str, count: int, told: Callable[[], object], *, half: int | None = None) -> None:
        """Puts the first `count` leads into the audience, or only every other one: the even (0) or the odd (1)."""
        which = "" if half is None else f" WHERE n % 2 = {half}"
        for start in range(0, count, STEP):
            self._insert(_MEMBERS, start, min(count, start + STEP), told, audience=f"'{audience_id}'", which=which)
        put = count if half is None else len(range(half, count, 2))
        self._run(_COUNT.format(count=put, group=f"'{self.tenant.account_group_id}'", audience=f"'{audience_id}'"))

    def _insert(self, text: str, start: int, stop: int, told: Callable[[], object], **parts: str) -> None:
        # An id is larger than any integer of a database, so only its last eight digits are counted.
        head = f"{self.first >> 32:016x}"
        if self._postgresql is None:
            series = f"s(n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {stop})"
            series, id_of = f"WITH RECURSIVE {series}", f"printf('{head}%08x', n)"
        else:
            series = f"WITH s AS (SELECT generate_series({start}, {stop - 1}) AS n)"
            id_of = f"'{head}' || lpad(to_hex(n), 8, '0')"
        group = f"'{self.tenant.account_group_id}'"
        self._run(f"{series} {text.format(group=group, id=id_of, **parts)}")
        told()

    def _without_asking_back(self) -> None:
        """Leaves out looking up foreign keys, all of which lead somewhere; whoever may not do that takes longer."""
        try:
            self._run("SET session_replication_role = replica")
        except asyncpg.InsufficientPrivilegeError:
            return

    def _run(self, text: str) -> None:
        if self._postgresql is not None:
            self._runner.run(self._postgresql.execute(text))
        else:
            self._sqlite.execute(text)


def steps(count: int) -> int:
    """Returns how often `told` is called for so many leads."""
    return -(-count // STEP)
