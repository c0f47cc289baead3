"""`leadyard webhooks …`: manages webhooks, and sends events again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.output import AsJson, operator, print_json, refusals, refuse_both, with_database, wrong_usage
from leadyard.cli.webhook_report import (
    deliveries_as_table,
    delivery_as_dict,
    webhook_as_dict,
    webhook_as_text,
)
from leadyard.clock import now_ms, to_iso
from leadyard.model import DeliveryStatus, EventType

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Delivery, Page, Webhook
    from leadyard.operations.webhooks.managing import WithSecret
    from leadyard.webhooks.client import Outcome

app = typer.Typer(help="Create, test and delete webhooks, and send events again.", no_args_is_help=True)

AccountGroup = Annotated[str, typer.Option(metavar="ID", help="The account group.")]
WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK_ID", help="The webhook.")]
OnlySecret = Annotated[bool, typer.Option("--secret", help="Print the secret and nothing else, for scripts.")]


@app.command("list")
def list_(account_group: AccountGroup, as_json: AsJson = False) -> None:
    """List the webhooks of an account group, oldest first."""
    from leadyard.operations.webhooks.managing import list_webhooks

    async def run(db: Database) -> Page[Webhook]:
        return await list_webhooks(db, await operator(db, account_group), after=None, limit=1_000)

    with refusals(as_json=as_json):
        page = with_database(run)
    if as_json:
        print_json({"items": list(map(webhook_as_dict, page.items))})
        return
    for webhook in page.items:
        print(webhook_as_text(webhook))
    if not page.items:
        print("No webhooks found.")


@app.command("create")
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send the events.")],
    account_group: AccountGroup,
    type: Annotated[
        list[EventType] | None, typer.Option(help="Send only these events. Can be given several times.")
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Send only events about these audiences. Can be given several times."),
    ] = None,
    description: Annotated[str, typer.Option(help="A note for people.")] = "",
    only_secret: OnlySecret = False,
    as_json: AsJson = False,
) -> None:
    """Create a webhook and print its secret. It is shown only once."""
    from leadyard.assemble import assemble_webhook_client
    from leadyard.operations.secret_keys import usable_secret_key
    from leadyard.operations.webhooks.managing import create_webhook
    from leadyard.settings.settings import read_settings
    from leadyard.webhooks.signing import new_secret

    refuse_both("--secret", only_secret, as_json=as_json)

    async def run(db: Database) -> WithSecret:
        caller = await operator(db, account_group)
        await usable_secret_key(db)
        return await create_webhook(
            db,
            caller,
            url=url,
            types=type or (),
            audience_ids=audience or (),
            description=description,
            secret=new_secret(),
            networks=assemble_webhook_client(read_settings()).networks,
        )

    with refusals(as_json=as_json):
        made = with_database(run)
    _print_secret(made, f"Created webhook {made.webhook.id}.", only_secret=only_secret, as_json=as_json)


@app.command("rotate-secret")
def rotate_secret(
    webhook_id: WebhookId, account_group: AccountGroup, only_secret: OnlySecret = False, as_json: AsJson = False
) -> None:
    """Give a webhook a new secret and print it. The old one signs for 24 hours more."""
    from leadyard.operations.secret_keys import usable_secret_key
    from leadyard.operations.webhooks.managing import rotate_secret
    from leadyard.webhooks.signing import new_secret

    refuse_both("--secret", only_secret, as_json=as_json)

    async def run(db: Database) -> WithSecret:
        caller = await operator(db, account_group)
        await usable_secret_key(db)
        return await rotate_secret(db, caller, webhook_id=webhook_id, secret=new_secret())

    with refusals(as_json=as_json):
        made = with_database(run)
    _print_secret(made, f"Webhook {webhook_id} has a new secret.", only_secret=only_secret, as_json=as_json)


@app.command("test")
def test(webhook_id: WebhookId, account_group: AccountGroup, as_json: AsJson = False) -> None:
    """Send a test message now. Exit 1 if the receiver does not take it."""
    from leadyard.assemble import assemble_webhook_client
    from leadyard.operations.webhooks.managing import prepare_test
    from leadyard.settings.settings import read_settings
    from leadyard.webhooks.trial import send_sample

    async def run(db: Database) -> Outcome:
        target = await prepare_test(db, await operator(db, account_group), webhook_id=webhook_id)
        client = assemble_webhook_client(read_settings())
        try:
            return await send_sample(client, webhook_id, target.webhook.url, target.secrets)
        finally:
            await client.close()

    with refusals(as_json=as_json):
        outcome = with_database(run)
    if as_json:
        print_json({"statusCode": outcome.status, "durationMs": outcome.duration_ms, "error": outcome.error})
    else:
        answer = f"{outcome.status}" if outcome.status else "no answer"
        print(f"{answer} in {outcome.duration_ms} ms{f': {outcome.error}' if outcome.error else ''}")
    raise typer.Exit(0 if outcome.error is None else 1)


@app.command("deliveries")
def deliveries(
    webhook_id: WebhookId,
    account_group: AccountGroup,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only deliveries with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was sent to a webhook, the latest events first."""
    from leadyard.operations.webhooks.deliveries import list_deliveries

    async def run(db: Database) -> Page[Delivery]:
        caller = await operator(db, account_group)
        return await list_deliveries(db, caller, webhook_id=webhook_id, status=status, before=None, limit=limit)

    with refusals(as_json=as_json):
        page = with_database(run)
    if as_json:
        print_json({"items": list(map(delivery_as_dict, page.items)), "hasMore": page.next_key is not None})
    elif page.items:
        print(deliveries_as_table(page.items))
        if page.next_key is not None:
            print("More exist. Raise --limit.")
    else:
        print("No deliveries found.")


