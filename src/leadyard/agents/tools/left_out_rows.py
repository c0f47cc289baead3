"""The rows of an import that a user wants to hear about: the rejected ones, and the ones that were imported with a
note."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from contextlib import suppress

from leadyard.agents.tool import Call, Data
from leadyard.api_client.refused import Refused

_MOST_SHOWN = 20
# The service answers with all of them. With more than these, a file is wrong as a whole, and 20 examples explain it.
_MOST_READ = 500
_CELLS_SHOWN = 4
_REASONS = 3


async def left_out_rows(call: Call, path: str, counts: Mapping[str, int]) -> Data:
    """Returns up to 20 rejected or noted rows of the job at `path`, each with its line in the file, code, reason and
    first cells. Returns nothing if there are none, too many to read, or if the key may not see them."""
    count = counts["rejected"] + counts.get("noted", 0)
    if not count:
        return {}
    if count > _MOST_READ:
        return {"rejectedRows": f"{count:,} rows: the user can read them at {path}/rejected.csv?notes=true"}
    with suppress(Refused):
        pieces = [piece async for piece in call.api.download(f"{path}/rejected.csv", notes=True)]
        return {"rejectedRows": _shown("".join(pieces))}
    return {}


def _shown(text: str) -> list[Data]:
    header, *rows = csv.reader(io.StringIO(text))
    shown: list[Data] = []
    for line, code, reason, *cells in rows[:_MOST_SHOWN]:
        filled = [(name, cell) for name, cell in zip(header[_REASONS:], cells, strict=False) if cell]
        shown.append(
            {"line": int(line) if line else None, "code": code, "reason": reason, "row": dict(filled[:_CELLS_SHOWN])}
        )
    return [*shown, {"others": len(rows) - len(shown)}] if len(rows) > len(shown) else shown
