"""Measures what lists cost over HTTP: page 10,000 compared with page 1 (limit 200), and a search compared with a page
of the same audience.

    python benchmarks/lists.py sqlite
    python benchmarks/lists.py postgresql [--url postgresql://user@host/database]

It fills an audience with --pages x 200 leads (2 million for 10,000 pages), which takes minutes; --pages 500 gives the
same ratios sooner. It prints medians of paired turns as ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from leadyard.database import Database
from leadyard.model import Caller, Profile
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.people.checking import check_profiles
from leadyard.store import schema
from rig.service import Service, Tenant, make_tenant, on_database, run_sql
from rig.throwaway_postgres import ThrowawayPostgres

LIMIT = 200
TURNS = 15
SEARCHES = {
    "rare text (1 lead)": {"q": "person-77@"},
    "text of 1 in 1,000": {"q": "company 7 ltd"},
    "text of 1 in 4": {"q": "head of sales"},
    "text and company": {"q": "head of", "company": "company 7 ltd"},
    "text nobody has": {"q": "nobody at all"},
}


def fill(tenant: Tenant, audience_id: str, count: int) -> None:
    async def add(db: Database) -> None:
        caller = Caller.operator(tenant.account_group_id)
        for start in range(0, count, 1_000):
            profiles = [person(number) for number in range(start, min(start + 1_000, count))]
            await add_prospects(db, caller, audience_id=audience_id, checked=check_profiles(profiles))

    on_database(tenant.service.database_url, add)


def person(number: int) -> Profile:
    jobs = ("Sales", "Marketing", "People", "Finance")
    return Profile(
        first_name=f"First{number}",
        last_name=f"Last{number * 7919 % 100_003}",
        email=f"person-{number}@example.com",
        title=f"Head of {jobs[number % 4]}",
        company_name=f"Company {number % 1_000} Ltd",
    )


def cursor_before_last_page(tenant: Tenant, audience_id: str) -> str:
    """Walks to the last page with the operation, not over HTTP, and fetches over HTTP the cursor that leads to it."""

    async def walk(db: Database) -> str | None:
        caller, after, before = Caller.operator(tenant.account_group_id), None, None
        while True:
            page = await list_prospects(db, caller, audience_id=audience_id, after=after, limit=LIMIT)
            if page.next_key is None:
                return before
            before, after = after, page.next_key

    from leadyard.http.answer.paging import make_cursor
    from leadyard.operations.prospects import EVERYBODY

    last_key = on_database(tenant.service.database_url, walk)
    assert last_key is not None
    return make_cursor(last_key, ("prospects", tenant.account_group_id, audience_id, repr(EVERYBODY)))


def timed(tenant: Tenant, audience_id: str, query: dict[str, Any]) -> float:
    started = time.perf_counter()
    answer = tenant.client.get(f"/audiences/{audience_id}/prospects", params=query)
    duration = time.perf_counter() - started
    assert answer.status_code == 200, answer.text
    return duration


def ratio(one: Callable[[], float], other: Callable[[], float]) -> float:
    one(), other()
    return statistics.median(one() / other() for _ in range(TURNS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["postgresql", "sqlite"])
    parser.add_argument("--url", help="an empty PostgreSQL database")
    parser.add_argument("--pages", type=int, default=10_000)
    options = parser.parse_args()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        if options.database == "sqlite":
            url = f"sqlite:///{folder}/leadyard.db"
        else:
            url = options.url or closing.enter_context(ThrowawayPostgres()).create_database("leadyard_bench")
        asyncio.run(schema.migrate(url))
        service = Service(url, folder, {"LEADYARD_LOG_LEVEL": "info"}).start()
        closing.callback(service.stop)
        tenant = make_tenant(service)
        audience_id = tenant.create_audience("Everybody")
        started = time.perf_counter()
        fill(tenant, audience_id, options.pages * LIMIT)
        rate = options.pages * LIMIT / (time.perf_counter() - started)
        print(f"{options.database}: {options.pages * LIMIT} leads, imported at {rate:.0f} a second")
        if options.database == "postgresql":
            run_sql(url, "ANALYZE")
        cursor = cursor_before_last_page(tenant, audience_id)
        last = {"limit": LIMIT, "cursor": cursor}
        first = {"limit": LIMIT}
        found = ratio(lambda: timed(tenant, audience_id, last), lambda: timed(tenant, audience_id, first))
        print(f"page {options.pages} / page 1: {found:.2f}")
        for name, query in SEARCHES.items():
            found = ratio(
                lambda query=query: timed(tenant, audience_id, {**query, "limit": LIMIT}),  # type: ignore[misc]
                lambda: timed(tenant, audience_id, first),
            )
            print(f"search, {name} / page 1: {found:.2f}")


if __name__ == "__main__":
    main()
