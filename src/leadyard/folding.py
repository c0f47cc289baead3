"""How text is compared when case should not matter."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """Returns the text without differences of case, width and composition, e.g. `STRASSE` and `straße` alike.

    The rule is Unicode's caseless matching with NFKC (The Unicode Standard, section 3.13). Both databases compare what
    was folded here, byte by byte: their own ideas of case differ beyond ASCII.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
