"""The HTTP client of the webhooks: connects to checked addresses only, and reports the outcome of each request.

It resolves a name once for each connection, refuses it if one of its addresses is not allowed, and connects to an
address that it has checked. So a name that leads elsewhere a moment later gains nothing. It follows no redirect and
uses no proxy.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from leadyard.errors import UrlNotAllowed
from leadyard.retry_after import retry_after_s
from leadyard.webhook_address import Address, Networks, Target, may_connect, target_of
from leadyard.webhooks.exchange import Exchange, NoAnswer
from leadyard.webhooks.resolving import Resolver

ANSWER_WITHIN_S = 15.0
# Most servers keep an idle connection for 5 s or longer. A busy one ends after a minute, so that a name that leads
# elsewhere is noticed.
_IDLE_S = 3.0
_LONGEST_USE_S = 60.0
_MAX_IDLE = 512
# All addresses of a name together must leave time for the answer.
_CONNECT_WITHIN_S = 5.0
LONGEST_RETRY_AFTER_S = 24 * 3_600


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a request. `error` is a code, None after success: a status 2xx in time. `status` is None if there
    was no answer."""

    status: int | None
    error: str | None
    duration_ms: int
    retry_after_s: int | None = None


Origin = tuple[str, str, int]


class _Refused(Exception):
    """One of the addresses is not allowed."""


class WebhookClient:
    """Sends webhooks. Close it at the end. One client serves all account groups: it keeps connections by origin, and
    nothing else, between requests. `resolver` and `tls` are for tests."""

    def __init__(
        self,
        networks: Networks,
        *,
        timeout_s: float = ANSWER_WITHIN_S,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.networks = networks
        self._timeout_s = timeout_s
        self._resolver = resolver or Resolver()
        self._tls = tls
        # By origin, those that were put back last at the end.
        self._idle: OrderedDict[Origin, list[tuple[Exchange, float]]] = OrderedDict()
        self._look_at = 0.0

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Sends one request and returns its outcome. Raises nothing but CancelledError."""
        began = time.monotonic()
        status, error, retry_after = await self._post(url, headers, body)
        return Outcome(status, error, round((time.monotonic() - began) * 1000), retry_after)

    async def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            for exchange, _ in self._idle.popitem()[1]:
                exchange.close()

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int | None, str | None, int | None]:
        try:
            # Again before each request, because the operator may have changed the networks since the webhook was made.
            target = target_of(url, self.networks)
            async with asyncio.timeout(self._timeout_s):
                status, retry_after = await self._ask(target, _request(target, headers, body))
        except (UrlNotAllowed, _Refused):
            return None, "ADDRESS_NOT_ALLOWED", None
        except TimeoutError:
            return None, "TIMEOUT", None
        except NoAnswer as ended:
            return None, "NOT_HTTP" if ended.is_garbage else "CONNECTION_CLOSED", None
        except ssl.SSLError:
            return None, "TLS_FAILED", None
        except OSError:
            return None, "CANNOT_CONNECT", None
        wait_s = retry_after_s(retry_after, longest_s=LONGEST_RETRY_AFTER_S)
        if 200 <= status < 300:
            return status, None, None
        return status, "REDIRECT" if 300 <= status < 400 else "STATUS", wait_s

    async def _ask(self, target: Target, request: bytes) -> tuple[int, str | None]:
        origin = (target.scheme, target.host, target.port)
        kept = self._take_idle(origin)
        if kept is not None:
            try:
                return await self._ask_on(kept, origin, request)
            except NoAnswer as ended:
                # The receiver has closed it while it was idle. It did not fail, so this is not an attempt.
                if not ended.is_untouched:
                    raise
        return await self._ask_on(await self._connect(target), origin, request)

    async def _ask_on(self, exchange: Exchange, origin: Origin, request: bytes) -> tuple[int, str | None]:
        try:
            answer = await exchange.ask(request)
        except BaseException:
            exchange.close()
            raise
        if exchange.can_be_used:
            self._keep(exchange, origin)
        return answer

    async def _connect(self, target: Target) -> Exchange:
        """Raises _Refused, OSError and TimeoutError."""
        addresses = await self._addresses(target)
        tls = self._tls_context() if target.scheme == "https" else None
        loop = asyncio.get_running_loop()
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                async with asyncio.timeout(_CONNECT_WITHIN_S):
                    _, exchange = await loop.create_connection(
                        Exchange,
                        str(address),
                        target.port,
                        ssl=tls,
                        # The certificate must be valid for the name, although the connection leads to its address.
                        server_hostname=target.host.removesuffix(".") if tls else None,
                    )
                    return exchange
            except TimeoutError:
                failure = OSError("no answer")
            except OSError as error:
                failure = error
        raise failure

    async def _addresses(self, target: Target) -> list[Address]:
        if target.address is not None:
            # The check of the URL has checked it.
            return [target.address]
        try:
            addresses = await self._resolver.resolve(target.host)
        except OSError:
            # The same as for an address that is not allowed, so that a client cannot find out which names exist here.
            raise _Refused from None
        # All of them, because a name with a public and a private address is made to get past a check.
        if not addresses or not all(may_connect(each, target.scheme, self.networks) for each in addresses):
            raise _Refused
        return addresses

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            # The certificates that this machine trusts, so that an operator's own authority counts.
            self._tls = ssl.create_default_context()
        return self._tls

    def _take_idle(self, origin: Origin) -> Exchange | None:
        now = time.monotonic()
        kept = self._idle.get(origin, [])
        while kept:
            exchange, until = kept.pop()
            if exchange.can_be_used and now < min(until, exchange.made_at + _LONGEST_USE_S):
                return exchange
            exchange.close()
        self._idle.pop(origin, None)
        return None

    def _keep(self, exchange: Exchange, origin: Origin) -> None:
        now = time.monotonic()
        self._idle.setdefault(origin, []).append((exchange, now + _IDLE_S))
        self._idle.move_to_end(origin)
        if now > self._look_at or len(self._idle) > _MAX_IDLE:
            self._look_at = now + _IDLE_S
            self._drop_old(now)

    def _drop_old(self, now: float) -> None:
        while self._idle:
            origin, kept = next(iter(self._idle.items()))
            if kept and kept[-1][1] > now and len(self._idle) <= _MAX_IDLE:
                return
            del self._idle[origin]
            for exchange, _ in kept:
                exchange.close()


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        "User-Agent: Leadyard",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Accept: */*",
        "Accept-Encoding: identity",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body
