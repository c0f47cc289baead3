"""Account groups: the operator creates and limits them, and a client lists the groups of its key."""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import NotFound
from leadyard.ids import new_id_with_free_number
from leadyard.model import AccountGroup, Page
from leadyard.operations.api_keys import Credential, OperatorCredential
from leadyard.operations.operation import retried
from leadyard.store import account_groups


@retried
async def create_account_group(db: Database, *, name: str) -> AccountGroup:
    """Creates an account group and returns it."""
    group = AccountGroup(id=new_id_with_free_number(), name=name, created_at=now_ms())
    async with db.write(None) as tx:
        await account_groups.insert(tx, group)
    return group


@retried
async def list_account_groups(db: Database) -> list[AccountGroup]:
    """Returns all account groups, oldest first. For the operator."""
    async with db.read(None) as tx:
        return await account_groups.list_all(tx)


@retried
async def get_account_group(db: Database, *, account_group_id: str) -> AccountGroup:
    """Returns the account group. For the operator. Raises NotFound."""
    async with db.read(None) as tx:
        group = await account_groups.find(tx, account_group_id)
    if group is None:
        raise NotFound("account group", account_group_id, listed_by="leadyard account-groups list")
    return group


@retried
async def limit_results(db: Database, *, account_group_id: str, max_results: int) -> AccountGroup:
    """Sets the maximum number of prospects that one job of the account group adds from a provider, and returns the
    group. Jobs that were started before keep their limit. For the operator. Raises NotFound."""
    async with db.write(None) as tx:
        if not await account_groups.set_max_results(tx, account_group_id, max_results):
            raise NotFound("account group", account_group_id, listed_by="leadyard account-groups list")
        group = await account_groups.find(tx, account_group_id)
    assert group is not None
    return group


@retried
async def list_account_groups_of(
    db: Database, *, credential: Credential, after: str | None, limit: int
) -> Page[AccountGroup]:
    """Returns a page of the account groups that the key may use, oldest first. For the operator, that is the one of the
    command."""
    async with db.read(None) as tx:
        if isinstance(credential, OperatorCredential):
            own = await account_groups.find(tx, credential.own_group_id)
            return Page(() if own is None else (own,), None)
        key_id = credential.api_key_id
        found = await account_groups.list_of_key(tx, api_key_id=key_id, after=after or "", limit=limit + 1)
    return Page.of(found, limit, lambda group: group.id)
