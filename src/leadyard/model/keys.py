"""Account groups and API keys, the caller, and what an idempotency key stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

DEFAULT_MAX_RESULTS = 2_000
MOST_MAX_RESULTS = 1_000_000


class Permission(StrEnum):
    """The permissions of a key. This list is closed, so a new key with an unknown permission is refused."""

    AUDIENCES_READ = "audiences:read"
    AUDIENCES_WRITE = "audiences:write"
    PROSPECTS_READ = "prospects:read"
    PROSPECTING_READ = "prospecting:read"
    PROSPECTING_WRITE = "prospecting:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountGroup:
    """The tenant. `created_at`, here and below, is in milliseconds since 1970-01-01T00:00Z.

    `max_results` is the maximum number of prospects that one job adds from a provider.
    """

    id: str
    name: str
    created_at: int
    max_results: int = DEFAULT_MAX_RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A stored key: everything except the secret. A time that is None means never."""

    id: str
    name: str | None
    permissions: tuple[Permission, ...]
    account_group_ids: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGrant:
    """The rights of a stored key in one account group. `account_group_id` is None when the key may not use the group. A
    time that is None means never."""

    api_key_id: str
    permissions: frozenset[Permission]
    account_group_id: str | None
    expires_at: int | None
    revoked_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer as it was sent. `job_id` is the job that a prospecting start has created. An answer with a secret is
    stored encrypted."""

    status: int
    headers: Mapping[str, str]
    body: str
    job_id: str | None = None
    has_secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request that came with an idempotency key. `fingerprint` is equal for the same request only."""

    key: str
    fingerprint: str


class AnsweredBefore(Exception):
    """Ends the transaction of a keyed request that already has an answer. This is not a failure."""

    def __init__(self, answer: StoredAnswer) -> None:
        self.answer = answer
        super().__init__("the request already has an answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller within one account group. It is created once per request or command, and passed to every operation.

    `api_key_id` is None for the operator at the command line, who needs no key.
    """

    account_group_id: str
    permissions: frozenset[Permission]
    api_key_id: str | None

    @classmethod
    def operator(cls, account_group_id: str) -> Caller:
        """Returns the caller for the operator at the command line: it has all permissions and no key."""
        return cls(account_group_id=account_group_id, permissions=frozenset(Permission), api_key_id=None)
