"""How text is compared when case should not matter."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """Returns the text without differences of case, width and composition, e.g. `STRASSE` and `straße` alike.

    The rule is Unicode's caseless matching with NFKC (The Unicode Standard, section 3.13). Both databases compare what
    was folded here, byte by byte: their own ideas of case differ beyond ASCII.
    """
    if text.isascii():
        # What the rule comes to here, at a fifth of its price, for five texts of every lead that is written.
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
