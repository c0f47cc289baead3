"""Makes the navigation of the guide from the lists of links that a page has anyway, so that there is one order.

Sphinx calls this for the two pages with an index. Each heading with a list of links becomes a part of the navigation.
It also calls it for links to pages outside of the folder docs, such as README.md.
"""

from __future__ import annotations

import re
from pathlib import Path

_SECTION = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
# In a list, or in the first column of a table.
_LINK = re.compile(r"^(?:- |\| )\[[^\]]+\]\((?P<page>[\w/-]+)\.md\)", re.MULTILINE)
_PAGE_ABOVE = re.compile(r"\[(?P<text>[^\]`]+)\]\((?P<file>\.\./[^)#\s]+\.md)(?:#[^)\s]*)?\)")


def with_navigation(text: str) -> str:
    """Returns the page with a hidden table of contents at its end for each heading that lists pages."""
    parts = _SECTION.split(text)
    sections = [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    trees = [_tree(title, _LINK.findall(body)) for title, body in sections]
    return "\n".join([text, *filter(None, trees)])


def pages_of(text: str) -> list[str]:
    """Returns the pages that the navigation lists, in its order."""
    return _LINK.findall(text)


def _tree(title: str, pages: list[str]) -> str:
    if not pages:
        return ""
    caption = f":caption: {title}\n" if title else ""
    return "```{toctree}\n:hidden:\n" + caption + "\n" + "\n".join(pages) + "\n```\n"


def with_downloads(text: str, page: Path, root: Path) -> str:
    """Returns the page with each link to a Markdown file outside of the root as a link to a copy of that file. The
    guide has no such page, and Sphinx copies other files by itself."""

    def link(found: re.Match[str]) -> str:
        if (page.parent / found["file"]).resolve().is_relative_to(root.resolve()):
            return found[0]
        return f"{{download}}`{found['text']} <{found['file']}>`"

    return _PAGE_ABOVE.sub(link, text)
