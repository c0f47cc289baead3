"""`--json` prints one JSON object on stdout and nothing else, also when a command logs: the log is on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leadyard.cli.commands import COMMANDS
from rig.racing import on_postgresql_only
from rig.service import leadyard, run_sql

PEOPLE = "email\nada@example.org\n"


@pytest.fixture
def read_only(migrated_database: Callable[[], str], tmp_path: Path) -> tuple[str, str, str, str]:
    """The URL of a database that takes no more writes, and an account group, an audience and a key in it."""
    url = migrated_database()
    group = json.loads(leadyard("account-groups", "create", "Acme", "--json", url=url).stdout)["id"]
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    done = leadyard("import", str(file), "--account-group", group, "--audience", "A", "--json", url=url)
    audience = json.loads(done.stdout)["audience"]["id"]
    wanted = ["--name", "k", "--account-group", group, "--permission", "prospects:read"]
    key = json.loads(leadyard("keys", "create", *wanted, "--json", url=url).stdout)["id"]
    [(name,)] = run_sql(url, "SELECT current_database()")
    run_sql(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    return url, group, audience, key


def commands(group: str, audience: str, key: str, file: Path) -> dict[str, list[str]]:
    """Returns every command that takes --json, with arguments that make it use the database."""
    of_group = ["--account-group", group]
    some_id, other_id = "0" * 24, "1" * 24
    file.write_text(PEOPLE.replace("ada", "grace"))
    return {
        "migrate": ["migrate"],
        "import": ["import", str(file), *of_group, "--audience", "B"],
        "export": ["export", *of_group, "--audience", audience, "--output", f"{file}.out"],
        "doctor": ["doctor"],
        "backup": ["backup", f"{file}.backup"],
        "restore": ["restore", str(file)],
        "config": ["config"],
        "distribute": ["distribute"],
        "account-groups create": ["account-groups", "create", "B"],
        "account-groups list": ["account-groups", "list"],
        "account-groups update": ["account-groups", "update", group, "--max-results", "5"],
        "keys create": ["keys", "create", "--name", "k", *of_group, "--permission", "prospects:read"],
        "keys list": ["keys", "list"],
        "keys revoke": ["keys", "revoke", key],
        "keys rotate": ["keys", "rotate", key],
        "audiences list": ["audiences", "list", *of_group],
        "audiences show": ["audiences", "show", audience, *of_group],
        "audiences create": ["audiences", "create", "B", *of_group],
        "audiences rename": ["audiences", "rename", audience, "B", *of_group],
        "audiences delete": ["audiences", "delete", audience, *of_group],
        "people find": ["people", "find", "--audience", audience, *of_group],
        "people show": ["people", "show", some_id, *of_group],
        "people erase": ["people", "erase", some_id, "--yes", *of_group],
        "move": ["move", some_id, "--source", audience, "--target", other_id, *of_group],
        "copy": ["copy", some_id, "--source", audience, "--target", other_id, *of_group],
        "remove": ["remove", "--all", "--source", audience, *of_group],
        "jobs list": ["jobs", "list", *of_group],
        "jobs show": ["jobs", "show", some_id, *of_group],
        "jobs watch": ["jobs", "watch", some_id, *of_group],
        "jobs cancel": ["jobs", "cancel", some_id, *of_group],
        "transfers start": ["transfers", "start", "remove", *of_group, "--source", audience, "--all"],
        "transfers list": ["transfers", "list", *of_group],
        "transfers show": ["transfers", "show", some_id, *of_group],
        "transfers watch": ["transfers", "watch", some_id, *of_group],
        "transfers cancel": ["transfers", "cancel", some_id, *of_group],
        "changes list": ["changes", "list", *of_group],
        "changes show": ["changes", "show", some_id, *of_group],
        "changes undo": ["changes", "undo", some_id, *of_group],
        "suppress": ["suppress", str(file), *of_group],
        "events list": ["events", "list", *of_group],
        "duplicates list": ["duplicates", "list", *of_group],
        "duplicates merge": ["duplicates", "merge", some_id, other_id, *of_group],
        "webhooks list": ["webhooks", "list", *of_group],
        "webhooks create": ["webhooks", "create", "https://receiver.example/", *of_group],
        "webhooks rotate-secret": ["webhooks", "rotate-secret", some_id, *of_group],
        "webhooks test": ["webhooks", "test", some_id, *of_group],
        "webhooks deliveries": ["webhooks", "deliveries", some_id, *of_group],
        "webhooks replay": ["webhooks", "replay", some_id, *of_group, "--from", "2026-01-01T00:00:00Z"],
        "webhooks delete": ["webhooks", "delete", some_id, *of_group],
        "jobs rejected": ["jobs", "rejected", some_id, *of_group, "--output", f"{file}.rejected"],
    }


# Run until they are stopped, or have no result to print. `events follow` prints an object for each event.
WITHOUT_JSON = {"serve", "worker", "example-provider", "example-receiver", "events follow", "keys check", "mcp"}
WRITES = {"import", "suppress", "transfers start", "account-groups create", "account-groups update"} | {
    f"keys {change}" for change in ("create", "revoke", "rotate")
}


@on_postgresql_only
def test_stdout_is_the_object_alone_on_a_read_only_database(
    read_only: tuple[str, str, str, str], tmp_path: Path
) -> None:
    url, group, audience, key = read_only
    for name, arguments in commands(group, audience, key, tmp_path / "more.csv").items():
        done = leadyard(*arguments, "--json", url=url)
        printed = json.loads(done.stdout)
        assert isinstance(printed, dict), (name, done)
        assert "Traceback" not in done.stderr, (name, done)
        if name in WRITES:
            assert done.returncode == 1, (name, done)
            assert "read-only" in printed["error"]["message"], (name, printed)
            assert "target_session_attrs" in printed["error"]["details"], (name, printed)
            lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
            assert [line["event"] for line in lines] == ["database_read_only"], (name, done)


def test_the_list_of_commands_is_complete(tmp_path: Path) -> None:
    listed = {name.partition(" ")[0] for name in commands("", "", "", tmp_path / "x.csv")} | WITHOUT_JSON
    assert {name.partition(" ")[0] for name in listed} == set(COMMANDS)
