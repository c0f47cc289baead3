"""Prints docs/settings.md, made from the fields of `Settings`: python -m script.pages.settings"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from leadyard.settings.settings import PREFIX, Heading, Settings

_INTRODUCTION = """\
# Settings

<!-- Written by script/settings from the descriptions in the code. Do not edit this page. -->

You set Leadyard by environment variables. It reads them once, at the start. `leadyard config` lists every setting, its
value and the source of the value. It masks passwords.

```console
{shown}
```

A wrong value stops the start with exit code 2. The message names every wrong setting:

```console
{refused}
```
"""


def settings_page() -> str:
    """Returns the whole page."""
    shown = _session("config", lines=4, LEADYARD_DATABASE_URL="postgresql://leadyard:secret@db/leadyard")
    refused = _session("serve", LEADYARD_PORT="65536", LEADYARD_LOG_LEVEL="loud")
    return _INTRODUCTION.format(shown=shown, refused=refused) + "\n".join(_tables()) + "\n"


def _tables() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        for heading in field.metadata:
            if isinstance(heading, Heading):
                yield f"\n## {heading.title}\n\n{heading.read_more}\n"
                yield "| variable | default | values | meaning |\n|---|---|---|---|"
        variable = f"{PREFIX}{name.upper()}"
        yield f"| `{variable}` | {_default(field)} | {_values(field, unit=_unit(name))} | {field.description} |"


def _default(field: FieldInfo) -> str:
    written = str(field.default).lower() if isinstance(field.default, bool) else str(field.default or "")
    return f"`{written}`" if written else "empty"


def _values(field: FieldInfo, *, unit: str) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    if field.annotation is bool:
        return "`true`, `false`"
    bounds = [_bound(bound) for bound in field.metadata if isinstance(bound, Ge | Gt | Le)]
    return " ".join(bounds) + unit if bounds else "text"


def _bound(bound: Ge | Gt | Le) -> str:
    match bound:
        case Gt(gt):
            return f"above {gt}"
        case Ge(ge):
            return f"{ge}"
        case Le(le):
            return f"to {le:,}"


def _unit(name: str) -> str:
    return " seconds" if name.endswith("_s") else ""


def _session(command: str, *, lines: int | None = None, **settings: str) -> str:
    """Returns a command with its settings, as a reader types it, and the first `lines` of its real output."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    done = subprocess.run(  # noqa: S603 - the commands are constants of this file.
        [sys.executable, "-m", "leadyard", command],
        env={**clean, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    typed = [*(f"{name}={value}" for name, value in settings.items()), "leadyard", command]
    typed += ["|", "head", "-n", str(lines)] if lines else []
    return "\n".join(["$ " + " ".join(typed), *done.stdout.splitlines()[:lines]])


if __name__ == "__main__":
    sys.stdout.write(settings_page())