@app.command("replay")
def replay(
    webhook_id: WebhookId,
    account_group: AccountGroup,
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="The earliest time: 2026-01-31T09:30:00Z.")],
    to: Annotated[str | None, typer.Option(metavar="TIME", help="The latest time. Default: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send all kept events of a time again to a webhook, for example after an outage of its receiver."""
    from leadyard.operations.webhooks.deliveries import replay_events

    from_ms = _milliseconds(from_, option="--from")
    to_ms = now_ms() if to is None else _milliseconds(to, option="--to")
    if to_ms < from_ms:
        raise wrong_usage("--to must not be before --from.")

    async def run(db: Database) -> Webhook:
        caller = await operator(db, account_group)
        return await replay_events(db, caller, webhook_id=webhook_id, from_ms=from_ms, to_ms=to_ms)

    with refusals(as_json=as_json):
        webhook = with_database(run)
    if as_json:
        print_json(webhook_as_dict(webhook))
    else:
        print(f"The worker sends the events from {to_iso(from_ms)} to {to_iso(to_ms)} again.")


@app.command("delete")
def delete(webhook_id: WebhookId, account_group: AccountGroup, as_json: AsJson = False) -> None:
    """Delete a webhook with its deliveries."""
    from leadyard.operations.webhooks.managing import delete_webhook

    async def run(db: Database) -> None:
        await delete_webhook(db, await operator(db, account_group), webhook_id=webhook_id)

    with refusals(as_json=as_json):
        with_database(run)
    if as_json:
        print_json({"id": webhook_id, "deleted": True})
    else:
        print(f"Webhook {webhook_id} is deleted.")


def _print_secret(made: WithSecret, sentence: str, *, only_secret: bool, as_json: bool) -> None:
    if as_json:
        print_json({**webhook_as_dict(made.webhook), "secret": made.secret})
    elif only_secret:
        print(made.secret)
    else:
        print(f"{sentence} This is its secret; it will not be shown again:\n{made.secret}")


def _milliseconds(text: str, *, option: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise wrong_usage(f"{option} {text!r} is not a time with a zone, such as 2026-01-31T09:30:00Z.")
    return round(moment.timestamp() * 1000)
