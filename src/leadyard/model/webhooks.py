"""Webhooks: where the service sends the events of an account group, and what came of each delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from leadyard.model.events import Event, EventType

MAX_WEBHOOKS = 20
"""How many webhooks an account group may have."""
MAX_AUDIENCES_PER_WEBHOOK = 100
MAX_EVENT_BODY_BYTES = 20_000
"""How long the body of a delivery may be."""


class WebhookStatus(StrEnum):
    """ACTIVE: gets events. PAUSED: by a client. DISABLED: by the service, because the receiver did not take them. Both
    continue where they stopped when a client sets them to active again."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """GONE: the receiver answered 410. FAILING: no delivery has succeeded for five days."""

    GONE = "gone"
    FAILING = "failing"


class DeliveryStatus(StrEnum):
    """PENDING: it failed and will be retried. FAILED: the last retry failed, too."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver of events. Empty `types` or `audience_ids` mean all of them. Times are in milliseconds.

    `failing_since` is the time of the first failure after the last success, None if the last delivery succeeded.
    """

    id: str
    url: str
    types: tuple[EventType, ...]
    audience_ids: tuple[str, ...]
    description: str
    status: WebhookStatus
    disabled_reason: DisabledReason | None
    created_at: int
    last_success_at: int | None
    failing_since: int | None

    @property
    def is_filtered(self) -> bool:
        """Whether the webhook gets some of the events only."""
        return bool(self.types or self.audience_ids)

    def takes(self, event: Event) -> bool:
        """Returns whether the webhook gets the event."""
        if self.types and event.type not in self.types:
            return False
        return not self.audience_ids or any(event.concerns(each) for each in self.audience_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """An encrypted secret of a webhook. It signs until the time `until`, None for the current one."""

    sealed: str
    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to a receiver. `status_code` is None without an answer; `error` is None after success."""

    at: int
    status_code: int | None
    duration_ms: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The delivery of one event to one webhook. It has the id of its event, because a webhook has one for each.

    `tries` counts the attempts since it was last begun; `attempts` are the latest ones of all.
    """

    event_id: str
    type: EventType
    status: DeliveryStatus
    attempts: tuple[Attempt, ...]
    tries: int
    next_attempt_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Events that a webhook gets again: those that occurred from `from_ms` to `to_ms`. `position` is the id after which
    it continues, and `until` the last id that may be one of them."""

    position: str
    until: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedWebhook:
    """A webhook that a worker holds. The lease number proves it. `position` is the id of the last event of the feed
    that was handled. `secrets` are in clear text, those that sign now."""

    webhook: Webhook
    account_group_id: str
    lease_number: int
    position: str
    replay: Replay | None
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCounts:
    """The webhooks of all account groups: by status, the active ones whose last delivery failed, and the age of the
    oldest event that an active one has not been sent, in seconds."""

    by_status: Mapping[str, int]
    failing: int
    oldest_unsent_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """An event to send now, and the delivery so far, None at the first attempt."""

    event: Event
    delivery: Delivery | None = None
