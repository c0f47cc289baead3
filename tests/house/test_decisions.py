"""The pages of docs/decisions: each has a number, a status and a date, and the index lists all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
_HEADER = re.compile(
    r"# (?P<number>\d{4}): (?P<title>[^\n]+)\n\n"
    r"Status: (?P<status>accepted|(?:amended|superseded) by \[(?P<by>\d{4})\]\((?P<file>[\w-]+\.md)\))"
    r" · Date: (?P<date>\d{4}-\d\d-\d\d)\n\n"
)


def header_of(page: Path) -> re.Match[str]:
    header = _HEADER.match(page.read_text())
    assert header, f"{page.name} must begin as docs/decisions/README.md shows"
    return header


def index_line(page: Path) -> str:
    header = header_of(page)
    return f"| [{header['number']}]({page.name}) | {header['title']} | {header['status']} | {header['date']} |"


def test_the_index_lists_every_page_with_its_title_status_and_date() -> None:
    listed = re.findall(r"^\| \[\d{4}\].*$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    expected = [index_line(page) for page in PAGES]
    assert listed == expected, "docs/decisions/README.md should contain:\n" + "\n".join(expected)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name[:4])
def test_a_page_has_its_own_number_and_names_a_page_that_replaces_it(page: Path) -> None:
    header = header_of(page)
    assert page.name.startswith(header["number"] + "-")
    assert [other.name for other in PAGES if other.name.startswith(header["number"])] == [page.name]
    if header["by"]:
        assert header["file"].startswith(header["by"] + "-")
        assert header["by"] > header["number"]
        assert (FOLDER / header["file"]).is_file()


@pytest.mark.parametrize(
    "beginning",
    [
        "# 0001: A\n\n**Context.**",
        "# 0001: A\n\nStatus: done · Date: 2026-11-29\n\n",
        "# 1: A\n\nStatus: accepted · Date: x\n\n",
    ],
)
def test_a_page_without_its_header_would_be_noticed(tmp_path: Path, beginning: str) -> None:
    (tmp_path / "0001-a.md").write_text(beginning)
    with pytest.raises(AssertionError, match="0001-a"):
        header_of(tmp_path / "0001-a.md")
