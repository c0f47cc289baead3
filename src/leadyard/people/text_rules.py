"""The rules for a single text of a profile: trimmed, free of control characters, within its limit."""

from __future__ import annotations

import re

from leadyard.errors import InvalidProspect

_MAX_SHOWN = 60

# C0 and C1 controls and DEL, except tab, newline and carriage return, which some texts may contain. Also lone
# surrogates, which no database can store as UTF-8.
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_CONTROL = re.compile("[\t\n\r]")
_LINE_BREAKS = re.compile("[\t\n\r\x0b\x0c\x1c-\x1e\x85]+")
_OTHER_LINE_BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85]")

# Text that is copied from a browser or a chat often contains zero-width and direction marks, which str.strip() leaves.
_WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_INVISIBLE = "".join(map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)))
_EDGES = _WHITE_SPACE + _INVISIBLE
_OPENS_DIRECTION = "\u202a\u202b\u202d\u202e"
_CLOSES_DIRECTION = "\u202c"


def shown(value: str) -> str:
    """Returns the value quoted and escaped for a message, and cut so that a hostile value cannot flood a log."""
    quoted = repr(value[:_MAX_SHOWN])
    return quoted if len(value) <= _MAX_SHOWN and len(quoted) <= _MAX_SHOWN + 2 else quoted[:_MAX_SHOWN] + "…'"


def trimmed_text(value: str, label: str, max_length: int, several_lines: bool = False) -> str:
    """Returns the value without white space around it, which may be "". `label` names the field in a refusal.

    Raises InvalidProspect INVALID_CHARACTER or VALUE_TOO_LONG. The limit applies to the trimmed text.
    """
    # Almost every value is printable, and str.isprintable() is many times faster than a search.
    if not value.isprintable():
        _refuse_controls(value, label, several_lines)
    text = value.strip()
    if len(text) > max_length:
        raise too_long(label, len(text), max_length)
    return text


def repaired(value: str, *, several_lines: bool) -> str:
    """Returns the value without white space around it and in the form that `trimmed_text` accepts, apart from its
    length: line breaks become spaces in a text of one line, and control characters disappear.

    A C1 control becomes the character of cp1252 with that number, because it comes from a file that was read as
    ISO-8859-1 (the WHATWG Encoding Standard reads such files as cp1252, too). A lone surrogate becomes U+FFFD.
    """
    if value.isprintable():
        return value.strip()
    text = _OTHER_LINE_BREAKS.sub("\n", value.strip()) if several_lines else _LINE_BREAKS.sub(" ", value.strip())
    return _NEVER.sub(_instead_of_control, text).strip()


def too_long(label: str, length: int, max_length: int) -> InvalidProspect:
    """Returns the refusal of a text that is longer than its limit, for the caller to raise."""
    return InvalidProspect(
        "VALUE_TOO_LONG", f"{label} has {length:,} characters. Shorten it to at most {max_length:,}."
    )


def without_invisible_edges(value: str) -> str:
    """Returns the value without white space and zero-width characters around it. For texts that identify a person."""
    return value.strip(_EDGES)


def without_stray_marks(name: str, *, also_behind: str = "") -> str:
    """Returns a name of LinkedIn without white space and invisible marks around it, unless they belong to it.

    LinkedIn assigns names of people who write from right to left as `U+202B first-last U+202C U+200E -1a2b3c4d`, and
    the address works only with these marks. A mark in front belongs to the name if it is closed inside the name.
    `also_behind` are further characters to remove from the end.
    """
    rest = name.rstrip(_EDGES + also_behind)
    bare = rest.lstrip(_EDGES)
    if _CLOSES_DIRECTION not in bare:
        return bare
    return "".join(mark for mark in rest[: len(rest) - len(bare)] if mark in _OPENS_DIRECTION) + bare


def storable(text: str) -> str:
    """Returns the text with U+FFFD for the characters that PostgreSQL cannot store in JSON: NUL and lone surrogates."""
    return _NOT_STORABLE.sub("\ufffd", text)


def _instead_of_control(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code > 0xFF:
        return "\ufffd"
    return bytes([code]).decode("cp1252", "ignore") if code >= 0x80 else ""


def _refuse_controls(value: str, label: str, several_lines: bool) -> None:
    """Called before trimming, because str.strip() would silently drop some control characters from the edges."""
    found = _NEVER.search(value) or (None if several_lines else _LINE_CONTROL.search(value.strip()))
    if found:
        raise InvalidProspect(
            "INVALID_CHARACTER",
            f"{label} contains U+{ord(found[0]):04X}, a character that is not allowed: remove it from {shown(value)}.",
        )
