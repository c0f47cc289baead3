"""`leadyard example-provider`: a prospect provider that serves the people of a CSV file."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from leadyard.cli.output import AsJson, print_json, refusals, wrong_usage


def example_provider(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The people; columns as 'leadyard import' takes.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")] = 0,
    token: Annotated[
        str | None, typer.Option(metavar="T", help="Refuse requests that do not bring this bearer token.")
    ] = None,
    delay_s: Annotated[float, typer.Option(min=0, max=3_600, help="Wait so long before every answer.")] = 0,
    fail: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="Fail: 500, 429, timeout, drop, garbage, repeat-cursor, huge-page or no-identity; a share of the "
            "requests (500:0.2), only the first of them (429:first=3), or both (drop:0.5:first=10). Several times: "
            "the first that is due.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed fails the same requests.")] = 1,
    retry_after: Annotated[
        str, typer.Option(help="What a 429 says in Retry-After: seconds, a date, or nonsense.")
    ] = "1",
    withhold_emails: Annotated[
        bool, typer.Option("--withhold-emails", help="Leave e-mails out of searches; enrichment finds them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a prospect provider that serves the people of a CSV file, until it is told to stop (Ctrl-C, SIGTERM).

    For development and tests. The first line it prints is its URL, for LEADYARD_PROVIDER_URL. Every search finds
    everybody; docs/providers.md describes the protocol.
    """
    from leadyard.example_provider.app import Manners, build_example_provider
    from leadyard.example_provider.failures import Failures, parse_failure
    from leadyard.example_provider.people import read_people
    from leadyard.example_provider.serving import serve_example_provider

    try:
        wanted = [parse_failure(spec) for spec in fail or ()]
    except ValueError as error:
        raise wrong_usage(f"--fail: {error}.") from None
    with refusals(as_json=as_json):
        people = read_people(file)
        manners = Manners(token=token, delay_s=delay_s, withhold_emails=withhold_emails, retry_after=retry_after)
        app = build_example_provider(people, Failures(wanted, seed=seed), manners)

        def ready(url: str) -> None:
            if as_json:
                print_json({"url": url, "people": len(people.prospects)})
            else:
                print(f"{url}\nServing {len(people.prospects):,} people of {file}. Stop with Ctrl-C.")
            sys.stdout.flush()

        # The server ends its work and then sends itself the signal again; being told to stop is no failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            serve_example_provider(app, host=host, port=port, ready=ready)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
