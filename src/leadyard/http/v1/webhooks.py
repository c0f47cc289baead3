"""Webhooks over HTTP: the receivers of events, their deliveries, and sending events again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Path, Query, Request, Response
from pydantic import Field, model_validator

from leadyard import model
from leadyard.clock import now_ms
from leadyard.http.answer.envelope import Changes, Description, Id, Instant, Listing, RequestBody, Shape, Success
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer, respond, run
from leadyard.http.request.route import caller, database, needs
from leadyard.http.v1.audiences import deleted
from leadyard.http.v1.prospects import Moment, milliseconds
from leadyard.operations.secret_keys import usable_secret_key
from leadyard.operations.webhooks import deliveries, managing
from leadyard.webhook_address import MAX_URL_LENGTH
from leadyard.webhooks.client import Outcome, WebhookClient
from leadyard.webhooks.signing import new_secret
from leadyard.webhooks.trial import send_sample

WebhookIdInPath = Annotated[Id, Path(alias="webhookId", description="The webhook.")]
DeliveryIdInPath = Annotated[Id, Path(alias="deliveryId", description="The delivery.")]

URL_EXAMPLE = "https://example.com/leadyard-events"
SECRET_EXAMPLE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105  (a made-up one)
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL_LENGTH,
        description="Where the service sends the events: an https URL that leads to public addresses.",
        examples=[URL_EXAMPLE],
    ),
]
Types = Annotated[
    list[Annotated[model.EventType, Field(strict=False)]],
    Field(max_length=len(model.EventType), description="The events to send. An empty list means all."),
]
AudienceIds = Annotated[
    list[Id],
    Field(
        max_length=model.MAX_AUDIENCES_PER_WEBHOOK,
        description="Send only events about these audiences. An empty list means all events.",
    ),
]


class Webhook(Shape):
    """A receiver of events."""

    id: Id
    url: Annotated[str, Field(examples=[URL_EXAMPLE])]
    types: Annotated[
        tuple[model.EventType, ...], Field(description="The events that it gets. An empty list means all.")
    ]
    audience_ids: Annotated[
        tuple[Id, ...], Field(description="The audiences whose events it gets. An empty list means all events.")
    ]
    description: str
    status: Annotated[
        model.WebhookStatus,
        Field(description="paused: by a client. disabled: by the service, see disabledReason."),
    ]
    disabled_reason: Annotated[
        model.DisabledReason | None,
        Field(description="gone: the receiver answered 410. failing: no delivery has succeeded for five days."),
    ]
    created_at: Instant
    last_success_at: Instant | None
    failing_since: Annotated[
        Instant | None, Field(description="The first failure after the last success, null if there is none.")
    ]


class WebhookSuccessResponse(Success[Webhook]):
    """One webhook."""


class WebhookList(Listing[Webhook]):
    """A page of webhooks."""


class WebhookListSuccessResponse(Success[WebhookList]):
    """A page of webhooks, oldest first."""


class WebhookWithSecret(Webhook):
    """A webhook with its secret. Store the secret now: no other answer contains it."""

    secret: Annotated[
        str,
        Field(description="Verifies the signatures, with any library of Standard Webhooks.", examples=[SECRET_EXAMPLE]),
    ]


class WebhookWithSecretSuccessResponse(Success[WebhookWithSecret]):
    """A webhook and its new secret."""


class WebhookTest(Shape):
    """The outcome of the test message."""

    status_code: Annotated[int | None, Field(description="The status of the receiver, null without an answer.")]
    duration_ms: Annotated[int, Field(ge=0)]
    error: Annotated[
        str | None,
        Field(description="Null if the receiver answered 2xx in time, otherwise a code.", examples=["TIMEOUT"]),
    ]


class WebhookTestSuccessResponse(Success[WebhookTest]):
    """The test message was sent, with or without success."""


class DeliveryAttempt(Shape):
    """One request to the receiver."""

    at: Instant
    status_code: Annotated[int | None, Field(description="The status of the receiver, null without an answer.")]
    duration_ms: Annotated[int, Field(ge=0)]
    error: Annotated[
        str | None,
        Field(description="Null if the receiver answered 2xx in time, otherwise a code.", examples=["STATUS"]),
    ]


class Delivery(Shape):
    """An event on its way to a webhook. It has the id of the event."""

    id: Id
    event_id: Id
    type: model.EventType
    status: Annotated[
        model.DeliveryStatus, Field(description="pending: it has failed, and will be sent again at nextAttemptAt.")
    ]
    attempts: Annotated[list[DeliveryAttempt], Field(description="The last 20 requests, oldest first.")]
    next_attempt_at: Instant | None


class DeliverySuccessResponse(Success[Delivery]):
    """One delivery."""


class DeliveryList(Listing[Delivery]):
    """A page of deliveries."""


class DeliveryListSuccessResponse(Success[DeliveryList]):
    """A page of deliveries, of the latest events first."""


class CreateWebhook(RequestBody):
    """A new webhook. It gets the events from now on."""

    url: Url
    types: Types = Field(default_factory=list)
    audience_ids: AudienceIds = Field(default_factory=list)
    description: Description = ""


class UpdateWebhook(Changes):
    """The fields to change: at least one."""

    url: Url = ""
    types: Types = Field(default_factory=list)
    audience_ids: AudienceIds = Field(default_factory=list)
    description: Description = ""
    status: Annotated[
        Literal["active", "paused"],
        Field(description="An active webhook continues after the last event that it has handled."),
    ] = "active"


class ReplayEvents(RequestBody):
    """The events to send again: all that are kept and occurred in this time."""

    from_: Annotated[
        Moment, Field(alias="from", strict=False, description="The earliest time.", examples=["2026-01-31T09:30:00Z"])
    ]
    to: Annotated[
        Moment | None,
        Field(strict=False, description="The latest time. Null or left out: now.", examples=["2026-01-31T12:00:00Z"]),
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to is not None and self.to < self.from_:
            raise ValueError("to must not be before from")
        return self


class DeliveryQuery(Paging):
    """The deliveries to list."""

    status: Annotated[model.DeliveryStatus | None, Field(description="Only deliveries with this status.")] = None


@needs(managing.create_webhook)
async def create_webhook(request: Request, body: CreateWebhook) -> Response:
    """Creates a webhook. The answer contains its secret, which is shown only this once."""
    await usable_secret_key(database(request))
    return await answer(
        request,
        managing.create_webhook,
        _with_secret,
        url=body.url,
        types=body.types,
        audience_ids=body.audience_ids,
        description=body.description,
        secret=new_secret(),
        networks=_client(request).networks,
    )


@needs(managing.list_webhooks)
async def list_webhooks(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """Lists the webhooks, oldest first."""
    scope = ("webhooks", caller(request).account_group_id)
    show = show_page(WebhookListSuccessResponse, WebhookList, Webhook.of, *scope)
    return await answer(request, managing.list_webhooks, show, after=paging.start(*scope), limit=paging.limit)


@needs(managing.get_webhook)
async def get_webhook(request: Request, webhook_id: WebhookIdInPath) -> Response:
    """Returns one webhook, without its secret."""
    return await answer(request, managing.get_webhook, _one_webhook, webhook_id=webhook_id)


@needs(managing.update_webhook)
async def update_webhook(request: Request, webhook_id: WebhookIdInPath, body: UpdateWebhook) -> Response:
    """Changes, pauses or continues a webhook. Events that occur while it is paused or disabled are sent when it is
    active again, as long as they are kept."""
    given = body.given()
    status = given.get("status")
    return await answer(
        request,
        managing.update_webhook,
        _one_webhook,
        webhook_id=webhook_id,
        networks=_client(request).networks,
        url=given.get("url"),
        types=given.get("types"),
        audience_ids=given.get("audience_ids"),
        description=given.get("description"),
        status=None if status is None else model.WebhookStatus(status),
    )


@needs(managing.delete_webhook)
async def delete_webhook(request: Request, webhook_id: WebhookIdInPath) -> Response:
    """Deletes a webhook with its deliveries."""
    return await answer(request, managing.delete_webhook, deleted, webhook_id=webhook_id)


@needs(managing.rotate_secret)
async def rotate_secret(request: Request, webhook_id: WebhookIdInPath) -> Response:
    """Gives a webhook a new secret, which is shown only this once. For 24 hours each message is signed with the old
    secret, too."""
    await usable_secret_key(database(request))
    return await answer(request, managing.rotate_secret, _with_secret, webhook_id=webhook_id, secret=new_secret())


@needs(managing.prepare_test)
async def test_webhook(request: Request, webhook_id: WebhookIdInPath) -> Response:
    """Sends a signed message of the type `webhook.test` now, and waits for the answer of the receiver. It is sent also
    to a webhook that is paused or disabled, and it is not in the list of deliveries."""
    target = await run(request, managing.prepare_test, webhook_id=webhook_id)
    outcome = await send_sample(_client(request), webhook_id, target.webhook.url, target.secrets)
    return respond(request, _tested(outcome))


@needs(deliveries.list_deliveries)
async def list_deliveries(
    request: Request, webhook_id: WebhookIdInPath, query: Annotated[DeliveryQuery, Query()]
) -> Response:
    """Lists the events that were sent to a webhook, the latest events first. An event is in the list from its first
    request on, and as long as it is kept."""
    scope = ("deliveries", caller(request).account_group_id, webhook_id, repr(query.status))
    show = show_page(DeliveryListSuccessResponse, DeliveryList, _delivery, *scope)
    before = query.start(*scope)
    return await answer(
        request,
        deliveries.list_deliveries,
        show,
        webhook_id=webhook_id,
        status=query.status,
        before=before,
        limit=query.limit,
    )


@needs(deliveries.redeliver)
async def redeliver(request: Request, webhook_id: WebhookIdInPath, delivery_id: DeliveryIdInPath) -> Response:
    """Sends the event of a delivery again as soon as possible, with the same `webhook-id`."""
    return await answer(request, deliveries.redeliver, _one_delivery, webhook_id=webhook_id, delivery_id=delivery_id)


@needs(deliveries.replay_events)
async def replay_events(request: Request, webhook_id: WebhookIdInPath, body: ReplayEvents) -> Response:
    """Sends all events that occurred in this time, and are kept, again to a webhook, with the same `webhook-id` as
    before. It adds to a replay that is not finished."""
    return await answer(
        request,
        deliveries.replay_events,
        _one_webhook,
        webhook_id=webhook_id,
        from_ms=_milliseconds(body.from_),
        to_ms=now_ms() if body.to is None else _milliseconds(body.to),
    )


def _client(request: Request) -> WebhookClient:
    client: WebhookClient = request.app.state.webhook_client
    return client


def _milliseconds(moment: datetime) -> int:
    found = milliseconds(moment)
    assert found is not None
    return found


def _one_webhook(webhook: model.Webhook) -> Shown:
    return Shown(WebhookSuccessResponse, Webhook.of(webhook))


def _with_secret(made: managing.WithSecret) -> Shown:
    shape = WebhookWithSecret.of(made.webhook, secret=made.secret)
    return Shown(WebhookWithSecretSuccessResponse, shape, has_secret=True)


def _tested(outcome: Outcome) -> Shown:
    data = WebhookTest.of(status_code=outcome.status, duration_ms=outcome.duration_ms, error=outcome.error)
    return Shown(WebhookTestSuccessResponse, data)


def _delivery(delivery: model.Delivery) -> Delivery:
    return Delivery.of(
        delivery,
        id=delivery.event_id,
        attempts=[DeliveryAttempt.of(each) for each in delivery.attempts],
    )


def _one_delivery(delivery: model.Delivery) -> Shown:
    return Shown(DeliverySuccessResponse, _delivery(delivery))
