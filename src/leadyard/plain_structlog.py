"""structlog, loaded without the colours that our JSON lines do not have.

It loads rich if that is there, for colours and tracebacks: a tenth of the start of `serve`. It bears its absence, and
is not told that it is there. Whoever draws a progress bar imports rich afterwards. For assemble, before the rooms.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["structlog"]


def _load() -> None:
    is_loaded = "structlog" in sys.modules or "rich" in sys.modules
    if not is_loaded:
        # What Python takes for "cannot be imported".
        cannot_be_imported: Any = None
        sys.modules["rich"] = cannot_be_imported
    try:
        import structlog  # noqa: F401
    finally:
        if not is_loaded:
            del sys.modules["rich"]


_load()
import structlog  # noqa: E402  (the point of this module is what comes before)
