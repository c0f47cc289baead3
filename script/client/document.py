"""Reads openapi.json: its operations, its schemas, and which schemas requests and answers use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
_GROUP = "/v1/accounts/{accountGroupId}"


def name_of(schema: Schema) -> str | None:
    """Returns the name of the schema that a reference leads to, None if this is not a reference."""
    return str(schema["$ref"]).rpartition("/")[2] if "$ref" in schema else None


def references(schema: Any) -> Iterator[str]:
    """Yields the names of all schemas that this one refers to directly."""
    if isinstance(schema, dict):
        if name := name_of(schema):
            yield name
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    full_path: str
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.content["operationId"])

    @property
    def tag(self) -> str:
        return str(self.content["tags"][0]).replace("-", "_")

    @property
    def in_group(self) -> bool:
        return self.full_path.startswith(_GROUP)

    @property
    def path(self) -> str:
        """The path below the account group, or below /v1."""
        return self.full_path.removeprefix(_GROUP if self.in_group else "/v1")

    @property
    def path_parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def parameters(self, place: str) -> list[Schema]:
        """Returns the parameters in 'query' or 'header'."""
        return [each for each in self.content.get("parameters", ()) if each["in"] == place]

    @property
    def takes_key(self) -> bool:
        return any(each["name"] == "Idempotency-Key" for each in self.parameters("header"))

    @property
    def json_body(self) -> Schema | None:
        """The schema of a body in JSON."""
        content = self.content.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if "application/json" in content else None

    @property
    def is_upload(self) -> bool:
        return "requestBody" in self.content and self.json_body is None

    @property
    def successes(self) -> dict[int, Schema]:
        """The answers by status, in ascending order."""
        found = {int(status): each for status, each in self.content["responses"].items() if status.startswith("2")}
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Document:
    """The whole description of the API."""

    content: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Document:
        return cls(json.loads(file.read_text(encoding="utf-8")))

    @property
    def version(self) -> str:
        return str(self.content["info"]["version"])

    @cached_property
    def schemas(self) -> Mapping[str, Schema]:
        found: Mapping[str, Schema] = self.content["components"]["schemas"]
        return found

    @cached_property
    def operations(self) -> list[Operation]:
        return [
            Operation(method.upper(), path, content)
            for path, methods in self.content["paths"].items()
            for method, content in methods.items()
        ]

    @cached_property
    def event_types(self) -> dict[str, str]:
        """The name of the schema of each type of event."""
        found = {}
        for kind, item in self.content["webhooks"].items():
            body = item["post"]["requestBody"]["content"]["application/json"]["schema"]
            found[kind] = str(name_of(body))
        return found

    def data_of(self, answer: Schema) -> Schema | None:
        """Returns the schema of `data` in an answer, None if the answer is not JSON."""
        content = answer["content"]
        if "application/json" not in content:
            return None
        envelope = self.schemas[str(name_of(content["application/json"]["schema"]))]
        data: Schema = envelope["properties"]["data"]
        return data

    def item_of(self, data: Schema) -> str | None:
        """Returns the name of the items if this is a page of a list."""
        properties = self.schemas[str(name_of(data))].get("properties", {})
        return name_of(properties["items"]["items"]) if "nextCursor" in properties else None

    def body_fields(self, operation: Operation) -> str | None:
        """Returns the name of the schema whose fields are the arguments of the operation."""
        body = operation.json_body
        if body is None or "oneOf" in body:
            return None
        return name_of(body) or next(name for name in map(name_of, body["anyOf"]) if name)

    def closure(self, names: Iterator[str]) -> set[str]:
        """Returns these schemas and everything they refer to."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += references(self.schemas[name])
        return found

    def used_by(self, operation: Operation) -> set[str]:
        """Returns the schemas that arguments and answers of the operation have as types."""
        return self.closure(self._direct(operation))

    def _direct(self, operation: Operation) -> Iterator[str]:
        for answer in operation.successes.values():
            data = self.data_of(answer)
            if data is not None:
                yield self.item_of(data) or str(name_of(data))
        for parameter in operation.parameters("query"):
            yield from references(parameter["schema"])
        fields = self.body_fields(operation)
        if fields:
            yield from references(self.schemas[fields])
        elif operation.json_body is not None:
            yield from (name for each in operation.json_body["oneOf"] if (name := name_of(each)))

    @cached_property
    def sent(self) -> set[str]:
        """The schemas that a request contains."""
        bodies = (body for each in self.operations if (body := each.json_body) is not None)
        return self.closure(name for body in bodies for name in references(body))

    @cached_property
    def module_of(self) -> dict[str, str]:
        """The module of each schema: the tag that alone uses it, or else `shared`."""
        tags: dict[str, set[str]] = {}
        for operation in self.operations:
            for name in self.used_by(operation):
                tags.setdefault(name, set()).add(operation.tag)
        for name in self.closure(iter(self.event_types.values())):
            tags.setdefault(name, set()).add("events")
        return {name: min(users) if len(users) == 1 else "shared" for name, users in tags.items()}
