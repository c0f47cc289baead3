"""The API as our own clients use it: each request returns the data of the answer, or raises the refusal.

It sends requests to a service at a URL, or to the application in the same process. So a client has the permissions,
limits, refusals and log lines of the API, and no rule of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from leadyard.api_client.refused import Refused
from leadyard.retry_after import retry_after_s

_PAUSE_S = 0.3
# The header of GET /v1/accounts with the permissions of the key.
PERMISSIONS_HEADER = "Key-Permissions"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is sent, the longest Retry-After that is waited for, in seconds, and a function that gets
    each of these waits before it begins."""

    attempts: int
    longest_wait_s: int
    before_wait: Callable[[int], None] = lambda _: None


# A tool call should not wait longer than this for a busy service. The model can call again.
OF_AGENTS = Patience(attempts=3, longest_wait_s=5)
# An application in this process has no connection that can break. If its database is busy, the user can decide.
OF_THIS_PROCESS = Patience(attempts=1, longest_wait_s=0)


class Api:
    """The API for one key. `client` sends its requests to the service with the headers of this key."""

    def __init__(self, client: httpx.AsyncClient, patience: Patience = OF_AGENTS) -> None:
        self._client = client
        self._patience = patience

    async def get(self, path: str, **query: Any) -> Any:
        """Returns the data of the answer. Leaves out values of the query that are None. Raises Refused."""
        return (await self._send("GET", path, params=_as_query(query)))["data"]

    async def get_after(self, path: str, event_id: str, **query: Any) -> Any:
        """The same for a feed of events, after this event."""
        return (await self._send("GET", path, params=_as_query(query), headers={"Last-Event-ID": event_id}))["data"]

    async def download(self, path: str, **query: Any) -> AsyncIterator[str]:
        """Yields the text of a file piece by piece. Raises Refused, also for a file that ends too early."""
        response = await self._exchange("GET", path, stream=True, params=_as_query(query))
        try:
            if response.status_code != 200:
                await response.aread()
                _data_of(response)
                raise _not_leadyard(response.status_code)
            async for piece in response.aiter_text():
                yield piece
        except httpx.TransportError as error:
            raise _unreachable(error) from None
        finally:
            await response.aclose()

    async def post(self, path: str, body: Any = None) -> Any:
        """Returns the data of the answer. Raises Refused. A request whose answer was lost is sent again with the same
        idempotency key, so it has its effect once."""
        data, _ = await self.change(path, body)
        return data

    async def change(self, path: str, body: Any = None) -> tuple[Any, str | None]:
        """The same, and the id of the recorded change, if the answer has one."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        answer = await self._send("POST", path, json=body, headers=headers)
        return answer["data"], answer["changeId"]

    async def patch(self, path: str, body: Any) -> Any:
        """Returns the data of the answer. Raises Refused. Sent twice, it has the effect of once."""
        return (await self._send("PATCH", path, json=body))["data"]

    async def delete(self, path: str, **query: Any) -> str | None:
        """Returns the id of the recorded change. Leaves out values of the query that are None. Raises Refused. It is
        not sent again when its answer was lost, because the service would answer that there is no such thing any
        more."""
        sent = await self._send("DELETE", path, is_repeatable=False, params=_as_query(query))
        change_id: str | None = sent["changeId"]
        return change_id

    async def upload(self, path: str, content: bytes, content_type: str) -> Any:
        """Sends a file, and returns the data of the answer. Raises Refused."""
        headers = {"Content-Type": content_type, "Idempotency-Key": secrets.token_hex(16)}
        return (await self._send("POST", path, content=content, headers=headers))["data"]

    async def upload_file(self, path: str, pieces: Callable[[], AsyncIterator[bytes]], content_type: str) -> Any:
        """The same for a file of any size. Each attempt sends the pieces from the beginning."""
        headers = {"Content-Type": content_type, "Idempotency-Key": secrets.token_hex(16)}
        return (await self._send("POST", path, pieces=pieces, headers=headers))["data"]

    async def permissions(self) -> frozenset[str] | None:
        """Returns the permissions of the key, or None for a service that does not report them. Raises Refused."""
        response = await self._exchange("GET", "/v1/accounts", params={"limit": 1})
        _data_of(response)
        named = response.headers.get(PERMISSIONS_HEADER)
        return None if named is None else frozenset(named.replace(",", " ").split())

    async def _send(self, method: str, path: str, **rest: Any) -> dict[str, Any]:
        response = await self._exchange(method, path, **rest)
        return {"data": _data_of(response), "changeId": response.headers.get("Change-Id")}

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        is_repeatable: bool = True,
        stream: bool = False,
        pieces: Callable[[], AsyncIterator[bytes]] | None = None,
        **rest: Any,
    ) -> httpx.Response:
        """Sends a request, and again after a broken connection or a short Retry-After of a busy service. With `stream`
        the caller reads and closes the response. `pieces` is the body."""
        for left in reversed(range(self._patience.attempts)):
            content = {} if pieces is None else {"content": pieces()}
            request = self._client.build_request(method, path, **{**rest, **content})
            try:
                # In a task of its own, because the application notes the request in the context of its task.
                response = await asyncio.create_task(self._client.send(request, stream=stream))
            except httpx.TransportError as error:
                if not left or not (is_repeatable or isinstance(error, httpx.ConnectError)):
                    raise _unreachable(error) from None
                await asyncio.sleep(_PAUSE_S)
                continue
            wait_s = self._wait_before_next(response, is_repeatable=is_repeatable)
            if left and wait_s is not None:
                await response.aclose()
                self._patience.before_wait(wait_s)
                await asyncio.sleep(wait_s)
                continue
            return response
        raise AssertionError("the last attempt returns or raises")

    def _wait_before_next(self, response: httpx.Response, *, is_repeatable: bool) -> int | None:
        """Returns the seconds after which the request may be sent again, or None. A 503 can mean that the effect is
        unknown."""
        if response.status_code != 429 and not (response.status_code == 503 and is_repeatable):
            return None
        wait_s = retry_after_s(response.headers.get("Retry-After"))
        return wait_s if wait_s is not None and wait_s <= self._patience.longest_wait_s else None


def part(text: str) -> str:
    """Returns a text that a user has given as one part of a path."""
    return quote(text, safe="")


def _as_query(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in values.items()
        if value is not None
    }


def _data_of(response: httpx.Response) -> Any:
    try:
        answer = response.json()
        if answer["success"] is True:
            return answer["data"]
        error = dict(answer["error"])
        code, message, details = error.pop("code"), error.pop("message"), error.pop("details")
    except (ValueError, KeyError, TypeError):
        raise _not_leadyard(response.status_code) from None
    extra = {**error, "traceId": answer.get("traceId")}
    raise Refused(code, message, details, extra=extra, wait_s=retry_after_s(response.headers.get("Retry-After")))


def _unreachable(error: httpx.TransportError) -> Refused:
    return Refused(
        "SERVICE_UNREACHABLE",
        "The Leadyard service does not answer.",
        # Only the type: the text of an error may contain an address with a password.
        f"The connection failed ({type(error).__name__}){_effect(error)}",
    )


def _effect(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return ", so nothing was sent. Check that the service runs, and its URL."
    return ", so it is unknown whether the call had an effect."


def _not_leadyard(status: int) -> Refused:
    return Refused(
        "SERVICE_UNREACHABLE",
        "The answer is not from a Leadyard service.",
        f"Its status is {status}. A proxy may have sent it, or the URL is wrong.",
    )
