"""`leadyard account-groups` and `leadyard keys`: tenants, secrets shown once, expiry, revocation."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from leadyard.clock import now_ms, to_iso
from leadyard.ids import key_of, new_id
from leadyard.model import Permission
from rig.commands import command, new_group
from rig.service import leadyard, run_sql

DAY_MS = 86_400_000


def everything_in(url: str) -> str:
    """Returns the whole content of the database, as text."""
    if url.startswith("sqlite:"):
        path = Path(url.removeprefix("sqlite:///"))
        return "".join(file.read_bytes().decode("latin-1") for file in path.parent.glob(f"{path.name}*"))

    async def dump() -> str:
        connection: Any = await asyncpg.connect(url)
        try:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            texts = [await connection.fetch(f"SELECT row_to_json(t)::text FROM {name} t") for (name,) in tables]
            return "\n".join(row[0] for rows in texts for row in rows)
        finally:
            await connection.close()

    return asyncio.run(dump())


def make_key(url: str, group: str, *more: str) -> dict[str, Any]:
    made = command(
        "keys", "create", "--account-group", group, "--permission", "audiences:read", *more, "--json", url=url
    )
    assert made.code == 0, made
    return made.json()


def test_a_tenant_and_its_key_from_the_shell(url: str) -> None:
    """The whole path in separate processes, as an operator runs it."""
    made = leadyard("account-groups", "create", "  Acme & Söhne ", url=url)
    assert made.returncode == 0, made.stderr
    match = re.fullmatch(r"Created account group ([0-9a-f]{24}) \(Acme & Söhne\)\.\n", made.stdout)
    assert match, made.stdout
    key = leadyard(
        "keys", "create", "--account-group", match[1], "--permission", "audiences:read,audiences:write", url=url
    )
    assert key.returncode == 0, key.stderr
    assert "will not be shown again" in key.stdout
    secret = key.stdout.splitlines()[-1]
    assert re.fullmatch(r"sk_live_[0-9a-f]{56}", secret)
    listed = leadyard("keys", "list", url=url)
    assert "audiences:read,audiences:write" in listed.stdout
    assert secret not in listed.stdout + leadyard("keys", "list", "--json", url=url).stdout
    assert match[1] in leadyard("account-groups", "list", url=url).stdout


def test_account_groups_are_listed_oldest_first(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()
    assert command("account-groups", "list", "--json", url=url).json() == {"items": []}
    assert "leadyard account-groups create NAME" in command("account-groups", "list", url=url).out
    ids = [new_group(url, name) for name in ("b", "a", "a")]
    items = command("account-groups", "list", "--json", url=url).json()["items"]
    assert [(item["id"], item["name"]) for item in items] == list(zip(ids, ("b", "a", "a"), strict=True))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", items[0]["createdAt"])


def test_the_results_of_a_job_can_be_limited(url: str, group: str) -> None:
    def limit_of(account_group_id: str) -> int:
        items = command("account-groups", "list", "--json", url=url).json()["items"]
        (limit,) = [item["maxResults"] for item in items if item["id"] == account_group_id]
        return int(limit)

    other = new_group(url)
    assert limit_of(group) == 2_000
    done = command("account-groups", "update", group, "--max-results", "1000000", "--json", url=url)
    assert (done.json()["id"], done.json()["maxResults"]) == (group, 1_000_000)
    assert (limit_of(group), limit_of(other)) == (1_000_000, 2_000)
    assert "maxResults 1000000" in command("account-groups", "list", url=url).out
    assert "1,000,000" in command("account-groups", "update", group, "--max-results", "1000000", url=url).out
    for wrong in ("0", "1000001", "many"):
        command("account-groups", "update", group, "--max-results", wrong, url=url).refused(2, "--max-results")
    command("account-groups", "update", new_id(), "--max-results", "5", url=url).refused(1, "account group")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines"])
def test_a_name_that_is_none_is_wrong_usage(url: str, name: str) -> None:
    command("account-groups", "create", name, url=url).refused(2, "NAME", "200")


def test_only_a_hash_of_the_secret_is_kept(url: str, group: str) -> None:
    key = make_key(url, group)
    kept = everything_in(url)
    assert key["key"] not in kept
    assert key["key"].removeprefix("sk_live_")[:20] not in kept
    assert hashlib.sha256(key["key"].encode()).hexdigest() in kept, "we looked in the wrong place"


def test_a_key_tells_what_it_may_and_until_when(url: str, group: str) -> None:
    second = new_group(url)
    key = make_key(url, group, "--account-group", second, "--permission", "prospects:read", "--name", "CRM sync")
    assert (key["name"], key["state"], key["expiresAt"], key["revokedAt"]) == ("CRM sync", "valid", None, None)
    assert key["permissions"] == ["audiences:read", "prospects:read"]
    assert key["accountGroupIds"] == [group, second]
    mine = [item for item in command("keys", "list", "--json", url=url).json()["items"] if item["id"] == key["id"]]
    assert mine == [{name: value for name, value in key.items() if name != "key"}]


@pytest.mark.parametrize(
    ("text", "length_ms"), [("30m", 1_800_000), ("12h", DAY_MS // 2), ("90d", 90 * DAY_MS), ("4w", 28 * DAY_MS)]
)
def test_expiry(url: str, group: str, text: str, length_ms: int) -> None:
    before = now_ms()
    key = make_key(url, group, "--expires-in", text)
    assert to_iso(before + length_ms) <= key["expiresAt"] <= to_iso(now_ms() + length_ms)


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5h", "90 days", "1y", "9999999d", "٣d"])
def test_a_length_of_time_that_is_none_is_wrong_usage(url: str, group: str, text: str) -> None:
    done = command(
        "keys", "create", "--account-group", group, "--permission", "audiences:read", f"--expires-in={text}", url=url
    )
    done.refused(2, "--expires-in", "90d")


def test_wrong_usage_when_a_key_is_made(url: str, group: str) -> None:
    unknown = command("keys", "create", "--account-group", group, "--permission", "audiences:admin", url=url)
    unknown.refused(2, "'audiences:admin'", *Permission)
    for arguments in (
        ["--account-group", "", "--permission", "audiences:read"],
        ["--account-group", group, "--permission", ","],
    ):
        command("keys", "create", *arguments, url=url).refused(2, "at least one")
    command("keys", "create", "--account-group", group, url=url).refused(2, "--permission")


@pytest.mark.parametrize("action", ["revoke", "rotate"])
def test_a_secret_in_place_of_an_id_is_not_repeated(url: str, group: str, action: str) -> None:
    key = make_key(url, group)
    done = command("keys", action, key["key"], url=url)
    done.refused(2, "leadyard keys list")
    assert key["key"] not in done.err and "Invalid value" not in done.err


def test_an_unknown_group_makes_no_key(url: str, group: str) -> None:
    before = command("keys", "list", "--json", url=url).out
    missing = new_id()
    arguments = ["--account-group", group, "--account-group", missing, "--permission", "audiences:read"]
    command("keys", "create", *arguments, url=url).refused(1, missing, "account group was not found")
    assert command("keys", "list", "--json", url=url).out == before


def test_revoking(url: str, group: str) -> None:
    key = make_key(url, group)
    first = command("keys", "revoke", key["id"], "--json", url=url)
    assert (first.code, first.json()) == (0, {"id": key["id"], "revoked": True, "changed": True})
    again = command("keys", "revoke", key["id"], url=url)
    assert (again.code, again.out) == (0, f"Key {key['id']} was already revoked.\n")
    listed = command("keys", "list", "--json", url=url).json()["items"]
    assert [item["state"] for item in listed if item["id"] == key["id"]] == ["revoked"]
    missing = new_id()
    command("keys", "revoke", missing, url=url).refused(1, missing, "API key")


# ------------------------------------------------------------------------------------------------------------- rotating


def listed(url: str, key_id: str) -> dict[str, Any]:
    items = command("keys", "list", "--json", url=url).json()["items"]
    (found,) = [item for item in items if item["id"] == key_id]
    return dict(found)


def test_a_rotated_key_has_an_heir_and_a_day_to_live(url: str, group: str) -> None:
    second = new_group(url)
    old = make_key(url, group, "--account-group", second, "--name", "CRM", "--expires-in", "90d")
    before = now_ms()
    new = command("keys", "rotate", old["id"], "--json", url=url).json()
    assert re.fullmatch(r"sk_live_[0-9a-f]{56}", new["key"])
    assert new["key"] != old["key"]
    assert new["oldId"] == old["id"] != new["id"]
    for name in ("name", "permissions", "accountGroupIds", "expiresAt"):
        assert new[name] == old[name], name
    assert to_iso(before + DAY_MS) <= new["oldExpiresAt"] <= to_iso(now_ms() + DAY_MS)
    assert (listed(url, old["id"])["expiresAt"], listed(url, old["id"])["state"]) == (new["oldExpiresAt"], "valid")
    assert listed(url, new["id"])["state"] == "valid"
    assert hashlib.sha256(new["key"].encode()).hexdigest() in everything_in(url)
    assert new["key"] not in everything_in(url)


def test_how_long_the_old_key_still_works(url: str, group: str) -> None:
    at_once = make_key(url, group)
    shown = command("keys", "rotate", at_once["id"], "--overlap", "0", url=url)
    assert re.fullmatch(r"sk_live_[0-9a-f]{56}", shown.out.splitlines()[-1])
    assert "will not be shown again" in shown.out
    assert listed(url, at_once["id"])["state"] == "expired"
    sooner = make_key(url, group, "--expires-in", "30m")
    rotated = command("keys", "rotate", sooner["id"], "--overlap", "1w", "--json", url=url).json()
    assert rotated["oldExpiresAt"] == rotated["expiresAt"] == sooner["expiresAt"], "an overlap makes no key live longer"
    for text in ("", "1", "-1h", "0h", "soon"):
        command("keys", "rotate", sooner["id"], f"--overlap={text}", url=url).refused(2, "--overlap", "12h")


def test_what_is_no_valid_key_has_no_heir(url: str, group: str) -> None:
    revoked, expired = make_key(url, group), make_key(url, group)
    command("keys", "revoke", revoked["id"], url=url)
    command("keys", "rotate", expired["id"], "--overlap", "0", url=url)
    before = command("keys", "list", "--json", url=url).out
    for key in (revoked, expired):
        command("keys", "rotate", key["id"], url=url).refused(1, "revoked or expired", "leadyard keys create")
    missing = new_id()
    command("keys", "rotate", missing, url=url).refused(1, missing, "API key")
    assert command("keys", "list", "--json", url=url).out == before


def test_when_a_key_was_last_used_is_listed(url: str, group: str) -> None:
    key = make_key(url, group)
    assert key["lastUsedAt"] is None
    assert listed(url, key["id"])["lastUsedAt"] is None
    run_sql(url, "UPDATE api_keys SET last_used_at = $1 WHERE id = $2", 1_800_000_000_123, key_of(key["id"]))
    assert listed(url, key["id"])["lastUsedAt"] == "2027-01-15T08:00:00.123Z"
    assert "last used: 2027-01-15T08:00:00.123Z" in command("keys", "list", url=url).out


# ------------------------------------------------------------------------------------------------------------- checking


def check(text: str, *more: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    # The database is unreachable, and the command must not need it.
    done = command("keys", "check", *more, url="postgresql://127.0.0.1:1/none")
    assert text.strip() == "" or text.strip() not in done.out + done.err
    return done.code, done.out


def test_a_secret_is_checked_without_a_database(url: str, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = make_key(url, group)["key"]
    assert check(f"{secret}\n", monkeypatch=monkeypatch) == (0, "Well-formed.\n")
    assert check(secret, "--json", monkeypatch=monkeypatch) == (0, '{"wellFormed": true}\n')
    mistyped = secret[:20] + ("1" if secret[20] == "0" else "0") + secret[21:]
    for wrong in ("", "\n", secret[:-1], secret + "0", mistyped, secret.upper(), "sk_test_" + secret[8:], "x" * 20_000):
        code, said = check(wrong, monkeypatch=monkeypatch)
        assert (code, said.startswith("Not a valid Leadyard key")) == (1, True), wrong[:80]
    assert check("x", "--json", monkeypatch=monkeypatch) == (1, '{"wellFormed": false}\n')


def test_only_the_id_or_the_secret_for_scripts(url: str) -> None:
    made = command("account-groups", "create", "Acme", "--id", url=url)
    assert re.fullmatch(r"[0-9a-f]{24}\n", made.out), made
    group = made.out.strip()
    assert group in command("account-groups", "list", url=url).out
    key = command("keys", "create", "--account-group", group, "--permission", "audiences:read", "--secret", url=url)
    assert re.fullmatch(r"sk_live_[0-9a-f]{56}\n", key.out), key
    hashed = hashlib.sha256(key.out.strip().encode()).hexdigest()
    assert run_sql(url, "SELECT count(*) FROM api_keys WHERE secret_hash = $1", hashed) == [(1,)]


def test_one_command_has_one_output(url: str, group: str) -> None:
    for arguments, option in (
        (["account-groups", "create", "Acme"], "--id"),
        (["keys", "create", "--account-group", group, "--permission", "audiences:read"], "--secret"),
    ):
        refused = command(*arguments, option, "--json", url=url)
        assert refused.code == 2
        assert f"Choose --json or {option}" in refused.json()["error"]["message"]
    keys = command("keys", "list", "--json", url=url).json()["items"]
    assert not [each for each in keys if group in each["accountGroupIds"]], "a refused command makes nothing"
