"""Account groups over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from leadyard import model
from leadyard.http.caller import database
from leadyard.http.envelope import Id, Instant, Listing, Shape, Success, answer
from leadyard.http.paging import Paging, listing
from leadyard.operations import account_groups


class Account(Shape):
    """An account group, the scope of every other request."""

    id: Id
    name: str
    created_at: Instant


class AccountList(Listing[Account]):
    """A page of account groups."""


class AccountListSuccessResponse(Success[AccountList]):
    """A page of the account groups the key may use, oldest first."""


async def list_accounts(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """Lists the account groups that the key may use, oldest first."""
    api_key_id: str = request.state.api_key_id
    scope = ("accounts", api_key_id)
    page = await account_groups.list_account_groups_of_key(
        database(request), api_key_id=api_key_id, after=paging.start(*scope), limit=paging.limit
    )
    return answer(request, AccountListSuccessResponse, listing(AccountList, page, _to_account, *scope))


def _to_account(group: model.AccountGroup) -> Account:
    return Account.model_validate(group)
