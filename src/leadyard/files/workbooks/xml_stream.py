"""Reads XML in small steps, with little memory for any input. It refuses what no workbook contains and bombs need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from xml.parsers import expat

from leadyard.errors import UnreadableFile

MAX_DEPTH = 100
MAX_TOKEN_BYTES = 1024**2
"""A tag with its attributes. Expat keeps it in memory until it ends, and before 2.6 parses its beginning again with
each chunk (CVE-2023-52425)."""
MAX_NAMES = 2_000
"""Different names of elements and attributes. Expat keeps each until the end."""
MAX_TEXT_PIECES = 512
"""A text arrives in pieces of up to 8 KiB, so this is at most 4 MiB."""


class Kinds(dict[str, int]):
    """The number of each element that a reader handles, by its name with any prefix, and 0 for every other."""

    def __init__(self, by_local_name: Mapping[str, int]) -> None:
        super().__init__()
        self._by_local_name = by_local_name

    def __missing__(self, name: str) -> int:
        if len(self) >= MAX_NAMES:
            raise _unusual("too many different names")
        kind = self._by_local_name.get(name.rpartition(":")[2], 0)
        self[name] = kind
        return kind


class XmlReader:
    """The base of a reader of one part, which handles `start` and `end` of each element and collects rows.

    `kinds` numbers the elements. `text` has the pieces of text since it was last cleared; a reader clears it where an
    element with text begins. A reader counts `depth` and checks it. A sheet has
    millions of elements, so there is nothing between Expat and these two methods.
    """

    def __init__(self, kinds: Mapping[str, int]) -> None:
        self.kinds = Kinds(kinds)
        self.text: list[str] = []
        self.depth = 0
        self._names: set[str] = set()
        self._fed = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self.start
        self._parser.EndElementHandler = self.end
        self._parser.CharacterDataHandler = self.text.append
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handles the beginning of an element."""
        raise NotImplementedError

    def end(self, name: str) -> None:
        """Handles the end of an element."""
        raise NotImplementedError

    def feed(self, chunk: bytes) -> None:
        """Parses the next bytes. Raises UnreadableFile for what is not XML, or not XML of a workbook."""
        try:
            self._parser.Parse(chunk, False)
        except expat.ExpatError as error:
            raise UnreadableFile(
                "The workbook is damaged: its XML cannot be read. Open it, save it again and send that."
            ) from error
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise _unusual("a tag of more than 1 MiB")
        if len(self.text) > MAX_TEXT_PIECES:
            raise _unusual("a cell of more than 4 MiB")

    def note_names(self, attributes: dict[str, str]) -> None:
        """Counts the names of attributes that a reader does not expect."""
        self._names.update(attributes)
        if len(self._names) > MAX_NAMES:
            raise _unusual("too many different names")

    def check_depth(self) -> None:
        """Refuses elements that are inside each other without end. Expat keeps each of them."""
        if self.depth > MAX_DEPTH:
            raise _unusual("elements inside each other without end")


class _Elements(XmlReader):
    def __init__(self, handle: Callable[[str, str, dict[str, str]], None]) -> None:
        super().__init__({})
        self._handle = handle
        self._path = [""]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._handle(self._path[-1], local, {key.rpartition(":")[2]: value for key, value in attributes.items()})
        self._path.append(local)
        self.depth = len(self._path)
        self.check_depth()
        self.note_names(attributes)
        self.text.clear()

    def end(self, name: str) -> None:
        self._path.pop()


def for_each_element(chunks: Iterator[bytes], handle: Callable[[str, str, dict[str, str]], None]) -> None:
    """Calls `handle` with parent, element and attributes, all without prefixes, for each element of a small part."""
    reader = _Elements(handle)
    for chunk in chunks:
        reader.feed(chunk)


def _refuse_doctype(*_: object) -> None:
    # Entities are declared here, and an entity can expand without end or name a file. No program writes it.
    raise _unusual("a document type declaration")


def _unusual(what: str) -> UnreadableFile:
    return UnreadableFile(
        f"The XML of the workbook contains {what}, which no spreadsheet program writes: save it again."
    )
