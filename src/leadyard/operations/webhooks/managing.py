"""Webhooks for clients: creates, lists, changes and deletes them, and rotates their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.errors import NotFound, SecretUnreadable, TooManyWebhooks
from leadyard.ids import new_id
from leadyard.model import (
    MAX_WEBHOOKS,
    Caller,
    EventType,
    Page,
    Permission,
    SealedSecret,
    Webhook,
    WebhookStatus,
)
from leadyard.operations.events.placing import place_before
from leadyard.operations.operation import reads, writes
from leadyard.operations.webhooks.secrets import open_valid, rotated, seal
from leadyard.store import audiences, webhooks
from leadyard.webhook_address import Networks, target_of


@dataclass(frozen=True, slots=True)
class WithSecret:
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)


@writes(Permission.WEBHOOKS_WRITE)
async def create_webhook(
    tx: Transaction,
    caller: Caller,
    *,
    url: str,
    types: Sequence[EventType],
    audience_ids: Sequence[str],
    description: str,
    secret: str,
    networks: Networks,
) -> WithSecret:
    """Adds an active webhook, which gets the events from now on, and returns it. `networks` are those that the operator
    allows in addition to public addresses. Raises, in this order, UrlNotAllowed, NotFound for an audience,
    TooManyWebhooks, SecretKeyMissing."""
    target_of(url, networks)
    await _refuse_unknown_audiences(tx, audience_ids)
    await webhooks.lock_group(tx)
    if await webhooks.count(tx) >= MAX_WEBHOOKS:
        raise TooManyWebhooks(most=MAX_WEBHOOKS)
    webhook = Webhook(
        id=new_id(),
        url=url,
        types=tuple(dict.fromkeys(types)),
        audience_ids=tuple(dict.fromkeys(audience_ids)),
        description=description,
        status=WebhookStatus.ACTIVE,
        disabled_reason=None,
        created_at=now_ms(),
        last_success_at=None,
        failing_since=None,
    )
    sealed = seal(tx, webhook.id, secret)
    # Otherwise events that have committed before would come after the end of the feed, and so to this webhook.
    await place_before(tx)
    await webhooks.insert(tx, webhook, secrets=[sealed], position=await webhooks.end_of_feed(tx))
    return WithSecret(webhook, secret)


@reads(Permission.WEBHOOKS_READ)
async def list_webhooks(tx: Transaction, caller: Caller, *, after: str | None, limit: int) -> Page[Webhook]:
    """Returns a page of the webhooks, oldest first. `after` is the `next_key` of a page."""
    return Page.of(await webhooks.list_after(tx, after=after, limit=limit + 1), limit, lambda webhook: webhook.id)


@reads(Permission.WEBHOOKS_READ)
async def get_webhook(tx: Transaction, caller: Caller, *, webhook_id: str) -> Webhook:
    """Returns the webhook. Raises NotFound."""
    return (await _found(tx, webhook_id))[0]


@writes(Permission.WEBHOOKS_WRITE)
async def update_webhook(
    tx: Transaction,
    caller: Caller,
    *,
    webhook_id: str,
    networks: Networks,
    url: str | None = None,
    types: Sequence[EventType] | None = None,
    audience_ids: Sequence[str] | None = None,
    description: str | None = None,
    status: WebhookStatus | None = None,
) -> Webhook:
    """Changes each value that is not None and returns the webhook.

    A webhook that becomes active again continues after the last event that it has handled. An audience that the webhook
    has already may be deleted by now, so only others must exist. Raises NotFound and UrlNotAllowed.
    """
    webhook, _ = await _locked(tx, webhook_id)
    if url is not None:
        target_of(url, networks)
    await _refuse_unknown_audiences(tx, [each for each in audience_ids or () if each not in webhook.audience_ids])
    changed = replace(
        webhook,
        url=webhook.url if url is None else url,
        types=webhook.types if types is None else tuple(dict.fromkeys(types)),
        audience_ids=webhook.audience_ids if audience_ids is None else tuple(dict.fromkeys(audience_ids)),
        description=webhook.description if description is None else description,
    )
    if status is not None and status is not webhook.status:
        # A new start: the five days until it is disabled again begin with the next failure.
        changed = replace(changed, status=status, disabled_reason=None, failing_since=None)
    await webhooks.update(tx, changed)
    return changed


@writes(Permission.WEBHOOKS_WRITE)
async def delete_webhook(tx: Transaction, caller: Caller, *, webhook_id: str) -> None:
    """Deletes the webhook. Requests that are on their way still arrive. Raises NotFound."""
    await _locked(tx, webhook_id)
    await webhooks.mark_deleted(tx, webhook_id)


@writes(Permission.WEBHOOKS_WRITE)
async def rotate_secret(tx: Transaction, caller: Caller, *, webhook_id: str, secret: str) -> WithSecret:
    """Gives the webhook a new secret and returns it. The old one signs for 24 hours more, beside the new one. Raises
    NotFound and SecretKeyMissing."""
    webhook, old = await _locked(tx, webhook_id)
    now = now_ms()
    new = seal(tx, webhook_id, secret)
    # Secrets of another key cannot sign. A rotation is how a client gets out of that.
    usable = old if open_valid(tx, webhook_id, old, now=now) is not None else ()
    await webhooks.set_secrets(tx, webhook_id, rotated(usable, new, now=now))
    return WithSecret(webhook, secret)


@dataclass(frozen=True, slots=True)
class TestTarget:
    """Where a test is sent, and the secrets that sign it."""

    webhook: Webhook
    secrets: tuple[str, ...] = field(repr=False)


@reads(Permission.WEBHOOKS_WRITE)
async def prepare_test(tx: Transaction, caller: Caller, *, webhook_id: str) -> TestTarget:
    """Returns what a test of the webhook needs. The caller sends it after the transaction, because a receiver may take
    long. Raises NotFound and SecretUnreadable."""
    webhook, sealed = await _found(tx, webhook_id)
    secrets = open_valid(tx, webhook_id, sealed, now=now_ms())
    if secrets is None:
        raise SecretUnreadable
    return TestTarget(webhook, secrets)


async def _refuse_unknown_audiences(tx: Transaction, audience_ids: Sequence[str]) -> None:
    """Raises NotFound for the first audience that does not exist: the webhook would wait for its events in vain."""
    known = await audiences.find_ids(tx, audience_ids) if audience_ids else set()
    for audience_id in audience_ids:
        if audience_id not in known:
            raise NotFound("audience", audience_id)


async def _found(tx: Transaction, webhook_id: str) -> tuple[Webhook, tuple[SealedSecret, ...]]:
    found = await webhooks.find(tx, webhook_id)
    if found is None:
        raise NotFound("webhook", webhook_id)
    return found


async def _locked(tx: Transaction, webhook_id: str) -> tuple[Webhook, tuple[SealedSecret, ...]]:
    found = await webhooks.lock(tx, webhook_id)
    if found is None:
        raise NotFound("webhook", webhook_id)
    return found
