"""What both clients do before and after a request that does not depend on how they send it."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, TypeVar

import httpx

from leadyard_client.events import event_from_json
from leadyard_client.json_values import from_json
from leadyard_client.models import Account, Event, UploadedFile
from leadyard_client.pages import Page
from leadyard_client.refusal import UnexpectedAnswer, WrongAccountGroup
from leadyard_client.request import Request, unexpected

T = TypeVar("T")
_KEY = re.compile("[!-~]+")
TIMEOUT_S = 120.0
CONNECT_TIMEOUT_S = 10.0


def checked_url(url: str) -> str:
    """Returns the address of the API. Raises ValueError if `url` is not the address of a service."""
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise ValueError(f"{url!r} is not the address of a service. Pass for example https://leads.example.")
    return f"{url.rstrip('/').removesuffix('/v1')}/v1"


def checked_key(key: str) -> str:
    """Returns the key without the space around it, which a file or a shell may add. Raises ValueError, without the key,
    unless it can be sent in a header."""
    key = key.strip()
    if not key:
        raise ValueError("The key is empty. Pass the secret that `leadyard keys create` has printed.")
    if not _KEY.fullmatch(key):
        raise ValueError("The key contains characters that no key has. Copy it again, on one line.")
    return key


def http_options(timeout_s: float) -> dict[str, Any]:
    """Returns the arguments for a client of httpx."""
    return {"timeout": httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))}


def group_of(accounts: Page[Account]) -> str:
    """Returns the only account group of a key. Raises WrongAccountGroup if there is none, or more than one."""
    if len(accounts.items) == 1:
        return accounts.items[0].id
    count = "several account groups" if accounts.items else "no account group"
    raise WrongAccountGroup(f"The key is valid for {count}. Pass account_group_id; list_accounts() lists them.")


def page_of(request: Request[T], response: httpx.Response) -> Page[T]:
    """Returns the page that an answer contains. Raises UnexpectedAnswer for an answer of another shape."""
    (kind,) = request.answers.values()
    item: Any = event_from_json if kind is Event else partial(from_json, kind)
    try:
        data = response.json()["data"]
        return Page(
            items=tuple(map(item, data["items"])),
            next_cursor=data["nextCursor"],
            has_more=data["hasMore"],
            headers=response.headers,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unexpected(response) from error


def verified(request: Request[Any], answer: T) -> T:
    """Returns the answer. Raises UnexpectedAnswer if an uploaded file is not the one that was sent."""
    upload = request.upload
    if upload is not None and isinstance(answer, UploadedFile) and upload.sha256 not in (None, answer.sha256):
        raise UnexpectedAnswer("The file was changed on its way: its checksum differs. Upload it again", status=201)
    return answer
