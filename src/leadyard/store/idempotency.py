"""Statements on idempotency keys: reserved for one attempt, then kept with the answer."""

from __future__ import annotations

from dataclasses import dataclass

from leadyard.model import JobStatus, StoredAnswer
from leadyard.store.db import Statement, Transaction, as_document, from_document

# Values only after DO UPDATE (rule 6). An expired row counts as absent, whether it is a forgotten answer or the
# reservation of an attempt that never came back.
_RESERVE = Statement(
    """INSERT INTO idempotency_answers (account_group_id, key, fingerprint, token, expires_at)
    VALUES (:account_group_id, :key, :fingerprint, :token, :expires_at)
    ON CONFLICT (account_group_id, key) DO UPDATE SET fingerprint = :fingerprint, token = :token, status = NULL,
    headers = NULL, body = NULL, job_id = NULL, expires_at = :expires_at
    WHERE idempotency_answers.account_group_id = :account_group_id AND idempotency_answers.expires_at <= :now"""
)
_FIND = Statement(
    """SELECT a.fingerprint, a.status, a.headers, a.body, a.job_id, j.status AS job_status FROM idempotency_answers a
    LEFT JOIN jobs j ON j.account_group_id = a.account_group_id AND j.id = a.job_id
    WHERE a.account_group_id = :account_group_id AND a.key = :key"""
)
_STORE = Statement(
    """UPDATE idempotency_answers SET status = :status, headers = :headers, body = :body, job_id = :job_id,
    expires_at = :expires_at
    WHERE account_group_id = :account_group_id AND key = :key AND token = :token AND status IS NULL"""
)
_RELEASE = Statement(
    """DELETE FROM idempotency_answers
    WHERE account_group_id = :account_group_id AND key = :key AND token = :token AND status IS NULL"""
)
# Asked every few seconds, of a table that may hold millions of keys. In the order of their expiry the index gives the
# expired ones and nothing else; in any other, a plan that does not know `now` reads the whole table.
_GROUPS_TO_PRUNE = Statement(
    """SELECT DISTINCT account_group_id FROM (SELECT account_group_id FROM idempotency_answers
        WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit) AS oldest""",
    across_groups=True,
)
_PRUNE = Statement(
    """DELETE FROM idempotency_answers WHERE account_group_id = :account_group_id AND expires_at <= :now AND key IN (
        SELECT a.key FROM idempotency_answers a WHERE a.account_group_id = :account_group_id AND a.expires_at <= :now
        ORDER BY a.expires_at LIMIT :limit)""",
    # The plus keeps SQLite, which never has statistics here, from the primary key: that would read the whole group.
    sqlite="""DELETE FROM idempotency_answers WHERE account_group_id = :account_group_id AND key IN (
        SELECT key FROM idempotency_answers WHERE +account_group_id = :account_group_id AND expires_at <= :now
        ORDER BY expires_at LIMIT :limit)""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key that is taken: by which request, with which answer (None while in flight), and what has become of the job
    that this answer tells of."""

    fingerprint: str
    answer: StoredAnswer | None
    job_status: JobStatus | None


async def reserve(tx: Transaction, *, key: str, fingerprint: str, token: str, now: int, expires_at: int) -> bool:
    """Reserves the key for the attempt with this token. Returns False if the key is taken."""
    return await tx.run(_RESERVE, key=key, fingerprint=fingerprint, token=token, now=now, expires_at=expires_at) == 1


async def find(tx: Transaction, key: str) -> KnownKey | None:
    """Returns what is known of the key, or None."""
    row = await tx.row(_FIND, key=key)
    if row is None:
        return None
    answer = None
    if row["status"] is not None:
        answer = StoredAnswer(
            status=row["status"], headers=from_document(row["headers"]), body=row["body"], job_id=row["job_id"]
        )
    job_status = JobStatus(row["job_status"]) if row["job_status"] is not None else None
    return KnownKey(fingerprint=row["fingerprint"], answer=answer, job_status=job_status)


async def store(tx: Transaction, answer: StoredAnswer, *, key: str, token: str, expires_at: int) -> bool:
    """Keeps the answer. Returns False if the key is no longer reserved for the attempt with this token."""
    changed = await tx.run(
        _STORE,
        key=key,
        token=token,
        status=answer.status,
        headers=as_document(dict(answer.headers)),
        body=answer.body,
        job_id=answer.job_id,
        expires_at=expires_at,
    )
    return changed == 1


async def release(tx: Transaction, *, key: str, token: str) -> None:
    """Gives up the reservation of that attempt, if it still has one and no answer."""
    await tx.run(_RELEASE, key=key, token=token)


async def list_groups_to_prune(tx: Transaction, *, now: int, limit: int) -> list[str]:
    """Returns the account groups of the `limit` keys that expired first."""
    return [row["account_group_id"] for row in await tx.rows(_GROUPS_TO_PRUNE, now=now, limit=limit)]


async def prune(tx: Transaction, *, now: int, limit: int) -> int:
    """Removes at most `limit` expired keys. Returns how many."""
    return await tx.run(_PRUNE, now=now, limit=limit)
