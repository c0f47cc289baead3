"""The names of custom fields that come from columns."""

from __future__ import annotations

import re
from collections.abc import Container

from leadyard.files.column_spellings import CUSTOM_PREFIX
from leadyard.people.fields import MAX_CUSTOM_NAME_LENGTH

_CONTROLS_AND_SPACES = re.compile("[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def custom_name(name: str) -> str:
    """Returns a header as a custom field's name: on one line, without our exports' prefix, cut to the limit. A name
    that our export wrote stays as it is, because the field has exactly that name."""
    exported = name.strip()
    exact = exported.removeprefix(CUSTOM_PREFIX)
    is_allowed = len(exact) <= MAX_CUSTOM_NAME_LENGTH and exact == exact.strip() and not _CONTROLS.search(exact)
    if exact != exported and is_allowed:
        return exact
    one_line = _CONTROLS_AND_SPACES.sub(" ", name).strip()
    return one_line.removeprefix(CUSTOM_PREFIX).strip()[:MAX_CUSTOM_NAME_LENGTH].strip()


def free_name(name: str, taken: Container[str]) -> str:
    """Returns a name that is still free, because two long headers can be cut to the same name."""
    free, number = name, 1
    while free in taken:
        number += 1
        ending = f" ({number})"
        free = name[: MAX_CUSTOM_NAME_LENGTH - len(ending)] + ending
    return free
