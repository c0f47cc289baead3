"""`leadyard config`: lists all settings with their values and sources."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from leadyard.cli.engine_warning import embedded_faults, print_warnings
from leadyard.cli.output import AsJson, print_json, refusals

if TYPE_CHECKING:
    from leadyard.settings.settings import Settings


def config(as_json: AsJson = False) -> None:
    """List every setting, its value and its source.

    Passwords are masked.
    """
    from leadyard.settings.settings import Settings, read_settings

    with refusals(as_json=as_json):
        settings = read_settings()
    warnings = embedded_faults(settings)
    rows = [_row(settings, name) for name in Settings.model_fields]
    if as_json:
        print_json({"settings": rows, "warnings": warnings})
        return
    print_warnings(warnings)
    for row in rows:
        print(f"{row['name']}={row['value']}  ({row['source']})\n    {row['description']}")


def _row(settings: Settings, field: str) -> dict[str, str]:
    from leadyard.settings.masking import shown
    from leadyard.settings.settings import PREFIX, Settings

    name = PREFIX + field.upper()
    return {
        "name": name,
        "value": shown(getattr(settings, field)),
        "source": "environment" if any(key.upper() == name for key in os.environ) else "default",
        "description": Settings.model_fields[field].description or "",
    }
