"""Offers to leave HTTP/1.1, declined: the request is read to its end as if it did not contain the offer."""

from __future__ import annotations

from typing import Protocol

import httptools

_OFFER = b"upgrade"


class ReadsHeads(Protocol):
    """What the parser needs of the connection: the head that it has just handed over."""

    url: bytes
    headers: list[tuple[bytes, bytes]]


class DecliningParser:
    """The parser of a connection, for a server that never leaves HTTP/1.1.

    httptools stops behind a head that offers another protocol. It drops the body, and takes the bytes that follow for
    the next request. RFC 9110, section 7.8, lets a server ignore the offer, and then the body belongs to the request.
    So this parser hands the same head over again, without its `Upgrade` lines, and then what follows.

    While `offers_upgrade` is true in a callback, the head or the end of a message is not a real one yet.
    """

    def __init__(self, connection: ReadsHeads) -> None:
        self._connection = connection
        self._begin()

    @property
    def offers_upgrade(self) -> bool:
        """Whether the head that was read last offers another protocol."""
        return self._parser.should_upgrade()

    def feed_data(self, data: bytes) -> None:
        """Reads the data. Raises HttpParserError."""
        rest = memoryview(data)
        while True:
            try:
                self._parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as offer:
                head = self._head_without_offer()
                rest = rest[offer.args[0] :]
            # What follows the head must find a parser that has never seen the offer.
            self._begin()
            self._parser.feed_data(head)

    def get_http_version(self) -> str:
        return self._parser.get_http_version()

    def get_method(self) -> bytes:
        return self._parser.get_method()

    def should_keep_alive(self) -> bool:
        return self._parser.should_keep_alive()

    def should_upgrade(self) -> bool:
        """Returns False, so that uvicorn never leaves HTTP."""
        return False

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self._connection)
        # As uvicorn does: a client may send more behind a request that closes the connection.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def _head_without_offer(self) -> bytes:
        """Returns the head as it was read. A parser of the same kind reads these lines in no other way."""
        version = self._parser.get_http_version().encode()
        first = b"%s %s HTTP/%s" % (self._parser.get_method(), self._connection.url, version)
        lines = [b"%s: %s" % (name, value) for name, value in self._connection.headers if name != _OFFER]
        return b"\r\n".join([first, *lines, b"", b""])
