"""A kept connection that sends bytes made beforehand, so that the client's cost is not counted as the service's."""

from __future__ import annotations

import json
import re
import socket
from types import TracebackType
from typing import Any, Self

from rig.service import Tenant

_LENGTH = re.compile(rb"content-length: (\d+)")


class Connection:
    """One connection, one request at a time. Use it as a context manager."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, request: bytes, *statuses: int) -> bytes:
        """Sends the request and returns the body of the answer. Raises if its status is not an expected one."""
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        while len(body) < int(length[1]):
            body += self._more()
        assert int(head[9:12]) in statuses, (head, body)
        return body

    def _more(self) -> bytes:
        piece = self._socket.recv(1 << 16)
        assert piece, "the service has closed the connection"
        return piece


def request_of(tenant: Tenant, method: str, path: str, body: Any = None) -> bytes:
    """Returns the bytes of a request below the account group's path."""
    content = b"" if body is None else json.dumps(body).encode()
    more = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if content else ""
    head = (
        f"{method} /v1/accounts/{tenant.account_group_id}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {tenant.key}\r\n{more}\r\n"
    )
    return head.encode() + content


def move_request(tenant: Tenant, source: str, target: str, lead_ids: list[str]) -> bytes:
    return request_of(
        tenant, "POST", f"/audiences/{source}/move-leads", {"targetAudienceId": target, "leadIds": lead_ids}
    )
