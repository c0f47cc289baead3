"""The text of a person in a cell, as a tool writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.files.corpus.people import Person

LOCKED = "email_not_unlocked@domain.com"
_IN = "www.linkedin.com/in/"


def _if(value: str, text: str) -> str:
    return text if value else ""


def _place(person: Person) -> str:
    return ", ".join(filter(None, (person.city, person.country)))


def _several(person: Person, between: str) -> str:
    return between.join(filter(None, (person.email, person.email_other)))


def _domain(person: Person) -> str:
    return person.website.removeprefix("https://").removeprefix("www.")


COMPOSED: Mapping[str, Callable[[Person], str]] = {
    "full": lambda p: f"{p.first} {p.last}",
    "full_noise": lambda p: f"{p.first} {p.last}",
    "place": _place,
    "domain": _domain,
    "website_noise": lambda p: p.website,
    "salutation_noise": lambda p: p.salutation,
    "negative_key": lambda p: "-" + p.key.removeprefix("K-"),
    "email_locked": lambda p: p.email or LOCKED,
    "emails_comma": lambda p: _several(p, ", "),
    "emails_semicolon": lambda p: _several(p, ";"),
    "emails_google": lambda p: _several(p, " ::: "),
    "phone_direct_quoted": lambda p: _if(p.phone_direct, f"'{p.phone_direct}"),
    "phone_home_alone": lambda p: p.phone_home,
    "phone_work_alone": lambda p: p.phone_work,
    "profile": lambda p: _if(p.vanity, f"https://{_IN}{p.vanity}"),
    "profile_http": lambda p: _if(p.vanity, f"http://{_IN}{p.vanity}/"),
    "profile_bare": lambda p: _if(p.vanity, f"linkedin.com/in/{p.vanity}"),
    "member_url": lambda p: _if(p.member, f"https://{_IN}{p.member}"),
    "member_bare": lambda p: p.member,
    "sales_url": lambda p: _if(p.member, f"https://www.linkedin.com/sales/lead/{p.member},NAME_SEARCH,x{p.key[-1]}"),
    "sales_plain": lambda p: _if(p.member, f"https://www.linkedin.com/sales/lead/{p.member}"),
    "talent_url": lambda p: _if(p.vanity, f"https://www.linkedin.com/talent/profile/AEMAA{p.key}{'z' * 28}"),
}


def source_of(column: str) -> tuple[str, int | None]:
    """Returns the source of a column without its rank, and the rank that the layout gives it, if any."""
    if column.startswith('"'):
        return column, None
    source, at, rank = column.partition("@")
    return source, int(rank) if at else None


def cell(person: Person, column: str) -> str:
    """Returns the text of the person in a column with this source, "" if the tool does not know it."""
    source, _ = source_of(column)
    if source.startswith('"'):
        return source[1:-1].replace('\\"', '"')
    return COMPOSED[source](person) if source in COMPOSED else str(getattr(person, source))
