"""The client of the webhooks against receivers that misbehave, all on this machine."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from leadyard.settings.networks import parse_networks
from leadyard.webhook_address import Address
from leadyard.webhooks.client import Outcome, WebhookClient
from leadyard.webhooks.resolving import Resolver
from rig.certificates import Authority

HERE = parse_networks("127.0.0.0/8")
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def request_from(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def receiver(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def saying(*answers: bytes, seen: list[bytes] | None = None) -> Answer:
    """Answers the requests of a connection with these, one by one, and then closes it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in answers:
            request = await request_from(reader)
            if seen is not None:
                seen.append(request)
            writer.write(each)
            await writer.drain()

    return answer


def post(answer: Answer, *, timeout_s: float = 2, times: int = 1) -> list[Outcome]:
    async def run() -> list[Outcome]:
        client = WebhookClient(HERE, timeout_s=timeout_s)
        async with receiver(answer) as port:
            try:
                return [
                    await client.post(f"http://127.0.0.1:{port}/hook?x=1", {"webhook-id": "1"}, b'{"a":1}')
                    for _ in range(times)
                ]
            finally:
                await client.close()

    return asyncio.run(run())


def test_the_request_is_complete_and_nothing_else() -> None:
    seen: list[bytes] = []
    [outcome] = post(saying(OK, seen=seen))
    assert (outcome.status, outcome.error) == (204, None)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hook?x=1 HTTP/1.1"
    names = [line.partition(":")[0].lower() for line in lines[1:]]
    assert sorted(names) == sorted(
        ["host", "user-agent", "content-type", "content-length", "accept", "accept-encoding", "webhook-id"]
    )
    assert "Content-Type: application/json" in lines
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, None),
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 202, None),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, None),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, None),
        # A status counts, however long the rest is.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 20_000, 200, None),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 200, None),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500, "STATUS"),
        (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 410, "STATUS"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302, "REDIRECT"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", None, "NOT_HTTP"),
        (b"SSH-2.0-x\r\n", None, "NOT_HTTP"),
        (b"", None, "CONNECTION_CLOSED"),
        (b"HTTP/1.1 20", None, "CONNECTION_CLOSED"),
    ],
)
def test_only_the_status_counts(answer: bytes, status: int | None, error: str | None) -> None:
    [outcome] = post(saying(answer))
    assert (outcome.status, outcome.error) == (status, error)


def test_a_second_answer_does_not_count_for_the_next_request() -> None:
    two = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    first, second = post(saying(two, two), times=2)
    assert (first.status, second.status) == (200, 200)


