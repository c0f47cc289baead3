"""The consent to a change of many people, or to one for good: a number that was expected, --yes, or the answer to a
question."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from leadyard.api_client.refused import Refused
from leadyard.cli.people_report import people_count
from leadyard.model import MANY_PEOPLE


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What the user has said about the size of the change beforehand."""

    expected_count: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Change nothing if it is another number of people.")
    ] = None
    yes: Annotated[
        bool, typer.Option("--yes", help=f"Ask no question, although it is about more than {MANY_PEOPLE} people.")
    ] = False

    def is_needed_for(self, count: int) -> bool:
        """Returns whether a change of so many people still needs consent. Raises Refused if another number was
        expected."""
        if self.expected_count is not None and self.expected_count != count:
            raise Refused(
                "EXPECTED_COUNT_DIFFERS",
                f"It is about {people_count(count)}, and --expected-count is {self.expected_count:,}.",
                "Nothing was changed. Find out why the numbers differ.",
                extra={"count": count, "expectedCount": self.expected_count},
            )
        return count > MANY_PEOPLE and self.expected_count is None and not self.yes


def ask(preview: str, count: int, *, as_json: bool) -> None:
    """Shows the preview and asks whether to go on, if there is a terminal and the output is for people. Raises Refused
    without one, or if the answer is no."""
    if not _can_be_asked(as_json=as_json):
        raise Refused(
            "EXPECTED_COUNT_NEEDED",
            f"It is about {people_count(count)}, so nothing was changed.",
            f"Look at them with --dry-run. Then give --expected-count {count} or --yes.",
            extra={"count": count, "expectedCount": None},
        )
    _ask(preview, {"count": count})


def ask_for_good(preview: str, *, as_json: bool) -> None:
    """The same for a change that cannot be undone, whatever its size."""
    if not _can_be_asked(as_json=as_json):
        raise Refused(
            "CONFIRMATION_NEEDED", "It cannot be undone, so nothing was changed.", "Give --yes if you are sure."
        )
    _ask(preview, {})


def _can_be_asked(*, as_json: bool) -> bool:
    return not as_json and sys.stdin.isatty() and sys.stderr.isatty()


def _ask(preview: str, extra: dict[str, Any]) -> None:
    print(preview, file=sys.stderr)
    if not typer.confirm("Go on?", err=True):
        raise Refused("NOT_CONFIRMED", "Nothing was changed.", "You did not confirm.", extra=extra)
