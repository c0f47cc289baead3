"""Variables that look like misspelled settings."""

from __future__ import annotations

import os
from difflib import get_close_matches

from leadyard.settings.settings import PREFIX, Settings

# High enough for one or two wrong letters or a missing word, and too high for the variables of other programs, such as
# LEADYARD_RECEIVER_SECRET.
_SIMILAR = 0.8


def misspelled_settings() -> list[str]:
    """Returns a warning for each variable that is not a setting and has nearly the name of one. Without the warning,
    LEADYARD_DATABSE_URL would be ignored, and the SQLite file used in place of the server. Never contains a value."""
    fields = [field.upper() for field in Settings.model_fields]
    warnings = []
    for name in sorted(each.upper() for each in os.environ if each.upper().startswith(PREFIX)):
        field = name.removeprefix(PREFIX)
        close = [] if field in fields else get_close_matches(field, fields, n=1, cutoff=_SIMILAR)
        if close:
            warnings.append(f"Warning: {name} is not a setting, and is ignored. Did you mean {PREFIX}{close[0]}?")
    return warnings
