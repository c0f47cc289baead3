"""Account groups: the operator makes them, a key lists those it may use."""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.errors import NotFound
from leadyard.ids import new_id
from leadyard.model import AccountGroup, Page
from leadyard.operations.operation import retried
from leadyard.store import account_groups
from leadyard.store.db import Database


@retried
async def create_account_group(db: Database, *, name: str) -> AccountGroup:
    """Makes an account group and returns it."""
    group = AccountGroup(id=new_id(), name=name, created_at=now_ms())
    async with db.write(None) as tx:
        await account_groups.insert(tx, group)
    return group


@retried
async def list_account_groups(db: Database) -> list[AccountGroup]:
    """Returns every account group, oldest first; for the operator."""
    async with db.read(None) as tx:
        return await account_groups.list_all(tx)


@retried
async def get_account_group(db: Database, *, account_group_id: str) -> AccountGroup:
    """Returns the account group; for the operator. Raises NotFound."""
    async with db.read(None) as tx:
        group = await account_groups.find(tx, account_group_id)
    if group is None:
        raise NotFound("account group", account_group_id, listed_by="leadyard account-groups list")
    return group


@retried
async def limit_results(db: Database, *, account_group_id: str, max_results: int) -> AccountGroup:
    """Sets how many prospects one job of the account group may bring in from a provider, for jobs that start from now
    on, and returns the group; for the operator. Raises NotFound."""
    async with db.write(None) as tx:
        if not await account_groups.set_max_results(tx, account_group_id, max_results):
            raise NotFound("account group", account_group_id, listed_by="leadyard account-groups list")
        group = await account_groups.find(tx, account_group_id)
    assert group is not None
    return group


@retried
async def list_account_groups_of_key(
    db: Database, *, api_key_id: str, after: str | None, limit: int
) -> Page[AccountGroup]:
    """Returns a page of the account groups the key may use, oldest first."""
    async with db.read(None) as tx:
        found = await account_groups.list_of_key(tx, api_key_id=api_key_id, after=after or "", limit=limit + 1)
    return Page.of(found, limit, lambda group: group.id)
