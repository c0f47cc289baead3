"""POST {g}/uploads: the stored bytes are the bytes sent. After a failure no part of an upload stays or can be used."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import NotFound
from leadyard.http.request import raw_body
from leadyard.http.server import build_app
from leadyard.http.v1 import uploads
from leadyard.ids import id_of, key_of
from leadyard.model import UPLOAD_PIECE_BYTES, Caller, Permission, Upload
from leadyard.operations import guards
from leadyard.operations import uploads as of_uploads
from leadyard.store import uploads as in_store
from leadyard.store.db import open_database
from leadyard.webhooks.client import WebhookClient
from rig.answers import ID, TIME, data_of, refusal, violations
from rig.gates import open_gate
from rig.racing import TORTURE, on_postgresql_only, wait_until
from rig.service import Service, Tenant, make_tenant, on_database

R = TypeVar("R")
MIB = 1024**2
CSV = {"Content-Type": "text/csv"}
UNEVEN = bytes(range(256)) * 8_192 + b"the end"


def send(tenant: Tenant, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    return tenant.client.post("/uploads", content=content, headers={**CSV, **headers})


def stored(tenant: Tenant, upload_id: str) -> list[bytes]:
    return [
        bytes(content)
        for (content,) in tenant.sql(
            "SELECT content FROM upload_pieces WHERE account_group_id = $1 AND upload_id = $2 ORDER BY number",
            tenant.number,
            key_of(upload_id),
        )
    ]


def left(tenant: Tenant) -> int:
    """Returns how many rows of uploads the account group has."""
    [(rows,)] = tenant.sql("SELECT count(*) FROM uploads WHERE account_group_id = $1", tenant.number)
    pieces = tenant.sql("SELECT number FROM upload_pieces WHERE account_group_id = $1", tenant.number)
    return int(rows) + len(pieces)


def ask(tenant: Tenant, work: Callable[[Database, Caller], Awaitable[R]]) -> R:
    return on_database(tenant.service.database_url, lambda db: work(db, Caller.operator(tenant.account_group_id)))


async def usable(db: Database, who: Caller, upload_id: str) -> Upload:
    """Returns the upload as the start of a job finds it. Raises NotFound if no job could be started on it."""
    async with db.write(who.account_group_id) as tx:
        return await guards.usable_upload(tx, upload_id)


def find_usable(tenant: Tenant, upload_id: str) -> Upload:
    return ask(tenant, lambda db, who: usable(db, who, upload_id))


# -------------------------------------------------------------------------------------------------------------- success


@pytest.mark.parametrize("size", [1, MIB - 1, MIB, MIB + 1, len(UNEVEN)])
def test_what_is_stored_is_what_was_sent(tenant: Tenant, size: int) -> None:
    content = UNEVEN[:size]
    before = now_ms()

    data = data_of(send(tenant, content), 201)

    assert set(data) == {"uploadId", "sizeBytes", "sha256", "createdAt", "expiresAt"}
    assert ID.fullmatch(data["uploadId"])
    assert (data["sizeBytes"], data["sha256"]) == (size, hashlib.sha256(content).hexdigest())
    assert TIME.fullmatch(data["createdAt"])
    assert data["expiresAt"][:10] > data["createdAt"][:10]
    pieces = stored(tenant, data["uploadId"])
    assert b"".join(pieces) == content
    assert all(len(piece) == UPLOAD_PIECE_BYTES for piece in pieces[:-1])
    upload = find_usable(tenant, data["uploadId"])
    assert 0 <= upload.expires_at - before - of_uploads.KEPT_MS < 60_000


def test_pieces_are_read_back_one_by_one(tenant: Tenant) -> None:
    upload_id = data_of(send(tenant, UNEVEN), 201)["uploadId"]

    async def read(db: Database) -> list[bytes | None]:
        return [await of_uploads.read_piece(db, tenant.account_group_id, upload_id, number) for number in range(4)]

    assert on_database(tenant.service.database_url, read) == [
        UNEVEN[:MIB], UNEVEN[MIB : 2 * MIB], UNEVEN[2 * MIB :], None,
    ]  # fmt: skip


@pytest.mark.parametrize("headers", [
    {"Content-Type": "application/gzip"}, {"Content-Type": "application/x-gzip"},
    {"Content-Type": "text/csv; charset=utf-8", "Content-Encoding": "gzip"},
    {"Content-Type": "TEXT/PLAIN", "Content-Encoding": "identity"},
    {"Content-Type": "application/octet-stream"}, {"Content-Type": "text/tab-separated-values"},
])  # fmt: skip
def test_gzip_is_stored_as_it_comes_whatever_it_is_called(tenant: Tenant, headers: dict[str, str]) -> None:
    packed = gzip.compress(b"email\nada@example.com\n")
    data = data_of(send(tenant, packed, **headers), 201)
    assert stored(tenant, data["uploadId"]) == [packed]


def test_a_body_without_announced_length_is_taken(tenant: Tenant) -> None:
    data = data_of(send(tenant, (UNEVEN[n : n + 99_999] for n in range(0, len(UNEVEN), 99_999))), 201)
    assert b"".join(stored(tenant, data["uploadId"])) == UNEVEN


def digest_of(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def test_a_digest_is_compared(tenant: Tenant) -> None:
    data_of(send(tenant, b"a\n", **{"Content-Digest": digest_of(b"a\n")}), 201)
    data_of(send(tenant, b"a\n", **{"Content-Digest": f"sha-512=:AAAA:, {digest_of(b'a' + bytes([10]))}"}), 201)
    wrong = send(tenant, UNEVEN, **{"Content-Digest": digest_of(b"b\n")})
    assert violations(wrong) == {("Content-Digest", "MISMATCH")}
    for unknown in ("", "sha-512=:AAAA:", "sha-256=AAAA", digest_of(b"a\n")[:-1], "md5"):
        answer = send(tenant, b"a\n", **{"Content-Digest": unknown})
        assert violations(answer) == {("Content-Digest", "WRONG_FORMAT")}
    wait_until(lambda: left(tenant) == 4, "the refused upload is gone")


# ----------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("headers", [
    {"Content-Type": "application/json"}, {"Content-Type": ""}, {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Encoding": "br"}, {"Content-Encoding": "gzip, gzip"}, {"Content-Encoding": "deflate"},
])  # fmt: skip
def test_another_type_or_coding_is_refused(tenant: Tenant, headers: dict[str, str]) -> None:
    details = refusal(send(tenant, b"a\n", **headers), 415, "UNSUPPORTED_MEDIA_TYPE")["details"]
    assert ("gzip" if "Content-Encoding" in headers else ", ".join(uploads.MEDIA_TYPES)) in details


def test_an_empty_body_is_refused(tenant: Tenant) -> None:
    for content in (b"", iter(())):
        assert violations(send(tenant, content)) == {("body", "TOO_SHORT")}
    wait_until(lambda: left(tenant) == 0, "an empty upload leaves nothing")


def test_403_before_415_before_400(tenant: Tenant) -> None:
    key = tenant.key_with(*(each for each in Permission if each is not Permission.PROSPECTING_WRITE))
    lacking = send(tenant, b"", Authorization=f"Bearer {key}", **{"Content-Type": "application/json"})
    assert "prospecting:write" in refusal(lacking, 403, "FORBIDDEN")["details"]
    wrong = send(tenant, b"", **{"Content-Type": "application/json", "Content-Digest": "x"})
    refusal(wrong, 415, "UNSUPPORTED_MEDIA_TYPE")


class RawRequest:
    """An upload sent by hand, so that it can be broken off."""

    def __init__(self, tenant: Tenant, *headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", tenant.service.port), timeout=20)
        lines = [
            f"POST /v1/accounts/{tenant.account_group_id}/uploads HTTP/1.1", "Host: x", "Content-Type: text/csv",
            f"Authorization: Bearer {tenant.key}", *headers,
        ]  # fmt: skip
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def status(self) -> int:
        found = re.match(rb"HTTP/1.1 (\d+)", self.socket.recv(65_536))
        assert found
        return int(found[1])


def test_an_announced_length_beyond_the_limit_is_refused_at_once(tenant: Tenant) -> None:
    for size in (str(1024**3 + 1), str(2 * 1024**3), "9" * 18):
        request = RawRequest(tenant, f"Content-Length: {size}")
        assert request.status() == 413
        request.socket.close()
    assert left(tenant) == 0


def test_who_asks_before_sending_is_told_to_go_on_or_not(tenant: Tenant) -> None:
    expect = "Expect: 100-continue"
    refused = RawRequest(tenant, f"Content-Length: {2 * 1024**3}", expect)
    assert refused.status() == 413
    taken = RawRequest(tenant, "Content-Length: 2", expect)
    assert taken.status() == 100
    taken.socket.sendall(b"a\n")
    assert taken.status() == 201
    refused.socket.close()
    taken.socket.close()


@pytest.mark.parametrize(
    "headers", [("Content-Length: 9000000",), ("Transfer-Encoding: chunked",)], ids=["length", "chunked"]
)
def test_when_the_client_goes_away_the_pieces_do_too(tenant: Tenant, headers: tuple[str, ...]) -> None:
    request = RawRequest(tenant, *headers)
    content = b"x" * 3 * MIB
    request.socket.sendall(b"%x\r\n%s\r\n" % (len(content), content) if "chunked" in headers[0] else content)
    wait_until(lambda: left(tenant) >= 3, "pieces are stored while the rest is awaited")
    [(key,)] = tenant.sql("SELECT id FROM uploads WHERE account_group_id = $1", tenant.number)
    upload_id = id_of(key)
    with pytest.raises(NotFound):
        find_usable(tenant, upload_id)

    request.socket.close()

    wait_until(lambda: left(tenant) == 0, "the pieces are removed")

    def logged() -> list[dict[str, Any]]:
        lines = tenant.service.log_lines()
        return [line for line in lines if line.get("account_group_id") == tenant.account_group_id]

    # This line comes last.
    lines = wait_until(logged, "the request is logged")
    assert [(line["event"], line["status"]) for line in lines] == [("request", 400)]


# ------------------------------------------------------------------------- the limits, with small ones, in this process


def in_process(tenant: Tenant, content: AsyncIterator[bytes]) -> httpx.Response:
    """Sends the chunks to an app in this process on the database of the service."""

    async def run() -> httpx.Response:
        db = open_database(tenant.service.database_url, pool_size=1, wait_s=30)
        app = build_app(db, gate=open_gate(), provider=None, webhook_client=WebhookClient(()), in_background=[])
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                path = f"/v1/accounts/{tenant.account_group_id}/uploads"
                headers = {**CSV, "Authorization": f"Bearer {tenant.key}"}
                return await client.post(path, content=content, headers=headers)
        finally:
            await db.close()

    return asyncio.run(run())


def test_a_body_that_grows_beyond_the_limit_is_refused_on_the_way(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 3 * MIB)
    sent = 0

    async def chunks(limit: int) -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(limit // 65_536):
            sent += 65_536
            yield b"x" * 65_536

    data_of(in_process(tenant, chunks(3 * MIB)), 201)
    sent = 0
    refusal(in_process(tenant, chunks(1024**3)), 413, "BODY_TOO_LARGE")
    assert 3 * MIB < sent < 4 * MIB
    wait_until(lambda: left(tenant) == 4, "the pieces of the refused one are removed")


def test_a_client_that_falls_silent_is_not_waited_for(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert raw_body.PATIENCE_S == 60
    monkeypatch.setattr(raw_body, "PATIENCE_S", 0.2)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 2 * MIB
        await asyncio.sleep(5)
        yield b"x"

    assert violations(in_process(tenant, chunks())) == {("body", "TOO_SLOW")}
    wait_until(lambda: left(tenant) == 0, "the pieces are removed")


def test_no_connection_to_the_database_is_held_while_the_client_is_awaited(tenant: Tenant) -> None:
    """The app has one connection, and that one answers another request in the middle of an upload."""

    async def run() -> tuple[int, int]:
        db = open_database(tenant.service.database_url, pool_size=1, wait_s=2)
        who, seen = Caller.operator(tenant.account_group_id), 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal seen
            for _ in range(3):
                yield b"x" * MIB
                async with db.write(who.account_group_id):
                    seen += 1

        app = build_app(db, gate=open_gate(), provider=None, webhook_client=WebhookClient(()), in_background=[])
        headers = {**CSV, "Authorization": f"Bearer {tenant.key}"}
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                path = f"/v1/accounts/{who.account_group_id}/uploads"
                return (await client.post(path, content=chunks(), headers=headers)).status_code, seen
        finally:
            await db.close()

    assert asyncio.run(run()) == (201, 3)


def rss_kib(service: Service) -> int:
    assert service.process is not None
    return int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{service.process.pid}/status").read_text())[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process needs")
def test_the_memory_of_the_service_does_not_grow_with_the_upload(new_service: Callable[..., Service]) -> None:
    own = new_service()
    tenant = make_tenant(own)
    data_of(send(tenant, UNEVEN), 201)
    before = rss_kib(own)
    started = time.monotonic()
    size_mib = 1_024 if TORTURE else 100

    data = data_of(send(tenant, (b"%7d" % n * (MIB // 7) for n in range(size_mib))), 201)

    assert data["sizeBytes"] > 0.99 * size_mib * MIB
    assert rss_kib(own) - before < 30 * 1024
    assert time.monotonic() - started < 100
    own.stop()


# ------------------------------------------------------------------------------------------------------------ pruning


def prune(tenant: Tenant) -> None:
    async def all_of_it(db: Database) -> None:
        while await of_uploads.prune_uploads(db):
            pass

    on_database(tenant.service.database_url, all_of_it)


def let_expire(tenant: Tenant) -> None:
    tenant.sql("UPDATE uploads SET expires_at = $1 WHERE account_group_id = $2", now_ms() - 1, tenant.number)


def test_an_expired_upload_is_removed_once_no_active_job_reads_it(tenant: Tenant) -> None:
    kept, gone = (data_of(send(tenant, UNEVEN), 201)["uploadId"] for _ in range(2))
    job = tenant.insert_job(tenant.create_audience(), "queued")
    tenant.sql("UPDATE jobs SET upload_id = $1 WHERE id = $2", key_of(kept), key_of(job))
    let_expire(tenant)
    for upload_id in (kept, gone):
        with pytest.raises(NotFound):
            find_usable(tenant, upload_id)

    prune(tenant)
    wait_until(lambda: left(tenant) == 4, "the one that no job reads is removed")
    assert len(stored(tenant, kept)) == 3

    tenant.end_job(job, "failed")
    prune(tenant)
    wait_until(lambda: left(tenant) == 0, "the other one is removed as well")


def test_uploads_that_have_not_expired_stay(tenant: Tenant) -> None:
    data_of(send(tenant, UNEVEN), 201)
    ask(tenant, lambda db, who: of_uploads.start_upload(db, who, charset=None))
    prune(tenant)
    assert left(tenant) == 5


def test_what_arrives_is_kept_an_hour_from_the_last_piece_and_then_never_completed(tenant: Tenant) -> None:
    upload_id = ask(tenant, lambda db, who: of_uploads.start_upload(db, who, charset=None))
    tenant.sql("UPDATE uploads SET expires_at = $1 WHERE id = $2", now_ms() + 30_000, key_of(upload_id))

    def add(number: int) -> None:
        ask(tenant, lambda db, who: of_uploads.add_piece(db, who, upload_id=upload_id, number=number, content=b"x"))

    add(0)
    [(expires_at,)] = tenant.sql("SELECT expires_at FROM uploads WHERE id = $1", key_of(upload_id))
    assert 0 <= now_ms() + of_uploads.PATIENCE_MS - expires_at < 30_000
    let_expire(tenant)
    with pytest.raises(NotFound):
        add(1)
    with pytest.raises(NotFound):
        ask(tenant, lambda db, who: of_uploads.finish_upload(db, who, upload_id=upload_id, size_bytes=1, sha256=""))


@on_postgresql_only
def test_the_housekeeping_passes_over_an_upload_on_which_a_job_is_being_started(tenant: Tenant) -> None:
    """On SQLite a transaction is alone anyway."""
    upload_id = data_of(send(tenant, UNEVEN), 201)["uploadId"]
    much_later = now_ms() + 2 * of_uploads.KEPT_MS

    async def look_meanwhile(db: Database) -> tuple[str | None, str | None]:
        async with db.write(tenant.account_group_id) as job:
            await guards.usable_upload(job, upload_id)
            async with db.write(tenant.account_group_id) as housekeeping:
                meanwhile = await in_store.lock_one_to_prune(housekeeping, now=much_later)
        async with db.write(tenant.account_group_id) as housekeeping:
            return meanwhile, await in_store.lock_one_to_prune(housekeeping, now=much_later)

    assert on_database(tenant.service.database_url, look_meanwhile) == (None, upload_id)


def test_an_upload_of_another_account_group_is_not_found(tenant: Tenant, service: Service) -> None:
    other = make_tenant(service)
    upload_id = data_of(send(other, UNEVEN), 201)["uploadId"]

    async def try_all(db: Database, who: Caller) -> list[Any]:
        operations: list[Callable[[], Awaitable[Any]]] = [
            lambda: usable(db, who, upload_id),
            lambda: of_uploads.add_piece(db, who, upload_id=upload_id, number=9, content=b"x"),
            lambda: of_uploads.finish_upload(db, who, upload_id=upload_id, size_bytes=1, sha256="x"),
        ]
        for operation in operations:
            with pytest.raises(NotFound):
                await operation()
        await of_uploads.discard_upload(db, who, upload_id=upload_id)
        return [await of_uploads.read_piece(db, tenant.account_group_id, upload_id, 0)]

    assert ask(tenant, try_all) == [None]
    assert b"".join(stored(other, upload_id)) == UNEVEN
    find_usable(other, upload_id)
    other.client.close()
