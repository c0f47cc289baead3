"""The secret key: one for the installation, in a file beside an embedded database, and never exchanged unnoticed."""

from __future__ import annotations

import asyncio
import hmac
import os
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from leadyard.database import Database
from leadyard.errors import BadSetting, LeadyardError, SecretKeyDiffers, SecretKeyMissing
from leadyard.operations.secret_keys import refuse_other_secret_key, usable_secret_key
from leadyard.secret_key import MIN_LENGTH, SecretKey
from leadyard.settings.secret_key_file import FILE_NAME, read_or_make_secret
from leadyard.store.db import open_database
from rig.service import LEADYARD, leadyard

ONE, OTHER = "one-secret-key-with-32-characters", "other-secret-key-with-32-characters"


def test_each_purpose_has_a_key_of_its_own_and_each_process_the_same() -> None:
    """Compared with HKDF of RFC 5869, written out: extract with the salt, expand with the purpose to one block."""
    root = hmac.new(b"leadyard", ONE.encode(), sha256).digest()
    expected = hmac.new(root, b"suppression\x01", sha256).digest()
    assert SecretKey(ONE).derived("suppression") == SecretKey(ONE).derived("suppression") == expected
    keys = {SecretKey(text).derived(purpose) for text in (ONE, OTHER) for purpose in ("suppression", "webhooks")}
    assert len(keys) == 4
    assert SecretKey(ONE).check_value != SecretKey(OTHER).check_value
    assert ONE not in repr(SecretKey(ONE))


def test_the_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: read_or_make_secret(tmp_path), range(32)))
    assert len(made) == 1
    assert len(made.pop()) >= MIN_LENGTH
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"too short\n", b"\xff" * 40])
def test_a_file_without_a_key_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(BadSetting) as refused:
        read_or_make_secret(tmp_path)
    assert str(tmp_path / FILE_NAME) in refused.value.details
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_command_makes_the_file_beside_the_database(tmp_path: Path) -> None:
    environment = {**os.environ, "LEADYARD_DATABASE_URL": "", "LEADYARD_DATA_DIR": str(tmp_path / "data")}
    environment.pop("LEADYARD_SECRET_KEY", None)
    run = [*LEADYARD, "account-groups", "create", "Acme"]
    processes = [subprocess.Popen(run, env=environment, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    first = (tmp_path / "data" / FILE_NAME).read_text()
    assert len(first.strip()) >= MIN_LENGTH
    assert subprocess.run(run, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert (tmp_path / "data" / FILE_NAME).read_text() == first


def outcome(url: str, key: str | None, work: Callable[[Database], object]) -> type[LeadyardError] | None:
    """Returns the refusal of the work in a process with this key, None if it is done."""

    async def run() -> type[LeadyardError] | None:
        db = open_database(url, pool_size=2, wait_s=30, secret_key=SecretKey(key) if key else None)
        try:
            await work(db)  # type: ignore[misc]
        except (SecretKeyMissing, SecretKeyDiffers) as refused:
            return type(refused)
        finally:
            await db.close()
        return None

    return asyncio.run(run())


def test_the_first_use_decides_which_key_the_database_has(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()
    # Before the first use nothing depends on a key, so each process may start.
    for key in (None, ONE, OTHER):
        assert outcome(url, key, refuse_other_secret_key) is None
    assert outcome(url, None, usable_secret_key) is SecretKeyMissing
    assert outcome(url, ONE, usable_secret_key) is None
    for work in (usable_secret_key, refuse_other_secret_key):
        assert outcome(url, ONE, work) is None
        assert outcome(url, OTHER, work) is SecretKeyDiffers
        assert outcome(url, None, work) is SecretKeyMissing


def test_of_two_first_uses_with_different_keys_one_is_refused(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()

    async def use_both() -> list[object]:
        both = [open_database(url, pool_size=2, wait_s=30, secret_key=SecretKey(key)) for key in (ONE, OTHER)]
        try:
            return await asyncio.gather(*(usable_secret_key(db) for db in both), return_exceptions=True)
        finally:
            for db in both:
                await db.close()

    results = asyncio.run(use_both())
    assert sorted(type(each).__name__ for each in results) == ["SecretKey", "SecretKeyDiffers"]


def test_the_service_does_not_start_with_another_key(migrated_database: Callable[[], str], tmp_path: Path) -> None:
    url = migrated_database()
    assert outcome(url, ONE, usable_secret_key) is None
    for command in (("serve", "--port", "0"), ("worker",)):
        refused = leadyard(*command, url=url, LEADYARD_SECRET_KEY=OTHER)
        assert refused.returncode == 1
        assert "The database was used with another secret key." in refused.stderr
        assert "LEADYARD_SECRET_KEY" in refused.stderr
        assert OTHER not in refused.stderr
