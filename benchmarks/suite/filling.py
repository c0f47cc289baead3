"""Fills a database with many leads and memberships by SQL alone, because it would take hours through the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from leadyard.ids import NUMBER_BITS, id_of, key_of, number_of
from rig.service import Tenant
from rig.sqlite_file import open_sqlite

STEP = 250_000
# Far apart, so that two account groups never have the same ids: keys of the year 2026 and of 2028.
_FIRST = {"big": 0x1A000000000 << NUMBER_BITS, "small": 0x1B000000000 << NUMBER_BITS}

_LEADS = """INSERT INTO leads (account_group_id, id, public_identifier, email, first_name, last_name, title,
    company_name, search_block_id, created_at)
    SELECT {group}, {id}, 'person-' || n, 'person-' || n || '@example.com', 'Given' || n % 997, 'Family' || n,
    'Head of Things ' || n % 101, 'Company ' || n % 5003, {id} - n % {in_a_block}, 1 FROM s"""
# As store/search_blocks.py writes them: the line of each lead, and the keys of the leads, packed.
_LINE = """'given' || n % 997 || ' family' || n || ' person-' || n || '@example.com' || {tab} || 'company ' || n % 5003
    || {tab} || 'head of things ' || n % 101"""
_BLOCKS = """INSERT INTO search_blocks (account_group_id, id, first_lead_id, last_lead_id, is_small, lead_ids, lines)
    SELECT {group}, min({id}), min({id}), max({id}), false, {keys}, {lines} FROM s GROUP BY n / {in_a_block}"""
_KEYS_OF = {
    "postgresql": "string_agg(int8send({id}), ''::bytea ORDER BY n)",
    "sqlite": "unhex(group_concat(printf('%016x', {id}), '' ORDER BY n))",
}
_LINES_OF = {
    "postgresql": f"string_agg({_LINE.format(tab='chr(9)')}, chr(10) ORDER BY n)",
    "sqlite": f"group_concat({_LINE.format(tab='char(9)')}, char(10) ORDER BY n)",
}
_IN_A_BLOCK = 50
_MEMBERS = """INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT {group}, {audience}, {id}, 1 FROM s{which}"""
_COUNT = """UPDATE audiences SET prospect_count = prospect_count + {count}
    WHERE account_group_id = {group} AND id = {audience}"""


class Filler:
    """Adds leads to one account group and puts them into audiences. Use it as a context manager."""

    def __init__(self, tenant: Tenant, *, kind: str = "big") -> None:
        self.tenant = tenant
        self.first = _FIRST[kind]
        self._url = tenant.service.database_url

    def __enter__(self) -> Filler:
        self._runner = asyncio.Runner()
        self._postgresql: Any = None
        if self._url.startswith("sqlite:"):
            self._sqlite = open_sqlite(self._url)
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
        """Returns the id of the lead with that number. Ids sort in the order of the numbers, as they do after an
        import."""
        return id_of(self.first + number)

    def add_leads(self, count: int, told: Callable[[], object]) -> None:
        """Creates the leads 0 to `count` - 1."""
        for start in range(0, count, STEP):
            stop = min(count, start + STEP)
            self._insert(_BLOCKS, start, stop, lambda: None)
            self._insert(_LEADS, start, stop, told)

    def add_members(self, audience_id: str, count: int, told: Callable[[], object], *, half: int | None = None) -> None:
        """Puts the first `count` leads into the audience, or only every other lead: the even (0) or the odd (1)."""
        self.tenant.expect_members_without_record()
        which = "" if half is None else f" WHERE n % 2 = {half}"
        for start in range(0, count, STEP):
            self._insert(
                _MEMBERS, start, min(count, start + STEP), told, audience=f"{number_of(audience_id)}", which=which
            )
        put = count if half is None else len(range(half, count, 2))
        self._run(_COUNT.format(count=put, group=self.tenant.number, audience=key_of(audience_id)))

    def _insert(self, text: str, start: int, stop: int, told: Callable[[], object], **parts: str) -> None:
        if self._postgresql is None:
            series = f"WITH RECURSIVE s(n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {stop})"
        else:
            series = f"WITH s AS (SELECT generate_series({start}, {stop - 1}) AS n)"
        database = "sqlite" if self._postgresql is None else "postgresql"
        id = f"{self.first} + n"
        parts |= {"keys": _KEYS_OF[database].format(id=id), "lines": _LINES_OF[database]}
        filled = text.format(group=self.tenant.number, id=id, in_a_block=_IN_A_BLOCK, **parts)
        self._run(f"{series} {filled}")
        told()

    def _without_asking_back(self) -> None:
        """Skips the checks of foreign keys, all of which are valid here. A role that may not skip them takes longer."""
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
    """Returns how often `told` is called for that number of leads."""
    return -(-count // STEP)
