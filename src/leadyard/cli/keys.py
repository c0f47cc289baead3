"""`leadyard keys …`: API keys."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any

import typer

from leadyard.cli.output import AsJson, print_json, refusals, refuse_both, with_database, wrong_usage
from leadyard.clock import now_ms, to_iso
from leadyard.model import ApiKey, Permission

app = typer.Typer(help="Create, list, rotate, revoke and check API keys.", no_args_is_help=True)

_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PERMISSIONS = ", ".join(Permission)
_LONGEST_LINE = 10_000


@app.command("create")
def create(
    account_group: Annotated[
        list[str], typer.Option(metavar="ID", help="An account group that the key may use. Can be given several times.")
    ],
    permission: Annotated[
        list[str], typer.Option(metavar="P", help=f"Can be given several times. One of: {_PERMISSIONS}.")
    ],
    name: Annotated[str | None, typer.Option(help="Label for the key.")] = None,
    expires_in: Annotated[
        str | None, typer.Option(metavar="90d", help="Minutes, hours, days or weeks: 30m, 12h, 90d, 4w.")
    ] = None,
    only_secret: Annotated[
        bool, typer.Option("--secret", help="Print the secret and nothing else, for scripts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create an API key and print its secret. It is shown only once, because Leadyard stores only a hash of it."""
    from leadyard.operations.api_keys import create_api_key

    refuse_both("--secret", only_secret, as_json=as_json)
    groups, permissions = _split(account_group), [_permission(each) for each in _split(permission)]
    if not groups or not permissions:
        raise wrong_usage("A key needs at least one account group and at least one permission.")
    expires_at = None if expires_in is None else now_ms() + _milliseconds(expires_in)
    with refusals(as_json=as_json):
        key, secret = with_database(
            lambda db: create_api_key(
                db,
                name=name,
                account_group_ids=groups,
                permissions=permissions,
                expires_at=expires_at,
            )
        )
    if as_json:
        print_json({"id": key.id, "key": secret, **_as_dict(key)})
    elif only_secret:
        print(secret)
    else:
        print(f"Created key {key.id}. This is its secret; it will not be shown again:\n{secret}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all keys, oldest first, without their secrets. Includes revoked and expired keys."""
    from leadyard.operations.api_keys import list_api_keys

    with refusals(as_json=as_json):
        keys = with_database(list_api_keys)
    if as_json:
        print_json({"items": [_as_dict(key) for key in keys]})
        return
    for key in keys:
        print(f"{key.id}  {_state(key):8}  {key.name or '-'}  {','.join(key.permissions)}")
        print(f"    account groups: {', '.join(key.account_group_ids)}")
        print(f"    last used: {'never' if key.last_used_at is None else to_iso(key.last_used_at)}")
    if not keys:
        print("There are no keys yet. Create one: leadyard keys create --help")


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id of the key, not its secret.")], as_json: AsJson = False
) -> None:
    """Revoke a key. Requests with it are refused from now on."""
    from leadyard.operations.api_keys import revoke_api_key

    _refuse_secret(key_id)
    with refusals(as_json=as_json):
        was_valid = with_database(lambda db: revoke_api_key(db, api_key_id=key_id))
    if as_json:
        print_json({"id": key_id, "revoked": True, "changed": was_valid})
    else:
        print(f"Key {key_id} is revoked." if was_valid else f"Key {key_id} was already revoked.")


@app.command("rotate")
def rotate(
    key_id: Annotated[str, typer.Argument(help="The id of the key, not its secret.")],
    overlap: Annotated[
        str, typer.Option(metavar="24h", help="How long the old key still works: 30m, 12h, 7d, 1w; 0 stops it at once.")
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Replace a key, and print the secret of the new key.

    The new key has the same name, account groups, permissions and expiry.
    """
    from leadyard.operations.api_keys import rotate_api_key

    _refuse_secret(key_id)
    overlap_ms = 0 if overlap.strip() == "0" else _milliseconds(overlap, option="--overlap")
    with refusals(as_json=as_json):
        key, secret, old_expires_at = with_database(
            lambda db: rotate_api_key(db, api_key_id=key_id, overlap_ms=overlap_ms)
        )
    if as_json:
        print_json(
            {"id": key.id, "key": secret, **_as_dict(key), "oldId": key_id, "oldExpiresAt": to_iso(old_expires_at)}
        )
        return
    print(f"Key {key_id} expires at {to_iso(old_expires_at)}.")
    print(f"Created key {key.id}. This is its secret; it will not be shown again:\n{secret}")


@app.command("check")
def check(as_json: AsJson = False) -> None:
    """Read a secret from standard input and check its form. Exit 1 if it is not a Leadyard key.

    It does not use a database, so it cannot check whether the key is valid. It never prints the secret.
    """
    from leadyard.operations.api_keys import is_well_formed

    well_formed = is_well_formed(sys.stdin.readline(_LONGEST_LINE).strip())
    if as_json:
        print_json({"wellFormed": well_formed})
    else:
        print("Well-formed." if well_formed else "Not a valid Leadyard key: check for typos or truncation.")
    raise typer.Exit(0 if well_formed else 1)


def _refuse_secret(key_id: str) -> None:
    """Raises a usage error, which does not contain the secret, if it was given in place of the id of a key."""
    if key_id.startswith("sk_"):
        raise wrong_usage(
            "This is the secret of a key. Give the id of the key: 'leadyard keys list' lists all of them."
        )


def _split(values: list[str]) -> list[str]:
    """Returns the values one by one: `--permission a --permission b` and `--permission a,b` are equivalent."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _permission(name: str) -> Permission:
    try:
        return Permission(name)
    except ValueError:
        raise wrong_usage(f"Unknown permission {name!r}. One of: {_PERMISSIONS}.") from None


def _milliseconds(duration: str, *, option: str = "--expires-in") -> int:
    match = re.fullmatch(r"([1-9]\d{0,5})([mhdw])", duration.strip())
    if match is None:
        raise wrong_usage(f"{option} {duration!r} is not a duration such as 30m, 12h, 90d or 4w.")
    return int(match[1]) * _UNITS_S[match[2]] * 1000


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now_ms() else "valid"


def _as_dict(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "state": _state(key),
        "permissions": list(key.permissions),
        "accountGroupIds": list(key.account_group_ids),
        "createdAt": to_iso(key.created_at),
        "expiresAt": None if key.expires_at is None else to_iso(key.expires_at),
        "revokedAt": None if key.revoked_at is None else to_iso(key.revoked_at),
        "lastUsedAt": None if key.last_used_at is None else to_iso(key.last_used_at),
    }
