"""Statements on idempotency keys: the transaction that changes something reserves its key and stores its answer."""

from __future__ import annotations

from dataclasses import dataclass

from leadyard.database import Transaction
from leadyard.ids import id_of, id_or_none, key_or_none
from leadyard.model import JobStatus, StoredAnswer
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Statement, as_document, from_document

# Only values after DO UPDATE (rule 6). An expired row counts as absent. On PostgreSQL the insert waits for another
# transaction that has inserted the key; SQLite has one writer.
_RESERVE = Statement(
    """INSERT INTO idempotency_answers (account_group_id, key, fingerprint, expires_at)
    VALUES (:account_group_id, :key, :fingerprint, :expires_at)
    ON CONFLICT (account_group_id, key) DO UPDATE SET fingerprint = :fingerprint, status = NULL,
    headers = NULL, body = NULL, job_id = NULL, expires_at = :expires_at
    WHERE idempotency_answers.account_group_id = :account_group_id AND idempotency_answers.expires_at <= :now"""
)
_FIND = Statement(
    """SELECT a.fingerprint, a.status, a.headers, a.body, a.job_id, j.status AS job_status FROM idempotency_answers a
    LEFT JOIN jobs j ON j.account_group_id = a.account_group_id AND j.id = a.job_id
    WHERE a.account_group_id = :account_group_id AND a.key = :key"""
)
_STORE = Statement(
    """UPDATE idempotency_answers SET status = :status, headers = :headers, body = :body, job_id = :job_id
    WHERE account_group_id = :account_group_id AND key = :key"""
)
# This runs every few seconds, on a table that may contain millions of keys. In the order of expiry, the index returns
# the expired keys and nothing else. In any other order, a plan without the value of `now` reads the whole table.
_GROUPS_TO_PRUNE = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT DISTINCT account_group_id FROM (
        SELECT account_group_id FROM idempotency_answers
        WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit) AS oldest) AS found""",
    across_groups=True,
)
_PRUNE = Statement(
    """DELETE FROM idempotency_answers WHERE account_group_id = :account_group_id AND expires_at <= :now AND key IN (
        SELECT a.key FROM idempotency_answers a WHERE a.account_group_id = :account_group_id AND a.expires_at <= :now
        ORDER BY a.expires_at LIMIT :limit)""",
    # SQLite never has statistics here. The plus prevents it from using the primary key, which would read the whole
    # group.
    sqlite="""DELETE FROM idempotency_answers WHERE account_group_id = :account_group_id AND key IN (
        SELECT key FROM idempotency_answers WHERE +account_group_id = :account_group_id AND expires_at <= :now
        ORDER BY expires_at LIMIT :limit)""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key that is in use: the request that took it, its answer, and the current status of the job in this answer."""

    fingerprint: str
    answer: StoredAnswer
    job_status: JobStatus | None


async def reserve(tx: Transaction, *, key: str, fingerprint: str, now: int, expires_at: int) -> bool:
    """Reserves the key for this transaction: the row is gone if the transaction is rolled back. Returns False if the
    key is in use. Waits for another transaction that has reserved the key, at most for the lock timeout."""
    return await tx.run(_RESERVE, key=key, fingerprint=fingerprint, now=now, expires_at=expires_at) == 1


async def find(tx: Transaction, key: str) -> KnownKey | None:
    """Returns the stored state of the key, or None."""
    row = await tx.row(_FIND, key=key)
    if row is None:
        return None
    answer = StoredAnswer(
        status=row["status"],
        headers=from_document(row["headers"]),
        body=row["body"],
        job_id=id_or_none(row["job_id"]),
    )
    job_status = JobStatus(row["job_status"]) if row["job_status"] is not None else None
    return KnownKey(fingerprint=row["fingerprint"], answer=answer, job_status=job_status)


async def store(tx: Transaction, answer: StoredAnswer, *, key: str) -> None:
    """Stores the answer under the key that this transaction has reserved."""
    await tx.run(
        _STORE,
        key=key,
        status=answer.status,
        headers=as_document(dict(answer.headers)),
        body=answer.body,
        job_id=key_or_none(answer.job_id),
    )


async def list_groups_to_prune(tx: Transaction, *, now: int, limit: int) -> list[str]:
    """Returns the account groups of the `limit` keys that expired first."""
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS_TO_PRUNE, now=now, limit=limit)]


async def prune(tx: Transaction, *, now: int, limit: int) -> int:
    """Removes at most `limit` expired keys. Returns the number removed."""
    return await tx.run(_PRUNE, now=now, limit=limit)
