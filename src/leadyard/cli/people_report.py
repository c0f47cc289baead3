"""People and audiences as the commands print them for people."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.cli.output import Data
from leadyard.cli.table import one_line, table
from leadyard.counted import counted

_TITLES = ("ID", "NAME", "TITLE", "COMPANY", "E-MAIL")


def people_count(count: int) -> str:
    """Returns the number with its noun."""
    return counted(count, "person", "people")


def lead_count(count: int) -> str:
    """Returns the number with the noun of transfers and changes."""
    return counted(count, "lead")


def known_people(count: int) -> str:
    """Returns the number of people whose values an undo has kept, with the noun."""
    return counted(count, "known person", "known people")


def people_as_table(people: Sequence[Data]) -> str:
    """Returns a line for each person, under a heading."""
    return table(_TITLES, list(map(_cells, people)))


def found_people_as_table(people: Sequence[Data]) -> str:
    """Returns the same, with the names of the audiences that contain each person."""
    rows = [(*_cells(each), ", ".join(audience["name"] for audience in each["audiences"])) for each in people]
    return table((*_TITLES, "AUDIENCES"), rows)


def _cells(person: Data) -> tuple[str, ...]:
    texts = (person["name"], person["title"], person["company"]["name"], person["email"])
    return (person["id"], *(text or "" for text in texts))


def in_brief(person: Data) -> str:
    """Returns one line: name or e-mail, company, and the number of audiences."""
    named = person["name"] or person["email"] or person["linkedinUrl"] or person["id"]
    company = person["company"]["name"]
    where = counted(len(person["audiences"]), "audience")
    return one_line(f"{named}{f' ({company})' if company else ''}, in {where}")


def person_as_text(person: Data) -> str:
    """Returns a line for each field that has a value, and one for each audience."""
    known = [(name, value) for name, value in person.items() if isinstance(value, str)]
    known += [(f"company.{name}", value) for name, value in person["company"].items() if value is not None]
    known += [(f"customFields.{name}", value) for name, value in person["customFields"].items()]
    lines = [f"{one_line(name)}: {one_line(value)}" for name, value in known]
    audiences = [f"  {each['id']}  {one_line(each['name'])}" for each in person["audiences"]]
    return "\n".join([*lines, "audiences:" if audiences else "audiences: none", *audiences])


def audiences_as_table(audiences: Sequence[Data]) -> str:
    """Returns a line for each audience, under a heading."""
    rows = [
        (each["id"], each["name"], each["type"], f"{each['prospectCount']:,}", each["createdAt"]) for each in audiences
    ]
    return table(("ID", "NAME", "TYPE", "PEOPLE", "CREATED"), rows, to_the_right=("PEOPLE",))


def audience_as_text(audience: Data) -> str:
    """Returns a line for each field that has a value."""
    shown = {**audience, "prospectCount": f"{audience['prospectCount']:,}"}
    return "\n".join(f"{name}: {one_line(value)}" for name, value in shown.items() if value is not None)
