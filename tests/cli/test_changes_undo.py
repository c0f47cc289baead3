"""`leadyard changes undo`: what it prints, and what it refuses."""

from __future__ import annotations

from rig.commands import command
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
