"""Imports in the record of changes: the leads that they have created have no entries in the index, and are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadyard.ids import ERASED_ID, key_of
from leadyard.operations.changes.indexing import expire_changes
from rig.answers import data_of
from rig.commands import command
from rig.service import Tenant, on_database

# More than a batch. The first person is there again in the second batch, in which only the last two are new.
ROWS = 2_003
LEADS = ROWS - 1


@pytest.fixture
def imported(tenant: Tenant, tmp_path: Path) -> tuple[str, list[str]]:
    """Returns a new change and the leads that it has created, in order."""
    return bring_in(tenant, tmp_path, "new")


def bring_in(tenant: Tenant, folder: Path, name: str, numbers: list[int] | None = None) -> tuple[str, list[str]]:
    numbers = numbers or [*range(LEADS - 2), 0, LEADS - 2, LEADS - 1]
    file = folder / f"{name}.csv"
    file.write_text("Email\n" + "".join(f"{name}{n}@example.com\n" for n in numbers), encoding="utf-8")
    arguments = ("--account-group", tenant.account_group_id, "--audience", name, "--json")
    command("import", str(file), *arguments, url=tenant.service.database_url).json()
    newest = tenant.walk("/changes", kind="import")[0]
    return newest["id"], [item["prospectId"] for item in tenant.walk(f"/changes/{newest['id']}/prospects", 200)]


def history(tenant: Tenant, lead_id: str) -> list[tuple[str, str]]:
    return [(each["kind"], each["id"]) for each in tenant.walk(f"/prospects/{lead_id}/changes")]


def entries(tenant: Tenant) -> list[Any]:
    """Returns the entries of the index that are not of audiences and kinds."""
    return tenant.sql(
        "SELECT subject FROM change_subjects WHERE account_group_id = $1 AND subject > 100", tenant.number
    )


def test_a_created_lead_has_its_import_and_no_entry(tenant: Tenant, imported: tuple[str, list[str]]) -> None:
    change_id, leads = imported
    assert len(leads) == len(set(leads)) == LEADS, "a person who is there again is not recorded again"
    change = data_of(tenant.client.get(f"/changes/{change_id}"))
    assert (change["leadCount"], change["alreadyInTargetCount"]) == (LEADS, 0)
    # One for each time span of 128 ms, and not one for each lead.
    assert 0 < len(entries(tenant)) < LEADS / 10
    for lead in (leads[0], leads[1], leads[1_999], leads[-1]):
        assert history(tenant, lead) == [("import", change_id)]
    by_audience = {"prospectId": leads[0], "audienceId": change["targetAudienceId"]}
    assert [each["id"] for each in tenant.walk("/changes", **by_audience)] == [change_id]
    assert tenant.walk("/changes", prospectId=leads[0], kind="move") == []
    # A lead of the same moment that another request has created.
    other = tenant.add_leads(tenant.create_audience(), 1)[0]
    assert [kind for kind, _ in history(tenant, other)] == ["add"]


def test_a_later_import_of_known_people_has_entries(
    tenant: Tenant, imported: tuple[str, list[str]], tmp_path: Path
) -> None:
    change_id, leads = imported
    later, found = bring_in(tenant, tmp_path, "new", [5, 6, 5])
    assert found == leads[5:7]
    assert history(tenant, leads[5]) == [("import", later), ("import", change_id)]
    again, found = bring_in(tenant, tmp_path, "other", [1, 2, 1])
    assert len(found) == 2
    assert history(tenant, found[0]) == [("import", again)]


def test_an_erased_lead_is_in_no_part(tenant: Tenant, imported: tuple[str, list[str]]) -> None:
    change_id, leads = imported
    data_of(tenant.client.delete(f"/prospects/{leads[3]}"))
    listed = [item["prospectId"] for item in tenant.walk(f"/changes/{change_id}/prospects", 200)]
    assert listed == [*leads[:3], ERASED_ID, *leads[4:]]
    assert (key_of(leads[3]),) not in entries(tenant)
    assert tenant.walk("/changes", prospectId=leads[3]) == []


def test_a_merged_lead_takes_its_import_along(tenant: Tenant, imported: tuple[str, list[str]], tmp_path: Path) -> None:
    change_id, leads = imported
    other_change, others = bring_in(tenant, tmp_path, "other", [1, 2])
    data_of(tenant.client.post(f"/prospects/{others[0]}/merge", json={"prospectId": leads[7]}))
    kinds = history(tenant, others[0])
    assert [kind for kind, _ in kinds] == ["merge", "import", "import"]
    assert {id for _, id in kinds[1:]} == {change_id, other_change}
    assert history(tenant, leads[8]) == [("import", change_id)]


def test_an_expired_import_leaves_no_entry(tenant: Tenant, imported: tuple[str, list[str]]) -> None:
    _, leads = imported
    data_of(tenant.client.delete(f"/prospects/{leads[0]}"))

    async def expire(db: Any) -> None:
        while await expire_changes(db, keep_days=-1):
            pass

    on_database(tenant.service.database_url, expire)
    assert entries(tenant) == []
    assert history(tenant, leads[1]) == []


def test_an_undone_import_whose_people_come_back_is_found_again(
    tenant: Tenant, imported: tuple[str, list[str]]
) -> None:
    change_id, leads = imported
    undo = tenant.client.post(f"/changes/{change_id}/undo", json={})
    assert data_of(undo)["undoneCount"] == LEADS
    assert tenant.client.get(f"/prospects/{leads[0]}").status_code == 404
    data_of(tenant.client.post(f"/changes/{undo.headers['Change-Id']}/undo", json={}))
    assert [kind for kind, _ in history(tenant, leads[0])] == ["undo", "undo", "import"]
