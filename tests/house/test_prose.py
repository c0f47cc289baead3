"""The check of our English: each habit is found where it is, and plain sentences are left alone."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest

from script.prose.__main__ import main
from script.prose.counts import count_habits, is_addressed, rate
from script.prose.habits import HABITS, find_habits
from script.prose.passages import ROOT, Passage, passages_of, project_files

# For each habit a sentence that has it, and a plain sentence that looks similar.
EXAMPLES = {
    "nobody-words": ("So that nobody waits.", "So that no request waits for a body."),
    "whoever": ("Give it to whoever calls.", "Give it to the client that calls."),
    "clause as subject": ("It runs. What is wrong is refused.", "It runs. What is wrong?"),
    "that of": ("It takes the lock and that of the job.", "It takes the lock that often waits."),
    "for = because": ("Compare the end, for it has many spellings.", "Wait, for the rest of the file, until it ends."),
    "archaic words": ("It is read anew.", "It is read again beside the other."),
    "programs tell, bear, ask": ("The server tells its version.", "The server reports its version of a teller."),
    "programs know, meet, say": ("The page says why.", "The page has a known vulnerability."),
    "is no noun": ("This is no URL.", "There is no URL, and it is no longer read."),
    "hole": ("It has a hole.", "The whole file is read."),
    "doubled": ("No lead is lost or doubled.", "The double is refused."),
    "at hand": ("The connection at hand is used.", "At handover it is closed."),
    "so many": ("At most so many rows.", "At most 10 rows, so that many fit."),
    "to be had": ("That is not to be had.", "It needs to be handed over."),
}


def habits_in(text: str) -> list[str]:
    return [found.habit.name for found in find_habits(Passage(Path("x.md"), 1, text))]


def test_every_habit_has_its_examples() -> None:
    assert list(EXAMPLES) == [habit.name for habit in HABITS]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_habit_is_found_and_a_plain_sentence_is_not(name: str) -> None:
    wrong, plain = EXAMPLES[name]
    assert habits_in(wrong) == [name]
    assert habits_in(plain) == []


@pytest.mark.parametrize(
    "text",
    [
        "What is left is deleted.",
        "Done.\n\nWhat is left is deleted.",
        "- a\n- What is left is deleted.",
        "a: Whatever is left is deleted.",
    ],
)
def test_a_clause_is_found_where_a_sentence_begins(text: str) -> None:
    assert habits_in(text) == ["clause as subject"]


@pytest.mark.parametrize(
    "text", [", for the file is large", ", for each has one", ": for nothing waits", ", for they end"]
)
def test_for_as_a_conjunction_is_found(text: str) -> None:
    assert habits_in("It is slow" + text + ".") == ["for = because"]


def test_a_habit_is_found_across_a_line_break_and_named_with_its_line() -> None:
    (found,) = find_habits(Passage(Path("x.md"), 10, "One line.\nThe lock and that\nof the job."))
    assert (found.line, found.words) == (11, "that of")


# ---------------------------------------------------------------------------------------------- what counts as prose


def texts_of(tmp_path: Path, name: str, content: str) -> list[tuple[int, str]]:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return [(passage.line, passage.text) for passage in passages_of(file, tmp_path)]


def test_markdown_without_code_links_and_quotes(tmp_path: Path) -> None:
    page = (
        "# Title\n\n```bash\nnobody # here\n```\nNever `whoever`: [see](docs/nobody.md).\n"
        "<!--\nanew -->\n~~~\nanew\n~~~\nEnd.\n"
    )
    ((line, text),) = texts_of(tmp_path, "page.md", page)
    assert line == 1
    assert habits_in(text) == []
    assert text.count("\n") == page.count("\n"), "so that the numbers of lines stay true"
    assert text.splitlines()[5] == "Never …: [see]."


PYTHON = '''#!/usr/bin/env python
"""A module."""

x = "not # a comment"  # A comment
# goes on.  # noqa: S603

# Another.
class A:
    """A class."""

    def b(self) -> str:
        """A function
        of two lines."""
        raise ValueError(f"The value {x} is not valid.", "SELECT a FROM c WHERE d", "short", "four words without end")
'''


def test_python_of_the_service(tmp_path: Path) -> None:
    comments = [(1, ""), (4, "A comment\ngoes on."), (7, "Another.")]
    docstrings = [(2, "A module."), (9, "A class."), (12, "A function\n        of two lines.")]
    messages = [(14, "The value … is not valid."), (14, "four words without end")]
    assert texts_of(tmp_path, "src/a.py", PYTHON) == comments + docstrings + messages
    assert texts_of(tmp_path, "tests/a.py", PYTHON) == comments + docstrings


def test_comments_of_scripts_and_settings(tmp_path: Path) -> None:
    assert texts_of(tmp_path, "run", '#!/bin/bash\n# One\n# two.\na=${b#c}  # Three.\n"$x" ${#y[@]}\n') == [
        (1, "\nOne\ntwo.\nThree.")
    ]
    assert texts_of(tmp_path, "a.toml", 'name = "A door never reaches into the store" # Why.\n') == [
        (1, "Why."),
        (1, "A door never reaches into the store"),
    ]


def test_the_fast_reader_of_comments_finds_what_tokenize_finds() -> None:
    files = [file for file in project_files() if file.suffix == ".py"][::7]
    assert len(files) > 20
    for file in files:
        tokens = tokenize.generate_tokens(io.StringIO(file.read_text()).readline)
        expected = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
        found = {
            passage.line + number
            for passage in passages_of(file, file)
            for number in range(passage.text.count("\n") + 1)
        }
        assert expected <= found, file


def test_the_project_is_read_and_what_is_generated_is_not() -> None:
    names = {str(file.relative_to(ROOT)) for file in project_files()}
    assert {
        "README.md",
        "pyproject.toml",
        "Dockerfile",
        "script/check",
        ".ci/run",
        "src/leadyard/model/jobs.py",
    } <= names
    assert {"Dockerfile", "deploy/compose.yaml", "deploy/nginx.conf", "docs/api.md", "tests/conftest.py"} <= names
    assert not {"openapi.json", "requirements.lock", "docs/performance/goals.svg"} & names
    assert not any("__pycache__" in name for name in names)


# --------------------------------------------------------------------------------------------------- limits and output


def page_of(tmp_path: Path, words: int, sentence: str, name: str = "CHANGELOG.md") -> Path:
    file = tmp_path / name
    file.write_text(sentence + " word" * (words - len(sentence.split())))
    return file


def test_a_habit_is_allowed_up_to_its_rate(tmp_path: Path) -> None:
    assert rate(1, 0) == 0
    allowed = count_habits([page_of(tmp_path, 6_700, "It is read anew.")], tmp_path)
    assert allowed.all_words == 6_700
    assert allowed.over_limit() == []
    refused = count_habits([page_of(tmp_path, 6_600, "It is read anew.")], tmp_path)
    assert [habit.name for habit in refused.over_limit()] == ["archaic words"]


def test_the_rate_is_over_all_files_together(tmp_path: Path) -> None:
    files = [page_of(tmp_path, 10, "It is read anew.", "a.md"), page_of(tmp_path, 6_700, "It is read.", "b.md")]
    assert count_habits(files[:1], tmp_path).over_limit() != []
    assert count_habits(files, tmp_path).over_limit() == []


def test_pages_for_readers_address_them(tmp_path: Path) -> None:
    assert count_habits([page_of(tmp_path, 1_000, "It starts.", "README.md")], tmp_path).addresses_too_rarely()
    you = "You start it on your machine, you stop it, and you see your data."
    assert not count_habits([page_of(tmp_path, 1_000, you, "README.md")], tmp_path).addresses_too_rarely()
    assert not count_habits([page_of(tmp_path, 1_000, "It starts.")], tmp_path).addresses_too_rarely()
    addressed = {str(file.relative_to(ROOT)) for file in project_files() if is_addressed(file)}
    assert {"README.md", "CONTRIBUTING.md", "docs/api.md"} <= addressed
    assert not {"CHANGELOG.md", "docs/licences.md", "docs/decisions/0006-locks.md"} & addressed


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = ROOT / "tests" / "house" / "test_prose.py"
    assert main([str(file)]) == 0
    assert "no habit above 0.15" in capsys.readouterr().out
    assert main(["--report", "README.md"]) == 0
    assert "you (at least 5" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path)])
    assert stopped.value.code == 2


def test_the_command_names_line_habit_and_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ARCHITECTURE.md").write_text("# A page\n\nIt is read anew.\n")
    monkeypatch.chdir(tmp_path)
    assert main([], tmp_path) == 1
    title, place = capsys.readouterr().out.splitlines()
    assert title.startswith("archaic words: 166.67 per 1,000 words, at most 0.15: again, ")
    assert place == "  ARCHITECTURE.md:3: anew"
