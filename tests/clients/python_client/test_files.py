"""Files through the client: streams in both directions, with checksums, and never the whole file in memory."""

from __future__ import annotations

import asyncio
import io
import random
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard_client import Leadyard, NoAnswer, errors
from leadyard_client.uploads import PIECE, Upload
from rig.cutting_proxy import ANSWER, REQUEST, cutting_proxy
from rig.python_clients import QUICK, Recorded, client_of
from rig.service import Tenant

CONTENT = b"email\n" + b"".join(b"lead-%06d@example.com\n" % number for number in range(20_000))


class OneWay(io.RawIOBase):
    """A stream such as a pipe: it can be read once."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(buffer)


def sources(folder: Path) -> Iterator[Any]:
    """Yields the same content in each form that is accepted."""
    path = folder / "leads.csv"
    path.write_bytes(CONTENT)
    yield path
    yield str(path)
    yield CONTENT
    opened = io.BytesIO(b"before" + CONTENT)
    opened.seek(len(b"before"))
    yield opened
    yield OneWay(CONTENT)
    yield (CONTENT[at : at + 5_000] for at in range(0, len(CONTENT), 5_000))


def test_a_file_in_each_form_arrives_as_it_is(client: Recorded, tmp_path: Path) -> None:
    for source in sources(tmp_path):
        stored = client.create_upload(source, content_type="text/csv")
        assert (stored.size_bytes, stored.sha256) == (len(CONTENT), sha256(CONTENT).hexdigest()), source


@pytest.mark.parametrize(("direction", "after"), [(REQUEST, 100_000), (ANSWER, 20)])
def test_an_upload_that_is_cut_begins_again_if_it_can(
    tenant: Tenant, tmp_path: Path, direction: str, after: int
) -> None:
    restarted = 0
    with cutting_proxy(tenant.service.port) as proxy, client_of(tenant, proxy.url, retries=QUICK) as client:
        for source in sources(tmp_path):
            proxy.arm(direction, after)
            if Upload(source).can_restart:
                assert client.create_upload(source).sha256 == sha256(CONTENT).hexdigest()
                restarted += 1
                continue
            with pytest.raises(NoAnswer) as lost:
                client.create_upload(source)
            assert lost.value.may_have_happened
        assert (restarted, proxy.cuts) == (4, 6)


def test_a_checksum_that_does_not_fit_is_an_error(tenant: Tenant) -> None:
    with client_of(tenant) as client:
        with pytest.raises(errors.ValidationError, match="SHA-256"):
            client.create_upload(CONTENT, content_digest=f"sha-256=:{'A' * 43}=:")
        upload = client.create_upload(CONTENT)
    other = {"uploadId": upload.upload_id, "sizeBytes": 1, "sha256": "0" * 64}
    times = dict.fromkeys(("createdAt", "expiresAt"), "2026-01-31T09:30:00.000Z")

    def changed(request: httpx.Request) -> httpx.Response:
        request.read()
        return httpx.Response(201, json={"data": {**other, **times}})

    http = httpx.Client(transport=httpx.MockTransport(changed))
    with pytest.raises(errors.UnexpectedAnswer, match="changed on its way"):
        Leadyard("http://service.invalid", "key", account_group_id="1" * 24, http_client=http).create_upload(CONTENT)


def test_a_file_that_is_not_there_or_is_open_as_text_is_reported(tenant: Tenant, tmp_path: Path) -> None:
    with client_of(tenant) as client:
        with pytest.raises(FileNotFoundError):
            client.create_upload(tmp_path / "nowhere.csv")
        with pytest.raises(TypeError, match="'rb'"):
            client.create_upload(io.StringIO("email\n"))  # type: ignore[arg-type]


def test_a_file_that_grows_is_sent_up_to_its_size_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "growing.csv"
    path.write_bytes(b"x" * (PIECE + 5))
    upload = Upload(path)
    with path.open("ab") as file:
        file.write(b"y" * 100)
    assert b"".join(upload.pieces()) == b"x" * (PIECE + 5)

    async def collected() -> bytes:
        return b"".join([piece async for piece in upload.async_pieces()])

    assert asyncio.run(collected()) == b"x" * (PIECE + 5)


def test_a_download_is_a_stream_and_appears_when_it_is_complete(
    client: Recorded, lively: Tenant, tmp_path: Path
) -> None:
    audience = lively.create_audience()
    lively.add_leads(audience, 3_000)
    download = client.export_prospects(audience)
    whole = download.read()
    assert whole.count(b"@example.com") == 3_000
    assert b"".join(download.iter_bytes()) == whole
    target = tmp_path / "leads.csv"
    assert download.save(target) == len(whole)
    assert target.read_bytes() == whole
    with pytest.raises(errors.NotFound):
        client.export_prospects("0" * 24).save(tmp_path / "none.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["leads.csv"]


def test_a_download_that_is_cut_leaves_the_old_file(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    tenant.add_leads(audience, 3_000)
    target = tmp_path / "leads.csv"
    target.write_text("old")
    with cutting_proxy(tenant.service.port) as proxy, client_of(tenant, proxy.url) as client:
        proxy.arm(ANSWER, 50_000)
        with pytest.raises(NoAnswer, match="incomplete"):
            client.export_prospects(audience).save(target)
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["leads.csv"]


PROGRAM = """
import resource, sys
from leadyard_client import Leadyard
url, key, group, path = sys.argv[1:]
with Leadyard(url, key, account_group_id=group) as client:
    client.create_upload(b"email\\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(client.create_upload(path).size_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_big_file_does_not_enter_the_memory(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    chunk = random.Random(1).randbytes(1 << 20)
    with path.open("wb") as file:
        for _ in range(64):
            file.write(chunk)
    command = [sys.executable, "-c", PROGRAM, tenant.service.base_url, tenant.key, tenant.account_group_id, str(path)]
    environment = {"PYTHONPATH": str(Path(sys.modules["leadyard_client"].__file__ or "").parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=True)
    size, grown_kb = map(int, done.stdout.split())
    assert size == 64 << 20
    assert grown_kb < 16 * 1024
