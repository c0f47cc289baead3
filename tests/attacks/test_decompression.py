"""Small inputs that unpack to much: as an upload, as the body of a request, as a provider's answer."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from dataclasses import replace

import pytest

from leadyard.provider.client import Provider
from leadyard.provider.trouble import TemporaryProviderTrouble
from rig.answers import data_of
from rig.jobs import found_job, start, work_until_ended
from rig.providers import TOKEN, answer, raw_provider
from rig.service import Service, Tenant
from rig.watching import on_one_database
from tests.attacks import tally
from tests.attacks.target import Target

FAMILY = "decompression bombs"
MIB = 1024**2
ROW = b"lead@example.com," + b"x" * 9_980 + b"\n"


def _bomb(head: bytes, unit: bytes, mib: int) -> bytes:
    """Returns gzip of that many MiB of one unit."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = (unit * (MIB // len(unit) + 1))[:MIB]
    return b"".join([packer.compress(head), *(packer.compress(block) for _ in range(mib)), packer.flush()])


BOMBS = {
    "one endless line": lambda: _bomb(b"", b"x", 80),
    "rows": lambda: _bomb(b"email,about\n", ROW, 80),
    "NUL": lambda: _bomb(b"email\n", b"\0", 80),
    "quotes": lambda: _bomb(b"email\n", b'"', 80),
    "gzip in gzip": lambda: gzip.compress(gzip.compress(b"email\n" + b"a" * MIB)),
    "10,000 empty members": lambda: gzip.compress(b"") * 10_000,
    "blank rows": lambda: _bomb(b"email\n", b",\n", 60),
}


def _peak_mib(service: Service) -> int:
    """Returns the highest memory use of the process so far."""
    assert service.process is not None
    with open(f"/proc/{service.process.pid}/status") as status:  # noqa: PTH123
        [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


@on_one_database
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_that_is_uploaded_ends_its_own_job_and_nothing_else(job_tenant: Tenant, name: str) -> None:
    content = BOMBS[name]()
    sent = job_tenant.client.post("/uploads", content=content, headers={"Content-Type": "application/gzip"})
    body = {"type": "csv_upload", "uploadId": data_of(sent, 201)["uploadId"], "audience": {"name": name}}
    started = job_tenant.client.post("/prospecting", json=body)
    tally.note(FAMILY, started.status_code)
    if started.status_code == 422:
        return
    began = time.monotonic()
    job = work_until_ended(job_tenant, found_job(job_tenant, data_of(started, 202)["jobId"]))
    tally.note(FAMILY, job["status"])
    assert job["status"] == "failed" or job["counts"]["created"] == 0, job
    assert time.monotonic() - began < 60
    if job["status"] == "failed":
        assert job["error"]["code"] == "UNREADABLE_FILE"


def test_a_file_that_is_packed_honestly_is_taken(job_tenant: Tenant) -> None:
    content = gzip.compress(b"email\n" + b"".join(b"packed-%d@example.com\n" % n for n in range(500)))
    sent = job_tenant.client.post("/uploads", content=content, headers={"Content-Type": "application/gzip"})
    job = found_job(job_tenant, start(job_tenant, "csv_upload", uploadId=data_of(sent, 201)["uploadId"]))
    assert work_until_ended(job_tenant, job)["counts"]["created"] == 500


@on_one_database
@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "br", "zstd", "compress", "identity, gzip", "gzip, gzip", "x-gzip"]
)
def test_a_packed_body_of_json_is_not_unpacked(target: Target, coding: str) -> None:
    """The service unpacks only uploads, and those in small pieces. A packed body is not JSON."""
    before = _peak_mib(target.service)
    bomb = gzip.compress(b'{"name": "' + b"a" * 100 * MIB + b'"}')
    for request in target.requests:
        if request.body is not None:
            headers = {"Content-Type": "application/json", "Content-Encoding": coding}
            packed = replace(request, body=None, raw=bomb, headers=headers)
            assert target.judged(FAMILY, target.send(packed), packed, coding).status_code in (400, 415)
    assert _peak_mib(target.service) < before + 64


def test_a_bomb_from_the_provider_is_not_unpacked() -> None:
    people = json.dumps({"prospects": [{"email": "a" * 30 * MIB}], "nextCursor": None})

    async def ask(coding: str, content: bytes) -> None:
        async with raw_provider(answer(content, "200 OK", f"Content-Encoding: {coding}")) as raw:
            provider = Provider(raw.url, TOKEN, timeout_s=60)
            try:
                await provider.list_lead_lists(account_group_id="0" * 24, cursor=None, limit=10)
            finally:
                await provider.close()

    for coding, content in {
        "gzip": gzip.compress(people.encode()),
        "deflate": zlib.compress(people.encode()),
        "gzip, gzip": gzip.compress(gzip.compress(people.encode())),
    }.items():
        began = time.monotonic()
        with pytest.raises(TemporaryProviderTrouble):
            asyncio.run(ask(coding, content))
        tally.note(FAMILY, "refused")
        # Sooner than the timeout, which is a different failure of the provider.
        assert time.monotonic() - began < 30
