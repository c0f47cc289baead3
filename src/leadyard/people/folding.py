"""The form of a text that a search compares, without differences of case, accents and typographic marks."""

from __future__ import annotations

import re
import unicodedata

# Before Unicode takes an accent off its space: U+00B4 alone is an accent on a space, and people type it as apostrophe.
_APOSTROPHES = str.maketrans("´΄᾽", "'''")
# Accents and vowel points of the scripts that are also written without them. Not those of Indian scripts or the
# voicing marks of Japanese, which make another word.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8"
    "\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Letters that Unicode does not decompose, marks that keyboards do not have, and characters that are not visible.
_PLAIN = {
    **dict(zip("øłđðħŧŋıĸ", "olddhtnik", strict=True)),
    "æ": "ae", "œ": "oe", "þ": "th",
    **dict.fromkeys("‘’‚‛′‵ʹʻʼʽˈ‹›", "'"),
    **dict.fromkeys("“”„‟″‶«»〝〞〟", '"'),
    **dict.fromkeys("‐‑‒–—―−⁃", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e\ufeff", ""),
}  # fmt: skip
_TO_PLAIN = str.maketrans(_PLAIN)


def folded(text: str) -> str:
    """Returns the text in the form that searches compare: `ÅKER` and `aker`, `O’Neil` and `O'Neil` alike.

    It has no differences of case, width, composition, accents, quotation marks, dashes and kinds of white space. To
    fold a text again changes nothing. The rule is Unicode's caseless matching with NFKD (The Unicode Standard, section
    3.13), without the accents. Both databases compare the result byte by byte, because their own rules differ.
    """
    if text.isascii():
        # The rule has the same result for ASCII, but takes many times as long.
        return text.lower() if text.isprintable() else " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", decomposed)).translate(_TO_PLAIN)
    return " ".join(unicodedata.normalize("NFC", bare).split())