def test_a_kept_connection_that_the_receiver_has_closed_is_no_failure() -> None:
    served: list[bytes] = []

    async def one_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(await request_from(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    assert [each.status for each in post(one_request, times=3)] == [200] * 3
    assert len(served) == 3


def test_connections_are_kept() -> None:
    connections: list[int] = []

    async def many(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        while True:
            await request_from(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    assert [each.status for each in post(many, times=5)] == [200] * 5
    assert len(connections) == 1


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_receiver_has_a_time_for_its_answer_not_for_each_byte(first: bytes) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        writer.write(first)
        for _ in range(40):
            writer.write(b"K")
            await writer.drain()
            await asyncio.sleep(0.1)

    began = time.monotonic()
    answer = slow if first else silent
    [outcome] = post(answer, timeout_s=0.5)
    assert time.monotonic() - began < 3
    assert outcome.error in ("TIMEOUT", "NOT_HTTP")
    assert outcome.status is None


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await request_from(reader)
    await asyncio.sleep(5)


def test_an_endless_body_ends_with_its_status() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    [outcome] = post(endless)
    assert (outcome.status, outcome.error) == (200, None)
    assert outcome.duration_ms < 1_900


@pytest.mark.parametrize(("value", "seconds"), [("7", 7), ("999999999", 86_400), ("soon", None), ("-1", None)])
def test_retry_after_is_read_within_bounds(value: str, seconds: int | None) -> None:
    answer = f"HTTP/1.1 503 No\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode()
    [outcome] = post(saying(answer))
    assert outcome.retry_after_s == seconds


def test_nothing_listens() -> None:
    async def run() -> Outcome:
        async with receiver(silent) as port:
            pass
        return await WebhookClient(HERE).post(f"http://127.0.0.1:{port}/", {}, b"{}")

    outcome = asyncio.run(run())
    assert (outcome.status, outcome.error) == (None, "CANNOT_CONNECT")


class Names:
    """A name server: each look-up of the name gets the next answer."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, name: str) -> list[Address]:
        self.asked.append(name)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not answer:
            raise OSError("no such name")
        return [ip_address(each) for each in answer]


def post_by_name(names: Names, *, networks: str, scheme: str = "http", times: int = 1) -> tuple[list[Outcome], int]:
    connections: list[int] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await request_from(reader)
        writer.write(OK)

    async def run() -> list[Outcome]:
        client = WebhookClient(parse_networks(networks), timeout_s=2, resolver=Resolver(names))
        async with receiver(once) as port:
            return [await client.post(f"{scheme}://receiver.example:{port}/", {}, b"{}") for _ in range(times)]

    return asyncio.run(run()), len(connections)


def test_the_address_is_checked_and_not_the_name() -> None:
    # Named networks other than the one that the name leads to.
    for networks, scheme in (("10.20.0.0/16", "http"), ("10.20.0.0/16", "https"), ("", "https")):
        names = Names(["127.0.0.1"])
        [outcome], connections = post_by_name(names, networks=networks, scheme=scheme)
        assert (outcome.status, outcome.error, connections) == (None, "ADDRESS_NOT_ALLOWED", 0)
        assert names.asked == ["receiver.example"]


def test_one_forbidden_address_among_others_is_enough() -> None:
    for answers in (["127.0.0.1", "192.0.2.1"], ["192.0.2.1", "127.0.0.1"], ["127.0.0.1", "::1"]):
        [outcome], connections = post_by_name(Names(answers), networks="127.0.0.0/8")
        assert (outcome.error, connections) == ("ADDRESS_NOT_ALLOWED", 0)


def test_a_name_that_leads_elsewhere_later_gains_nothing() -> None:
    """It is resolved once for each connection, and connected to what was checked."""
    names = Names(["127.0.0.1"], ["192.0.2.1"])
    [first, second], connections = post_by_name(names, networks="127.0.0.0/8", times=2)
    assert (first.status, second.error, connections) == (204, "ADDRESS_NOT_ALLOWED", 1)
    assert len(names.asked) == 2


def test_a_name_that_does_not_exist_looks_like_one_that_is_not_allowed() -> None:
    [outcome], _ = post_by_name(Names([]), networks="127.0.0.0/8")
    assert outcome.error == "ADDRESS_NOT_ALLOWED"


def test_all_addresses_are_tried() -> None:
    # Nothing listens on the first one.
    [outcome], connections = post_by_name(Names(["127.0.0.2", "127.0.0.1"]), networks="127.0.0.0/8")
    assert (outcome.status, connections) == (204, 1)


def test_a_silent_name_server_holds_up_no_other_name() -> None:
    def look_up(name: str) -> list[Address]:
        if name != "receiver.example":
            time.sleep(3)
        return [ip_address("127.0.0.1")]

    async def run() -> tuple[Outcome, float]:
        client = WebhookClient(HERE, timeout_s=2, resolver=Resolver(look_up))
        async with receiver(saying(OK)) as port:
            waiting = [
                asyncio.create_task(client.post(f"http://silent-{n}.example:{port}/", {}, b"{}")) for n in range(100)
            ]
            await asyncio.sleep(0.1)
            began = time.monotonic()
            outcome = await client.post(f"http://receiver.example:{port}/", {}, b"{}")
            took = time.monotonic() - began
            assert {each.error for each in await asyncio.gather(*waiting)} == {"TIMEOUT"}
            return outcome, took

    outcome, took = asyncio.run(run())
    assert outcome.status == 204
    assert took < 1


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(saying(OK))[0].status == 204


def test_the_certificate_is_that_of_the_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca").create()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*authority.issue("receiver.example"))
    trusting = ssl.create_default_context(cafile=str(authority.file))
    seen: list[bytes] = []

    async def run(host: str, tls: ssl.SSLContext | None) -> Outcome:
        client = WebhookClient(HERE, timeout_s=2, resolver=Resolver(Names(["127.0.0.1"])), tls=tls)
        async with receiver(saying(OK, seen=seen), tls=server) as port:
            return await client.post(f"https://{host}:{port}/", {}, b"{}")

    assert asyncio.run(run("receiver.example", trusting)).status == 204
    assert b"\r\nHost: receiver.example:" in seen[0]
    assert asyncio.run(run("other.example", trusting)).error == "TLS_FAILED"
    assert asyncio.run(run("127.0.0.1", trusting)).error == "TLS_FAILED"
    assert asyncio.run(run("receiver.example", None)).error == "TLS_FAILED"
    assert len(seen) == 1
