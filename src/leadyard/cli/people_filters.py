"""The people that a command is about: the filters of the API, and ids in files."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from leadyard.cli.api_door import Session
from leadyard.cli.moments import Moment, as_moment
from leadyard.cli.output import Data, wrong_usage

IdFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A file with an id on each line; - reads stdin.")]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The filters of the list of people. All that are given must match."""

    q: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="Words in the name, e-mail, phone, location, company or title."),
    ] = None
    company: Annotated[str | None, typer.Option(metavar="WORDS", help="Words in the company's name.")] = None
    title: Annotated[str | None, typer.Option(metavar="WORDS", help="Words in the title.")] = None
    has_email: Annotated[
        bool | None, typer.Option("--has-email/--has-no-email", help="Only people with, or without, an e-mail.")
    ] = None
    added_after: Annotated[
        Moment, typer.Option(metavar="TIME", help="Added to the audience after this time: 2026-01-31T09:30:00Z.")
    ] = None
    added_before: Annotated[Moment, typer.Option(metavar="TIME", help="Added to the audience before this time.")] = None

    def of_api(self) -> Data:
        """Returns the filters that are given, by their names in the API."""
        found = {
            "q": self.q,
            "company": self.company,
            "title": self.title,
            "hasEmail": self.has_email,
            "addedAfter": as_moment(self.added_after),
            "addedBefore": as_moment(self.added_before),
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class PeopleFilters(Filters):
    """The filters of `people find`: for the list of an audience, and for the whole account group."""

    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Exactly this e-mail, in any audience.")] = None
    linkedin_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Exactly this LinkedIn profile, in any audience.")
    ] = None
    created_after: Annotated[
        Moment, typer.Option(metavar="TIME", help="Known since after this time, in any audience.")
    ] = None
    created_before: Annotated[
        Moment, typer.Option(metavar="TIME", help="Known since before this time, in any audience.")
    ] = None

    def of_api(self) -> Data:
        """Returns the filters that are given, by their names in the API."""
        return super().of_api() | self._of_all_audiences()

    def refuse_misplaced(self, audience: str | None) -> None:
        """Raises a usage error for a filter of one audience without an audience, and for one of all audiences with
        one."""
        if audience is not None and self._of_all_audiences():
            raise wrong_usage(
                "--email, --linkedin-url, --created-after and --created-before search all audiences: leave out "
                "--audience."
            )
        if audience is None and (self.added_after is not None or self.added_before is not None):
            raise wrong_usage("--added-after and --added-before are about one audience: name it with --audience.")

    def _of_all_audiences(self) -> Data:
        found = {
            "email": self.email,
            "linkedinUrl": self.linkedin_url,
            "createdAfter": as_moment(self.created_after),
            "createdBefore": as_moment(self.created_before),
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Selection(Filters):
    """The people that a change is about."""

    all_: Annotated[bool, typer.Option("--all", help="Every person in the source.")] = False
    in_audience: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="Only people who are also in this audience.")
    ] = None
    not_in_audience: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="Only people who are not in this audience.")
    ] = None
    exclude: IdFile = None
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first ones, in the order of the list.")] = None

    def has_filter(self) -> bool:
        """Returns whether a filter is given."""
        names = [*(each.name for each in fields(Filters)), "in_audience", "not_in_audience"]
        return any(getattr(self, name) is not None for name in names)

    async def of_transfer(self, session: Session, lead_ids: list[str] | None) -> Data:
        """Returns the fields of a transfer that select the people. Raises like `audience_id`, and a usage error for a
        file that cannot be read."""
        from leadyard.cli.audience_of_api import audience_id

        select: Data = {"all": True} if self.all_ else {"leadIds": lead_ids}
        if self.has_filter():
            others = {
                "inAudienceId": await audience_id(session, self.in_audience),
                "notInAudienceId": await audience_id(session, self.not_in_audience),
            }
            given = {name: value for name, value in others.items() if value is not None}
            select = {"filter": self.of_api() | given}
        chosen: Data = {"select": select}
        if self.exclude is not None:
            chosen["exclude"] = {"leadIds": ids_in(self.exclude)}
        if self.limit is not None:
            chosen["limit"] = self.limit
        return chosen


def ids_in(file: Path) -> list[str]:
    """Returns the words of the file, or of standard input for `-`. Raises a usage error if it cannot be read."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise wrong_usage(f"{file} cannot be read: {error}") from None
    return text.split()
