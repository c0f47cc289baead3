"""Leadyard as its users run it: keys, limits, request logs, the record of the move, all on."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from benchmarks.peers.client import post
from benchmarks.peers.contender import Contender, Id, Lane, Loaded, Work
from leadyard.ids import NUMBER_BITS, NUMBERS
from leadyard.store import schema
from rig.service import Service, Tenant, make_tenant

# A limit that no client reaches costs as much as a limit that a client reaches.
SETTINGS = {"LEADYARD_LOG_LEVEL": "info", "LEADYARD_RATE_LIMITS": "1000000/second"}


def _id_of(key: str) -> str:
    """Returns the SQL of the id of a key."""
    number = f"{key} & {NUMBERS - 1}"
    return f"lpad(to_hex({key} >> {NUMBER_BITS}), 12, '0') || lpad(to_hex({number}), 12, '0')"


@dataclass
class Leadyard(Contender):
    """`leadyard serve`."""

    service: Service | None = field(default=None, repr=False)
    tenant: Tenant | None = field(default=None, repr=False)

    name = "Leadyard"
    members_sql = f"""SELECT {_id_of("a.id")}, {_id_of("m.lead_id")} FROM memberships m
        JOIN audiences a ON a.account_group_id = m.account_group_id AND a.number = m.audience_id"""
    counts_sql = f"SELECT {_id_of('id')}, prospect_count FROM audiences"
    records_sql = (
        "SELECT count(*), coalesce(sum(lead_count), 0), coalesce(sum(already_in_target_count), 0) FROM changes"
    )

    def set_up(self, work: Work) -> Loaded:
        asyncio.run(schema.migrate(self.database_url))
        self.service = Service(self.database_url, self.folder, SETTINGS)
        self.start()
        self.tenant = tenant = make_tenant(self.service)
        audiences: list[tuple[Id, list[Id]]] = []
        for number in range(work.audiences):
            audience_id = tenant.create_audience(f"Audience {number}")
            leads: list[Id] = [*tenant.add_leads(audience_id, work.audience_size, prefix=f"lead{number}")]
            audiences.append((audience_id, leads))
        left, right = tenant.create_audience("Left"), tenant.create_audience("Right")
        pool = tenant.add_leads(left, work.pool, prefix="pool")
        bodies = [{"email": f"pool-{n}@example.com"} for n in range(0, work.pool, 3)]
        answer = tenant.client.post(f"/audiences/{right}/prospects", json={"prospects": bodies})
        assert answer.status_code == 200, answer.text
        return Loaded(audiences, Lane(left, right, pool))

    def start(self) -> None:
        assert self.service is not None
        if self.service.process is None:
            self.service.start("--workers", str(self.processes))
        self.port = self.service.port

    def stop(self) -> None:
        if self.service is not None:
            self.service.stop()

    @property
    def pid(self) -> int:
        assert self.service is not None and self.service.process is not None
        return self.service.process.pid

    def move(self, source: Id, target: Id, lead_ids: Sequence[Id], *, key: str | None = None) -> bytes:
        assert self.tenant is not None
        return post(
            f"/v1/accounts/{self.tenant.account_group_id}/audiences/{source}/move-leads",
            {"targetAudienceId": target, "leadIds": list(lead_ids)},
            authorization=f"Bearer {key or self.tenant.key}",
        )

    def moved(self, status: int, body: bytes) -> int | None:
        return int(json.loads(body)["data"]["movedCount"]) if status == 200 else None

    def refused(self, status: int, body: bytes) -> bool:
        return status == 422 and bool(json.loads(body)["error"]["code"] == "LEADS_NOT_IN_SOURCE")

    def facts(self) -> dict[str, Any]:
        packages = ("leadyard", "asyncpg", "fastapi", "uvicorn", "uvloop", "httptools")
        return {
            "versions": {"python": sys.version.split()[0], **{name: version(name) for name in packages}},
            "settings": {**SETTINGS, "processes": self.processes},
        }
