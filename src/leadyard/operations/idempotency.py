"""Requests that are done once, however often they are sent: the key, the change and its answer are one transaction.

The first statement reserves the key and the last one stores the answer. A transaction that does not commit leaves
neither behind, whatever the reason, so the key is free again at once. docs/decisions/0032 has the argument.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Generic, NamedTuple
from weakref import WeakKeyDictionary

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.errors import IdempotencyConflict, ServiceUnavailable, TransactionConflict
from leadyard.model import ACTIVE_JOB_STATUSES, AnsweredBefore, Caller, KeyedRequest, StoredAnswer
from leadyard.operations.operation import P, R, WriteOperation, retried, run_again_on_conflict
from leadyard.operations.sealed_answers import opened_answer, sealed_answer
from leadyard.store import idempotency
from leadyard.store.db import COMMIT_UNKNOWN

KEPT_MS = 24 * 3_600_000
"""The time that an answer is stored."""

_KEYS_A_LOOK = 1_000
_KEYS_A_BATCH = 500
_PRUNING = "prune_answers"

_in_flight: WeakKeyDictionary[Database, dict[tuple[str, str], str]] = WeakKeyDictionary()
"""The keys that this process works on, by account group and key, with the fingerprint of the request. A second request
is refused at once and does not hold a connection while it waits. The database alone ensures that only one commits."""


class Outcome(NamedTuple):
    """The answer to a keyed request, and whether an earlier request got it before."""

    answer: StoredAnswer
    is_replay: bool


class _Keeper(Generic[R]):
    """See Keeper. `outcome` is complete when the transaction has committed."""

    outcome: Outcome

    def __init__(self, request: KeyedRequest, render: Callable[[R], StoredAnswer]) -> None:
        self._request = request
        self._render = render

    async def reserve(self, tx: Transaction) -> AnsweredBefore | None:
        return await _reserve(tx, self._request)

    async def store(self, tx: Transaction, result: R) -> None:
        answer = self._render(result)
        await idempotency.store(tx, sealed_answer(tx, answer, key=self._request.key), key=self._request.key)
        self.outcome = Outcome(answer, is_replay=False)


async def _reserve(tx: Transaction, request: KeyedRequest) -> AnsweredBefore | None:
    """See Keeper.reserve."""
    now = now_ms()
    try:
        is_reserved = await idempotency.reserve(
            tx, key=request.key, fingerprint=request.fingerprint, now=now, expires_at=now + KEPT_MS
        )
    except TransactionConflict as conflict:
        if conflict.is_lock_timeout:
            raise IdempotencyConflict(in_flight=True) from None
        raise
    if is_reserved:
        return None
    known = await idempotency.find(tx, request.key)
    if known is None:
        # The key has expired, and the housekeeping removed it between the two statements.
        raise TransactionConflict
    return AnsweredBefore(opened_answer(tx, _answer_of(known, request), key=request.key))


async def run_once(
    request: KeyedRequest,
    render: Callable[[R], StoredAnswer],
    operation: WriteOperation[P, R],
    db: Database,
    caller: Caller,
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Outcome:
    """Runs the operation unless the request has an answer, and stores the answer that `render` makes of the result.

    Returns the answer. The answer to a prospecting start has the status 200 once its job has ended. Raises what the
    operation raises, and IdempotencyConflict for a key that came with another request, or whose request is in flight.
    """
    name, working_on = (caller.account_group_id, request.key), _in_flight.setdefault(db, {})
    if name in working_on:
        await _refuse_without_answer(db, caller, request, in_flight=working_on[name])
        return await _replay(db, caller, request)
    working_on[name] = request.fingerprint
    keeper = _Keeper(request, render)
    try:
        await _run_or_find(partial(operation.keeping, keeper, db, caller, *args, **kwargs))
        return keeper.outcome
    except AnsweredBefore as before:
        return Outcome(before.answer, is_replay=True)
    finally:
        del working_on[name]


async def _run_or_find(work: Callable[[], Awaitable[object]]) -> None:
    """Runs the work, and a second time when the connection was lost during the commit. That is safe: if the first
    commit succeeded, the second run finds its answer; if it still runs, the second run waits for it."""
    try:
        await work()
    except ServiceUnavailable as lost:
        if lost.reason != COMMIT_UNKNOWN:
            raise
        try:
            await work()
        except (ServiceUnavailable, IdempotencyConflict):
            # The second run failed, and the outcome of the first is still unknown.
            raise lost from None


@retried
async def _refuse_without_answer(db: Database, caller: Caller, request: KeyedRequest, *, in_flight: str) -> None:
    """Raises IdempotencyConflict unless the request has an answer already, while this process works on the key for the
    request with the fingerprint `in_flight`. Waits for no lock."""
    async with db.read(caller.account_group_id) as tx:
        known = await idempotency.find(tx, request.key)
    if known is None:
        raise IdempotencyConflict(in_flight=in_flight == request.fingerprint)
    _answer_of(known, request)


@retried
async def _replay(db: Database, caller: Caller, request: KeyedRequest) -> Outcome:
    """Returns the answer that the request has, after a commit that makes sure that it is safe (`write_once`)."""
    async with db.write(caller.account_group_id) as tx:
        answered = await _reserve(tx, request)
        if answered is None:
            # The key has expired since. Never commits a reservation: the request is in flight again.
            raise IdempotencyConflict(in_flight=True)
    return Outcome(answered.answer, is_replay=True)


def _answer_of(known: idempotency.KnownKey, request: KeyedRequest) -> StoredAnswer:
    if known.fingerprint != request.fingerprint:
        raise IdempotencyConflict(in_flight=False)
    if known.job_status is not None and known.job_status not in ACTIVE_JOB_STATUSES:
        return replace(known.answer, status=200)
    return known.answer


@retried
async def prune_answers(db: Database) -> int:
    """Removes expired keys, a batch in every account group of those that expired first; for the housekeeping of the
    service. Returns how many were removed: 0 means there is nothing left to do."""
    async with db.read(None) as tx:
        group_ids = await idempotency.list_groups_to_prune(tx, now=now_ms(), limit=_KEYS_A_LOOK)
    return sum(
        [await run_again_on_conflict(partial(_prune_one, db, group_id), name=_PRUNING) for group_id in group_ids]
    )


async def _prune_one(db: Database, account_group_id: str) -> int:
    async with db.write(account_group_id) as tx:
        return await idempotency.prune(tx, now=now_ms(), limit=_KEYS_A_BATCH)
