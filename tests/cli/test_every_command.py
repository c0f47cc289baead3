"""Rules for every command: help, exit codes, `--json`, sentences instead of stack traces."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from leadyard.ids import id_of, key_of, new_id, number_of
from rig.commands import LEGISLATORS, command
from rig.service import leadyard, run_sql

# Every command, with harmless arguments. Those that run until they are stopped have their own tests.
COMMANDS: dict[str, list[str]] = {
    "serve": [],
    "worker": [],
    "migrate": [],
    "distribute": ["--dry-run"],
    "account-groups create": ["Acme"],
    "account-groups list": [],
    "account-groups update": ["GROUP", "--max-results", "5000"],
    "keys create": ["--account-group", "GROUP", "--permission", "audiences:read"],
    "keys list": [],
    "keys revoke": ["KEY"],
    "keys rotate": ["KEY"],
    "keys check": [],
    "audiences list": ["--account-group", "GROUP"],
    "audiences show": ["Made", "--account-group", "GROUP"],
    "audiences create": ["New", "--account-group", "GROUP"],
    "audiences rename": ["Made", "Named", "--account-group", "GROUP"],
    "audiences delete": ["Made", "--account-group", "GROUP"],
    "people find": ["--audience", "Made", "--account-group", "GROUP"],
    "people show": ["LEAD", "--account-group", "GROUP"],
    "people erase": ["LEAD", "--yes", "--account-group", "GROUP"],
    "move": ["LEAD", "--source", "Made", "--target", "Other", "--account-group", "GROUP"],
    "copy": ["LEAD", "--source", "Made", "--target", "Other", "--account-group", "GROUP"],
    "remove": ["LEAD", "--source", "Made", "--account-group", "GROUP"],
    "jobs list": ["--account-group", "GROUP"],
    "jobs show": ["JOB", "--account-group", "GROUP"],
    "jobs watch": ["JOB", "--account-group", "GROUP"],
    "jobs cancel": ["QUEUED", "--account-group", "GROUP"],
    "jobs rejected": ["JOB", "--account-group", "GROUP", "--output", "OUTPUT"],
    "transfers start": ["remove", "--source", "Made", "--all", "--account-group", "GROUP"],
    "transfers list": ["--account-group", "GROUP"],
    "transfers show": ["TRANSFER", "--account-group", "GROUP"],
    "transfers watch": ["TRANSFER", "--account-group", "GROUP"],
    "transfers cancel": ["TRANSFER", "--account-group", "GROUP"],
    "changes list": ["--account-group", "GROUP"],
    "changes show": ["CHANGE", "--account-group", "GROUP"],
    "changes undo": ["CHANGE", "--account-group", "GROUP"],
    "suppress": [str(LEGISLATORS.with_name("people.csv")), "--account-group", "GROUP"],
    "events list": ["--account-group", "GROUP"],
    "events follow": ["--account-group", "GROUP"],
    "webhooks list": ["--account-group", "GROUP"],
    "webhooks create": ["https://receiver.invalid/", "--account-group", "GROUP"],
    "webhooks rotate-secret": ["WEBHOOK", "--account-group", "GROUP"],
    "webhooks test": ["WEBHOOK", "--account-group", "GROUP"],
    "webhooks deliveries": ["WEBHOOK", "--account-group", "GROUP"],
    "webhooks replay": ["WEBHOOK", "--account-group", "GROUP", "--from", "2026-01-01T00:00:00Z"],
    "webhooks delete": ["WEBHOOK", "--account-group", "GROUP"],
    "example-receiver": [],
    "duplicates list": ["--account-group", "GROUP"],
    "duplicates merge": ["LEAD", "OTHER", "--account-group", "GROUP"],
    "import": [str(LEGISLATORS), "--account-group", "GROUP", "--audience", "A", "--identity-column", "bioguide_id"],
    "export": ["--account-group", "GROUP", "--audience", "Made", "--output", "OUTPUT"],
    "doctor": [],
    "backup": ["OUTPUT"],
    "restore": ["BACKUP"],
    "config": [],
    "example-provider": [str(LEGISLATORS)],
    "mcp": ["--account-group", "GROUP"],
}
SERVING = ("serve", "worker", "example-provider", "example-receiver", "events follow", "mcp")
# They refuse PostgreSQL before they look for it; test_backup.py covers their JSON.
OF_SQLITE_ONLY = ["backup", "restore"]
# It reads standard input, and neither a setting nor a database; test_account_groups_and_keys.py covers its output.
OF_STANDARD_INPUT = ["keys check"]
# They need a cluster and a receiver; test_distribute.py and test_webhooks.py cover their JSON.
OF_ANOTHER_SERVER = ["distribute", "webhooks test"]
ON_A_DATABASE = [name for name in COMMANDS if name not in ("config", *SERVING, *OF_SQLITE_ONLY, *OF_STANDARD_INPUT)]
WITH_OTHERS_BELOW = sorted({name.partition(" ")[0] for name in COMMANDS if " " in name})
SPEAKS_JSON = [name for name in COMMANDS if name not in SERVING]
OUT_OF_REACH = "postgresql://nobody@127.0.0.1:1/nothing"


def arguments_of(name: str, **filled: str) -> list[str]:
    return [*name.split(), *(filled.get(word, word) for word in COMMANDS[name])]


def leaves(help_text: str) -> list[str]:
    return re.findall(r"^  ([a-z-]+)  ", help_text.partition("Commands:")[2], re.MULTILINE)


def test_the_list_above_is_all_there_is() -> None:
    found = []
    for name in leaves(command("--help").out):
        under = leaves(command(name, "--help").out)
        found += [f"{name} {each}" for each in under] or [name]
    assert sorted(found) == sorted(COMMANDS)


@pytest.mark.parametrize("name", [*COMMANDS, "", *WITH_OTHERS_BELOW])
def test_help(name: str) -> None:
    done = command(*name.split(), "--help")
    assert done.code == 0
    assert done.err == ""
    # The help describes the command in a sentence and explains every option.
    assert re.search(r"^  [A-Z][^\n]+[.:]", done.out, re.MULTILINE), done.out
    options = done.out.partition("Options:")[2].partition("Commands:")[0]
    for option in re.findall(r"^  (--[a-z-]+(?: [A-Z_=.]+)?)(.*(?:\n {5,}.*)*)", options, re.MULTILINE):
        assert re.search(r"[A-Z]\w*[,;:]? \w", option[1]), f"{name}: {option[0]} is not explained"


def test_help_tells_settings_and_exit_codes() -> None:
    shown = leadyard("--help", url="")
    assert shown.returncode == 0
    assert "LEADYARD_" in shown.stdout
    assert "Exit codes: 0 success, 1 failure, 2 usage error." in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    "name",
    [name for name in SPEAKS_JSON if name not in (*OF_SQLITE_ONLY, *OF_STANDARD_INPUT, *OF_ANOTHER_SERVER)],
)
def test_json_is_one_object_and_nothing_else(url: str, group: str, name: str, tmp_path: Path) -> None:
    key = command("keys", "create", "--account-group", group, "--permission", "audiences:read", "--json", url=url)
    (tmp_path / "made.csv").write_text("email\nada@example.org\nada@example.net\n")
    made = ["import", str(tmp_path / "made.csv"), "--account-group", group, "--audience", "Made"]
    assert command(*made, url=url).code == 0
    assert command("audiences", "create", "Other", "--account-group", group, url=url).code == 0
    audience = command(
        "export", "--account-group", group, "--audience", "Made", "--output", str(tmp_path / "a.csv"), "--json", url=url
    )
    ids = {"JOB": new_id(), "QUEUED": new_id()}
    for job, status in ((ids["JOB"], "completed"), (ids["QUEUED"], "queued" if name == "jobs cancel" else "failed")):
        run_sql(
            url,
            "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
            " VALUES ($1, $2, 'csv_upload', $3, $4, 1, 1)",
            number_of(group),
            key_of(job),
            status,
            key_of(audience.json()["audience"]["id"]),
        )
    [(change,)] = run_sql(url, "SELECT max(id) FROM changes WHERE account_group_id = $1", number_of(group))
    ids["CHANGE"] = id_of(change)
    leads = run_sql(url, "SELECT id FROM leads WHERE account_group_id = $1 ORDER BY id LIMIT 2", number_of(group))
    ids["LEAD"], ids["OTHER"] = (id_of(lead) for (lead,) in leads)
    if "TRANSFER" in COMMANDS[name]:
        start = [*arguments_of("transfers start", GROUP=group), *(["--no-wait"] if name == "transfers cancel" else [])]
        ids["TRANSFER"] = command(*start, "--json", url=url).json()["transfer"]["jobId"]
    if "WEBHOOK" in COMMANDS[name]:
        ids["WEBHOOK"] = command(*arguments_of("webhooks create", GROUP=group), "--json", url=url).json()["id"]
    filled = arguments_of(name, GROUP=group, KEY=key.json()["id"], OUTPUT=str(tmp_path / "exported.csv"), **ids)
    done = command(*filled, "--json", url=url)
    assert (done.code, done.err) == (0, "")
    assert "error" not in done.json()


@pytest.mark.parametrize("name", SPEAKS_JSON)
def test_json_of_wrong_usage(name: str) -> None:
    done = command(*arguments_of(name), "--json", "--no-such-option")
    assert done.code == 2
    problem = done.json()["error"]
    assert problem["code"] == "WRONG_USAGE"
    assert "--no-such-option" in problem["message"]
    assert "--help" in problem["details"]


@pytest.mark.parametrize("name", ON_A_DATABASE)
def test_a_database_out_of_reach(name: str) -> None:
    filled = arguments_of(name, GROUP=new_id(), KEY=new_id(), JOB=new_id(), QUEUED=new_id(), CHANGE=new_id(), LEAD="1")
    command(*filled, url=OUT_OF_REACH).refused(1, "LEADYARD_DATABASE_URL")
    done = command(*filled, "--json", url=OUT_OF_REACH)
    assert (done.code, done.err) == (1, "")
    assert done.json()["error"]["code"] == "SERVICE_UNAVAILABLE"


@pytest.mark.parametrize("name", [name for name in SPEAKS_JSON if name not in OF_STANDARD_INPUT])
def test_a_wrong_setting(name: str) -> None:
    done = command(*arguments_of(name, GROUP=new_id()), "--json", LEADYARD_PORT="eighty")
    assert (done.code, done.err) == (2, "")
    assert done.json()["error"]["code"] == "BAD_SETTING"
    assert "LEADYARD_PORT='eighty'" in done.json()["error"]["details"]


def test_a_refusal_as_json_says_what_a_person_reads(url: str) -> None:
    missing = new_id()
    read = command("keys", "revoke", missing, url=url)
    problem = command("keys", "revoke", missing, "--json", url=url)
    assert (read.code, problem.code) == (1, 1)
    error = problem.json()["error"]
    assert read.err == f"{error['message']}\n{error['details']}\n"
    assert error["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["keys"], ["keys", "fly"], ["import"], ["import", "x.csv"], ["keys", "revoke"], ["doctor", "now"]],
    ids=" ".join,
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert "Usage: " in done.out + done.err
    assert "Traceback" not in done.err


def test_the_version_is_printed() -> None:
    done = command("--version")
    assert (done.code, done.out, done.err) == (0, f"leadyard {version('leadyard')}\n", "")


def test_a_mistyped_command_is_recognised() -> None:
    command("imprt", "people.csv").refused(2, "No such command 'imprt'. Did you mean 'import'?")
    assert "Did you mean" not in command("fly").err


def test_exit_codes_of_real_processes(url: str, tmp_path: Path) -> None:
    wrong = leadyard("import", "--json", url=url)
    assert wrong.returncode == 2
    assert json.loads(wrong.stdout)["error"]["code"] == "WRONG_USAGE"
    no = leadyard("keys", "revoke", new_id(), "--json", url=url)
    assert no.returncode == 1
    assert json.loads(no.stdout)["error"]["code"] == "NOT_FOUND"
    assert no.stderr == ""


def test_config_lists_values_and_where_they_come_from(tmp_path: Path) -> None:
    shown = command("config", "--json", url="postgresql://u:hush@h/db", LEADYARD_PORT="8123").json()["settings"]
    by_name: dict[str, Any] = {row["name"]: row for row in shown}
    assert by_name["LEADYARD_PORT"]["value"] == "8123"
    assert by_name["LEADYARD_PORT"]["source"] == "environment"
    assert by_name["LEADYARD_HOST"]["source"] == "default"
    assert by_name["LEADYARD_DATABASE_URL"]["value"] == "postgresql://u:***@h/db"
    assert "LEADYARD_PORT=8123  (environment)" in command("config", LEADYARD_PORT="8123").out


def test_the_embedded_database_is_made_where_the_setting_says(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "data"
    done = command("doctor", LEADYARD_DATA_DIR=str(place), LEADYARD_DATABASE_URL="")
    assert done.code == 0, done
    assert (place / "leadyard.db").exists()
    (tmp_path / "file").touch()
    done = command("doctor", LEADYARD_DATA_DIR=str(tmp_path / "file"), LEADYARD_DATABASE_URL="")
    done.refused(2, "LEADYARD_DATA_DIR")


def test_migrate_as_a_process_tells_what_it_did(new_database: Callable[[], str]) -> None:
    done = leadyard("migrate", url=new_database())
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"Migrated from an empty database to \d{4}\.\n", done.stdout)
