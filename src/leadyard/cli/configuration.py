"""`leadyard config`: every setting, its value and where it comes from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from leadyard.cli.output import AsJson, print_json, refusals

if TYPE_CHECKING:
    from leadyard.config import Settings


def config(as_json: AsJson = False) -> None:
    """List every setting: its value, where the value comes from, and what it is for. Passwords are masked."""
    from leadyard.config import Settings, read_settings

    with refusals(as_json=as_json):
        settings = read_settings()
    rows = [_row(settings, name) for name in Settings.model_fields]
    if as_json:
        print_json({"settings": rows})
        return
    for row in rows:
        print(f"{row['name']}={row['value']}  ({row['source']})\n    {row['description']}")


def _row(settings: Settings, field: str) -> dict[str, str]:
    from leadyard.config import PREFIX, Settings, masked

    name = PREFIX + field.upper()
    value = getattr(settings, field)
    return {
        "name": name,
        # As it would be written in the environment, where there is no None.
        "value": "" if value is None else masked(str(value)),
        "source": "environment" if any(key.upper() == name for key in os.environ) else "default",
        "description": Settings.model_fields[field].description or "",
    }
