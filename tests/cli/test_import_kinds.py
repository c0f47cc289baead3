"""`leadyard import` of workbooks and vCards, from a path and from a pipe, with several columns for a field."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from leadyard.files import gzip_unpacking
from leadyard.ids import number_of
from rig.commands import Outcome, command
from rig.service import LEADYARD, run_sql
from tests.files.books import WRITTEN, written

CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada Lovelace\nEMAIL:ada@v.example\nEND:VCARD\n"


def bring_in(url: str, group: str, file: Path | str, *arguments: str) -> Outcome:
    return command("import", str(file), "--account-group", group, "--audience", "People", *arguments, url=url)


def emails(url: str, group: str) -> list[str]:
    found = run_sql(url, "SELECT email FROM leads WHERE account_group_id = $1 ORDER BY email", number_of(group))
    return [email for (email,) in found]


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "xls"])
def test_a_workbook_whatever_it_is_called(url: str, group: str, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "export.csv"
    shutil.copy(WRITTEN / f"people.{kind}", file)
    first = bring_in(url, group, file, "--json").json()
    assert (first["read"], first["created"], first["rejected"], first["skipped"]) == (2, 2, 0, 1)
    again = bring_in(url, group, file)
    assert "read 2  created 0  matched 2  added 0  alreadyInAudience 2  rejected 0  skipped 1" in again.out
    assert emails(url, group) == ["lukasz@w1.example", "zoe@w1.example"]


def test_a_sheet_is_chosen_and_a_wrong_one_refused(url: str, group: str) -> None:
    bring_in(url, group, WRITTEN / "people.xlsx", "--sheet", "Leads").refused(2, "no sheet 'Leads'", "People")
    assert bring_in(url, group, WRITTEN / "people.xlsx", "--sheet", "Hidden").code == 0
    assert emails(url, group) == ["hid@w1.example"]


def test_a_pipe_may_contain_a_workbook_or_cards(url: str, group: str) -> None:
    rows = [["Email", "Name"], *[[f"p{n}@p.example", f"P {n}"] for n in range(3_000)]]
    for content in (written(rows), CARD.encode()):
        done = subprocess.run(
            [*LEADYARD, "import", "-", "--account-group", group, "--audience", "People"],
            input=content, capture_output=True, env={**os.environ, "LEADYARD_DATABASE_URL": url}, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert len(emails(url, group)) == 3_001


def test_a_repeated_map_names_columns_in_order(url: str, group: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Who,A,B\nAda,,ada@b.example\nBob,bob@a.example,bob@b.example\n")
    done = bring_in(url, group, file, "--map", "email=A", "--map", "email=B", "--map", "name=Who", "--json")
    assert done.json()["created"] == 2
    assert emails(url, group) == ["ada@b.example", "bob@a.example"]


def test_receivers_people_in_columns_and_lists_of_other_languages(url: str, group: str, tmp_path: Path) -> None:
    texts = {
        "to.csv": '"Vint, Ada" <ada@ro.example>, Bob Wold <bob@ro.example>; cem@ro.example\n',
        "speakers.csv": "Name,Dee Ey,Fay Fox\nEmail,dee@ro.example,fay@ro.example\nCompany,Ey,Fox\n",
        "lista.csv": "Imię i nazwisko;Adres e-mail;Firma\nGosia Łuk;gosia@ro.example;Łuk\nRazem: 1;;\n",
        "meibo.csv": "氏名,会社名,メールアドレス\n山田 太郎,山田商事,taro@ro.example\n",
    }
    for name, text in texts.items():
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        shown = bring_in(url, group, file, "--dry-run", "--json").json()["estimate"]
        first, again = (bring_in(url, group, file, "--json").json() for _ in range(2))
        assert (shown["created"], shown["rejected"]) == (first["created"], first["rejected"]), name
        assert (again["created"], again["matched"], again["differing"]) == (0, first["created"], 0), name
    found = run_sql(url, "SELECT name, email FROM leads WHERE account_group_id = $1", number_of(group))
    assert sorted(tuple(row) for row in found if row[0]) == [
        ("Bob Wold", "bob@ro.example"), ("Dee Ey", "dee@ro.example"), ("Fay Fox", "fay@ro.example"),
        ("Gosia Łuk", "gosia@ro.example"), ("Vint, Ada", "ada@ro.example"), ("山田 太郎", "taro@ro.example"),
    ]  # fmt: skip
    assert len(emails(url, group)) == 7


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.csv.gz", b"email,name\nada@g.example,Ada\n"),
        ("people.tsv.gz", b"email\tname\nada@g.example\tAda\n"),
        ("people.csv", b"email,name\nada@g.example,Ada\n"),
        ("cards.vcf.GZ", CARD.replace("v.example", "g.example").encode()),
        ("people.xlsx.gz", written([["Email", "Name"], ["ada@g.example", "Ada"]])),
    ],
)
def test_a_file_may_be_compressed_with_gzip(url: str, group: str, tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(content))
    shown = bring_in(url, group, file, "--dry-run", "--json").json()
    assert (shown["rowCount"], shown["estimate"]["created"]) == (1, 1)
    assert bring_in(url, group, file, "--json").json()["created"] == 1
    piped = subprocess.run(
        [*LEADYARD, "import", "-", "--account-group", group, "--audience", "Piped", "--json"],
        input=file.read_bytes(), capture_output=True, env={**os.environ, "LEADYARD_DATABASE_URL": url}, timeout=100,
    )  # fmt: skip
    assert json.loads(piped.stdout)["matched"] == 1, piped
    assert emails(url, group) == ["ada@g.example"]


def test_the_rejected_rows_of_a_compressed_file_are_beside_it(url: str, group: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv.gz"
    file.write_bytes(gzip.compress(b"email\nada@g.example\nnobody\n"))
    assert bring_in(url, group, file, "--json").json()["rejectsFile"] == str(tmp_path / "people.rejects.csv")
    assert "INVALID_EMAIL" in (tmp_path / "people.rejects.csv").read_text()


def test_compressed_data_that_cannot_be_read_is_refused(
    url: str, group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = b"email\n" + b"".join(b"p%d@g.example\n" % number for number in range(3_000))
    packed = gzip.compress(rows)
    file = tmp_path / "people.csv.gz"
    for content, words in (
        (packed[:9], "ends in the middle"),
        (packed[:-100], "ends in the middle"),
        (packed[:50] + b"\0" * 50 + packed[100:], "is damaged"),
        (gzip.compress(packed), "compressed with gzip"),
        (b"\x1f\x8b", "ends in the middle"),
    ):
        file.write_bytes(content)
        bring_in(url, group, file).refused(1, words)
    # An upload has the same limits. Smaller ones show that they hold here, without gigabytes.
    monkeypatch.setattr(gzip_unpacking, "_HARMLESS_BYTES", 10_000)
    file.write_bytes(gzip.compress(b"email,note\n" + b"ada@g.example,x\n" * 10_000))
    bring_in(url, group, file).refused(1, "decompression bomb")
    monkeypatch.setattr(gzip_unpacking, "MAX_UNPACKED_BYTES", 20_000)
    file.write_bytes(packed)
    bring_in(url, group, file).refused(1, "unpacks to more than")
