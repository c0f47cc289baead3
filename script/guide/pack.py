"""Makes the built guide obey its policy, checks that, and packs it into the archive that the service serves.

`script/docs` calls it.

    python -m script.guide.pack FOLDER ARCHIVE

It refuses what the Content-Security-Policy of the guide forbids: inline scripts and styles, and files of other hosts.
In a browser they would only be missing.
"""

from __future__ import annotations

import re
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

from script.guide.accessible import correct_markup
from script.guide.inline import move_inline_parts

# Files that Sphinx writes for itself or for other documentation, and those for a debugger.
LEFT_OUT = {".buildinfo", "objects.inv"}
LEFT_OUT_SUFFIXES = {".map"}
SUFFIXES = {".html", ".js", ".css", ".svg", ".png", ".md", ".py", ".json", ".txt"}
# Only a link leads away from a page. Every other element loads what it names.
_LOADS = {"src", "srcset", "data", "poster", "action", "formaction", "background"}
_LOADING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "prefetch", "preconnect"}
_OTHER_HOST = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_CSS_LOADS = re.compile(r"(?:@import\s*(?:url\()?|url\()\s*['\"]?((?:[a-z]+:)?//[^'\")]*)", re.IGNORECASE)
_SAME_BYTES_EVERY_TIME = (1980, 1, 1, 0, 0, 0)


class _Page(HTMLParser):
    """Collects the violations of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if name.startswith("on") or name == "style":
                self.found.append(f"<{tag} {name}={value[:60]!r}>")
            if name in _LOADS and _OTHER_HOST.match(value):
                self.found.append(f"<{tag} {name}={value!r}>")
        rels = set(given.get("rel", "").lower().split())
        if tag == "link" and rels & _LOADING_LINKS and _OTHER_HOST.match(given.get("href", "")):
            self.found.append(f"<link href={given['href']!r}>")
        if tag == "style" or (tag == "script" and "src" not in given):
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.found.append(f"an inline <{self._inside}>: {data.strip()[:60]!r}")


def violations(name: str, text: str) -> list[str]:
    """Returns what a browser would refuse to load or to run in this file, each as a sentence for the builder."""
    if name.endswith(".html"):
        page = _Page()
        page.feed(text)
        page.close()
        return [f"{name}: {each}" for each in page.found]
    if name.endswith(".css"):
        return [f"{name}: url({each})" for each in _CSS_LOADS.findall(text)]
    return []


def files_of(folder: Path) -> list[Path]:
    """Returns the files of the guide, in a fixed order."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in found if file.name not in LEFT_OUT and file.suffix not in LEFT_OUT_SUFFIXES)


def pack(folder: Path, archive: Path) -> int:
    """Writes the archive and returns the number of its files. Raises ValueError with all violations."""
    correct_markup(folder)
    move_inline_parts(folder)
    files = files_of(folder)
    problems = [f"{file.name}: the service has no media type for it" for file in files if file.suffix not in SUFFIXES]
    for file in files:
        if file.suffix in (".html", ".css"):
            problems += violations(file.relative_to(folder).as_posix(), file.read_text(encoding="utf-8"))
    if problems:
        raise ValueError("\n".join(problems))
    new = archive.with_suffix(".new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as output:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _SAME_BYTES_EVERY_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            output.writestr(entry, file.read_bytes())
    # A service that is running keeps the old archive open, and opens the new one.
    new.replace(archive)
    return len(files)


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    folder, archive = map(Path, arguments)
    try:
        count = pack(folder, archive)
    except ValueError as problem:
        print(f"script/docs: the guide would not work under its policy:\n{problem}", file=sys.stderr)
        return 1
    print(f"script/docs: {count} files, {archive.stat().st_size // 1024:,} kB, in {archive}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
