"""Random tables become people: each cell is in a field, a custom field or a note, and strangers are never merged.

The people of a table are matched as in an import into an empty account group. So this covers the columns, the rules for
each value, shared addresses and the three ways to treat known people.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadyard.files.columns import plan_columns
from leadyard.model import Lead, Note, OnKnown, OtherIdentity, Profile
from leadyard.people.checking import check_rows
from leadyard.people.fields import TEXT_FIELDS
from leadyard.people.matching import Matches, match_prospects
from leadyard.people.placeholders import is_placeholder

HEADERS = ["First Name", "Last Name", "Full Name", "Work Email", "Home Email"]
HEADERS += ["LinkedIn", "Mobile", "Job Title", "Team"]
MAILBOXES = ["info@c.example", "sales@c.example", "kat@c.example"]
PLACEHOLDERS = ["", "N/A", "-", "null", "Not found", "email_not_unlocked@domain.com", "noemail@x.example"]
NAMES = ["Kat", "Lou", "Ann", "Oakes", "Pike", "Gray", "Dr. Kat", "O’Neil"]
SEVERAL = ["a@b.example; c@d.example", "Kat <kat@e.example>", "no address"]
PROFILES = ["linkedin.com/in/kat", "https://de.linkedin.com/in/Kat/en", "linkedin.com/in/lou", "linkedin.com/company/x"]
TEXTS = st.text(alphabet=string.ascii_letters + "äß’ -;:@", max_size=12)
CELLS: dict[str, st.SearchStrategy[str]] = {
    "First Name": st.sampled_from([*NAMES, ""]),
    "Last Name": st.sampled_from([*NAMES, ""]),
    "Full Name": st.sampled_from(["", "Kat Oakes", "Lou Pike", "Gray, Ann"]),
    "Work Email": st.sampled_from([*MAILBOXES, *PLACEHOLDERS, *SEVERAL]),
    "Home Email": st.sampled_from([*MAILBOXES, *PLACEHOLDERS, "home@h.example", "mailto:kat@m.example"]),
    "LinkedIn": st.sampled_from(["", "N/A", *PROFILES]),
    "Mobile": st.sampled_from(["", "555-0131", "+44 20 7946 0018", "4.9151E+12", "call me"]),
    "Job Title": TEXTS | st.sampled_from(["CEO", "Mr.", "Buyer\nand seller"]),
    "Team": TEXTS | st.sampled_from(["red", "none", "N/A", "x" * 400]),
}
TABLES = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=8)


def row(first: str = "", last: str = "", mailbox: str = "", profile: str = "") -> dict[str, str]:
    address = f"{mailbox}@c.example" if mailbox else ""
    link = f"linkedin.com/in/{profile}" if profile else ""
    filled = {"First Name": first, "Last Name": last, "Work Email": address, "LinkedIn": link}
    return dict.fromkeys(HEADERS, "") | filled


def imported(table: list[dict[str, str]], on_known: OnKnown = OnKnown.FILL, after: Matches | None = None) -> Any:
    """Returns the checked rows, and the leads that they match, perhaps after an earlier import. A row that contradicted
    others there can be clear now that the whole file is known, so it is left out."""
    rows = [[row[name] for name in HEADERS] for row in table]
    plan = plan_columns(HEADERS, sample=rows)
    checked = check_rows(plan.values(row) for row in rows)
    contradicted = {each.index for each in after.rejections} if after else set()
    return checked, match_prospects(
        [each for each in checked.valid if each[0] not in contradicted],
        after.created if after else (),
        after.left_behind if after else (),
        now=1,
        on_known=on_known,
    )


def words(text: str) -> set[str]:
    kept = "".join(char if char.isalnum() else " " for char in text.casefold())
    return set(kept.split())


def said_of(profile: Profile, notes: list[Note]) -> set[str]:
    """Returns the words in the fields, in the custom fields and in the notes of a row."""
    texts = [getattr(profile, field.attribute) or "" for field in TEXT_FIELDS]
    texts += [*profile.custom_fields.values(), *(note.message for note in notes)]
    return set().union(*map(words, texts))


def meant(cell: str) -> set[str]:
    """Returns the words that must not get lost. Placeholders, and the words of a link around the name, mean nothing."""
    if not cell.strip() or is_placeholder(cell.strip(), "email") or "domain.com" in cell or "noemail" in cell:
        return set()
    return words(cell) - {"https", "http", "www", "de", "linkedin", "com", "in", "en", "mailto", "company", "mr", "dr"}


@settings(max_examples=300, deadline=None)
@given(TABLES)
def test_each_cell_is_in_a_field_in_a_custom_field_or_named_in_a_note(table: list[dict[str, str]]) -> None:
    checked, _ = imported(table)
    notes: defaultdict[int, list[Note]] = defaultdict(list)
    for note in checked.notes:
        notes[note.index].append(note)
    for index, profile in checked.valid:
        found = said_of(profile, notes[index])
        for name, cell in table[index].items():
            lost = meant(cell) - found
            assert not lost or any(name in note.message for note in notes[index]), (name, cell, profile, notes[index])
    assert len(checked.valid) + len(checked.invalid) == len(table)


@settings(max_examples=300, deadline=None)
@given(TABLES, st.sampled_from(OnKnown))
# The same word is a last name in one row and a first name in the other.
@example([row("", "", "info"), row("", "Kat", "info"), row("Kat", "", "info")], OnKnown.FILL)
# A person known by a profile joins an address after another one of the same name.
@example(
    [
        row("Kat", "Gray", "", "kat"),
        row("Lou", "Pike", "info"),
        row("Kat", "Gray", "info") | {"Team": "red"},
        row("Kat", "Gray", "info", "kat"),
    ],
    OnKnown.FILL,
)
# A person has one address, then another one, and the first one again.
@example(
    [
        row("", "", "sales", "kat"),
        row("", "", "info", "kat"),
        row("", "", "info") | {"Job Title": "CEO"},
        row("", "", "info", "lou"),
        row("", "", "sales"),
    ],
    OnKnown.UPDATE,
)
# A person leaves the mailbox of another one, who is found by it without a name.
@example(
    [row("", "", "sales", "kat"), row("", "", "sales", "lou"), row("", "", "sales"), row("", "", "info", "lou")],
    OnKnown.UPDATE,
)
def test_a_table_again_changes_nothing_and_each_person_is_found(table: list[dict[str, str]], mode: OnKnown) -> None:
    if mode is OnKnown.UPDATE:
        # A file that renames a person from row to row is another one at each import, and an address with two names
        # belongs to two people.
        # A name may also stand before an address: Kat <kat@e.example>.
        table = [{name: re.sub(r"[^<]*<(.*)>", r"\1", cell) for name, cell in row.items()} for row in table]
        table = [{**row, "First Name": "", "Last Name": "", "Full Name": ""} for row in table]
    checked, first = imported(table, mode)
    assert first.matched_count + len(first.created) + len(first.rejections) == len(checked.valid)
    _, again = imported(table, mode, first)
    assert (again.created, again.changed, again.replaced) == ((), (), ())
    assert {*again.lead_ids} <= {*first.lead_ids}
    # A lead that keeps its own address, against the one of a row, does not stop a later row from bringing in somebody
    # with that other address. Then the first row contradicts the second one, and the second import reports it.
    assert {each.code for each in again.rejections} <= {"IDENTITY_CONFLICT"}


@settings(max_examples=300, deadline=None)
@given(TABLES)
# The name of a person comes from one row and the address from another, which the profile joins.
@example([row("Kat", "Kat", profile="kat"), row("Lou", "Lou", "info", "kat"), row("Kat", "Kat", "info")])
# Only the last names are known of both, and people marry.
@example([row("Kat", "Kat", "kat"), row("", "Lou", "kat")])
def test_strangers_are_never_merged_by_a_placeholder_a_mailbox_or_a_phone(table: list[dict[str, str]]) -> None:
    checked, _ = imported(table)
    people: defaultdict[str, list[Profile]] = defaultdict(list)
    known: tuple[Lead, ...] = ()
    others: tuple[OtherIdentity, ...] = ()
    for index, profile in checked.valid:
        step = match_prospects([(index, profile)], known, others, now=1)
        others += step.left_behind
        for lead_id in step.lead_ids:
            people[lead_id].append(profile)
        known = tuple({lead.id: lead for lead in (*known, *step.created, *step.changed)}.values())
    for rows in people.values():
        for number, profile in enumerate(rows[1:], 1):
            assert any(may_be_one(profile, other) for other in known_of(rows[:number])), rows


def known_of(rows: list[Profile]) -> Iterator[Profile]:
    """Yields what a lead may be known as: its profile and its address can come from one row, and its name from another,
    because the profile makes them one person."""
    for row in rows:
        for named in rows:
            yield replace(row, first_name=named.first_name, last_name=named.last_name, name=named.name)


def may_be_one(one: Profile, other: Profile) -> bool:
    """Returns whether a profile or an address makes one person of two rows: judged here by another, simpler rule."""
    if one.public_identifier and one.public_identifier == other.public_identifier:
        return True
    if one.email is None or one.email != other.email:
        return False
    mine, theirs = (words(f"{each.first_name} {each.last_name} {each.name}") - {"none", "dr"} for each in (one, other))
    if one.email.startswith(("info@", "sales@")):
        return bool(mine & theirs) or not (mine or theirs)
    # People marry and use short names, so the first and the last name must differ, and both must be known.
    are_whole = all(bool((each.first_name and each.last_name) or " " in (each.name or "")) for each in (one, other))
    return bool(mine & theirs) or not are_whole
