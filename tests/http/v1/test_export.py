"""GET {g}/audiences/{id}/prospects.csv: a stream of any size that can be imported again."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard.ids import number_of
from leadyard.model import Permission
from rig.answers import UNKNOWN_ID, refusal
from rig.commands import command, new_group
from rig.racing import wait_until
from rig.service import Tenant

AWKWARD = ["=1+1", "+49 30", "-1", "@x", "'=1", "''-", "'", 'a "b", c', "a\r\nb", "שלום 👩‍🚀", "é"]


def test_what_comes_out_goes_in_again(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    people = [
        {"email": f"p{n}@example.org", "about": text, "customFields": {"a  b": text, "email": text}}
        for n, text in enumerate(AWKWARD)
    ]
    assert tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people}).status_code == 200
    answer = tenant.client.get(f"/audiences/{audience}/prospects.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="audience-{audience}.csv"'
    for row in csv.reader(io.StringIO(answer.text, newline="")):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    file = tmp_path / "people.csv"
    file.write_bytes(answer.content)
    url = tenant.service.database_url
    other = new_group(url)
    assert command("import", str(file), "--account-group", other, "--audience", "A", url=url).code == 0
    # One database returns documents as text, the other as values. This compares each with itself.
    kept = "SELECT email, about, CAST(custom_fields AS text) FROM leads WHERE account_group_id = $1 ORDER BY email"
    assert tenant.sql(kept, number_of(other)) == tenant.sql(kept, tenant.number)
    assert len(tenant.sql(kept, number_of(other))) == len(AWKWARD)


def test_refusals(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    refusal(tenant.client.get(f"/audiences/{UNKNOWN_ID}/prospects.csv"), 404, "NOT_FOUND")
    tenant.insert_job(audience)
    refusal(tenant.client.get(f"/audiences/{audience}/prospects.csv"), 409, "AUDIENCE_NOT_READY")
    with tenant.new_client(tenant.key_with(Permission.AUDIENCES_READ)) as client:
        refusal(client.get(f"/audiences/{audience}/prospects.csv"), 403, "FORBIDDEN")


def test_an_audience_that_is_deleted_meanwhile_breaks_the_export_off(tenant: Tenant) -> None:
    """A client must not mistake half a file for a whole one, and the log must not report it as a bug."""
    audience = tenant.create_audience()
    tenant.add_leads(audience, 30_000)
    with (
        pytest.raises(httpx.RemoteProtocolError),
        tenant.client.stream("GET", f"/audiences/{audience}/prospects.csv") as answer,
    ):
        assert answer.status_code == 200
        pieces = answer.iter_raw()
        next(pieces)
        assert tenant.client.delete(f"/audiences/{audience}").status_code == 200
        for _ in pieces:
            pass

    def broken_off() -> list[dict[str, Any]]:
        lines = tenant.service.log_lines()
        return [line for line in lines if line["event"] == "answer_broken_off" and line["code"] == "NOT_FOUND"]

    assert wait_until(broken_off, "the log reports it")
    assert [line for line in tenant.service.log_lines() if line["event"] == "unhandled_error"] == []


def test_memory_does_not_grow_with_the_audience(tenant: Tenant) -> None:
    few, many = tenant.create_audience(), tenant.create_audience()
    tenant.add_leads(few, 2_000, "few")
    tenant.add_leads(many, 60_000, "many")
    assert _lines(tenant, few) == 2_001
    before = _resident_kib(tenant)
    assert _lines(tenant, many) == 60_001
    assert _resident_kib(tenant) - before < 15 * 1024


def _lines(tenant: Tenant, audience: str) -> int:
    with tenant.client.stream("GET", f"/audiences/{audience}/prospects.csv") as answer:
        assert answer.status_code == 200
        return sum(1 for _ in answer.iter_lines())


def _resident_kib(tenant: Tenant) -> int:
    """Returns the highest memory use of the server, where the system reports it."""
    assert tenant.service.process is not None
    status = Path(f"/proc/{tenant.service.process.pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+)", status)
    assert match
    return int(match[1])
