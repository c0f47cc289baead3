"""Finds schemas, fields and operations in the source text of a generated client."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Language:
    """How a generator writes things down: regular expressions with the name, in the language's own case, filled in."""

    suffix: str
    code: str  # The folder of the code; what else there is are tests and documentation.
    style: str  # Of the names of operations: snake, camel or pascal.
    declaration: str  # Of a schema.
    field: str
    value: str  # Of an enumeration.
    answer: str  # The signature of an operation, with the type of its answer as the only group.
    any_type: str


_QUOTED = r'"{name}"'
_PYTHON_VALUE = r"['\"]{name}['\"]"
LANGUAGES: Mapping[str, Language] = {
    "openapi-python-client": Language(
        suffix=".py",
        code="leadyard_api",
        style="snake",
        declaration=r"^class {name}\b",
        field=_QUOTED,
        value=_PYTHON_VALUE,
        # Each operation has its own file, with functions of the same names. They return the refusals too.
        answer=r"/{name}\.py\n(?:.*\n)*?def sync\((?:.*\n)*?\) -> ([^:]+):",
        any_type="Any",
    ),
    "python": Language(
        suffix=".py",
        code="openapi_client",
        style="snake",
        declaration=r"^class {name}\b",
        field=_QUOTED,
        value=_PYTHON_VALUE,
        answer=r"^    def {name}\((?:.*\n)*?    \) -> (\w+):",
        any_type="object",
    ),
    "typescript-fetch": Language(
        suffix=".ts",
        code=".",
        style="camel",
        declaration=r"^export (?:interface|type) {name}\b",
        field=r"json\['{name}'\]",
        value=r"'{name}'",
        answer=r"async {name}\(.*\): Promise<(\w+)>",
        any_type="any",
    ),
    "java": Language(
        suffix=".java",
        code="src/main",
        style="camel",
        declaration=r"^public (?:class|enum) {name}\b",
        field=_QUOTED,
        value=_QUOTED,
        answer=r"public (\w+) {name}\(",
        any_type="Object",
    ),
    "go": Language(
        suffix=".go",
        code=".",
        style="pascal",
        declaration=r"^type {name} (?:struct|string)\b",
        field=r'json:"{name}\b',
        value=_QUOTED,
        answer=r"\) {name}Execute\(\w+ \w+\) \(\*?([\w{{}}]+), ",
        any_type="interface{}",
    ),
    "csharp": Language(
        suffix=".cs",
        code="src/Org.OpenAPITools",
        style="pascal",
        declaration=r"^    public (?:partial class|enum) {name}\b",
        field=_QUOTED,
        value=_QUOTED,
        # With two answers, in any order.
        answer=r"interface I{name}ApiResponse : .*?((?:I(?:Ok|Created|Accepted)<[\w.]+\?>, )+)",
        any_type="Object",
    ),
}


@dataclass(frozen=True)
class Client:
    """A generated client."""

    folder: Path
    language: Language

    @cached_property
    def _texts(self) -> list[str]:
        """Each file as its path and its text."""
        files = sorted((self.folder / self.language.code).rglob(f"*{self.language.suffix}"))
        return [f"{file}\n{file.read_text(encoding='utf-8')}" for file in files]

    def missing_parts(self, schema_name: str, schema: Mapping[str, Any]) -> Iterator[str]:
        """Yields the schema, or its fields and values, as far as the client lacks them."""
        declaration = self._pattern(self.language.declaration, schema_name)
        texts = [text for text in self._texts if declaration.search(text)]
        if not texts:
            yield schema_name
        for template, names in ((self.language.field, "properties"), (self.language.value, "enum")):
            for name in schema.get(names, ()):
                if not any(self._pattern(template, name).search(text) for text in texts):
                    yield f"{schema_name}.{name}"

    def answers_of(self, operation_id: str) -> set[str]:
        """Returns the types that the method of an operation may return, none if there is no such method."""
        pattern = self._pattern(self.language.answer, self._in_style(operation_id))
        found = [match[1] for text in self._texts if (match := pattern.search(text))]
        return {name for answer in found for name in re.findall(r"[\w{}]+", answer)}

    def has_parameter(self, name: str) -> bool:
        """Returns whether the client sends a parameter of that name."""
        return any(re.search(rf"['\"]{re.escape(name)}['\"]", text) for text in self._texts)

    def declares(self, schema_name: str) -> bool:
        """Returns whether there is a type of that name."""
        declaration = self._pattern(self.language.declaration, schema_name)
        return any(declaration.search(text) for text in self._texts)

    def _pattern(self, template: str, name: str) -> re.Pattern[str]:
        return re.compile(template.replace("{name}", re.escape(name)).replace("{{}}", "{}"), re.MULTILINE)

    def _in_style(self, operation_id: str) -> str:
        if self.language.style == "snake":
            return operation_id
        pascal = "".join(word.capitalize() for word in operation_id.split("_"))
        return pascal if self.language.style == "pascal" else pascal[0].lower() + pascal[1:]
