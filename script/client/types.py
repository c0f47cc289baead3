"""Writes types, names and sentences of the document in Python."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from script.client.document import Schema, name_of

WIDTH = 108
_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def snake(name: str) -> str:
    """Returns the name of a field in Python: `leadIds` is `lead_ids`, and `from`, a keyword, is `from_`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace("-", "_")).lower()
    return f"{words}_" if keyword.iskeyword(words) else words


def is_null(schema: Schema) -> bool:
    return schema.get("type") == "null"


def is_nullable(schema: Schema) -> bool:
    return any(is_null(each) for each in schema.get("anyOf", ()))


def type_of(schema: Schema, *, sent: bool, prefix: str = "") -> str:
    """Returns the annotation for a value. Lists are tuples in answers; in arguments, where `sent` is True, any sequence
    is accepted. `prefix` precedes the names of schemas. Raises ValueError for a shape that was not there before."""
    if name := name_of(schema):
        return prefix + name
    if "anyOf" in schema:
        return " | ".join(
            "None" if is_null(each) else type_of(each, sent=sent, prefix=prefix) for each in schema["anyOf"]
        )
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if schema.get("type") == "array":
        item = type_of(schema["items"], sent=sent, prefix=prefix)
        return f"Sequence[{item}]" if sent else f"tuple[{item}, ...]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"Mapping[str, {type_of(values, sent=sent, prefix=prefix) if isinstance(values, Mapping) else 'Any'}]"
    if schema.get("format") == "date-time":
        return "datetime"
    if schema.get("type") in _SIMPLE:
        return _SIMPLE[schema["type"]]
    raise ValueError(f"There is no type for {dict(schema)}. Add it to script/client/types.py.")


def argument_of(schema: Schema, *, required: bool, prefix: str = "") -> str:
    """Returns annotation and default of an argument or a field of a request."""
    annotation = type_of(schema, sent=True, prefix=prefix)
    if "const" in schema:
        return f"{annotation} = {schema['const']!r}"
    return annotation if required else f"{annotation} | Unset = UNSET"


def sentence(text: Any) -> str:
    """Returns a description in one paragraph, as the end of a sentence."""
    words = " ".join(str(text).split())
    return words if words.endswith((".", ":", "`")) or not words else f"{words}."


def wrapped(text: str, *, indent: int = 0, hanging: int = 0) -> str:
    """Returns the text in lines that fit into the files."""
    first, rest = " " * indent, " " * (indent + hanging)
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def docstring(paragraphs: list[str], *, indent: int) -> str:
    """Returns a docstring. Each paragraph is wrapped already, without the indentation."""
    text = "\n\n".join(paragraphs).replace("\\", "\\\\")
    closing = '"""' if "\n" not in text else '\n"""'
    return textwrap.indent(f'"""{text}{closing}', " " * indent)
