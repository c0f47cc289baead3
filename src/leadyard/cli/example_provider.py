"""`leadyard example-provider`: runs a prospect provider that serves the people of a CSV file."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from leadyard.cli.output import AsJson, print_json, refusals, wrong_usage
from leadyard.cli.people_report import people_count


def example_provider(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The people; columns as for 'leadyard import'.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 chooses a free port.")] = 0,
    token: Annotated[str | None, typer.Option(metavar="T", help="Refuse requests without this bearer token.")] = None,
    delay_s: Annotated[float, typer.Option(min=0, max=3_600, help="Delay before each response, in seconds.")] = 0,
    fail: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="Fail on purpose: 500, 429, timeout, drop, garbage, repeat-cursor, huge-page or no-identity. Add a "
            "share of the requests (500:0.2), only the first requests (429:first=3), or both (drop:0.5:first=10). "
            "If given several times, the first failure that is due wins.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="With the same seed, the same requests fail.")] = 1,
    retry_after: Annotated[
        str, typer.Option(help="The Retry-After of a 429: seconds, a date, or an invalid value.")
    ] = "1",
    withhold_emails: Annotated[
        bool, typer.Option("--withhold-emails", help="Omit e-mails from searches; enrichment finds them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a prospect provider on the people of a CSV file.

    It is for development and tests. Ctrl-C or SIGTERM stops it. The first line that it prints is its URL, for
    LEADYARD_PROVIDER_URL. Each search finds all people of the file. docs/providers.md describes the protocol.
    """
    from leadyard.example_provider.app import Manners, build_example_provider
    from leadyard.example_provider.faults import Failures, parse_failure
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
                print(f"{url}\nServing {people_count(len(people.prospects))} of {file}. Stop with Ctrl-C.")
            sys.stdout.flush()

        # The server finishes its work and then sends itself the signal again. A stop by signal is not a failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            serve_example_provider(app, host=host, port=port, ready=ready)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
