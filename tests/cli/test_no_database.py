"""An unusable database: every command prints the reason, and what to do, in sentences and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rig.service import leadyard, run_sql

COMMANDS = [["serve", "--port", "0"], ["migrate"], ["doctor"], ["account-groups", "list"]]


def _refused(url: str, *words: str, arguments: list[str]) -> None:
    # As a process, because the operator also reads what its threads print at the end.
    done = leadyard(*arguments, url=url, timeout_s=30)
    assert (done.returncode, done.stdout) == (1, ""), done
    first, second = done.stderr.splitlines()
    assert first == "The database cannot be reached or is too busy at the moment."
    assert second.endswith(".")
    for word in words:
        assert word in second, second


@pytest.fixture
def unusable(backend: str, url: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, tuple[str, ...]]:
    """URL → the words that the message must contain."""
    if backend == "sqlite":
        (tmp_path / "folder").mkdir()
        (tmp_path / "text").write_text("This is no database, and longer than its header would be. " * 20)
        return {
            f"sqlite:///{tmp_path}/folder": ("unable to open database file", f"{tmp_path}/folder must be"),
            f"sqlite:///{tmp_path}/missing/x.db": ("unable to open database file", "a folder that exists"),
            f"sqlite:///{tmp_path}/text": ("file is not a database", f"{tmp_path}/text must be"),
        }
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    closed = new_database()
    name = urlsplit(closed).path.removeprefix("/")
    run_sql(url, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    there = urlsplit(url)
    at = there.netloc.rpartition("@")[2]
    return {
        there._replace(path="/nobody_made_this").geturl(): ('"nobody_made_this" does not exist', "createdb"),
        there._replace(netloc=f"nobody:hush@{at}").geturl(): ('"nobody"', "user and the password"),
        there._replace(netloc="u:hush@127.0.0.1:1").geturl(): ("127.0.0.1", "is running and accepts connections"),
        there._replace(netloc="u:hush@nowhere.invalid").geturl(): ("LEADYARD_DATABASE_URL",),
        f"{url.partition('?')[0]}?sslmode=hush": ("LEADYARD_DATABASE_URL cannot be used", "must be one of: disable"),
        f"{url.partition('?')[0]}?sslmode=verify-full": ("root certificate file", "does not exist"),
        closed: (f'"{name}" is not currently accepting connections', "accepts connections"),
    }


def test_it_is_said_why_the_database_cannot_be_used(unusable: dict[str, tuple[str, ...]]) -> None:
    for number, (url, words) in enumerate(unusable.items()):
        _refused(url, *words, arguments=COMMANDS[number % len(COMMANDS)])


def test_no_password_is_told(unusable: dict[str, tuple[str, ...]]) -> None:
    for url in unusable:
        assert "hush" not in leadyard("doctor", url=url, timeout_s=30).stderr
