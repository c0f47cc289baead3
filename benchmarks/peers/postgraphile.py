"""PostGraphile over one SQL function, on Node in production mode: the project in postgraphile_project/."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.peers.client import post
from benchmarks.peers.contender import CACHE, Contender, Id, Loaded, Work, free_port, load_by_sql, run

PROJECT = Path(__file__).parent / "postgraphile_project"
FILES = ("package.json", "package-lock.json", "schema.sql", "graphile.config.mjs", "server.mjs")
MOVE = """mutation Move($source: Int!, $target: Int!, $leads: [Int!]!) {
  moveLeads(input: {source: $source, target: $target, leads: $leads}) {
    result { moveId movedCount sourceCount targetCount }
  }
}"""
OLDEST_NODE = 22


@dataclass
class PostGraphile(Contender):
    """PostGraphile in library mode, with as many connections as there are clients. It has no keys."""

    name = "PostGraphile"
    needs_key = False
    members_sql = "SELECT audience_id, lead_id FROM app.memberships"
    counts_sql = "SELECT id, lead_count FROM app.audiences"
    records_sql = (
        "SELECT count(*), coalesce(sum(moved_count), 0), coalesce(sum(already_in_target_count), 0) FROM app.moves"
    )

    def set_up(self, work: Work) -> Loaded:
        self._install()

        async def make_tables() -> None:
            connection: Any = await asyncpg.connect(self.database_url)
            await connection.execute((PROJECT / "schema.sql").read_text())
            await connection.close()

        asyncio.run(make_tables())
        return asyncio.run(
            load_by_sql(
                self.database_url,
                work,
                audience="INSERT INTO app.audiences (id, name, lead_count)"
                " SELECT i, 'Audience ' || i, n FROM unnest($1::int[], $2::int[]) AS u(i, n)",
                lead="INSERT INTO app.leads (id, email)"
                " SELECT i, 'lead-' || i || '@example.com' FROM unnest($1::int[]) AS u(i)",
                membership="INSERT INTO app.memberships (audience_id, lead_id)"
                " SELECT $1, i FROM unnest($2::int[]) AS u(i)",
            )
        )

    @property
    def place(self) -> Path:
        return CACHE / "postgraphile"

    @property
    def pool_size(self) -> int:
        return -(-self.clients // self.processes)

    def start(self) -> None:
        self.port = free_port()
        environment = {
            "DATABASE_URL": self.database_url, "PORT": str(self.port), "PROCESSES": str(self.processes),
            "POOL_SIZE": str(self.pool_size), "NODE_ENV": "production", "GRAPHILE_ENV": "production",
        }  # fmt: skip
        self._launch([self._node(), "server.mjs"], cwd=self.place, environment=environment)

    def move(self, source: Id, target: Id, lead_ids: Sequence[Id], *, key: str | None = None) -> bytes:
        return post(
            "/graphql", {"query": MOVE, "variables": {"source": source, "target": target, "leads": list(lead_ids)}}
        )

    def moved(self, status: int, body: bytes) -> int | None:
        answer = json.loads(body)
        if status != 200 or answer.get("errors"):
            return None
        return int(answer["data"]["moveLeads"]["result"]["movedCount"])

    def refused(self, status: int, body: bytes) -> bool:
        return any(error["message"] == "LEADS_NOT_IN_SOURCE" for error in json.loads(body).get("errors", ()))

    def facts(self) -> dict[str, Any]:
        locked = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
        names = ("postgraphile", "grafast", "grafserv", "@dataplan/pg", "graphql", "pg")
        node = run([self._node(), "--version"]).strip().removeprefix("v")
        return {
            "versions": {"node": node, **{name: locked[f"node_modules/{name}"]["version"] for name in names}},
            "settings": {"processes": self.processes, "poolSize": self.pool_size, "NODE_ENV": "production"},
        }

    def _node(self) -> Path:
        """Returns the Node that came with the packages, or else one of this machine that is new enough."""
        for packaged in sorted(self.place.glob("node_modules/node-*-*/bin/node")):
            return packaged
        found = shutil.which("node")
        version = re.match(r"v(\d+)", run([found, "--version"])) if found else None
        if not found or version is None or int(version[1]) < OLDEST_NODE:
            raise RuntimeError(f"PostGraphile needs Node {OLDEST_NODE} or newer on PATH.")
        return Path(found)

    def _install(self) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("PostGraphile needs npm on PATH.")
        stamp = self.place / "made-from"
        wanted = hashlib.sha256((PROJECT / "package-lock.json").read_bytes()).hexdigest()
        self.place.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(PROJECT / name, self.place / name)
        if not stamp.exists() or stamp.read_text() != wanted:
            run([npm, "ci", "--no-audit", "--no-fund"], cwd=self.place)
            stamp.write_text(wanted)
