"""What makes a function an operation: it names its permission once, and conflicts are run again, never shown."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable
from typing import Concatenate, Generic, ParamSpec, TypeVar

import structlog

from leadyard.errors import Forbidden, ServiceUnavailable, TransactionConflict
from leadyard.model import Caller, Permission
from leadyard.store.db import Database
from leadyard.watching import metrics, spans

__all__ = ["Database", "Operation", "operation", "require_permission", "retried", "run_again_on_conflict"]

P = ParamSpec("P")
R = TypeVar("R")

_ATTEMPTS = 8
_FIRST_PAUSE_S = 0.005
_log = structlog.get_logger("leadyard.operations")


class Operation(Generic[P, R]):
    """A public function of this room. Call it with (db, caller, ...).

    Raises Forbidden when the caller lacks `permission`, and ServiceUnavailable when the database kept refusing.
    A door may read `permission` to say no before it looks at the rest of a request.
    """

    def __init__(
        self, function: Callable[Concatenate[Database, Caller, P], Awaitable[R]], permission: Permission
    ) -> None:
        self.permission = permission
        self._function = function
        functools.update_wrapper(self, function)

    async def __call__(self, db: Database, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        require_permission(caller, self.permission)
        work = functools.partial(self._function, db, caller, *args, **kwargs)
        return await run_again_on_conflict(work, name=self._function.__name__)


def operation(
    permission: Permission,
) -> Callable[[Callable[Concatenate[Database, Caller, P], Awaitable[R]]], Operation[P, R]]:
    """Makes the function an operation that needs `permission`."""

    def decorate(function: Callable[Concatenate[Database, Caller, P], Awaitable[R]]) -> Operation[P, R]:
        return Operation(function, permission)

    return decorate


def require_permission(caller: Caller, permission: Permission) -> None:
    """Raises Forbidden unless the caller has the permission."""
    if permission not in caller.permissions:
        raise Forbidden(f"The key lacks the permission {permission}. Use a key that has it.")


def retried(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Makes a function run again on a conflict that is nobody's operation: the operator's, or recognising a key."""

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return await run_again_on_conflict(functools.partial(function, *args, **kwargs), name=function.__name__)

    return run


async def run_again_on_conflict(work: Callable[[], Awaitable[R]], *, name: str) -> R:
    """Runs the transaction, and runs it again when the database asks for that; it must hold everything it does inside.

    Pauses double and are drawn at random, so that two transactions which met do not meet again. Raises
    ServiceUnavailable after 8 attempts. `name` is what metrics and spans call it.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with spans.operation(name):
                return await work()
        except TransactionConflict as conflict:
            _log.info("transaction_conflict", attempt=attempt + 1, reason=type(conflict.__cause__).__name__)
            metrics.transaction_retried(name)
            await asyncio.sleep(random.uniform(0, _FIRST_PAUSE_S * 2**attempt))  # noqa: S311  (jitter, not a secret)
    metrics.transaction_given_up(name)
    raise ServiceUnavailable("Nothing was changed. Try again in a moment.", retry_after_s=2)
