"""The decorators that make a function an operation: permission, one transaction, a retry after a conflict.

`@writes`, `@reads` and `@snapshot` own the transaction, and the function only gets `tx`. So an operation cannot have
two.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

import structlog

from leadyard.database import Database, Transaction
from leadyard.errors import Forbidden, ServiceUnavailable, TransactionConflict
from leadyard.model import AnsweredBefore, Caller, Permission
from leadyard.operations import commits
from leadyard.watching import metrics, spans

P = ParamSpec("P")
R = TypeVar("R")
_Result = TypeVar("_Result", contravariant=True)


class Keeper(Protocol[_Result]):
    """Both ends of the transaction of a keyed request, so that it commits once for each key."""

    async def reserve(self, tx: Transaction) -> AnsweredBefore | None:
        """Reserves the key, as the first statement of every transaction that decides about the request.

        Returns the answer if the request has one; then the transaction must commit before the answer is used. Raises
        IdempotencyConflict while another attempt runs.
        """

    async def store(self, tx: Transaction, result: _Result) -> None:
        """Stores the answer that the result becomes, as the last statement of the transaction that made it."""


Inside = Callable[Concatenate[Transaction, Caller, P], Awaitable[R]]
"""An operation in the form in which you write it: a function of its transaction."""
ByItself = Callable[Concatenate[Database, Caller, Keeper[R] | None, P], Awaitable[R]]
"""An operation that opens its transaction itself, and awaits the keeper at both ends of it."""
Begin = Callable[[Database, str], AbstractAsyncContextManager[Transaction]]
"""Begins a transaction of the account group."""

_ATTEMPTS = 8
_FIRST_PAUSE_S = 0.005
_log = structlog.get_logger("leadyard.operations")


class Operation(Generic[P, R]):
    """A public function of this room. Call it with `(db, caller, …)`.

    Raises Forbidden when the caller lacks one of `permissions`, ServiceUnavailable after too many conflicts, and the
    errors of the function. A route may read `permissions` to refuse a request before it reads the body.
    """

    def __init__(
        self, permissions: tuple[Permission, ...], function: Callable[..., object], work: ByItself[R, P]
    ) -> None:
        self.permissions = permissions
        self._work = work
        self._effects: list[Callable[[R], None]] = []
        self._name = function.__name__
        functools.update_wrapper(self, function)

    async def __call__(self, db: Database, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._run(db, caller, None, *args, **kwargs)

    def after_commit(self, effect: Callable[[R], None]) -> Callable[[R], None]:
        """A decorator. Calls `effect` with the result of each committed run: the place for metrics."""
        self._effects.append(effect)
        return effect

    async def _run(
        self, db: Database, caller: Caller, keeper: Keeper[R] | None, /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        require_permissions(caller, self.permissions)
        work = functools.partial(self._work, db, caller, keeper, *args, **kwargs)
        result = await run_again_on_conflict(work, name=self._name)
        self._committed(caller)
        for effect in self._effects:
            effect(result)
        return result

    def _committed(self, caller: Caller) -> None:
        """Does what follows each run. Nothing, unless the operation writes."""


class WriteOperation(Operation[P, R]):
    """An operation that changes something, and that can keep its answer in the transaction of the change."""

    def _committed(self, caller: Caller) -> None:
        commits.announce(caller.account_group_id)

    async def keeping(self, keeper: Keeper[R], db: Database, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs the operation with the keeper at both ends of its transaction. Raises the errors of both."""
        return await self._run(db, caller, keeper, *args, **kwargs)


def writes(permission: Permission) -> Callable[[Inside[P, R]], WriteOperation[P, R]]:
    """Makes the function an operation that changes something, in one write transaction of the caller's account group.

    After a conflict the whole function runs again, so it must have no effect but through `tx`, which undoes only that.
    """

    def decorate(function: Inside[P, R]) -> WriteOperation[P, R]:
        async def work(
            db: Database, caller: Caller, keeper: Keeper[R] | None, /, *args: P.args, **kwargs: P.kwargs
        ) -> R:
            async with write_once(db, caller, keeper) as tx:
                result = await function(tx, caller, *args, **kwargs)
                if keeper is not None:
                    await keeper.store(tx, result)
                return result

        return WriteOperation((permission,), function, work)

    return decorate


