"""Measures what the keys of the tables cost a move: the same SQL function over the same people, with keys of different
widths, and with and without the foreign keys of a membership. There is no service; pgbench uses 8 connections.

    python benchmarks/peers/key_widths.py [--server postgresql://user@host/database] [--sizes 25 1000] [--rounds 3]
    python benchmarks/peers/key_widths.py --only int-int-bigint --only text
    python benchmarks/peers/key_widths.py --processor-only       on a busy machine: without moves a second

Each turn of a variant is paired with a turn of the keys of 4 bytes without account group, with both foreign keys. A
figure is the median of these pairs. Moves a second, with 8 connections, are a share of theirs. So is PostgreSQL's
processor time for a move, on one connection; other load of the machine disturbs it less. The first line compares these
keys with themselves, so it shows the noise. The last column is the size of the memberships with their indexes, before
the first move.

The benchmark creates a database on the server and drops it at the end. Without --server it starts a throwaway
PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.move import run_pgbench
from rig.service import run_sql
from rig.throwaway_postgres import ThrowawayPostgres

CLIENTS = 8
PEOPLE = 100_000
AUDIENCES = 2 * CLIENTS
GROUP = 7
# In the moves whose processor time is measured, at least.
LEADS_A_TURN = 5_000
# As the service's own sessions, and as benchmarks.move sets them for pgbench.
AS_THE_SERVICE_SETS = {"jit": "off", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}


@dataclass(frozen=True)
class Column:
    """How one id is stored. `of` is SQL that makes the id from a number."""

    kind: str
    of: str

    @property
    def parameter(self) -> str:
        """The type without its collation, as a function takes it."""
        return self.kind.split()[0]


INT = Column("integer", "{n}")
BIGINT = Column("bigint", "{n}::bigint")
TEXT = Column('text COLLATE "C"', "lpad(to_hex({n}), 24, '0')")
UUID = Column("uuid", "lpad(to_hex({n}), 32, '0')::uuid")
BYTEA = Column("bytea", "decode(lpad(to_hex({n}), 24, '0'), 'hex')")


@dataclass(frozen=True)
class Keys:
    """The columns of the ids. `group` is the first column of every key, if set."""

    name: str
    words: str
    group: Column | None
    audience: Column
    lead: Column


@dataclass(frozen=True)
class Variant:
    """Keys, and which foreign keys a membership has."""

    keys: Keys
    to_audience: bool = True
    to_lead: bool = True

    @property
    def schema(self) -> str:
        return f"keys_{self.keys.name}_{self.to_audience:d}{self.to_lead:d}".replace("-", "_")

    @property
    def foreign_keys(self) -> str:
        if self.to_audience:
            return "both"
        return "only to leads" if self.to_lead else "none"


ALL_KEYS = (
    Keys("int", "4 bytes, no account group", None, INT, INT),
    Keys("text", "24 characters, account group in front", TEXT, TEXT, TEXT),
    Keys("uuid", "uuid, account group in front", UUID, UUID, UUID),
    Keys("bytea", "bytea of 12, account group in front", BYTEA, BYTEA, BYTEA),
    Keys("bigint", "bigint for all three", BIGINT, BIGINT, BIGINT),
    Keys("int-int-bigint", "int group, int audience, bigint lead", INT, INT, BIGINT),
)
BASE = Variant(ALL_KEYS[0])


def variants_of(keys: Keys) -> list[Variant]:
    return [Variant(keys), Variant(keys, to_audience=False), Variant(keys, to_audience=False, to_lead=False)]


def make(url: str, variant: Variant) -> float:
    """Creates and fills the tables. A membership is a narrow row, unique both ways. Returns the MB of the memberships
    with their indexes."""
    keys, s = variant.keys, variant.schema
    group = "g, " if keys.group else ""
    column = f"g {keys.group.kind} NOT NULL DEFAULT {keys.group.of.format(n=GROUP)}, " if keys.group else ""
    number = f"generate_series(0, {PEOPLE - 1}) AS n"
    by_lead = "lead_id, g" if keys.group else "lead_id"
    foreign_keys = (f", FOREIGN KEY ({group}audience_id) REFERENCES {s}.audiences" if variant.to_audience else "") + (
        f", FOREIGN KEY ({group}lead_id) REFERENCES {s}.leads" if variant.to_lead else ""
    )
    for text in (
        f"CREATE SCHEMA {s}",
        f"CREATE TABLE {s}.audiences ({column}id {keys.audience.kind}, lead_count bigint NOT NULL, "
        f"PRIMARY KEY ({group}id))",
        f"CREATE TABLE {s}.leads ({column}id {keys.lead.kind}, PRIMARY KEY ({group}id))",
        f"""CREATE TABLE {s}.memberships ({column}audience_id {keys.audience.kind}, lead_id {keys.lead.kind},
            added_at bigint NOT NULL, PRIMARY KEY ({group}audience_id, lead_id){foreign_keys})""",
        f"INSERT INTO {s}.leads (id) SELECT {keys.lead.of.format(n='n')} FROM {number}",
        f"""INSERT INTO {s}.audiences (id, lead_count)
            SELECT {keys.audience.of.format(n="n")}, {PEOPLE} FROM generate_series(0, {AUDIENCES - 1}) AS n""",
        # All people are in every second audience. The other audience of each pair is the target of the moves.
        f"""INSERT INTO {s}.memberships (audience_id, lead_id, added_at)
            SELECT {keys.audience.of.format(n=f"(2 * (n % {CLIENTS}))")}, {keys.lead.of.format(n="n")}, 1
            FROM {number}""",
        f"CREATE INDEX ON {s}.memberships ({by_lead})",
        _function(variant),
        f"VACUUM ANALYZE {s}.memberships",
    ):
        run_sql(url, text)
    [(size,)] = run_sql(url, f"SELECT pg_total_relation_size('{s}.memberships')")
    return float(size) / 1e6


def _function(variant: Variant) -> str:
    """Returns the move: it locks both audiences, moves, and corrects both counts."""
    keys, s = variant.keys, variant.schema
    where = f"g = {keys.group.of.format(n=GROUP)} AND " if keys.group else ""
    audience, lead = keys.audience.parameter, keys.lead.parameter
    return f"""CREATE FUNCTION {s}.move(source {audience}, target {audience}, leads {lead}[])
        RETURNS bigint LANGUAGE plpgsql AS $$
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
        END $$"""


def scripts_of(url: str, variant: Variant, size: int) -> list[str]:
    """Returns a script for each client, which moves between its own two audiences and back."""
    keys, scripts = variant.keys, []
    for client in range(CLIENTS):
        numbers = list(range(client, size * CLIENTS, CLIENTS))
        lead, audience = keys.lead.of.format(n="n"), keys.audience.of.format(n="n")
        [(leads,)] = run_sql(url, f"SELECT array_agg({lead})::text FROM unnest($1::integer[]) AS n", numbers)
        both = [2 * client, 2 * client + 1]
        here, there = (
            row[0] for row in run_sql(url, f"SELECT ({audience})::text FROM unnest($1::integer[]) AS n", both)
        )
        scripts.append(
            "".join(
                f"SELECT {variant.schema}.move('{source}', '{target}', '{leads}');\n"
                for source, target in ((here, there), (there, here))
            )
        )
    return scripts


@dataclass(frozen=True)
class Bench:
    """The database, and how long a turn is. `seconds` is None where only processor time is measured."""

    url: str
    seconds: float | None
    folder: Path

    def moves_per_second(self, variant: Variant, scripts: Sequence[str]) -> float:
        """Returns the rate on tables without the dead rows of the turn before."""
        assert self.seconds is not None
        self.tidy(variant)
        return 2 * run_pgbench(self.url, list(scripts), self.seconds, self.folder)

    def tidy(self, variant: Variant) -> None:
        run_sql(self.url, f"VACUUM ANALYZE {variant.schema}.memberships")
        run_sql(self.url, f"VACUUM {variant.schema}.audiences")

    async def processor_share(self, calls: Sequence[str], base_calls: Sequence[str], batches: int) -> float | None:
        """Returns the processor time of moves as a share of the time of the moves of BASE. Both take turns after each
        two moves, a batch, on one connection. None if PostgreSQL runs on another machine."""
        connection: Any = await asyncpg.connect(self.url, server_settings=AS_THE_SERVICE_SETS)
        try:
            server = connection.get_server_pid()
            if _nanoseconds(server) is None:
                return None
            sides = [[await connection.prepare(call) for call in each] for each in (calls, base_calls)]
            spent = [0.0, 0.0]
            for number in range(batches + 1):
                for side, statements in enumerate(sides):
                    before = _nanoseconds(server) or 0
                    for statement in statements:
                        await statement.fetchval()
                    if number:  # the first batch warms up
                        spent[side] += (_nanoseconds(server) or 0) - before
            return spent[0] / spent[1]
        finally:
            await connection.close()


def _nanoseconds(pid: int) -> int | None:
    """Returns how long a process has run on a processor (proc(5)); None where there is no such process or file."""
    statistic = Path(f"/proc/{pid}/schedstat")
    return int(statistic.read_text().split()[0]) if statistic.exists() else None


@dataclass
class Shares:
    """The shares of a variant in BASE, one for each round."""

    moves: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def compare(bench: Bench, variants: Sequence[Variant], size: int, rounds: int) -> dict[Variant, Shares]:
    scripts = {variant: scripts_of(bench.url, variant, size) for variant in [BASE, *variants]}
    shares = {variant: Shares() for variant in variants}
    for number in range(rounds):
        for variant in variants:
            found = shares[variant]
            if bench.seconds is not None:
                base = bench.moves_per_second(BASE, scripts[BASE])
                found.moves.append(bench.moves_per_second(variant, scripts[variant]) / base)
            for each in (BASE, variant):
                bench.tidy(each)
            calls, base_calls = (scripts[each][0].splitlines() for each in (variant, BASE))
            processor = asyncio.run(bench.processor_share(calls, base_calls, max(8, LEADS_A_TURN // (2 * size))))
            found.processor += [] if processor is None else [processor]
        print(f"{size:,} leads, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return shares


def table(sizes: Sequence[int], megabytes: dict[Variant, float], shares: dict[int, dict[Variant, Shares]]) -> str:
    """Returns the table in Markdown. A figure has the lowest and the highest of its rounds behind it."""
    heads = ["keys", "foreign keys"]
    heads += [head for size in sizes for head in (f"{size:,} leads: moves a second", "processor time")]
    heads += [f"MB per {PEOPLE:,} memberships"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for variant, size_mb in megabytes.items():
        found = [shares[size][variant] for size in sizes]
        cells = [_figure(rounds) for each in found for rounds in (each.moves, each.processor)]
        lines.append(f"| {' | '.join([variant.keys.words, variant.foreign_keys, *cells, f'{size_mb:.1f}'])} |")
    return "\n".join(lines)


def _figure(rounds: Sequence[float]) -> str:
    return "-" if not rounds else f"{statistics.median(rounds):.2f} ({min(rounds):.2f} to {max(rounds):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", help="postgresql://user@host/database, for a role that may create databases")
    parser.add_argument(
        "--only", action="append", choices=[keys.name for keys in ALL_KEYS], help="these keys; can be repeated"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[25, 1_000], help="leads in a move")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of each turn with 8 connections")
    parser.add_argument("--processor-only", action="store_true", help="leave out moves a second")
    parser.add_argument("--json", type=Path, help="also write the figures of every round to this file")
    options = parser.parse_args()
    variants = [v for keys in ALL_KEYS if not options.only or keys.name in options.only for v in variants_of(keys)]
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        if options.server:
            run_sql(options.server, "CREATE DATABASE leadyard_key_widths")
            closing.callback(run_sql, options.server, "DROP DATABASE leadyard_key_widths WITH (FORCE)")
            url = options.server.rpartition("/")[0] + "/leadyard_key_widths"
        else:
            # Synced to disk, as in production. Otherwise the figures would mean nothing.
            server = closing.enter_context(ThrowawayPostgres())
            url = server.create_database("leadyard_key_widths")
        bench = Bench(url, None if options.processor_only else options.seconds, folder)
        megabytes = {variant: make(url, variant) for variant in dict.fromkeys([BASE, *variants])}
        shares = {size: compare(bench, list(megabytes), size, options.rounds) for size in options.sizes}
    if options.json:
        options.json.write_text(json.dumps(_as_json(megabytes, shares), indent=2) + "\n")
    print(f"{options.rounds} rounds")
    print(table(options.sizes, megabytes, shares))


def _as_json(megabytes: dict[Variant, float], shares: dict[int, dict[Variant, Shares]]) -> list[dict[str, object]]:
    return [
        {
            "keys": variant.keys.name,
            "foreignKeys": variant.foreign_keys,
            "megabytes": round(size, 2),
            "shares": {str(leads): asdict(of[variant]) for leads, of in shares.items()},
        }
        for variant, size in megabytes.items()
    ]


if __name__ == "__main__":
    main()
