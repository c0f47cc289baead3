"""Requests that are done once, however often they are sent: keys reserved, answers kept with the change itself.

The reservation is a transaction of its own, so that a second request learns at once that the first is in flight. The
answer is stored in the transaction of the change: there is never one without the other. docs/decisions/0010 has the
argument.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from leadyard.clock import now_ms
from leadyard.errors import IdempotencyConflict, TransactionConflict
from leadyard.ids import new_id
from leadyard.model import ACTIVE_JOB_STATUSES, Caller, StoredAnswer
from leadyard.operations.operation import retried, run_again_on_conflict
from leadyard.store import idempotency
from leadyard.store.db import Database, Transaction

KEPT_MS = 24 * 3_600_000
"""How long an answer is kept."""
IN_FLIGHT_MS = 180_000
"""How long a key stays reserved for an attempt that does not come back: longer than any statement or request may take,
so that hardly ever two attempts are under way; if they are, only the later one can store its answer, and commit."""

_KEYS_A_LOOK = 1_000
_KEYS_A_BATCH = 500
_PRUNING = "prune_answers"


@retried
async def reserve_key(db: Database, caller: Caller, *, key: str, fingerprint: str) -> str | StoredAnswer:
    """Reserves the key for a request of that fingerprint. Returns the token of this attempt, or the answer that the
    request got before; that of a prospecting start has the status 200 once its job has ended.

    Raises IdempotencyConflict for a key that came with another request, or whose request is still in flight.
    """
    now, token = now_ms(), new_id()
    async with db.write(caller.account_group_id) as tx:
        if await idempotency.reserve(
            tx, key=key, fingerprint=fingerprint, token=token, now=now, expires_at=now + IN_FLIGHT_MS
        ):
            return token
        known = await idempotency.find(tx, key)
    if known is None:
        # Released between the two statements; now it can be had.
        raise TransactionConflict
    if known.fingerprint != fingerprint or known.answer is None:
        raise IdempotencyConflict(in_flight=known.fingerprint == fingerprint)
    if known.job_status is not None and known.job_status not in ACTIVE_JOB_STATUSES:
        return replace(known.answer, status=200)
    return known.answer


@retried
async def release_key(db: Database, caller: Caller, *, key: str, token: str) -> None:
    """Gives the key free after an attempt that changed nothing. Safe at any time: if the attempt did commit, its answer
    stays."""
    async with db.write(caller.account_group_id) as tx:
        await idempotency.release(tx, key=key, token=token)


async def remember_answer(tx: Transaction, caller: Caller, result: Any) -> None:
    """Keeps the answer to the caller's request, if it came with a key, in the transaction that made the change.

    Raises IdempotencyConflict when another attempt has taken the key over; then this one must not commit.
    """
    once = caller.once
    if once is None:
        return
    expires_at = now_ms() + KEPT_MS
    if not await idempotency.store(tx, once.render(result), key=once.key, token=once.token, expires_at=expires_at):
        raise IdempotencyConflict(in_flight=True)


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
