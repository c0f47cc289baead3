"""What the keys of a table cost a move: the same SQL function over the same people, with keys of 4 bytes, with ids of
24 characters, and with those behind an account group. No service; pgbench on 8 connections, in turns within one run.

    python benchmarks/peers/key_widths.py [--server postgresql://user@host/database] [--sizes 25 1000] [--rounds 3]

The database that it makes on the server is dropped at the end; without --server a throwaway PostgreSQL is started.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.move import run_pgbench
from tests.service import run_sql
from tests.throwaway_postgres import ThrowawayPostgres

CLIENTS = 8
PEOPLE = 100_000
AUDIENCES = 2 * CLIENTS
GROUP = "'0123456789abcdef01234567'"


@dataclass(frozen=True)
class Keys:
    """How ids are stored. `of` is SQL that makes the id of a number; `group` leads every key, or nothing does."""

    name: str
    kind: str
    of: str
    group: bool = False

    @property
    def schema(self) -> str:
        return f"keys_of_{self.name}".replace(" ", "_").replace(",", "")


INTEGERS = Keys("4 bytes", "integer", "{n}")
TEXTS = Keys("24 characters", 'text COLLATE "C"', "lpad(to_hex({n}), 24, '0')")
TENANTS = Keys("24 characters, account group in front", TEXTS.kind, TEXTS.of, group=True)


def make(url: str, keys: Keys) -> None:
    """Makes and fills the tables: a membership narrow, unique both ways, and held to its audience and its lead."""
    s, group = keys.schema, "g, " if keys.group else ""
    column = f'g text COLLATE "C" NOT NULL DEFAULT {GROUP}, ' if keys.group else ""
    number = f"generate_series(0, {PEOPLE - 1}) AS n"
    by_lead = "lead_id, g" if keys.group else "lead_id"
    where = f"g = {GROUP} AND " if keys.group else ""
    for text in (
        f"CREATE SCHEMA {s}",
        f"CREATE TABLE {s}.audiences ({column}id {keys.kind}, lead_count bigint NOT NULL, PRIMARY KEY ({group}id))",
        f"CREATE TABLE {s}.leads ({column}id {keys.kind}, PRIMARY KEY ({group}id))",
        f"""CREATE TABLE {s}.memberships ({column}audience_id {keys.kind}, lead_id {keys.kind},
            added_at bigint NOT NULL, PRIMARY KEY ({group}audience_id, lead_id),
            FOREIGN KEY ({group}audience_id) REFERENCES {s}.audiences,
            FOREIGN KEY ({group}lead_id) REFERENCES {s}.leads)""",
        f"INSERT INTO {s}.leads (id) SELECT {keys.of.format(n='n')} FROM {number}",
        f"""INSERT INTO {s}.audiences (id, lead_count)
            SELECT {keys.of.format(n="n")}, {PEOPLE} FROM generate_series(0, {AUDIENCES - 1}) AS n""",
        # Everybody in every second audience: the other one of each pair is where the moves go.
        f"""INSERT INTO {s}.memberships (audience_id, lead_id, added_at)
            SELECT {keys.of.format(n=f"2 * (n % {CLIENTS})")}, {keys.of.format(n="n")}, 1 FROM {number}""",
        f"CREATE INDEX ON {s}.memberships ({by_lead})",
        f"""CREATE FUNCTION {s}.move(source {keys.kind.split()[0]}, target {keys.kind.split()[0]},
            leads {keys.kind.split()[0]}[]) RETURNS bigint LANGUAGE plpgsql AS $$
            DECLARE moved bigint;
            BEGIN
                PERFORM FROM {s}.audiences WHERE {where}id IN (source, target) ORDER BY id FOR UPDATE;
                UPDATE {s}.memberships SET audience_id = target, added_at = 2 WHERE {where}audience_id = source
                    AND lead_id = ANY (leads) AND NOT EXISTS (SELECT FROM {s}.memberships t WHERE
                    {where.replace("g =", "t.g =")}t.audience_id = target AND t.lead_id = memberships.lead_id);
                GET DIAGNOSTICS moved = ROW_COUNT;
                UPDATE {s}.audiences SET lead_count = lead_count + CASE WHEN id = source THEN -moved ELSE moved END
                    WHERE {where}id IN (source, target);
                RETURN moved;
            END $$""",
        f"ANALYZE {s}.memberships",
    ):
        run_sql(url, text)


def drive(url: str, keys: Keys, size: int, seconds: float, folder: Path) -> float:
    """Returns moves per second, each client between audiences of its own."""
    scripts = []
    for client in range(CLIENTS):
        numbers = range(client, size * CLIENTS, CLIENTS)
        ids = run_sql(url, f"SELECT {keys.of.format(n='n')} FROM unnest($1::integer[]) AS n", list(numbers))
        both = [run_sql(url, f"SELECT {keys.of.format(n=2 * client + one)}")[0][0] for one in (0, 1)]
        leads = ",".join(str(row[0]) for row in ids)
        scripts.append(
            "".join(
                f"SELECT {keys.schema}.move('{here}', '{there}', '{{{leads}}}');\n"
                for here, there in (both, both[::-1])
            )
        )
    return 2 * run_pgbench(url, scripts, seconds, folder)


def compare(url: str, size: int, rounds: int, seconds: float, folder: Path) -> None:
    all_keys: Sequence[Keys] = (INTEGERS, TEXTS, TENANTS)
    rates: dict[str, list[float]] = {keys.name: [] for keys in all_keys}
    for number in range(rounds + 1):
        for keys in all_keys:
            run_sql(url, f"VACUUM ANALYZE {keys.schema}.memberships")
            rate = drive(url, keys, size, seconds, folder)
            if number:  # the first round warms up
                rates[keys.name].append(rate)
    print(f"{size:,} leads a move, {CLIENTS} connections, {rounds} rounds")
    for keys in all_keys:
        ratios = [own / narrow for own, narrow in zip(rates[keys.name], rates[INTEGERS.name], strict=True)]
        print(f"  {keys.name:40} {statistics.median(ratios):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", help="postgresql://user@host/database, for a role that may create databases")
    parser.add_argument("--sizes", type=int, nargs="+", default=[25, 1_000], help="leads in a move")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each turn")
    options = parser.parse_args()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        if options.server:
            run_sql(options.server, "CREATE DATABASE leadyard_key_widths")
            closing.callback(run_sql, options.server, "DROP DATABASE leadyard_key_widths WITH (FORCE)")
            url = options.server.rpartition("/")[0] + "/leadyard_key_widths"
        else:
            # Synced to disk, as one in production is: else nothing would be measured.
            server = closing.enter_context(ThrowawayPostgres())
            url = server.create_database("leadyard_key_widths")
        for keys in (INTEGERS, TEXTS, TENANTS):
            make(url, keys)
        for size in options.sizes:
            compare(url, size, options.rounds, options.seconds, folder)


if __name__ == "__main__":
    main()
