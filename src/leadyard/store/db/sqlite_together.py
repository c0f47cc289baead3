"""Calls that commit together on SQLite: those that wait for the writing connection at the same moment.

A commit waits for the disk, and one commit can save the work of several calls. Each call is a savepoint of the common
transaction. So it is undone alone if it fails, and it sees the changes of the calls before it, as if they had
committed one after the other. No call returns before the common commit is durable.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import apsw

from leadyard.errors import TransactionConflict
from leadyard.store.db.failures import unavailable
from leadyard.store.db.procedure import Procedure, Undone
from leadyard.store.db.sqlite_connection import begin_immediate, run_command, run_steps, run_transaction
from leadyard.store.db.statement import Row
from leadyard.watching import metrics

_MOST_CALLS = 16
# Other writers wait for the common transaction, so it does not take together what is long already.
_MOST_VALUES = 1_000


@dataclass(eq=False, slots=True)
class Call:
    """A call of a procedure that waits for its turn. It is refused at `give_up_at`, a time of the event loop."""

    procedure: Procedure
    values: dict[str, Any]
    give_up_at: float
    done: asyncio.Future[list[Row]]
    context: Context = field(default_factory=copy_context)

    def size(self) -> int:
        """Returns the number of values in its lists, such as the leads of a move."""
        return sum(len(value) for value in self.values.values() if isinstance(value, list))


Outcome = list[Row] | Exception
RunOnWriter = Callable[[Callable[[apsw.Connection], list[Outcome]]], Awaitable[list[Outcome]]]
"""Runs work on the writing connection, which the caller holds. Raises BusyError while another process writes, and the
refusals of a failing database."""


class Together:
    """The calls that wait. A task serves them as long as there are any, so that it does not depend on one request."""

    def __init__(self, turn: asyncio.Semaphore, run_on_writer: RunOnWriter, *, wait_s: float) -> None:
        self._turn = turn
        self._run_on_writer = run_on_writer
        self._wait_s = wait_s
        self._waiting: deque[Call] = deque()
        self._serving: asyncio.Task[None] | None = None

    @property
    def is_needed(self) -> bool:
        """Whether a call would have to wait now."""
        return bool(self._waiting) or self._turn.locked()

    async def call(self, procedure: Procedure, values: dict[str, Any]) -> list[Row]:
        """Returns the rows of the procedure after the commit. Raises Undone, TransactionConflict and
        ServiceUnavailable."""
        loop = asyncio.get_running_loop()
        call = Call(procedure, values, loop.time() + self._wait_s, loop.create_future())
        self._waiting.append(call)
        if self._serving is None:
            # Without the context of this request, because the task serves others as well.
            self._serving = loop.create_task(self._serve(), context=Context())
        with metrics.waiting_for_connection():
            return await call.done

    async def _serve(self) -> None:
        try:
            while self._waiting:
                try:
                    async with asyncio.timeout_at(self._waiting[0].give_up_at):
                        await self._turn.acquire()
                except TimeoutError:
                    self._refuse_late()
                    continue
                try:
                    await self._serve_next()
                finally:
                    self._turn.release()
        finally:
            self._serving = None

    async def _serve_next(self) -> None:
        """Runs the next calls, when no other process writes. On return they have their results."""
        while calls := self._take():
            try:
                outcomes = await self._run_on_writer(partial(_run_together, calls))
            except apsw.BusyError:
                self._waiting.extendleft(reversed(calls))
                await asyncio.sleep(random.uniform(0.001, 0.008))  # noqa: S311  (jitter, not a secret)
                self._refuse_late()
            except Exception as error:
                # Of all of them: the disk is full, for example. Each request refuses, or is run again, by itself.
                _report(calls, [error] * len(calls))
                return
            else:
                _report(calls, outcomes)
                return

    def _take(self) -> list[Call]:
        """Takes the calls that go first, without those whose request was given up."""
        taken: list[Call] = []
        size = 0
        while self._waiting and len(taken) < _MOST_CALLS:
            call = self._waiting[0]
            if not call.done.done():
                size += call.size()
                if taken and size > _MOST_VALUES:
                    break
                taken.append(call)
            self._waiting.popleft()
        return taken

    def _refuse_late(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._waiting and (self._waiting[0].give_up_at <= now or self._waiting[0].done.done()):
            call = self._waiting.popleft()
            if not call.done.done():
                call.done.set_exception(unavailable("wait_timeout"))


def _report(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> None:
    for call, outcome in zip(calls, outcomes, strict=True):
        if call.done.done():
            continue
        if isinstance(outcome, apsw.ConstraintError):
            conflict = TransactionConflict(str(outcome))
            conflict.__cause__ = outcome
            call.done.set_exception(conflict)
        elif isinstance(outcome, Exception):
            call.done.set_exception(outcome)
        else:
            call.done.set_result(outcome)


def _run_together(calls: Sequence[Call], connection: apsw.Connection) -> list[Outcome]:
    """Runs the calls on the thread, in one transaction. Returns the rows of each, or why it alone was undone. Raises
    what made all of them fail."""
    if len(calls) == 1:
        return [_run_alone(calls[0], connection)]
    begin_immediate(connection)
    try:
        outcomes = [call.context.run(_run_in_savepoint, call, connection) for call in calls]
        run_command("COMMIT", connection)
    except BaseException:
        # Also after a failed COMMIT, for example on a full disk: SQLite then keeps the transaction open.
        if connection.in_transaction:
            run_command("ROLLBACK", connection)
        raise
    return outcomes


def _run_alone(call: Call, connection: apsw.Connection) -> Outcome:
    try:
        return call.context.run(run_transaction, call.procedure, call.values, connection)
    except (Undone, apsw.ConstraintError) as error:
        return error


def _run_in_savepoint(call: Call, connection: apsw.Connection) -> Outcome:
    run_command("SAVEPOINT call", connection)
    outcome: Outcome
    try:
        outcome = run_steps(call.procedure, call.values, connection)
    except (Undone, apsw.ConstraintError) as error:
        outcome = error
        run_command("ROLLBACK TO call", connection)
    run_command("RELEASE call", connection)
    return outcome