def writes_by_itself(permission: Permission) -> Callable[[ByItself[R, P]], WriteOperation[P, R]]:
    """Makes the function an operation that opens its transaction itself, because the usual way costs too much time.

    It gets `(db, caller, keeper, …)`. It begins transactions with `write_once`. At the end of the one that commits,
    it awaits `keeper.store(tx, result)`, unless the keeper is None.
    """

    def decorate(function: ByItself[R, P]) -> WriteOperation[P, R]:
        return WriteOperation((permission,), function, function)

    return decorate


@asynccontextmanager
async def write_once(db: Database, caller: Caller, keeper: Keeper[R] | None) -> AsyncIterator[Transaction]:
    """Begins a write transaction of the caller's account group, and reserves the key if there is a keeper.

    Raises AnsweredBefore instead when the request has an answer. That transaction commits, although it changes nothing.
    The answer may come from a commit that still waits for a synchronous standby, or whose wait was broken off:
    PostgreSQL shows it when it is on the disk of the primary. Our commit waits for everything before it, because the
    reservation has locked the row, so a replayed answer is as safe as the first one.
    """
    async with db.write(caller.account_group_id) as tx:
        answered = await keeper.reserve(tx) if keeper is not None else None
        if answered is None:
            yield tx
            return
    raise answered


def reads(*permissions: Permission) -> Callable[[Inside[P, R]], Operation[P, R]]:
    """Makes the function an operation that runs a single reading statement, without the round trips of a transaction.
    Use `snapshot` for two statements, because here they may see different moments."""
    return _reading(permissions, lambda db, account_group_id: db.read(account_group_id))


def snapshot(*permissions: Permission) -> Callable[[Inside[P, R]], Operation[P, R]]:
    """Makes the function an operation whose reading statements all see the same moment."""
    return _reading(permissions, lambda db, account_group_id: db.snapshot(account_group_id))


def _reading(permissions: tuple[Permission, ...], begin: Begin) -> Callable[[Inside[P, R]], Operation[P, R]]:
    def decorate(function: Inside[P, R]) -> Operation[P, R]:
        async def work(db: Database, caller: Caller, _: Keeper[R] | None, /, *args: P.args, **kwargs: P.kwargs) -> R:
            async with begin(db, caller.account_group_id) as tx:
                return await function(tx, caller, *args, **kwargs)

        return Operation(permissions, function, work)

    return decorate


def require_permissions(caller: Caller, permissions: Iterable[Permission]) -> None:
    """Raises Forbidden for the first permission that the caller lacks."""
    for permission in permissions:
        if permission not in caller.permissions:
            raise Forbidden.lacking(permission)


def retried(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Runs the function again after a conflict. For functions without a caller: those for the operator, the worker and
    the authentication. They open their single transaction themselves."""

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return await run_again_on_conflict(functools.partial(function, *args, **kwargs), name=function.__name__)

    return run


async def run_again_on_conflict(work: Callable[[], Awaitable[R]], *, name: str) -> R:
    """Runs the transaction, and retries it when the database reports a conflict. It must have no other effects.

    The pauses double, and are random so that the same two transactions do not collide again. Raises
    ServiceUnavailable after 8 attempts, with the cause of the last one. `name` is its name in metrics and spans.
    """
    last = TransactionConflict()
    for attempt in range(_ATTEMPTS):
        try:
            with spans.operation(name):
                return await work()
        except TransactionConflict as conflict:
            last = conflict
            _log.info("transaction_conflict", attempt=attempt + 1, reason=type(conflict.__cause__).__name__)
            metrics.transaction_retried(name)
            await asyncio.sleep(random.uniform(0, _FIRST_PAUSE_S * 2**attempt))  # noqa: S311  (jitter, not a secret)
    metrics.transaction_given_up(name)
    raise ServiceUnavailable.after_conflicts(last) from last.__cause__
