"""Lists the licences that come with the service in docs/licences.md, and checks them against the allowed ones.

python -m script.supply.licences            exit 1 when a licence is not in the list, or the page is out of date
python -m script.supply.licences --write    writes the page
"""

from __future__ import annotations

import re
import sys
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from typing import cast

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from script.supply.lock import ROOT, RUNTIME, read_lock

PAGE = ROOT / "docs" / "licences.md"
_PERMISSIVE = "requires keeping its text, and nothing else"
# Leadyard is under Apache-2.0, and its users get these packages with it. If a licence is missing here, a person has to
# decide: may we distribute the service with it, and may users change it without publishing their own code?
ALLOWED = {
    "0BSD": "requires nothing",
    "Apache-2.0": "our own; patents are granted too",
    "BSD-2-Clause": _PERMISSIVE,
    "BSD-3-Clause": _PERMISSIVE,
    "ISC": _PERMISSIVE,
    "MIT": _PERMISSIVE,
    "MIT-0": _PERMISSIVE,
    "MPL-2.0": "changes of its own files stay open; we change none, and files beside them are free",
    "PSF-2.0": "Python's own; " + _PERMISSIVE,
    "Python-2.0": "Python's own; " + _PERMISSIVE,
    "Unlicense": "requires nothing",
    "Zlib": "requires keeping its notice, and marking sources that you change",
}
_SPDX_OF = {
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    # apsw is under the text of Zlib, or any other licence of the Open Source Initiative that you choose instead.
    "any-OSI": "Zlib",
}
_HEAD = """# Licences of the packages in the service

The table lists every package that you get with Leadyard, and its licence. `script/check` fails when a licence is not
one of the allowed ones, or when this page is out of date. `script/supply/licences.py` has the list of allowed licences,
with the reason for each. Packages that only tests and checks use are not distributed and not listed.

To write the page again from the metadata of the packages in `requirements-runtime.lock`:

```bash
python -m script.supply.licences --write
```

| package | licence |
|---|---|
"""


def declared(name: str) -> str | None:
    """Returns the licence that an installed package declares, as an SPDX expression if possible. None for a package
    that is not installed here because it is for another platform."""
    try:
        # An e-mail message, whose type in the standard library leaves out `get`.
        said = cast("Message", metadata(name))
    except PackageNotFoundError:
        return None
    if expression := said.get("License-Expression"):
        return str(expression)
    classified = [
        each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or [] if each.startswith("License ::")
    ]
    free_text = (said.get("License") or "").strip().partition("\n")[0]
    if classified == ["BSD License"] and free_text in ALLOWED:
        # The classifier does not name the exact BSD licence, but this text does.
        return free_text
    # Classifiers do not mark alternatives, so all of them have to be allowed.
    names = [each for each in classified if each != "OSI Approved"] or [free_text or "unknown"]
    return " AND ".join(sorted(_SPDX_OF.get(each, each) for each in names))


def is_allowed(expression: str) -> bool:
    """Returns whether the licence is allowed: with AND every part, with OR one part; AND binds closer."""
    try:
        words = re.findall(r"[()]|[^\s()]+", canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return False
    allowed = _one_of(words)
    # Remaining words, such as the exception after WITH, were not understood.
    return allowed and not words


def _one_of(words: list[str]) -> bool:
    found = [_all_of(words)]
    while words[:1] == ["OR"]:
        del words[0]
        found.append(_all_of(words))
    return any(found)


def _all_of(words: list[str]) -> bool:
    found = [_single(words)]
    while words[:1] == ["AND"]:
        del words[0]
        found.append(_single(words))
    return all(found)


def _single(words: list[str]) -> bool:
    word = words.pop(0)
    if word != "(":
        return word in ALLOWED
    inner = _one_of(words)
    del words[:1]
    return inner


def listed() -> dict[str, str]:
    """Returns the licences that the page lists now, by package."""
    text = PAGE.read_text() if PAGE.exists() else ""
    return dict(re.findall(r"^\| ([a-z0-9.-]+) \| ([^|]+) \|$", text.rpartition("|---|")[2], re.MULTILINE))


def found() -> dict[str, str]:
    """Returns the licence of every package of the runtime lock. A package of another platform keeps its entry."""
    before = listed()
    names = sorted({each.name for each in read_lock(RUNTIME)})
    return {name: declared(name) or before.get(name, "unknown") for name in names}


def page(licences: dict[str, str]) -> str:
    """Returns the text of the page."""
    return _HEAD + "".join(f"| {name} | {licence} |\n" for name, licence in licences.items())


def problems(licences: dict[str, str]) -> list[str]:
    """Returns a sentence for everything that is wrong."""
    wrong = [
        f"{name} is under {licence}, which is not allowed in script/supply/licences.py."
        for name, licence in licences.items()
        if not is_allowed(licence)
    ]
    if (PAGE.read_text() if PAGE.exists() else "") != page(licences):
        wrong.append("docs/licences.md is out of date: run python -m script.supply.licences --write.")
    return wrong


def main() -> int:
    licences = found()
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(licences))
    wrong = problems(licences)
    print("\n".join(wrong) or f"{len(licences)} packages, and every licence is an allowed one.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
