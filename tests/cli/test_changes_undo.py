"""`leadyard changes`: what show and undo print, and what an undo refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.commands import command
from rig.people_commands import DOORS, ON_DATABASE, through
from rig.racing import assert_healthy
from rig.service import Tenant


def test_a_change_is_undone_by_command(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 3)
    moved = tenant.move(here, there, leads).headers["Change-Id"]
    tenant.move(there, here, leads[:1])
    url, where = tenant.service.database_url, ("--account-group", tenant.account_group_id)

    refused = command("changes", "undo", moved, *where, url=url)
    refused.refused(1, "1 lead has been changed since")
    assert command("changes", "undo", moved, *where, "--json", url=url).json()["error"]["leadIds"] == leads[:1]
    done = command("changes", "undo", moved, *where, "--skip-changed", "--json", url=url)

    assert (done.code, done.err) == (0, "")
    answer = done.json()
    assert {key: value for key, value in answer.items() if key != "change"} == {
        "undoneCount": 2,
        "skippedCount": 1,
        "keptEdits": None,
    }
    change = answer["change"]
    assert (change["kind"], change["undoesChangeId"], change["apiKeyId"]) == ("undo", moved, None)
    assert sorted(tenant.members(here)) == sorted(leads)
    again = command("changes", "undo", change["id"], *where, url=url)
    assert again.code == 0 and again.out.startswith("Undone: 2 leads, by change ")
    assert sorted(tenant.members(there)) == sorted(leads[1:])
    command("changes", "undo", moved, *where, url=url).refused(1, change["id"])
    assert_healthy(tenant)


@pytest.mark.parametrize("door", DOORS)
def test_the_lists_have_the_names_of_audiences(tenant: Tenant, door: str) -> None:
    spring, replied = tenant.create_audience("Spring\u202e  campaign"), tenant.create_audience("Replied")
    tenant.move(spring, replied, tenant.add_leads(spring, 1))
    copy = ("transfers", "start", "copy", "--source", replied, "--target", spring, "--all")
    started = through(tenant, ON_DATABASE, *copy)
    assert "(copy from Replied to Spring campaign) is completed" in started.out
    assert "Spring campaign -> Replied\n" in through(tenant, door, "changes", "list", "--kind", "move").out
    assert "Replied -> Spring campaign\n" in through(tenant, door, "transfers", "list").out
    tenant.client.delete(f"/audiences/{replied}")
    assert f"Spring campaign -> {replied}\n" in through(tenant, door, "changes", "list", "--kind", "move").out
    undone = through(tenant, door, "changes", "list", "--kind", "move", "--json").json()["items"]
    assert [(each["sourceAudienceId"], each["targetAudienceId"]) for each in undone] == [(spring, replied)]


@pytest.mark.parametrize("door", DOORS)
def test_the_values_that_an_import_has_replaced_are_shown(tenant: Tenant, tmp_path: Path, door: str) -> None:
    file = tmp_path / "people.csv"
    where = ("--account-group", tenant.account_group_id, "--audience", "Spring", "--on-known", "update", "--json")
    for title in ("Analyst", "Countess\u202e"):
        file.write_text(f"email,title,city\nada@r.example,{title},London\nkim@r.example,Sales,\n")
        imported = command("import", str(file), *where, url=tenant.service.database_url)
    change, ada = imported.json()["changeId"], tenant.ids_by_email("ada@r.example")["ada@r.example"]

    text = through(tenant, door, "changes", "show", change)
    assert f"Replaced values:\n  {ada}  title: 'Analyst' -> 'Countess" in text.out and "\u202e" not in text.out
    shown = through(tenant, door, "changes", "show", change, "--json").json()["replacedValues"]
    assert [(each["field"], each["oldValue"]) for each in shown["items"]] == [("title", "Analyst")]
    assert shown["items"][0]["prospectId"] == ada and shown["hasMore"] is False

    undone = through(tenant, door, "changes", "undo", change, "--json").json()
    shown = through(tenant, door, "changes", "show", undone["change"]["id"], "--json").json()["replacedValues"]
    assert [each["newValue"] for each in shown["items"]] == ["Analyst"]
