"""Decoded lines, one at a time, with bounded memory: for any bytes, at most one record is in memory."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from leadyard.errors import UnreadableFile
from leadyard.files.byte_source import ByteSource

MAX_RECORD_CHARS = 1_048_576

_LINE_END = re.compile(r"\r\n|\r|\n")


class TextLines(Iterator[str]):
    """The physical lines of a text, including line ends. `line_number` is the number of the last one read, from 1.

    A record is the text since `begin_record`, and `record` contains its lines. Raises UnreadableFile as soon as a
    record is longer than MAX_RECORD_CHARS, and if the bytes are not valid in the encoding.
    """

    def __init__(self, source: ByteSource, encoding: str, *, encoding_was_given: bool) -> None:
        self._source = source
        self._encoding = encoding
        self._encoding_was_given = encoding_was_given
        # newline="" finds \n, \r\n and \r but leaves them as they are, because they may be inside a quoted cell.
        self._text = io.TextIOWrapper(source, encoding=encoding, errors="strict", newline="")
        self.line_number = 0
        self.exhausted = False
        self.begin_record()

    def begin_record(self) -> None:
        """Forgets the lines of the last record."""
        self.record: list[str] = []
        self.record_chars = 0

    def __next__(self) -> str:
        try:
            line = self._text.readline(MAX_RECORD_CHARS + 1 - self.record_chars)
        except UnicodeError as error:
            raise self._undecodable(error) from error
        if not line:
            self.exhausted = True
            raise StopIteration
        self.line_number += 1
        if self.line_number == 1:
            # A given encoding does not remove a byte order mark, and some files contain two.
            line = line.removeprefix("\ufeff")
        self.record_chars += len(line)
        if self.record_chars > MAX_RECORD_CHARS:
            raise self._too_long()
        self.record.append(line)
        return line

    def _too_long(self) -> UnreadableFile:
        first = self.line_number - len(self.record)
        return UnreadableFile(
            f"The record that begins on line {first:,} is longer than {MAX_RECORD_CHARS:,} characters. Check that "
            "the file is CSV with one person per line, and that every opening quote is closed."
        )

    def _undecodable(self, error: UnicodeError) -> UnreadableFile:
        if self._encoding_was_given:
            advice = "Pass the encoding in which the file was saved."
        else:
            advice = (
                "Save the file as UTF-8, or name its encoding, for Excel on Windows usually cp1252 (on the command "
                "line: --encoding cp1252)."
            )
        return UnreadableFile(f"{self._place(error)} is not valid {self._encoding}. {advice}")

    def _place(self, error: UnicodeError) -> str:
        if not isinstance(error, UnicodeDecodeError):
            return f"The text after line {self.line_number:,}"
        # The decoder reports a position in its last chunk, which ends at the bytes that were read last.
        position = self._source.bytes_read - len(error.object) + error.start
        line_number = self.line_number + 1 + self._lines_in(error.object[: error.start])
        return f"Line {line_number:,} (byte 0x{error.object[error.start]:02X} at position {position:,})"

    def _lines_in(self, data: bytes) -> int:
        try:
            return len(_LINE_END.findall(data.decode(self._encoding)))
        except UnicodeError:  # Some codecs fail on a part of a valid text. Then the message has only the position.
            return 0
