"""One request to the prospect provider: bounded in time and bytes, with every way it can go wrong told apart."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from pydantic_core import from_json

from leadyard.errors import PermanentProviderTrouble, ProviderTrouble, TemporaryProviderTrouble

if TYPE_CHECKING:
    import httpx

R = TypeVar("R")

MAX_ANSWER_BYTES = 5 * 1024**2
MAX_RETRY_AFTER_S = 3_600
MAX_REASON_LENGTH = 300

_MAX_ERROR_BYTES = 65_536
# A page has 100 prospects of a few objects each. 5 MiB of nothing but brackets would take 150 MB once parsed.
_MAX_BRACKETS = 100_000
_TRY_AGAIN_4XX = (408, 425)
_UNPRINTABLE = re.compile("[\\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")

_log = structlog.get_logger("leadyard.provider")


class ProviderConnection:
    """The way to one provider. `token` is sent as a bearer token; `timeout_s` holds for a whole request and answer."""

    def __init__(self, url: str, token: str | None, *, timeout_s: float) -> None:
        # Only here: every service loads this file, and one without a provider starts without an HTTP client.
        import httpx

        self._token = token
        self._timeout_s = timeout_s
        # Answers are read as they come: a compressed one could be small on the wire and huge here.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "leadyard"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/",
            headers=headers,
            timeout=timeout_s,
            follow_redirects=False,
            # A proxy variable that was set for something else must not get the token and our users' searches.
            trust_env=False,
            # The certificates this machine trusts, so that an operator's own authority counts.
            verify=ssl.create_default_context() if url.lower().startswith("https:") else False,
            # Requests of different account groups share this client; a cookie would tie them together.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def ask(
        self,
        method: str,
        path: str,
        read: Callable[[Any], R],
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        traceparent: str | None = None,
    ) -> R:
        """Returns what `read` makes of the parsed JSON of a 200. Raises TemporaryProviderTrouble or
        PermanentProviderTrouble otherwise, as `read` may as well; what went wrong is logged by its code."""
        headers = {"traceparent": traceparent} if traceparent else None
        request = self._client.build_request(method, path, params=query, json=body, headers=headers)
        try:
            return read(await self._exchange(request))
        except ProviderTrouble as trouble:
            _log.warning("provider_trouble", code=trouble.code, call=path)
            raise

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _exchange(self, request: httpx.Request) -> Any:
        import httpx

        # Not chained: the client's exceptions hold the request with its headers, and some quote them.
        try:
            # Its own limits hold for each piece that comes; one that drips for ever would keep within them.
            async with asyncio.timeout(self._timeout_s):
                return await self._answer(request)
        except (TimeoutError, httpx.TimeoutException):
            message = f"The prospect provider did not answer within {self._timeout_s:g} s."
            raise TemporaryProviderTrouble("PROVIDER_TIMEOUT", message) from None
        except httpx.HTTPError:
            message = "The prospect provider is out of reach or broke the connection off."
            raise TemporaryProviderTrouble("PROVIDER_UNREACHABLE", message) from None

    async def _answer(self, request: httpx.Request) -> Any:
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != 200:
                raise self._refusal(response, await _start_of(response, _MAX_ERROR_BYTES))
            return await _parsed(response)
        finally:
            await response.aclose()

    def _refusal(self, response: httpx.Response, body: bytearray) -> ProviderTrouble:
        """Returns what an answer that is no 200 means."""
        status = response.status_code
        wait_s = retry_after_s(response.headers.get("Retry-After"))
        if status == 429:
            message = "The prospect provider asks to slow down."
            return TemporaryProviderTrouble("PROVIDER_RATE_LIMITED", message, retry_after_s=wait_s)
        if status >= 500 or status in _TRY_AGAIN_4XX:
            message = f"The prospect provider failed with status {status}."
            return TemporaryProviderTrouble("PROVIDER_ERROR", message, retry_after_s=wait_s)
        if status >= 400:
            reason = self._reason(body)
            said = f"the request: {reason}" if reason else f"the request with status {status}"
            return PermanentProviderTrouble("PROVIDER_REFUSED", _sentence(f"The prospect provider refused {said}"))
        if status >= 300:
            message = f"The prospect provider answered with a redirect ({status}), which is not followed."
            return PermanentProviderTrouble("PROVIDER_REFUSED", message)
        return garbage(f"its status is {status} and not 200")

    def _reason(self, body: bytearray) -> str:
        """Returns the message of {"error": {"message"}} as one short line, "" when there is none."""
        try:
            message = from_json(body)["error"]["message"]
        except (ValueError, LookupError, TypeError):
            return ""
        if not isinstance(message, str):
            return ""
        if self._token:
            # Before it is cut: half a secret would no longer be found.
            message = message.replace(self._token, "***")
        line = _UNPRINTABLE.sub(" ", message).strip()
        return line if len(line) <= MAX_REASON_LENGTH else line[: MAX_REASON_LENGTH - 1] + "…"


def garbage(what: str) -> TemporaryProviderTrouble:
    """Returns the trouble of an answer that cannot be read, perhaps because somebody in between has written it."""
    return TemporaryProviderTrouble("PROVIDER_GARBAGE", f"The prospect provider's answer cannot be read: {what}.")


def retry_after_s(value: str | None) -> int | None:
    """Returns the seconds of a Retry-After header, a number or a date, from 0 to 3,600; None if it is neither."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        # Whoever sends a thousand digits gets the cap; int() would refuse to read them.
        return min(int(text[:20]), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # The date of HTTP is always in GMT; Python leaves the zone out for "-0000".
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0, min(round(seconds), MAX_RETRY_AFTER_S))


async def _parsed(response: httpx.Response) -> Any:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise garbage("it is not JSON")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise garbage("it is compressed, which was not asked for")
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and (len(announced) > 9 or int(announced) > MAX_ANSWER_BYTES):
        raise _too_large()
    body = await _start_of(response, MAX_ANSWER_BYTES + 1)
    if len(body) > MAX_ANSWER_BYTES:
        raise _too_large()
    if body.count(b"{") + body.count(b"[") > _MAX_BRACKETS:
        raise garbage("it has too many parts")
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        # The parser's own words quote the answer.
        raise garbage("it is not JSON") from None


async def _start_of(response: httpx.Response, size: int) -> bytearray:
    """Returns the first `size` bytes of the body, or all of it when there are fewer; what is left is never read."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) >= size:
            break
    del body[size:]
    return body


def _too_large() -> PermanentProviderTrouble:
    # Permanent: the protocol says that the same request gives the same page.
    message = f"The prospect provider's answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB."
    return PermanentProviderTrouble("PROVIDER_ANSWER_TOO_LARGE", message)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
