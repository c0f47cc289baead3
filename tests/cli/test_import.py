"""`leadyard import`: files of all kinds into an audience, repeatedly, next to a running service."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadyard.clock import now_ms
from leadyard.ids import key_of, new_id, number_of
from rig.commands import LEGISLATORS, Outcome, command
from rig.service import LEADYARD, Tenant, leadyard, run_sql

Importer = Callable[..., Outcome]
PEOPLE = "email,First Name,Notes\nada@example.org,Ada,x\ngrace@example.org,Grace,y\n"


@pytest.fixture
def bring_in(url: str, group: str, tmp_path: Path) -> Importer:
    """A function that writes a file and imports it into the audience 'People'."""

    def work(content: str | bytes, *arguments: str, audience: str = "People") -> Outcome:
        file = tmp_path / "people.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return command("import", str(file), "--account-group", group, "--audience", audience, *arguments, url=url)

    return work


def counts(done: Outcome) -> tuple[int, ...]:
    """Returns read, created, matched, added, already in the audience, rejected."""
    report = done.json()
    return tuple(report[name] for name in ("read", "created", "matched", "added", "alreadyInAudience", "rejected"))


def leads_of(url: str, group: str, columns: str = "email, first_name") -> list[tuple[Any, ...]]:
    return run_sql(
        url, f"SELECT {columns} FROM leads WHERE account_group_id = $1 ORDER BY email, provider_id", number_of(group)
    )


def test_the_legislators_from_the_shell(url: str, group: str, tmp_path: Path) -> None:
    arguments = ["import", str(LEGISLATORS), "--account-group", group, "--identity-column", "bioguide_id", "--json"]
    done = leadyard(*arguments, "--audience", "Congress", url=url)
    assert (done.returncode, done.stderr) == (0, "")
    congress = json.loads(done.stdout)
    assert (congress["read"], congress["created"], congress["added"], congress["rejected"]) == (537, 537, 537, 0)
    assert congress["rejectsFile"] is None
    senators = command(*arguments, "--audience", "Senators", "--where", "type=sen", url=url)
    assert counts(senators) == (100, 0, 100, 100, 0, 0)
    assert senators.json()["audience"]["name"] == "Senators"
    again = command(*arguments, "--audience", congress["audience"]["id"], url=url)
    assert counts(again) == (537, 0, 537, 0, 537, 0)
    assert command("doctor", url=url).code == 0


def test_what_a_person_reads(bring_in: Importer) -> None:
    done = bring_in(PEOPLE)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Imported into People (")
    assert "read 2  created 2  matched 0  added 2  alreadyInAudience 0  rejected 0" in done.out


def test_importing_again_changes_nothing_and_fills_what_was_empty(bring_in: Importer, url: str, group: str) -> None:
    assert counts(bring_in(PEOPLE, "--json")) == (2, 2, 0, 2, 0, 0)
    assert counts(bring_in(PEOPLE, "--json")) == (2, 0, 2, 0, 2, 0)
    bring_in("E-mail;Phone;firstName\nADA@example.org;123;Augusta\n")
    assert leads_of(url, group, "email, first_name, phone") == [
        ("ada@example.org", "Ada", "123"),
        ("grace@example.org", "Grace", None),
    ]


def test_rejected_rows_go_to_a_file_with_their_reasons(bring_in: Importer, tmp_path: Path) -> None:
    done = bring_in("email,name\nada@example.org,Ada\nnot an address,B\n,C\nd@example.org,D,E,F\n", "--json")
    assert done.code == 0
    assert counts(done) == (4, 1, 0, 1, 0, 3)
    file = tmp_path / "people.rejects.csv"
    assert done.json()["rejectsFile"] == str(file)
    with file.open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["reject_line", "reject_code", "reject_reason", "email", "name"]
    assert sorted((row[0], row[1]) for row in rows[1:]) == [
        ("3", "INVALID_EMAIL"),
        ("4", "NO_IDENTITY"),
        ("5", "TOO_MANY_CELLS"),
    ]
    assert all(row[2].endswith(".") for row in rows[1:])


def test_rejects_can_go_elsewhere(bring_in: Importer, tmp_path: Path) -> None:
    elsewhere = tmp_path / "bad.csv"
    done = bring_in("email\nnobody\nada@example.org\n", "--rejects", str(elsewhere))
    assert done.code == 0
    assert str(elsewhere) in done.out
    assert len(elsewhere.read_text().splitlines()) == 2
    nowhere = bring_in("email\nnobody\n", "--rejects", str(tmp_path / "missing" / "bad.csv"))
    nowhere.refused(1, "cannot be written", "--rejects")


def test_when_every_row_is_rejected_the_answer_is_no(bring_in: Importer) -> None:
    done = bring_in("email\nnobody\n", "--json")
    assert done.code == 1
    assert counts(done) == (1, 0, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        ("Email Address,GIVEN NAME\nada@example.org,Ada\n", []),
        ("contact_email;first_name\nada@example.org;Ada\n", []),
        ("work email\tfname\nada@example.org\tAda\n", []),
        ("e-mail|Forename\nada@example.org|Ada\n", []),
        ("\ufeffemail,firstName\r\nada@example.org,Ada\r\n", []),
        ("sep=;\nemail;firstName\nada@example.org;Ada\n", []),
        ('"email","firstName"\n"ada@example.org","Ada"\n', []),
        ("Kontakt,Rufname\nada@example.org,Ada\n", ["--map", "email=Kontakt", "--map", "firstName=Rufname"]),
        ("mail~who\nada@example.org~Ada\n", ["--delimiter", "~", "--map", "firstName=who"]),
        ("email,firstName\nada@example.org,Ada\n".encode("utf-16"), []),
        ("email,firstName\nada@example.org,Ada\n".encode("utf-16-le"), ["--encoding", "utf-16-le"]),
    ],
)
def test_spellings_layouts_and_encodings(
    bring_in: Importer, url: str, group: str, content: str | bytes, arguments: list[str]
) -> None:
    done = bring_in(content, *arguments, "--json")
    assert counts(done) == (1, 1, 0, 1, 0, 0), done
    assert leads_of(url, group) == [("ada@example.org", "Ada")]


def test_an_encoding_has_to_be_told(bring_in: Importer, url: str, group: str) -> None:
    latin = "email,firstName\nada@example.org,Zoë\n".encode("cp1252")
    bring_in(latin).refused(1, "cp1252", "0xEB")
    assert counts(bring_in(latin, "--encoding", "cp1252", "--json")) == (1, 1, 0, 1, 0, 0)
    assert leads_of(url, group) == [("ada@example.org", "Zoë")]


def test_custom_fields_and_an_outside_id(bring_in: Importer, url: str, group: str) -> None:
    done = bring_in("member,Team\n7,red\n8,blue\n", "--identity-column", "member", "--json")
    assert counts(done) == (2, 2, 0, 2, 0, 0)
    found = leads_of(url, group, "provider_id, custom_fields")
    assert [(provider_id, json.loads(custom)) for provider_id, custom in found] == [
        ("7", {"Team": "red"}),
        ("8", {"Team": "blue"}),
    ]


def test_conditions_must_all_hold(bring_in: Importer) -> None:
    rows = "email,a,b\n1@x.org,1,1\n2@x.org,1,2\n3@x.org,2,2\n"
    assert counts(bring_in(rows, "--where", "a=1", "--where", "b=2", "--json"))[0] == 1
    assert bring_in(rows, "--where", "a=9", "--json").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--identity-column", "nope"], 2, ["'nope'", "email"]),
        (["--where", "nope=1"], 2, ["'nope'"]),
        (["--map", "nope=email"], 2, ["'nope'"]),
        (["--map", "email=nope"], 2, ["'nope'"]),
        (["--map", "email"], 2, ["FIELD=COLUMN"]),
        (["--where", "=x"], 2, ["COLUMN=VALUE"]),
        (["--encoding", "klingon"], 1, ["'klingon'", "cp1252"]),
        (["--encoding", "utf-16"], 1, ["utf-16"]),
        (["--delimiter", "ab"], 1, ["'ab'"]),
    ],
)
def test_wrong_options(
    bring_in: Importer, url: str, group: str, arguments: list[str], code: int, words: list[str]
) -> None:
    bring_in(PEOPLE, *arguments).refused(code, *words)
    assert leads_of(url, group) == []
    problem = bring_in(PEOPLE, *arguments, "--json")
    assert problem.code == code
    assert set(problem.json()) == {"error"}


def test_files_that_are_none(url: str, group: str, tmp_path: Path) -> None:
    to = ["--account-group", group, "--audience", "People"]
    command("import", str(tmp_path / "none.csv"), *to, url=url).refused(1, "none.csv", "check the path")
    command("import", str(tmp_path), *to, url=url).refused(1, "is a directory")
    (tmp_path / "empty.csv").touch()
    command("import", str(tmp_path / "empty.csv"), *to, url=url).refused(1, "empty")
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04 and more")
    command("import", str(tmp_path / "book.csv"), *to, url=url).refused(1, "workbook is damaged")
    assert run_sql(url, "SELECT count(*) FROM audiences WHERE account_group_id = $1", number_of(group)) == [(0,)]


def test_the_group_and_the_audience_have_to_be_there(bring_in: Importer, url: str, tmp_path: Path) -> None:
    bring_in(PEOPLE, audience=new_id()).refused(1, "audience was not found")
    bring_in(PEOPLE, audience="x" * 201).refused(2, "200")
    file = tmp_path / "people.csv"
    missing = new_id()
    command("import", str(file), "--account-group", missing, "--audience", "A", url=url).refused(1, missing)


def test_a_name_of_two_audiences_is_refused(bring_in: Importer, url: str, group: str) -> None:
    ids = sorted([_insert_audience(url, group, "Twin"), _insert_audience(url, group, "Twin")])
    bring_in(PEOPLE, audience="Twin").refused(1, *ids)
    assert counts(bring_in(PEOPLE, "--json", audience=ids[1])) == (2, 2, 0, 2, 0, 0)


def test_an_audience_that_a_job_fills_is_refused(bring_in: Importer, url: str, group: str) -> None:
    audience, job = _insert_audience(url, group, "Busy"), new_id()
    run_sql(
        url,
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
        " VALUES ($1, $2, 'url_upload', 'running', $3, 1, 1)",
        number_of(group),
        key_of(job),
        key_of(audience),
    )
    bring_in(PEOPLE, audience=audience).refused(1, "is filling or changing", job)
    bring_in(PEOPLE, audience="Busy").refused(1, "is filling or changing")
    refused = bring_in(PEOPLE, "--json", audience="Busy").json()["error"]
    assert (refused["code"], refused["jobId"], refused["audienceId"]) == ("AUDIENCE_NOT_READY", job, audience)
    assert leads_of(url, group) == []


def test_standard_input_is_a_file_too(url: str, group: str) -> None:
    done = subprocess.run(
        [*LEADYARD, "import", "-", "--account-group", group, "--audience", "Piped", "--json"],
        env={**os.environ, "LEADYARD_DATABASE_URL": url},
        input=PEOPLE,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["created"] == 2


def test_a_progress_bar_on_a_terminal_only(url: str, group: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(1500)))
    controller, terminal = pty.openpty()
    try:
        process = subprocess.Popen(
            [*LEADYARD, "import", str(file), "--account-group", group, "--audience", "P"],
            env={**os.environ, "LEADYARD_DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=terminal,
        )
        os.close(terminal)
        drawn = _read_all(controller)
        out, _ = process.communicate(timeout=60)
    finally:
        os.close(controller)
    assert process.returncode == 0
    assert "Importing" in drawn
    assert "rows" in drawn
    assert out.decode().startswith("Imported into P (")
    # The same without a terminal is silent: see test_what_a_person_reads.


def test_beside_a_running_service(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience("Both")
    file = tmp_path / "people.csv"
    file.write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(3000)))
    process = subprocess.Popen(
        [*LEADYARD, "import", str(file), "--account-group", tenant.account_group_id, "--audience", "Both", "--json"],
        env={**os.environ, "LEADYARD_DATABASE_URL": tenant.service.database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    by_http = 0
    while process.poll() is None:
        people = [{"email": f"h{by_http}@example.org"}]
        answer = tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people})
        assert answer.status_code == 200, answer.text
        by_http += 1
        time.sleep(0.01)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["added"] == 3000
    assert by_http > 1
    assert tenant.count(audience) == 3000 + by_http


def test_memory_does_not_grow_with_the_file(url: str, group: str, tmp_path: Path) -> None:
    """Twenty times the rows, of which every twentieth is wanted, then five times the rows that are imported."""
    small = _peak_kib(url, group, _write_rows(tmp_path / "small.csv", 4_000, wanted=1))
    long = _peak_kib(url, group, _write_rows(tmp_path / "long.csv", 80_000, wanted=20))
    more = _peak_kib(url, group, _write_rows(tmp_path / "more.csv", 20_000, wanted=1))
    assert max(long, more) - small < 30 * 1024, (small, long, more)


def _write_rows(file: Path, count: int, *, wanted: int) -> Path:
    filling = "x" * 200
    with file.open("w") as stream:
        stream.write("email,wanted,about\n")
        stream.writelines(f"{file.stem}{n}@example.org,{int(n % wanted == 0)},{filling}\n" for n in range(count))
    return file


def _peak_kib(url: str, group: str, file: Path) -> int:
    """Runs the import and returns its highest memory use, independent of this process."""
    program = """
import re, sys
from pathlib import Path
from leadyard.cli.main import run
try:
    run()
finally:
    status = Path("/proc/self/status")
    if status.exists():
        print(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1], file=sys.stderr)
    else:
        import resource
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""
    to = ["--account-group", group, "--audience", file.stem, "--where", "wanted=1", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", program, "import", str(file), *to],
        env={**os.environ, "LEADYARD_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert json.loads(done.stdout)["created"] >= 4_000
    return int(done.stderr)


def _read_all(controller: int) -> str:
    pieces = []
    while True:
        try:
            piece = os.read(controller, 65_536)
        except OSError:  # Linux reports this when the other end is closed.
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces).decode(errors="replace")


def _insert_audience(url: str, group: str, name: str) -> str:
    audience = new_id()
    run_sql(
        url,
        "INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)"
        " VALUES ($1, $2, $3, $4, 'on_demand', 0, $5, $5)",
        number_of(group),
        key_of(audience),
        number_of(audience),
        name,
        now_ms(),
    )
    return audience
