"""Account groups over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request, Response

from leadyard.http.answer.envelope import Id, Instant, Listing, Shape, Success
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.request.answering import respond
from leadyard.http.request.route import credential, database
from leadyard.operations import account_groups

KEY_PERMISSIONS_HEADER = {
    "Key-Permissions": {
        "schema": {"type": "string", "examples": ["audiences:read, prospects:read"]},
        "description": "The permissions of the key, separated by commas, so that a program can offer what it may do.",
    },
}


class Account(Shape):
    """An account group, the scope of every other request."""

    id: Id
    name: str
    created_at: Instant


class AccountList(Listing[Account]):
    """A page of account groups."""


class AccountListSuccessResponse(Success[AccountList]):
    """A page of the account groups that the key may use, oldest first."""


async def list_accounts(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """Lists the account groups that the key may use, oldest first."""
    who = credential(request)
    scope = ("accounts", who.api_key_id)
    page = await account_groups.list_account_groups_of(
        database(request), credential=who, after=paging.start(*scope), limit=paging.limit
    )
    shown = show_page(AccountListSuccessResponse, AccountList, Account.of, *scope)(page)
    return respond(request, replace(shown, headers={"Key-Permissions": ", ".join(sorted(who.permissions))}))
