"""The cost of looking for active jobs in a second column: moves of migration 0007 beside moves of 0006.

    python benchmarks/two_audiences.py [--url postgresql://user@host/postgres] [--leads 25] [--jobs 1000]

Without a URL it measures SQLite. Both moves take turns on one database, which the program makes and removes. Quote the
ratios, because the absolute figures depend on the machine and the moment.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from leadyard.database import Database, Transaction
from leadyard.ids import key_of, new_attempt, new_id
from leadyard.model import AccountGroup, Audience, AudienceType, Move
from leadyard.store import account_groups, audiences, membership_changes, move_statements, schema
from leadyard.store.db import Procedure, RunStep, Statement, open_database
from leadyard.store.job_status import ACTIVE
from rig.service import run_sql

ONE_COLUMN = Statement(
    f"""SELECT id FROM jobs WHERE account_group_id = :account_group_id AND audience_id IN (:source, :target)
    AND {ACTIVE} LIMIT 1"""
)
TWO_COLUMNS = move_statements._POPULATING
LEAD = Statement(
    "INSERT INTO leads (account_group_id, id, custom_fields, created_at) VALUES (:account_group_id, :id, '{}', 1)"
)
JOB = Statement(
    """INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)
    VALUES (:account_group_id, :id, 'url_upload', :status, :audience_id, 1, 1)"""
)
# The function of the service with the look-up that it had before.
FUNCTION_BEFORE = move_statements.FUNCTION_OF_POSTGRESQL.replace("move_leads_1", "move_leads_before").replace(
    TWO_COLUMNS.in_function, ONE_COLUMN.in_function
)
CALL_BEFORE = Statement(
    """SELECT * FROM move_leads_before(_account_group_id => :account_group_id, _number => :number,
    _attempt => :attempt, _source => :source, _target => :target, _lead_ids => :lead_ids[bigint],
    _lead_count => :lead_count, _now => :now, _api_key_id => :api_key_id)"""
)


def steps_before(run: RunStep, values: dict[str, object]) -> list[object]:
    """The steps of SQLite with the statement that they had before."""

    def one_column(statement: Statement, **more: object) -> object:
        return run(ONE_COLUMN if statement is TWO_COLUMNS else statement, **more)

    return move_statements._steps(one_column, values)  # type: ignore[arg-type, return-value]


AFTER = move_statements._MOVE
BEFORE = Procedure(CALL_BEFORE, steps_before)  # type: ignore[arg-type]


class Yard:
    """Two audiences of an account group, with all its leads in the first of them."""

    def __init__(self, *, leads: int) -> None:
        self.group = new_id()
        self.places = [new_id(), new_id()]
        self.lead_ids = [new_id() for _ in range(leads)]

    async def fill(self, db: Database, *, jobs: int) -> None:
        """Writes all of it, and `jobs` active jobs on other audiences, each with ten that have ended."""
        async with db.write(None) as tx:
            await account_groups.insert(tx, AccountGroup(id=self.group, name="G", created_at=1))
        async with db.write(self.group) as tx:
            for audience in self.places:
                await self._add_audience(tx, audience)
            for lead in self.lead_ids:
                await tx.run(LEAD, id=key_of(lead))
            await membership_changes.add(tx, self.places[0], self.lead_ids, now=1)
            await audiences.count_added(tx, self.places[0], added=len(self.lead_ids), now=1)
            for _ in range(jobs):
                audience = new_id()
                await self._add_audience(tx, audience)
                for status in ("running", *["completed"] * 10):
                    await tx.run(JOB, id=key_of(new_id()), status=status, audience_id=key_of(audience))

    async def _add_audience(self, tx: Transaction, audience_id: str) -> None:
        await audiences.insert(
            tx,
            Audience(
                id=audience_id,
                name="A",
                type=AudienceType.URL_UPLOAD,
                description=None,
                folder_id=None,
                prospect_count=0,
                created_at=1,
            ),
        )

    def next_move(self) -> Move:
        """Returns the move of all leads to the other audience."""
        self.places.reverse()
        return Move(
            id=new_id(),
            source_audience_id=self.places[1],
            target_audience_id=self.places[0],
            moved_count=len(self.lead_ids),
            already_in_target_count=0,
            moved_at=2,
            api_key_id=None,
            undone_by_move_id=None,
            lead_ids=tuple(self.lead_ids),
            attempt=new_attempt(),
        )


async def seconds_of(db: Database, yard: Yard, procedure: Procedure) -> float:
    move = yard.next_move()
    started = time.perf_counter()
    found = await db.call(yard.group, procedure, **move_statements._values(move))
    took = time.perf_counter() - started
    assert len(found) == 2
    return took


async def compare(db: Database, yard: Yard, moves: int) -> None:
    """Prints the ratios of the quartiles. On a busy machine trust the first one most: noise only adds."""
    took: dict[Procedure, list[float]] = {BEFORE: [], AFTER: []}
    for number in range(moves):
        for procedure in (BEFORE, AFTER) if number % 2 else (AFTER, BEFORE):
            took[procedure].append(await seconds_of(db, yard, procedure))
    # The first moves make the plans.
    quartiles = {each: statistics.quantiles(found[moves // 10 :], n=4) for each, found in took.items()}
    ratios = [after / before for after, before in zip(quartiles[AFTER], quartiles[BEFORE], strict=True)]
    print("after / before, by quartile: " + ", ".join(f"{ratio:.3f}" for ratio in ratios))


async def measure(url: str, *, leads: int, jobs: int, moves: int) -> None:
    await schema.migrate(url)
    db, yard = open_database(url, pool_size=1, wait_s=30), Yard(leads=leads)
    try:
        await yard.fill(db, jobs=jobs)
        if not url.startswith("sqlite:"):
            for command in (FUNCTION_BEFORE, "VACUUM ANALYZE"):
                await asyncio.to_thread(run_sql, url, command)
        await compare(db, yard, moves)
    finally:
        await db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url")
    parser.add_argument("--leads", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--moves", type=int, default=3_000)
    given = parser.parse_args()
    if given.url is None:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(
                measure(f"sqlite:///{folder}/leadyard.db", leads=given.leads, jobs=given.jobs, moves=given.moves)
            )
        return
    name = f"leadyard_benchmark_{os.getpid()}"
    run_sql(given.url, f"CREATE DATABASE {name}")
    try:
        url = urlunsplit(urlsplit(given.url)._replace(path=f"/{name}"))
        asyncio.run(measure(url, leads=given.leads, jobs=given.jobs, moves=given.moves))
    finally:
        run_sql(given.url, f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()
