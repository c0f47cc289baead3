"""The settings of Sphinx for the guide. `script/docs` runs it with the folder docs as its source."""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from script.guide.navigation import with_downloads, with_navigation  # noqa: E402

project = "Leadyard"
author = "The Leadyard maintainers"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
extensions = ["myst_parser"]
root_doc = "index"
source_suffix = {".md": "markdown"}
# Links to headings, as in the Markdown of a repository.
myst_heading_anchors = 4
# Some responses have `…` for parts that are not shown, so they are not JSON.
suppress_warnings = ["misc.highlighting_failure"]
nitpicky = True

html_theme = "furo"
html_title = f"Leadyard {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_use_index = False
# The summary of a search result would be a request for each page, which the policy of the guide does not allow.
html_show_search_summary = False
pygments_style = "default"


def _prepare(app: Any, name: str, content: list[str]) -> None:
    content[0] = with_downloads(content[0], Path(app.srcdir) / f"{name}.md", Path(app.srcdir))
    if name in ("index", "decisions/README"):
        content[0] = with_navigation(content[0])


def _write_licences(app: Any, failed: Exception | None) -> None:
    """Writes the licences of the packages whose scripts and styles are part of the guide."""
    if failed is not None:
        return
    parts = []
    for package in ("Sphinx", "furo", "sphinx-basic-ng"):
        found = [file for file in metadata.files(package) or [] if file.name.upper().startswith(("LICEN", "COPYING"))]
        if not found:
            raise ValueError(f"{package} has no file with its licence.")
        parts += [f"{package} {metadata.version(package)}\n\n{file.read_text(encoding='utf-8')}" for file in found]
    (Path(app.outdir) / "licences.txt").write_text("\n\n".join(parts), encoding="utf-8")


def setup(app: Any) -> None:
    """Connects our own parts with Sphinx."""
    app.connect("source-read", _prepare)
    app.connect("build-finished", _write_licences)
    # Pygments has no lexer for it.
    app.add_lexer("csv", TextLexer)
