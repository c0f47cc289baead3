"""Corrects the markup of the theme where it breaks a rule of accessibility (WCAG 2.2 AA, by axe).

Each correction must apply somewhere. When a new version of the theme does without one, the build fails, and you remove
the correction.
"""

from __future__ import annotations

from pathlib import Path

CORRECTIONS = {
    # A heading needs a level.
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    # Two landmarks of a kind need names.
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="This page">',
    # A part that scrolls sideways must be reachable with the keyboard.
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper ': '<div tabindex="0" class="table-wrapper ',
    # Each page needs a first heading.
    '<div id="search-results">': '<h1>Search</h1>\n<div id="search-results">',
}


def correct_markup(folder: Path) -> None:
    """Changes all pages of the folder. Raises ValueError for a correction that no page needs."""
    unused = set(CORRECTIONS)
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for wrong, right in CORRECTIONS.items():
            if wrong in text:
                unused.discard(wrong)
                text = text.replace(wrong, right)
        page.write_text(text, encoding="utf-8")
    if unused:
        raise ValueError(f"The theme has changed: no page contains {sorted(unused)}. Remove these from CORRECTIONS.")
