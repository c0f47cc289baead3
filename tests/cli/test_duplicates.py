"""`leadyard duplicates`: what was imported twice is listed, merged, and listed no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from leadyard.ids import new_id
from rig.commands import command, new_group


def test_a_pair_is_listed_and_merged(migrated_database: Callable[[], str], tmp_path: Path) -> None:
    url = migrated_database()
    group = ("--account-group", new_group(url))
    file = tmp_path / "people.csv"
    file.write_text(
        "email,name,company name\nada@a.example,Ada L,Acme Ltd\nada@b.example,Ada L,ACME\nx@y.example,X,Y\n"
    )
    assert command("import", str(file), *group, "--audience", "A", url=url).code == 0

    [found] = command("duplicates", "list", *group, "--json", url=url).json()["items"]
    assert found["reason"] == "name_and_company"
    kept, other = found["prospects"]
    assert {kept["email"], other["email"]} == {"ada@a.example", "ada@b.example"}
    shown = command("duplicates", "list", *group, url=url)
    for lead in (kept, other):
        assert f"  {lead['id']}  Ada L, {lead['company']['name']}, {lead['email']}\n" in shown.out

    command("duplicates", "merge", kept["id"], new_id(), *group, url=url).refused(1, "prospect")
    command("duplicates", "merge", kept["id"], kept["id"], *group, url=url).refused(1, "itself")
    command("duplicates", "merge", "abc", other["id"], *group, url=url).refused(2, "PROSPECT_ID must be an id")
    command("duplicates", "merge", kept["id"], "abc", *group, url=url).refused(2, "OTHER_ID must be an id")
    merged = command("duplicates", "merge", kept["id"], other["id"], *group, "--json", url=url).json()
    assert (merged["prospect"], merged["audienceCount"]) == (kept, 1)
    changes = command("changes", "list", *group, "--kind", "merge", "--json", url=url).json()["items"]
    assert [each["id"] for each in changes] == [merged["changeId"]]
    assert command("duplicates", "list", *group, url=url).out == "No duplicates found.\n"
    assert command("doctor", "--json", url=url).json()["healthy"]
