"""An everyday use of the service, which sends most of its statements; and the change of tables that a migration is."""

from __future__ import annotations

import secrets

from leadyard.store.tables import metadata
from rig.answers import data_of
from rig.jobs import start, start_import
from rig.service import Tenant, run_sql


def widen_tables(url: str) -> None:
    """Adds a column to every table, as the migration of a new version may."""
    for table in metadata.tables:
        run_sql(url, f"ALTER TABLE {table} ADD COLUMN later_{secrets.token_hex(4)} integer NOT NULL DEFAULT 0")


def use_everything(tenant: Tenant) -> list[str]:
    """Adds, lists, searches, moves and edits people, in folders and audiences, and starts two jobs. Returns the ids of
    the jobs. Fails if an answer is not the documented one."""
    client, name = tenant.client, secrets.token_hex(4)
    source, target = tenant.create_audience(f"{name} source"), tenant.create_audience(f"{name} target")
    folder = data_of(client.post("/audiences/folders", json={"name": name, "audienceType": "on_demand"}), 201)["id"]
    data_of(client.patch(f"/audiences/{source}", json={"name": f"{name} renamed"}))
    people = [
        {"email": f"{name}-{n}@example.org", "company": {"name": name}, "customFields": {"n": str(n)}} for n in range(9)
    ]
    for created in (9, 0):
        added = data_of(client.post(f"/audiences/{source}/prospects", json={"prospects": people}))
        assert added["created"] == created
    leads = tenant.members(source, limit=4)
    assert len(leads) == len(tenant.walk(f"/audiences/{source}/prospects", q=name)) == 9
    data_of(client.patch(f"/prospects/{leads[0]}", json={"title": "CTO"}))
    assert data_of(client.get(f"/prospects/{leads[0]}"))["title"] == "CTO"
    for part in (leads[:4], leads[4:8]):
        assert tenant.move(source, target, part).status_code == 200
    assert tenant.move(source, target, leads[:1]).status_code == 422
    assert sorted(tenant.members(target)) == sorted(leads[:8])
    assert len(client.get(f"/audiences/{target}/prospects.csv").text.splitlines()) == 9
    data_of(client.delete(f"/prospects/{leads[8]}"))
    tenant.walk("/moves")
    tenant.walk("/audiences")
    data_of(client.get("/audiences/navigation"))
    data_of(client.delete(f"/audiences/folders/{folder}"))
    return [start_import(tenant, 50, prefix=name), start(tenant, audience={"name": f"{name} job"})]
