"""Writes `operations/`: a method for each operation, once for each kind of client."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from script.client.document import Document, Operation, Schema, name_of
from script.client.models import MARK
from script.client.types import argument_of, docstring, is_nullable, sentence, snake, type_of, wrapped

# A field of the body with the same name as an id of the path.
RENAMED = {("merge_prospects", "prospectId"): "merged_prospect_id"}
# POSTs that take no key and change nothing, so that a client may repeat them.
ONLY_READS = ("preview_upload",)
# `Last-Event-ID` is for a stream of events. The client reads events page by page, where a cursor does the same.
LEFT_OUT_HEADERS = ("Idempotency-Key", "Last-Event-ID")
_KEY_TEXT = "idempotency_key: chosen by you. If you leave it out, the client makes one for this call."
_IMPORTS = """
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from leadyard_client import models
from leadyard_client.downloads import AsyncDownload, Download
from leadyard_client.pages import AsyncPages, Pages
from leadyard_client.request import Request, segment
from leadyard_client.sender import AsyncSender, Sender
from leadyard_client.unset import UNSET, Unset
from leadyard_client.uploads import Upload, UploadSource
"""


@dataclass(frozen=True)
class Kind:
    """One of the two kinds of clients."""

    folder: str
    title: str
    prefix: str = ""

    @property
    def is_async(self) -> bool:
        return bool(self.prefix)


KINDS = (Kind("blocking", "without asyncio"), Kind("awaitable", "with asyncio", "Async"))


@dataclass(frozen=True)
class Argument:
    """An argument of a method. `value` is the expression that the request contains."""

    name: str
    declaration: str
    text: str = ""

    @property
    def line(self) -> str:
        return f"{self.name}: {self.declaration}"


def operation_files(document: Document) -> dict[str, str]:
    """Returns the text of each file, by its path in the package."""
    by_tag: dict[str, list[Operation]] = defaultdict(list)
    for operation in document.operations:
        by_tag[operation.tag].append(operation)
    files = {"operations/__init__.py": f'"""The operations of the API, for each kind of client.\n\n{MARK}\n"""\n'}
    for kind in KINDS:
        for tag, operations in by_tag.items():
            files[f"operations/{kind.folder}/{tag}.py"] = _module(document, kind, tag, operations)
        files[f"operations/{kind.folder}/__init__.py"] = _index(kind, sorted(by_tag))
    return files


def _class_name(tag: str) -> str:
    return "".join(word.capitalize() for word in tag.split("_")) + "Operations"


def _module(document: Document, kind: Kind, tag: str, operations: list[Operation]) -> str:
    title = f"The operations of {tag.replace('_', ' ')}, {kind.title}."
    head = f'"""{title}\n\n{MARK}\n"""\n{_IMPORTS}\n\nclass {_class_name(tag)}({kind.prefix}Sender):\n'
    doc = f'    """{title}"""\n\n'
    return head + doc + "\n".join(_method(document, kind, operation) for operation in operations)


def _index(kind: Kind, tags: list[str]) -> str:
    lines = [f'"""All operations of the API, {kind.title}.\n\n{MARK}\n"""\n', "from __future__ import annotations\n"]
    lines += [f"from leadyard_client.operations.{kind.folder}.{tag} import {_class_name(tag)}" for tag in tags]
    bases = ", ".join(map(_class_name, tags))
    return "\n".join(lines) + f'\n\nclass Operations({bases}):\n    """Every operation."""\n'


def _method(document: Document, kind: Kind, operation: Operation) -> str:
    answer = _answer_type(document, kind, operation)
    is_plain = answer is None
    returned = answer or _union(document, operation)
    starred = [each.line for each in _named(document, operation)]
    given = ["self", *(each.line for each in _positional(operation)), *(["*", *starred] if starred else [])]
    word = "async def" if kind.is_async and is_plain else "def"
    send = f"{'await ' if kind.is_async else ''}self._send" if is_plain else _sending(operation)
    extra = ", cursor" if send.endswith("_pages") else ""
    text = _docstring(document, operation)
    return (
        f"    {word} {operation.name}({', '.join(given)}) -> {returned}:\n{text}\n"
        f"        return {send}({_request(document, operation)}{extra})\n"
    )


def _sending(operation: Operation) -> str:
    has_cursor = any(each["name"] == "cursor" for each in operation.parameters("query"))
    return "self._pages" if has_cursor else "self._download"


def _answer_type(document: Document, kind: Kind, operation: Operation) -> str | None:
    """Returns the type of an answer that comes in pieces, None for a plain one."""
    (answer, *_) = operation.successes.values()
    data = document.data_of(answer)
    if data is None:
        return f"{kind.prefix}Download"
    item = document.item_of(data)
    return f"{kind.prefix}Pages[{_item(item)}]" if item else None


def _item(name: str) -> str:
    return "models.AnyEvent" if name == "Event" else f"models.{name}"


def _union(document: Document, operation: Operation) -> str:
    names = dict.fromkeys(name_of(data) for each in operation.successes.values() if (data := document.data_of(each)))
    return " | ".join(f"models.{name}" for name in names)


def _positional(operation: Operation) -> list[Argument]:
    """The ids of the path, the file of an upload, and a body that has several shapes."""
    found = [Argument(snake(name), "str") for name in operation.path_parameters]
    if operation.is_upload:
        found.append(
            Argument("file", "UploadSource", "a path, bytes, a file that is open for reading, or an iterable.")
        )
    if operation.json_body is not None and "oneOf" in operation.json_body:
        shapes = " | ".join(f"models.{name_of(each)}" for each in operation.json_body["oneOf"])
        found.append(Argument("body", shapes, "the class decides what is started."))
    return found


def _named(document: Document, operation: Operation) -> list[Argument]:
    """The fields of the body, the parameters of the query, and headers; those without a default first."""
    found = [_body_argument(operation, *each) for each in _body(document, operation)]
    found += [_query_argument(each) for each in operation.parameters("query")]
    if operation.is_upload:
        text = "the service recognizes the format by the content; a `charset` is the default encoding."
        found.append(Argument("content_type", 'str = "application/octet-stream"', text))
    for each in operation.parameters("header"):
        if each["name"] not in LEFT_OUT_HEADERS:
            found.append(Argument(snake(each["name"]), "str | None = None", sentence(each.get("description", ""))))
    if operation.takes_key:
        found.append(Argument("idempotency_key", "str | None = None"))
    return sorted(found, key=lambda each: "=" in each.declaration)


def _body(document: Document, operation: Operation) -> list[tuple[str, Schema, bool]]:
    """Returns name, schema, and whether it is required, of each field of the body."""
    name = document.body_fields(operation)
    if name is None:
        return []
    schema = document.schemas[name]
    return [(field, shape, field in schema.get("required", ())) for field, shape in schema["properties"].items()]


def _body_name(operation: Operation, field: str) -> str:
    return RENAMED.get((operation.name, field), snake(field))


def _body_argument(operation: Operation, field: str, shape: Schema, required: bool) -> Argument:
    declaration = argument_of(shape, required=required, prefix="models.")
    return Argument(_body_name(operation, field), declaration, sentence(shape.get("description", "")))


def _query_argument(parameter: Schema) -> Argument:
    schema = parameter["schema"]
    annotation = type_of(schema, sent=True, prefix="models.")
    if not is_nullable(schema):
        annotation = f"{annotation} | None"
    return Argument(snake(parameter["name"]), f"{annotation} = None", sentence(parameter.get("description", "")))


def _request(document: Document, operation: Operation) -> str:
    path = operation.path
    for name in operation.path_parameters:
        path = path.replace(f"{{{name}}}", f"{{segment({snake(name)})}}")
    quoted = f'f"{path}"' if "{" in path else f'"{path}"'
    parts = [f'method="{operation.method}"', f"path={quoted}", f"answers={_answers(document, operation)}"]
    if not operation.in_group:
        parts.append("in_group=False")
    query = [
        f'"{each["name"]}": {snake(each["name"])}' for each in operation.parameters("query") if each["name"] != "cursor"
    ]
    if query:
        parts.append(f"query={{{', '.join(query)}}}")
    parts += _body_parts(document, operation)
    if operation.takes_key:
        parts += ["takes_key=True", "idempotency_key=idempotency_key"]
    if operation.name in ONLY_READS:
        parts.append("only_reads=True")
    return f"Request[{_request_type(document, operation)}]({', '.join(parts)})"


def _request_type(document: Document, operation: Operation) -> str:
    (answer, *_) = operation.successes.values()
    data = document.data_of(answer)
    if data is None:
        return "str"
    item = document.item_of(data)
    return _item(item) if item else _union(document, operation)


def _answers(document: Document, operation: Operation) -> str:
    parts = []
    for status, answer in operation.successes.items():
        data = document.data_of(answer)
        name = "str" if data is None else f"models.{document.item_of(data) or name_of(data)}"
        parts.append(f"{status}: {name}")
    return f"{{{', '.join(parts)}}}"


def _body_parts(document: Document, operation: Operation) -> list[str]:
    if operation.is_upload:
        headers = [f'"{each["name"]}": {snake(each["name"])}' for each in operation.parameters("header")]
        sent = [each for each in headers if not each.startswith(tuple(f'"{name}' for name in LEFT_OUT_HEADERS))]
        return ["upload=Upload(file)", f'headers={{"Content-Type": content_type, {", ".join(sent)}}}']
    if operation.json_body is None:
        return []
    if "oneOf" in operation.json_body:
        return ["body=body"]
    fields = [f'"{field}": {_body_name(operation, field)}' for field, _, _ in _body(document, operation)]
    return [f"body={{{', '.join(fields)}}}"]


def _docstring(document: Document, operation: Operation) -> str:
    about, _, permission = str(operation.content["description"]).partition("\n\nRequired API permission: ")
    summary, *rest = sentence(about).split(". ", 1)
    paragraphs = [wrapped(f"{summary.rstrip('.')}.", hanging=0), *(wrapped(each) for each in rest)]
    if permission:
        paragraphs.append(f"Permission: {permission}")
    texts = [
        f"{each.name}: {each.text}" for each in (*_positional(operation), *_named(document, operation)) if each.text
    ]
    texts += [_KEY_TEXT] if operation.takes_key else []
    if texts:
        paragraphs.append("\n".join(wrapped(text, hanging=4) for text in texts))
    return docstring(paragraphs, indent=8)
