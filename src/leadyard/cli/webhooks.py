"""`leadyard webhooks …`: manages webhooks, and sends events again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.listing import Limit, as_listed, first_items
from leadyard.cli.output import Data, Output, refuse_both, wrong_usage
from leadyard.cli.shared_options import shared_options
from leadyard.cli.webhook_report import deliveries_as_table, webhooks_as_text
from leadyard.model import DeliveryStatus, EventType

app = typer.Typer(help="Create, test and delete webhooks, and send events again.", no_args_is_help=True)

WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK_ID", help="The webhook.")]
OnlySecret = Annotated[bool, typer.Option("--secret", help="Print the secret and nothing else, for scripts.")]
_MOST = 1_000


@app.command("list")
@shared_options
def list_(door: Door) -> None:
    """List the webhooks of an account group, oldest first."""

    async def run(session: Session) -> Output:
        items, _ = await first_items(session.api, f"{session.group}/webhooks", limit=_MOST)
        return Output({"items": items}, webhooks_as_text(items))

    run_on_api(door, run)


@app.command("create")
@shared_options
def create(
    door: Door,
    receiver: Annotated[str, typer.Argument(metavar="URL", help="Where to send the events.")],
    type: Annotated[
        list[EventType] | None, typer.Option(help="Send only these events. Can be given several times.")
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME_OR_ID", help="Send only events about these audiences. Can be given several times."),
    ] = None,
    description: Annotated[str, typer.Option(help="A note for people.")] = "",
    only_secret: OnlySecret = False,
) -> None:
    """Create a webhook and print its secret. It is shown only once."""
    refuse_both("--secret", only_secret, as_json=door.as_json)

    async def run(session: Session) -> Output:
        from leadyard.cli.audience_of_api import audience_id

        ids = [await audience_id(session, each) for each in audience or ()]
        body = {"url": receiver, "types": type or [], "audienceIds": ids, "description": description}
        made = await session.api.post(f"{session.group}/webhooks", body)
        return _with_secret(made, f"Created webhook {made['id']}.", only_secret=only_secret)

    run_on_api(door, run)


@app.command("rotate-secret")
@shared_options
def rotate_secret(door: Door, webhook_id: WebhookId, only_secret: OnlySecret = False) -> None:
    """Give a webhook a new secret and print it. The old one signs for 24 hours more."""
    refuse_both("--secret", only_secret, as_json=door.as_json)

    async def run(session: Session) -> Output:
        made = await session.api.post(f"{_path(session, webhook_id)}/rotate-secret")
        return _with_secret(made, f"Webhook {made['id']} has a new secret.", only_secret=only_secret)

    run_on_api(door, run)


@app.command("test")
@shared_options
def test(door: Door, webhook_id: WebhookId) -> None:
    """Send a test message now. Exit 1 if the receiver does not take it."""

    async def run(session: Session) -> Output:
        outcome = await session.api.post(f"{_path(session, webhook_id)}/test")
        error = f": {outcome['error']}" if outcome["error"] else ""
        text = f"{outcome['statusCode'] or 'no answer'} in {outcome['durationMs']} ms{error}"
        return Output(outcome, text, int(outcome["error"] is not None))

    run_on_api(door, run)


@app.command("deliveries")
@shared_options
def deliveries(
    door: Door,
    webhook_id: WebhookId,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only deliveries with this status.")] = None,
    limit: Limit = 50,
) -> None:
    """List what was sent to a webhook, the latest events first."""

    async def run(session: Session) -> Output:
        path = f"{_path(session, webhook_id)}/deliveries"
        items, has_more = await first_items(session.api, path, limit=limit, status=status)
        return as_listed(items, has_more=has_more, as_table=deliveries_as_table, nouns="deliveries")

    run_on_api(door, run)


@app.command("replay")
@shared_options
def replay(
    door: Door,
    webhook_id: WebhookId,
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="The earliest time: 2026-01-31T09:30:00Z.")],
    to: Annotated[str | None, typer.Option(metavar="TIME", help="The latest time. Default: now.")] = None,
) -> None:
    """Send all kept events of a time again to a webhook, for example after an outage of its receiver."""
    first = _moment(from_, option="--from")
    last = None if to is None else _moment(to, option="--to")
    if last is not None and last < first:
        raise wrong_usage("--to must not be before --from.")

    async def run(session: Session) -> Output:
        body = {"from": first.isoformat()} | ({} if last is None else {"to": last.isoformat()})
        webhook = await session.api.post(f"{_path(session, webhook_id)}/replay", body)
        until = "now" if last is None else last.isoformat()
        return Output(webhook, f"The worker sends the events from {first.isoformat()} to {until} again.")

    run_on_api(door, run)


@app.command("delete")
@shared_options
def delete(door: Door, webhook_id: WebhookId) -> None:
    """Delete a webhook with its deliveries."""

    async def run(session: Session) -> Output:
        await session.api.delete(_path(session, webhook_id))
        return Output({"id": webhook_id, "deleted": True}, f"Webhook {webhook_id} is deleted.")

    run_on_api(door, run)


def _path(session: Session, webhook_id: str) -> str:
    from leadyard.api_client.api import part

    return f"{session.group}/webhooks/{part(webhook_id)}"


def _with_secret(made: Data, sentence: str, *, only_secret: bool) -> Output:
    secret: str = made["secret"]
    if only_secret:
        return Output(made, secret)
    return Output(made, f"{sentence} This is its secret; it will not be shown again:\n{secret}")


def _moment(text: str, *, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise wrong_usage(f"{option} {text!r} is not a time with a zone, such as 2026-01-31T09:30:00Z.")
    return moment
