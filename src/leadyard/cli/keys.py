"""`leadyard keys …`: API keys."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any

import typer

from leadyard.cli.output import AsJson, print_json, refusals, with_database, wrong_usage
from leadyard.clock import now_ms, to_iso
from leadyard.model import ApiKey, Permission

app = typer.Typer(help="Make, list, rotate, revoke and check API keys.", no_args_is_help=True)

_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PERMISSIONS = ", ".join(Permission)
_LONGEST_LINE = 10_000


@app.command("create")
def create(
    account_group: Annotated[
        list[str], typer.Option(metavar="ID", help="An account group the key may use; may be given several times.")
    ],
    permission: Annotated[
        list[str], typer.Option(metavar="P", help=f"May be given several times. One of: {_PERMISSIONS}.")
    ],
    name: Annotated[str | None, typer.Option(help="To recognise the key by.")] = None,
    expires_in: Annotated[
        str | None, typer.Option(metavar="90d", help="Minutes, hours, days or weeks: 30m, 12h, 90d, 4w.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print its secret, this once: only a hash of it is kept."""
    from leadyard.operations.api_keys import create_api_key

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
        return
    print(f"Made key {key.id}. This is its secret; it will not be shown again:\n{secret}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every key, oldest first, revoked and expired ones too; never a secret."""
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
        print("There is no key yet: leadyard keys create --help")


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, not its secret.")], as_json: AsJson = False
) -> None:
    """Revoke a key; requests with it are refused from now on."""
    from leadyard.operations.api_keys import revoke_api_key

    with refusals(as_json=as_json):
        was_valid = with_database(lambda db: revoke_api_key(db, api_key_id=key_id))
    if as_json:
        print_json({"id": key_id, "revoked": True, "changed": was_valid})
    else:
        print(f"Key {key_id} is revoked." if was_valid else f"Key {key_id} was revoked before.")


@app.command("rotate")
def rotate(
    key_id: Annotated[str, typer.Argument(help="The key's id, not its secret.")],
    overlap: Annotated[
        str, typer.Option(metavar="24h", help="How long the old key still works: 30m, 12h, 7d, 1w; 0 ends it at once.")
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Put a new key in the place of one, and print its secret.

    It has the same name, account groups, permissions and expiry.
    """
    from leadyard.operations.api_keys import rotate_api_key

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
    print(f"Made key {key.id}. This is its secret; it will not be shown again:\n{secret}")


@app.command("check")
def check(as_json: AsJson = False) -> None:
    """Read a secret from standard input and say whether it is well-formed; exit 1 if not.

    Asks no database, so it cannot tell whether the key is valid. The secret is never printed.
    """
    from leadyard.operations.api_keys import is_well_formed

    well_formed = is_well_formed(sys.stdin.readline(_LONGEST_LINE).strip())
    if as_json:
        print_json({"wellFormed": well_formed})
    else:
        print("Well-formed." if well_formed else "Not well-formed: no key of Leadyard, mistyped, or cut.")
    raise typer.Exit(0 if well_formed else 1)


def _split(values: list[str]) -> list[str]:
    """`--permission a --permission b` and `--permission a,b` mean the same."""
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
