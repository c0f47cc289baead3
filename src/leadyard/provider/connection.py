"""One request to the prospect provider: bounded in time and bytes, with a different exception for each failure."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from pydantic_core import from_json

from leadyard.provider.trouble import PermanentProviderTrouble, ProviderTrouble, TemporaryProviderTrouble
from leadyard.retry_after import retry_after_s

if TYPE_CHECKING:
    import httpx

R = TypeVar("R")

MAX_ANSWER_BYTES = 5 * 1024**2
MAX_REASON_LENGTH = 300

_MAX_ERROR_BYTES = 65_536
# A page has 100 prospects of a few objects each. 5 MiB of brackets alone would take 150 MB after parsing.
_MAX_BRACKETS = 100_000
_TRY_AGAIN_4XX = (408, 425)
_UNPRINTABLE = re.compile("[\\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")

_log = structlog.get_logger("leadyard.provider")


class ProviderConnection:
    """The connections to one provider. `token` is a bearer token. `timeout_s` limits a request with its answer."""

    def __init__(self, url: str, token: str | None, *, timeout_s: float) -> None:
        # Imported only here, so that a service without a provider starts without an HTTP client.
        import httpx

        self._token = token
        self._timeout_s = timeout_s
        # Requests an answer without compression, because a small compressed answer could be huge after unpacking.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "leadyard"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/",
            headers=headers,
            timeout=timeout_s,
            follow_redirects=False,
            # A proxy that is set for other purposes must not get the token and our users' searches.
            trust_env=False,
            # The certificates this machine trusts, so that an operator's own authority counts.
            verify=ssl.create_default_context() if url.lower().startswith("https:") else False,
            # Requests of different account groups share this client, and a cookie would link them.
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
        """Returns the result of `read` for the parsed JSON of a 200. Otherwise raises TemporaryProviderTrouble or
        PermanentProviderTrouble, as `read` may do, and logs the code."""
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

        # Not chained, because the client's exceptions contain the request with its headers, and some quote them.
        try:
            # The client's own limits apply to each piece, so an answer of one byte at a time would stay within them.
            async with asyncio.timeout(self._timeout_s):
                return await self._answer(request)
        except (TimeoutError, httpx.TimeoutException):
            message = f"The prospect provider did not answer within {self._timeout_s:g} s."
            raise TemporaryProviderTrouble("PROVIDER_TIMEOUT", message) from None
        except httpx.HTTPError:
            message = "The prospect provider is unreachable or closed the connection."
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
        """Returns the trouble for an answer with a status other than 200."""
        status = response.status_code
        wait_s = retry_after_s(response.headers.get("Retry-After"))
        if status == 429:
            message = "The prospect provider has received too many requests."
            return TemporaryProviderTrouble("PROVIDER_RATE_LIMITED", message, retry_after_s=wait_s)
        if status >= 500 or status in _TRY_AGAIN_4XX:
            message = f"The prospect provider failed with status {status}."
            return TemporaryProviderTrouble("PROVIDER_ERROR", message, retry_after_s=wait_s)
        if status >= 400:
            reason = self._reason(body)
            why = f": {reason}" if reason else f" with status {status}"
            message = _sentence(f"The prospect provider refused the request{why}")
            return PermanentProviderTrouble("PROVIDER_REFUSED", message)
        if status >= 300:
            message = f"The prospect provider answered with a redirect ({status}), which is not followed."
            return PermanentProviderTrouble("PROVIDER_REFUSED", message)
        return garbage(f"its status is {status} and not 200")

    def _reason(self, body: bytearray) -> str:
        """Returns the message of {"error": {"message"}} as one short line, "" if there is none."""
        try:
            message = from_json(body)["error"]["message"]
        except (ValueError, LookupError, TypeError):
            return ""
        if not isinstance(message, str):
            return ""
        if self._token:
            # Masked before the text is cut, because half a secret would no longer be found.
            message = message.replace(self._token, "***")
        line = _UNPRINTABLE.sub(" ", message).strip()
        return line if len(line) <= MAX_REASON_LENGTH else line[: MAX_REASON_LENGTH - 1] + "…"


def garbage(what: str) -> TemporaryProviderTrouble:
    """Returns the trouble of an answer that cannot be read, perhaps because a proxy has written it."""
    return TemporaryProviderTrouble("PROVIDER_GARBAGE", f"The prospect provider's answer cannot be read: {what}.")


async def _parsed(response: httpx.Response) -> Any:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise garbage("it is not JSON")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise garbage("it is compressed, against the Accept-Encoding of the request")
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
        # Only a fixed text, because the parser's message quotes the answer.
        raise garbage("it is not JSON") from None


async def _start_of(response: httpx.Response, size: int) -> bytearray:
    """Returns the first `size` bytes of the body, or all of it if it is shorter. It never reads the rest."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) >= size:
            break
    del body[size:]
    return body


def _too_large() -> PermanentProviderTrouble:
    # Permanent, because by the protocol the same request returns the same page.
    message = f"The prospect provider's answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB."
    return PermanentProviderTrouble("PROVIDER_ANSWER_TOO_LARGE", message)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
