"""`leadyard export`: an exported file can be imported again, is safe in a spreadsheet, and does not need more memory as
it grows."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadyard.database import Database
from leadyard.errors import InvalidProspect
from leadyard.ids import key_of, new_id, number_of
from leadyard.model import Audience, AudienceType, Caller, Lead, Profile
from leadyard.operations.audiences import create_audience
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.people.checking import check_profiles
from leadyard.people.identity import identity_key, normalise_profile
from rig.commands import Outcome, command, new_group
from rig.service import LEADYARD, leadyard, on_database, run_sql

_numbers = count(1)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
AWKWARD = st.one_of(
    st.sampled_from(
        ["=1+1", "+49 30", "-1", "@SUM(A1)", "'", "''", "'=1", "''=1", "'quoted'", '"', 'a "b" c', "a,b;c|d\te", "#N/A"]
    ),
    st.sampled_from(
        [
            "a\nb",
            "a\r\nb",
            "a\rb",
            "  edges  ",
            "é",
            "e\u0301",
            "שלום",
            "👩\u200d🚀",
            "𝔘",
            "\u2028x\u2028y",
            "\ufeffx",
            "a  b",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


def add(url: str, group: str, profiles: Sequence[Profile], name: str = "People") -> str:
    """Creates an audience with these people by operations alone, and returns its id."""

    async def work(db: Database) -> Audience:
        caller = Caller.operator(group)
        made = await create_audience(db, caller, name=name, type=AudienceType.ON_DEMAND, description=None)
        for start in range(0, len(profiles), 1_000):
            result = await add_prospects(
                db, caller, audience_id=made.id, checked=check_profiles(profiles[start : start + 1_000])
            )
            assert result.rejected == ()
        return made

    return on_database(url, work).id


def leads_in(url: str, group: str, audience_id: str) -> list[Lead]:
    async def work(db: Database) -> list[Lead]:
        page = await list_prospects(db, Caller.operator(group), audience_id=audience_id, after=None, limit=10_000)
        return [member.lead for member in page.items]

    return on_database(url, work)


def export(url: str, group: str, audience: str, *more: str) -> Outcome:
    return command("export", "--account-group", group, "--audience", audience, *more, url=url)


def by_identity(leads: Sequence[Lead]) -> dict[object, Profile]:
    found: dict[object, Profile] = {identity_key(lead.profile): lead.profile for lead in leads}
    assert len(found) == len(leads)
    return found


@st.composite
def people(draw: st.DrawFn) -> list[Profile]:
    """Profiles as they are stored, each with a different identity."""
    texts = st.dictionaries(
        st.sampled_from(["first_name", "name", "headline", "about", "title", "phone", "location", "company_name"]),
        AWKWARD,
    )
    names = st.one_of(
        AWKWARD, st.sampled_from(["email", "customFields.x", "=1", "Column 19", "a  b", "a\u00a0b", "A", "a"])
    )
    found: list[Profile] = []
    for number in range(draw(st.integers(1, 6))):
        raw = Profile(**draw(texts), custom_fields=draw(st.dictionaries(names, AWKWARD, max_size=4)))
        identity: dict[str, Any] = draw(
            st.sampled_from(
                [
                    {"email": f"person-{number}@example.org"},
                    {"public_identifier": f"person-{number}", "email": f"+person-{number}@example.org"},
                    {"provider_id": f"=id {number}"},
                    {"public_identifier": f"-person-{number}", "provider_id": "shared"},
                ]
            )
        )
        try:
            found.append(normalise_profile(replace(raw, **identity)))
        except InvalidProspect:  # e.g. a control character, which no import accepts
            found.append(normalise_profile(Profile(**identity)))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(profiles=people())
def test_what_comes_out_goes_in_again(url: str, tmp_path: Path, profiles: list[Profile]) -> None:
    source, target = new_group(url), new_group(url)
    audience_id = add(url, source, profiles)
    file = tmp_path / f"{next(_numbers)}.csv"
    assert export(url, source, audience_id, "--output", str(file)).code == 0
    with file.open(newline="", encoding="utf-8") as stream:
        for row in csv.reader(stream):
            assert not [cell for cell in row if cell.startswith(FORMULA_STARTS)]
    done = command("import", str(file), "--account-group", target, "--audience", "Again", "--json", url=url)
    assert done.code == 0, done
    assert (done.json()["created"], done.json()["rejected"]) == (len(profiles), 0)
    before, after = leads_in(url, source, audience_id), leads_in(url, target, done.json()["audience"]["id"])
    assert by_identity(after) == by_identity(before) == {identity_key(profile): profile for profile in profiles}


def test_who_cannot_be_identified_is_named_by_the_import(url: str, group: str, tmp_path: Path) -> None:
    """The one exception: importing such a row again would duplicate the person."""
    audience_id = add(url, group, [Profile(name="=Nobody"), Profile(email="ada@example.org")])
    file = tmp_path / "people.csv"
    assert export(url, group, audience_id, "--output", str(file)).code == 0
    done = command("import", str(file), "--account-group", new_group(url), "--audience", "A", "--json", url=url)
    assert (done.json()["created"], done.json()["rejected"]) == (1, 1)
    rejects = (tmp_path / "people.rejects.csv").read_text()
    assert "NO_IDENTITY" in rejects
    assert "'=Nobody" in rejects


def test_cells_full_of_another_delimiter_do_not_mislead_the_import(url: str, group: str, tmp_path: Path) -> None:
    semicolons = ";" * 40
    profile = Profile(email="ada@example.org", title=semicolons, custom_fields={f"x{semicolons}x": semicolons})
    audience_id = add(url, group, [profile])
    file = tmp_path / "people.csv"
    export(url, group, audience_id, "--output", str(file))
    other = new_group(url)
    done = command("import", str(file), "--account-group", other, "--audience", "A", "--json", url=url)
    (lead,) = leads_in(url, other, done.json()["audience"]["id"])
    assert lead.profile == profile


def test_standard_output_carries_the_table_and_nothing_else(url: str, group: str) -> None:
    add(url, group, [Profile(email="ada@example.org", name="Zoë", custom_fields={"Tier": "1"})])
    to = ["export", "--account-group", group, "--audience", "People"]
    done = subprocess.run(
        [*LEADYARD, *to],
        env={**os.environ, "LEADYARD_DATABASE_URL": url, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == b""
    text = done.stdout.decode("utf-8")
    assert text.count("\r\n") == text.count("\n") == 2
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["email"], row["name"], row["customFields.Tier"]) == ("ada@example.org", "Zoë", "1")


def test_what_a_person_and_a_program_read(url: str, group: str, tmp_path: Path) -> None:
    audience_id = add(url, group, [Profile(email="ada@example.org")])
    file = tmp_path / "a.csv"
    read = export(url, group, "People", "--output", str(file))
    assert (read.code, read.out, read.err) == (0, f"Exported 1 lead of People ({audience_id}) to {file}.\n", "")
    other = tmp_path / "b.csv"
    done = export(url, group, audience_id, "--output", str(other), "--json")
    assert done.json() == {"audience": {"id": audience_id, "name": "People"}, "exported": 1, "file": str(other)}
    assert file.read_bytes() == other.read_bytes()


def test_an_empty_audience_is_a_header(url: str, group: str) -> None:
    done = export(url, group, add(url, group, []))
    assert done.code == 0
    assert done.out.startswith("firstName,lastName,")
    assert done.out.count("\n") == 1


def test_refusals_leave_no_file(url: str, group: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    to = ("--output", str(file))
    first, second = add(url, group, [], "Twin"), add(url, group, [], "Twin")
    export(url, new_id(), "Twin", *to).refused(1, "account group")
    export(url, group, "Nothing", *to).refused(1, "audience")
    export(url, group, new_id(), *to).refused(1, "audience")
    export(url, group, "Twin", *to).refused(1, first, second)
    run_sql(
        url,
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
        " VALUES ($1, $2, 'url_upload', 'running', $3, 1, 1)",
        number_of(group),
        key_of(new_id()),
        key_of(first),
    )
    export(url, group, first, *to).refused(1, "is filling or changing the audience")
    assert not file.exists()


def test_wrong_usage(url: str, group: str, tmp_path: Path) -> None:
    audience_id = add(url, group, [])
    there = tmp_path / "there.csv"
    there.write_text("mine")
    export(url, group, audience_id, "--output", str(there)).refused(2, "exists")
    assert there.read_text() == "mine"
    export(url, group, audience_id, "--output", str(tmp_path / "missing" / "x.csv")).refused(2, "Cannot write")
    done = export(url, group, audience_id, "--json")
    assert done.code == 2
    assert "--output" in done.json()["error"]["message"]


def test_a_full_disk_is_said_in_a_sentence(url: str, group: str) -> None:
    add(url, group, [Profile(email="ada@example.org")])
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*LEADYARD, "export", "--account-group", group, "--audience", "People"],
            env={**os.environ, "LEADYARD_DATABASE_URL": url},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("The export cannot be written.\n"), done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="session")
def crowds(url: str) -> dict[int, tuple[str, str]]:
    """Audiences of 2,000 and 60,000 people: number → (account group, audience)."""
    made = {}
    for size in (2_000, 60_000):
        group = new_group(url)
        people = [Profile(email=f"p{n}@example.org", about="x" * 100) for n in range(size)]
        made[size] = (group, add(url, group, people))
    return made


def test_memory_does_not_grow_with_the_audience(url: str, crowds: dict[int, tuple[str, str]], tmp_path: Path) -> None:
    few, many = (_peak_kib(url, *crowds[size], tmp_path / f"{size}.csv", size) for size in (2_000, 60_000))
    assert many - few < 15 * 1024, (few, many)


def test_a_reader_that_has_enough_ends_it_quietly(url: str, crowds: dict[int, tuple[str, str]]) -> None:
    group, audience_id = crowds[60_000]
    process = subprocess.Popen(
        [*LEADYARD, "export", "--account-group", group, "--audience", audience_id],
        env={**os.environ, "LEADYARD_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"firstName,")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


def test_a_progress_bar_on_a_terminal_only(url: str, crowds: dict[int, tuple[str, str]], tmp_path: Path) -> None:
    group, audience_id = crowds[2_000]
    controller, terminal = pty.openpty()
    to = ["--account-group", group, "--audience", audience_id, "--output", str(tmp_path / "x.csv")]
    try:
        process = subprocess.Popen(
            [*LEADYARD, "export", *to],
            env={**os.environ, "LEADYARD_DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=terminal,
        )
        os.close(terminal)
        drawn = b"".join(_pieces(controller)).decode()
        out, _ = process.communicate(timeout=60)
    finally:
        os.close(controller)
    assert process.returncode == 0
    assert "Exporting" in drawn
    assert out.startswith(b"Exported 2,000 leads of ")
    silent = leadyard("export", *to[:-1], str(tmp_path / "y.csv"), url=url)
    assert (silent.returncode, silent.stderr) == (0, "")


def _pieces(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(descriptor, 4096)
        except OSError:  # Linux reports this when the other side is closed
            return
        if not piece:
            return
        yield piece


def _peak_kib(url: str, group: str, audience_id: str, file: Path, expected: int) -> int:
    """Runs the export and returns its highest memory use, independent of this process."""
    program = """
import re, resource, sys
from pathlib import Path
from leadyard.cli.main import run
try:
    run()
finally:
    status = Path("/proc/self/status")
    if status.exists():
        print(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1], file=sys.stderr)
    else:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""
    to = ["--account-group", group, "--audience", audience_id, "--output", str(file), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", program, "export", *to],
        env={**os.environ, "LEADYARD_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert json.loads(done.stdout)["exported"] == expected
    return int(done.stderr)
