"""The operations of openapi.json."""

from __future__ import annotations

import json
from pathlib import Path

_PATHS = json.loads((Path(__file__).parents[3] / "openapi.json").read_text(encoding="utf-8"))["paths"]
OPERATIONS = {operation["operationId"] for path in _PATHS.values() for operation in path.values()}
