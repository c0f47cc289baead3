"""`leadyard example-receiver`: runs a receiver of webhooks that prints and verifies what comes in."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer

from leadyard.cli.output import AsJson, print_json, refusals, wrong_usage


def example_receiver(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 chooses a free port.")] = 0,
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="whsec_…",
            envvar="LEADYARD_RECEIVER_SECRET",
            help="The secret of the webhook. Without it, nothing is verified.",
        ),
    ] = None,
    status: Annotated[int, typer.Option(min=200, max=599, help="The status of each answer.")] = 204,
    delay_s: Annotated[float, typer.Option(min=0, max=3_600, help="Delay before each answer, in seconds.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print and verify webhooks that come in.

    It is for development. Ctrl-C or SIGTERM stops it. The first line that it prints is its URL. The service sends to it
    only if LEADYARD_WEBHOOK_NETWORKS contains its address. With --json it prints one object for each line.
    """
    from leadyard.example_provider.serving import serve_example_provider
    from leadyard.example_receiver.app import build_example_receiver

    def report(came: dict[str, Any]) -> None:
        if as_json:
            print_json(came)
        else:
            print(_as_text(came))
        sys.stdout.flush()

    def ready(url: str) -> None:
        if as_json:
            print_json({"url": f"{url}/"})
        else:
            verifies = "Verifying signatures." if secret else "Not verifying: give --secret."
            print(f"{url}/\n{verifies} Stop with Ctrl-C.")
        sys.stdout.flush()

    try:
        app = build_example_receiver(report, secret=secret, status=status, delay_s=delay_s)
    except ValueError as error:
        raise wrong_usage(f"--secret {error}.") from None
    with refusals(as_json=as_json):
        # The server finishes its work and then sends itself the signal again. A stop by signal is not a failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            serve_example_provider(app, host=host, port=port, ready=ready)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None


def _as_text(came: dict[str, Any]) -> str:
    event = came["event"]
    signed = {True: "signed", False: "WRONG SIGNATURE", None: "not verified"}[came["verified"]]
    if not isinstance(event, dict):
        return f"{came['id']}  {signed}  not JSON: {event}"
    return f"{came['id']}  {signed}  {event.get('timestamp')}  {event.get('type')}  {event.get('data')}"
