"""Rewrites schemas that are correct but that client generators cannot process."""

from __future__ import annotations

import re
from typing import Any

_ERROR_OR_NULL = {"anyOf": [{"$ref": "#/components/schemas/ErrorDetail"}, {"type": "null"}]}
_CAPITAL = re.compile("(?<=[a-z])(?=[A-Z])")
_ABBREVIATIONS = {"id": "ID", "ids": "IDs", "url": "URL", "urls": "URLs", "sha256": "SHA-256"}


def suit_generators(schemas: dict[str, Any]) -> None:
    """Changes the schemas in place so that generated clients contain everything and accept every answer.

    The schemas of requests stay equivalent. In answers, `success`, `deleted` and `error` then allow more values than
    the service sends, so their descriptions name the value that it does send.
    """
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            _widen_constant(field)
            _widen_null(name, field)
            if "title" in field:
                field["title"] = _title(name)


def _widen_constant(field: dict[str, Any]) -> None:
    """openapi-generator's Python client compares a boolean constant with the text 'true' and refuses the answer."""
    if field.get("type") == "boolean" and "const" in field:
        constant = field.pop("const")
        field["description"] = f"Always {str(constant).lower()}."


def _widen_null(name: str, field: dict[str, Any]) -> None:
    """Generators stop at a field whose only type is null, or generate a reference to a class that does not exist."""
    if field.get("type") != "null":
        return
    del field["type"]
    field.update(_ERROR_OR_NULL if name == "error" else {"const": None})
    field["description"] = "Always null."


def _title(name: str) -> str:
    """Returns a title such as 'Lead IDs' for a field such as `leadIds`."""
    words = [_ABBREVIATIONS.get(word, word) for word in _CAPITAL.sub(" ", name).lower().split()]
    return words[0][:1].upper() + " ".join(words)[1:]
