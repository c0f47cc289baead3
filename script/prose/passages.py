"""Finds the text that people read in the files of this repository: pages, docstrings, comments, messages.

Code blocks of Markdown, SQL and the strings of tests are not prose. A word in `backticks` is quoted, so it is not prose
either. A rule uses backticks to name the word that it forbids.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (
    *(
        "src",
        "clients",
        "script",
        "benchmarks",
        "examples",
        "recipes",
        "tests",
        "rig",
        "docs",
        "deploy",
        ".ci",
        ".github",
        "findings",
    ),
)
_TOP_FILES = {"pyproject.toml", "Dockerfile", ".dockerignore", ".editorconfig", ".gitignore", ".pre-commit-config.yaml"}
_COMMENTED_SUFFIXES = {"", ".cfg", ".conf", ".env", ".ini", ".service", ".sh", ".toml", ".yaml", ".yml"}
_LEAST_WORDS_OF_A_SENTENCE = 4

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_QUOTED = re.compile(r"``.+?``|`[^`\n]+`", re.DOTALL)
# `ruff format` normalises quotes, and f-strings of Python 3.11 cannot nest them, so one expression is enough. It is
# several times as fast as the module `tokenize`; a test compares the two.
_STRING_OR_COMMENT = re.compile(
    r"'''(?:\\.|[^\\])*?'''"
    r'|"""(?:\\.|[^\\])*?"""'
    r"|'(?:\\.|[^'\\\n])*'"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?P<comment>#[^\n]*)",
    re.DOTALL,
)
_HASH_COMMENT = re.compile(r"(?:^|(?<=\s))#(?P<text>[^\n]*)", re.MULTILINE)
_FOR_A_PROGRAM = re.compile(r"#?\s*(?:noqa|type:|pragma|fmt:|shellcheck|syntax=|ruff:)[^\n]*|\A!.*|-{4,}|={4,}")
_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,}).*?^[ \t]*(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
_LINK_TARGET = re.compile(r"\]\([^)\s]*\)|<https?:[^>]*>|https?://\S+")
_HTML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SQL = re.compile(
    r"\b(?:SELECT|INSERT INTO|DELETE FROM|FROM|WHERE|CREATE|ALTER|ORDER BY|RETURNING|VALUES|COALESCE|PRAGMA)\b"
)
_TOML_STRING = re.compile(r'"(?P<text>[^"\n]*)"')


@dataclass(frozen=True, slots=True)
class Passage:
    """Text that belongs together, such as a docstring. `line` is the line of the file on which `text` begins."""

    file: Path
    line: int
    text: str

    @property
    def words(self) -> int:
        return len(_WORD.findall(self.text))

    def line_of(self, offset: int) -> int:
        return self.line + self.text.count("\n", 0, offset)


def project_files(root: Path = ROOT) -> list[Path]:
    """Returns the files of the whole project that may contain prose, sorted."""
    top = (file for file in root.iterdir() if file.suffix == ".md" or file.name in _TOP_FILES)
    below = chain.from_iterable((root / folder).rglob("*") for folder in FOLDERS if (root / folder).is_dir())
    return sorted(file for file in chain(top, below) if file.is_file() and _is_read(file, root))


def _is_read(file: Path, root: Path) -> bool:
    if any(part in ("__pycache__", "node_modules", ".venv") for part in file.relative_to(root).parts):
        return False
    return file.suffix in (".py", ".md") or file.suffix in _COMMENTED_SUFFIXES


def passages_of(file: Path, root: Path = ROOT) -> Iterator[Passage]:
    """Yields the prose of one file. A file that is not UTF-8 text contains none."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    if file.suffix == ".md":
        yield from _markdown(file, text)
    elif file.suffix == ".py":
        yield from _python(file, text, with_messages=root / "src" in file.parents)
    else:
        yield from _joined(file, ((_line_at(text, m.start()), m["text"]) for m in _HASH_COMMENT.finditer(text)))
        if file.suffix == ".toml":
            yield from _toml_sentences(file, text)


def without_quotes(text: str) -> str:
    """Returns the text with an ellipsis, which is not a word, for each passage in backticks. Line breaks stay."""
    return _QUOTED.sub(lambda match: "…" + "\n" * match[0].count("\n"), text)


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def _markdown(file: Path, text: str) -> Iterator[Passage]:
    prose = _HTML_COMMENT.sub(_blank, _FENCE.sub(_blank, text))
    prose = _LINK_TARGET.sub("]", without_quotes(prose))
    yield Passage(file, 1, prose)


def _python(file: Path, text: str, *, with_messages: bool) -> Iterator[Passage]:
    comments = (match for match in _STRING_OR_COMMENT.finditer(text) if match["comment"])
    yield from _joined(file, ((_line_at(text, match.start()), match["comment"].lstrip("#")) for match in comments))
    tree = ast.parse(text, file)
    docstrings = list(_docstrings(tree))
    yield from (Passage(file, node.lineno, without_quotes(str(node.value))) for node in docstrings)
    if with_messages:
        yield from _messages(file, tree, {id(node) for node in docstrings})


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _joined(file: Path, comments: Iterator[tuple[int, str]]) -> Iterator[Passage]:
    """Comments on adjacent lines are one passage, because a sentence may continue on the next line."""
    begun, lines = 0, list[str]()
    for number, comment in comments:
        if lines and number != begun + len(lines):
            yield Passage(file, begun, without_quotes("\n".join(lines)))
            lines = []
        begun = begun if lines else number
        lines.append(_FOR_A_PROGRAM.sub("", comment).strip())
    if lines:
        yield Passage(file, begun, without_quotes("\n".join(lines)))


def _docstrings(node: ast.AST) -> Iterator[ast.Constant]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant) and isinstance(inner.value.value, str):
            yield inner.value
        elif isinstance(inner, ast.stmt | ast.ExceptHandler):
            yield from _docstrings(inner)


def _messages(file: Path, tree: ast.AST, left_out: set[int]) -> Iterator[Passage]:
    """The strings that are sentences: errors, help, descriptions. A value inside an f-string becomes an ellipsis."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            # `ast.walk` visits a node before its children, so the parts are left out when their turn comes.
            left_out.update(id(part) for part in node.values)
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            text = node.value
        else:
            continue
        if _is_sentence(text):
            yield Passage(file, node.lineno, without_quotes(text))


def _is_sentence(text: str) -> bool:
    return len(_WORD.findall(text)) >= _LEAST_WORDS_OF_A_SENTENCE and " " in text and not _SQL.search(text)


def _toml_sentences(file: Path, text: str) -> Iterator[Passage]:
    for match in _TOML_STRING.finditer(text):
        if _is_sentence(match["text"]):
            yield Passage(file, _line_at(text, match.start()), without_quotes(match["text"]))
