"""Moves inline scripts and styles of the built pages into files, because the policy of the guide forbids inline ones.

The theme has a few of them, the same on every page. This is done after the build, so that no template of the theme has
to be copied. A script that has moved still runs at its place, because the browser waits for it there.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

_SCRIPT = re.compile(r"<script>(?P<code>.*?)</script>", re.DOTALL)
_STYLE = re.compile(r"<style>(?P<rules>.*?)</style>", re.DOTALL)
_TAG_WITH_STYLE = re.compile(
    r"<(?P<before>[a-z][^<>]*?)\sstyle=(?P<quote>[\"'])(?P<rules>[^\"']*)(?P=quote)(?P<after>[^<>]*)>"
)
_CLASS = re.compile(r"(\sclass=[\"'])")
_FOLDER = "_static/moved"


def move_inline_parts(folder: Path) -> None:
    """Changes all pages of the folder."""
    (folder / _FOLDER).mkdir(parents=True, exist_ok=True)
    for page in sorted(folder.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        page.write_text(_Moved(folder, page).rewritten(text), encoding="utf-8")


class _Moved:
    """One page, and the files that its parts have moved to."""

    def __init__(self, folder: Path, page: Path) -> None:
        self._folder = folder
        self._up = os.path.relpath(folder, page.parent)
        self._rules: dict[str, str] = {}

    def rewritten(self, text: str) -> str:
        """Returns the page without inline parts."""
        text = _TAG_WITH_STYLE.sub(self._attribute, text)
        text = _SCRIPT.sub(lambda found: f'<script src="{self._file(found["code"], "js")}"></script>', text)
        text = _STYLE.sub(lambda found: self._link(found["rules"]), text)
        if not self._rules:
            return text
        rules = "\n".join(f".{name} {{ {rule} }}" for name, rule in sorted(self._rules.items()))
        return text.replace("</head>", f"{self._link(rules)}\n</head>", 1)

    def _attribute(self, found: re.Match[str]) -> str:
        name = f"moved-{_digest(found['rules'])}"
        self._rules[name] = found["rules"]
        before, after = found["before"], found["after"]
        if _CLASS.search(before + after):
            return "<" + _CLASS.sub(rf"\g<1>{name} ", before + after, count=1) + ">"
        return f'<{before} class="{name}"{after}>'

    def _link(self, rules: str) -> str:
        return f'<link rel="stylesheet" href="{self._file(rules, "css")}">'

    def _file(self, content: str, suffix: str) -> str:
        """Writes the content into a file that is named after it, and returns its address from the page."""
        name = f"{_FOLDER}/{_digest(content)}.{suffix}"
        (self._folder / name).write_text(content.strip() + "\n", encoding="utf-8")
        return f"{self._up}/{name}"


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:12]
