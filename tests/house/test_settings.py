"""Every setting is listed and documented, and a wrong value of it stops every command with a message that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

import leadyard
from leadyard.settings.masking import masked
from leadyard.settings.settings import PREFIX, Settings
from rig.commands import command
from rig.service import leadyard as run_leadyard
from script.pages.settings import settings_page

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text()
NAMES = [PREFIX + field.upper() for field in Settings.model_fields]
# A wrong value of each setting; None if every text is valid.
WRONG: dict[str, str | None] = {
    "LEADYARD_PAGE": "perhaps",
    "LEADYARD_PAGE_SESSION_H": "0",
    "LEADYARD_DATA_DIR": "/dev/null/data",
    "LEADYARD_DATABASE_URL": "mysql://u:hush@h/db",
    "LEADYARD_DATABASE_POOL_SIZE": "0",
    "LEADYARD_DATABASE_WAIT_S": "soon",
    "LEADYARD_DATABASE_QUEUE": "-1",
    "LEADYARD_DATABASE_POOLER": "statement",
    "LEADYARD_DATABASE_PLAN_MODE": "fast",
    "LEADYARD_SECRET_KEY": "hush",
    "LEADYARD_CHANGES_KEEP_DAYS": "0",
    "LEADYARD_EVENTS_KEEP_DAYS": "0",
    "LEADYARD_HOST": "not a host",
    "LEADYARD_PORT": "65536",
    "LEADYARD_ADMIN_HOST": "not a host",
    "LEADYARD_ADMIN_PORT": "65536",
    "LEADYARD_READ_TIMEOUT_S": "0",
    "LEADYARD_REQUEST_TIMEOUT_S": "soon",
    "LEADYARD_IDLE_TIMEOUT_S": "0",
    "LEADYARD_STOP_TIMEOUT_S": "0.5",
    "LEADYARD_MAX_CONNECTIONS": "0",
    "LEADYARD_TRACES": "everything",
    "LEADYARD_RATE_LIMITS": "many",
    "LEADYARD_WORKER_IN_SERVE": "perhaps",
    "LEADYARD_WORKER_CONCURRENCY": "0",
    "LEADYARD_WORKER_LEASE_S": "1",
    "LEADYARD_REDIS_URL": "http://:hush@h",
    "LEADYARD_TRUSTED_PROXIES": "everyone",
    "LEADYARD_LOG_LEVEL": "loud",
    "LEADYARD_WEBHOOK_NETWORKS": "everywhere",
    "LEADYARD_PROVIDER_URL": "ftp://provider.example",
    "LEADYARD_PROVIDER_TOKEN": "two words",
    "LEADYARD_MCP": "perhaps",
    "LEADYARD_URL": "ftp://leads.example",
    "LEADYARD_API_KEY": "two words",
    "LEADYARD_PROVIDER_TIMEOUT_S": "0",
}


def test_the_list_above_is_all_there_is() -> None:
    assert sorted(WRONG) == sorted(NAMES), "add a wrong value of the new setting to WRONG"


def test_config_lists_every_setting() -> None:
    listed = command("config", "--json").json()["settings"]
    assert [row["name"] for row in listed] == NAMES
    assert all(row["description"].endswith(".") for row in listed), (
        "every setting has a description that ends with a full stop"
    )
    shown = command("config").out
    assert all(f"{name}=" in shown for name in NAMES)


def test_the_page_of_settings_is_current() -> None:
    assert settings_page() == PAGE, "run script/settings: docs/settings.md is out of date"


def test_every_setting_has_a_row_with_its_default() -> None:
    for field, setting in Settings.model_fields.items():
        row = re.search(rf"^\| `{PREFIX}{field.upper()}` \| (?:`([^`]*)`|empty) \|", PAGE, re.MULTILINE)
        assert row, f"docs/settings.md does not list {field}"
        written = {"None": "", "True": "true"}.get(str(setting.default), str(setting.default))
        assert (row[1] or "") == written, field


def test_the_pages_name_only_settings_that_exist() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        unknown = set(re.findall(rf"\b({PREFIX}[A-Z_]+)\b", page.read_text())) - set(NAMES)
        assert not unknown, f"{page.name} names {unknown}, which Leadyard does not read"


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_value_stops_every_command(name: str) -> None:
    wrong = WRONG[name]
    assert wrong is not None
    for arguments in (["serve", "--port", "0"], ["doctor"], ["account-groups", "list"], ["migrate"]):
        done = command(*arguments, **{"LEADYARD_DATABASE_URL": "", name: wrong})
        done.refused(2, name)
        assert done.err.strip().endswith("."), done.err


def test_a_wrong_value_stops_a_real_process() -> None:
    done = run_leadyard("serve", url="postgresql://u:hush@h:port/db")
    assert (done.returncode, done.stdout) == (2, "")
    assert "LEADYARD_DATABASE_URL=" in done.stderr
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr


def test_all_wrong_values_are_named_at_once() -> None:
    wrong = {"LEADYARD_PORT": "x", "LEADYARD_LOG_LEVEL": "loud"}
    command("doctor", **wrong).refused(2, *wrong)


@pytest.mark.parametrize("value", ["", "postgresql://h:x/db", "postgresql://h:99999/db", "/tmp/x.db", "sqlite://x.db"])
def test_texts_that_are_not_urls(value: str) -> None:
    done = command("doctor", LEADYARD_DATABASE_URL=value or "x")
    done.refused(2, "LEADYARD_DATABASE_URL")


def test_a_password_that_breaks_the_url_is_not_quoted() -> None:
    done = command("doctor", url="postgresql://u:hu/sh@h/db")
    done.refused(2, "LEADYARD_DATABASE_URL='postgresql://u:***@h/db'", "%2F")
    assert "hu" not in done.err


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql://u:hush@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:hu@sh@h:5432/db?sslmode=require", "postgresql://u:***@h:5432/db?sslmode=require"),
        ("postgresql://:hush@h/db", "postgresql://:***@h/db"),
        ("postgresql://h/db?user=u&password=hush&x=1", "postgresql://h/db?user=u&password=***&x=1"),
        ("postgresql://h/db?sslpassword=hush&x=1", "postgresql://h/db?sslpassword=***&x=1"),
        ("postgresql://u@h:5432/db", "postgresql://u@h:5432/db"),
        ("postgresql://u:hush@h1:1,h2:2/db?x=1", "postgresql://u:***@h1:1,h2:2/db?x=1"),
        ("postgresql://u:hush@/db?host=h1,h2", "postgresql://u:***@/db?host=h1,h2"),
        ("postgresql:///db?host=h1,h2&password=hush&x=1", "postgresql:///db?host=h1,h2&password=***&x=1"),
        ("sqlite:///data/leadyard.db", "sqlite:///data/leadyard.db"),
    ],
)
def test_passwords_are_masked(value: str, shown: str) -> None:
    assert masked(value) == shown
    for done in (command("config", url=value), command("config", "--json", url=value)):
        assert shown in done.out
        assert "hush" not in done.out + done.err


@pytest.mark.parametrize("name", ["LEADYARD_DATABASE_URL", "LEADYARD_REDIS_URL"])
@pytest.mark.parametrize("value", ["u:hush@h/0", "redis:/u:hush@h/0", "postgresql:u:hu@hush@h", "h/db?password=hush"])
def test_a_password_in_a_malformed_url_is_not_quoted(name: str, value: str) -> None:
    done = command("doctor", **{name: value})
    done.refused(2, f"{name}='", "***", "must start with")
    assert "hush" not in done.err


def test_what_config_shows_can_be_set() -> None:
    """A file of settings with the listed values results in the same settings."""
    listed = command("config", "--json").json()["settings"]
    shown = {row["name"]: row["value"] for row in listed if not row["name"].endswith("_TOKEN")}
    assert [row["value"] for row in command("config", "--json", **shown).json()["settings"]] == [
        row["value"] for row in listed
    ]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("provider.example", "must be a URL such as"),
        ("https://", "must be a URL such as"),
        ("https://h:port", "must be a URL such as"),
        ("https://h:99999/", "must be a URL such as"),
        ("http://[::1", "must be a URL such as"),
        ("https://provider example", "must be a URL such as"),
        ("https://u:hush@provider.example", "'https://***@provider.example': must not contain a user"),
        ("https://hush@provider.example", "'https://***@provider.example': must not contain a user"),
        ("https://u:hu@hush@provider.example", "'https://***@provider.example': must not contain a user"),
        ("https://provider.example/?key=hush", "'https://provider.example/?***': must not contain a user"),
        ("https://provider.example/#hush", "'https://provider.example/#***': must not contain a user"),
    ],
)
def test_a_wrong_provider_url_is_refused_and_its_secrets_are_not_quoted(url: str, words: str) -> None:
    done = command("doctor", LEADYARD_PROVIDER_URL=url)
    done.refused(2, "LEADYARD_PROVIDER_URL=", words)
    assert "hush" not in done.err


@pytest.mark.parametrize("token", ["hush hush", "hush\n", "hüsh", "hush" * 2_000])
def test_a_wrong_provider_token_is_refused_and_not_quoted(token: str) -> None:
    done = command("doctor", LEADYARD_PROVIDER_TOKEN=token)
    done.refused(2, "LEADYARD_PROVIDER_TOKEN=***")
    assert "hush" not in done.err
    assert "hüsh" not in done.err
    assert "hush" not in command("config", "--json", LEADYARD_PROVIDER_TOKEN=token).out


def test_the_provider_token_is_never_shown() -> None:
    settings = {"LEADYARD_PROVIDER_URL": "https://provider.example/leads", "LEADYARD_PROVIDER_TOKEN": "hush"}
    for done in (command("config", **settings), command("config", "--json", **settings)):
        assert done.code == 0
        assert "https://provider.example/leads" in done.out
        assert "hush" not in done.out + done.err
    # The list shows that a token is set.
    shown = {row["name"]: row for row in command("config", "--json", **settings).json()["settings"]}
    assert (shown["LEADYARD_PROVIDER_TOKEN"]["value"], shown["LEADYARD_PROVIDER_TOKEN"]["source"]) == (
        "**********",
        "environment",
    )
    # A refusal of another setting does not quote it either.
    done = command("doctor", **settings, LEADYARD_PORT="x")
    done.refused(2, "LEADYARD_PORT")
    assert "hush" not in done.err


def test_only_config_reads_the_environment() -> None:
    source = Path(leadyard.__file__).parent
    readers = [
        file.relative_to(source).as_posix()
        for file in source.rglob("*.py")
        if re.search(r"os\.environ|os\.getenv|BaseSettings", file.read_text())
    ]
    # `leadyard config` only checks whether a variable is set, to name the source of a value. misspelled.py reads names.
    assert sorted(readers) == ["cli/configuration.py", "settings/misspelled.py", "settings/settings.py"]


def test_a_misspelled_setting_is_reported_once(tmp_path: Path) -> None:
    """Otherwise a wrong name of the database's URL is a silent use of an empty SQLite file."""
    url = f"sqlite:///{tmp_path / 'here.db'}"
    done = run_leadyard(
        "account-groups",
        "list",
        "--json",
        url=url,
        LEADYARD_DATABSE_URL="x://u:hush@h",
        LEADYARD_RECEIVER_SECRET="hush",
        LEADYARD_VERSION="1",
    )
    assert done.returncode == 0
    assert '"items"' in done.stdout
    meant = "Did you mean LEADYARD_DATABASE_URL?"
    assert done.stderr == f"Warning: LEADYARD_DATABSE_URL is not a setting, and is ignored. {meant}\n"


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    """A log line or a traceback may print all of them."""
    settings = Settings(
        database_url=SecretStr("postgresql://u:hush@h/db"),
        redis_url=SecretStr("redis://u:hush@h/0"),
        provider_token=SecretStr("hush"),
    )
    assert "hush" not in repr(settings) + str(settings)
    assert settings.resolved_database_url() == "postgresql://u:hush@h/db"
