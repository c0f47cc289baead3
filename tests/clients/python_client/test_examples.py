"""The examples of the client's README, and its example programs, with a real service."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from leadyard_client import Leadyard
from rig.service import Tenant

PROJECT = Path(__file__).parents[3] / "clients" / "python"
PAGE = (PROJECT.parents[1] / "docs" / "clients.md").read_text(encoding="utf-8")
README = (PROJECT / "README.md").read_text(encoding="utf-8")
RUN = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def environment(tenant: Tenant) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT / "src"),
        "LEADYARD_URL": tenant.service.base_url,
        "LEADYARD_API_KEY": tenant.key,
        "WEBHOOK_SECRET": SECRET,
    }


def run(program: str, *arguments: str | Path, tenant: Tenant, folder: Path, code: int = 0) -> str:
    command = [sys.executable, PROJECT / "examples" / program, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment(tenant), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_examples_of_the_readme(
    lively: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(RUN.findall(README)) == README.count("```python")
    monkeypatch.chdir(tmp_path)
    for name, value in environment(lively).items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    for block in RUN.findall(README):
        exec(compile(block, "README.md", "exec"), names)
        printed = capsys.readouterr().out.splitlines()
        for shown in re.findall(r"print\(.*\)  # (.*)", block):
            # A comment that is not an output is a sentence about the line.
            assert shown in printed or shown.endswith("its id."), (shown, printed)
    names["client"].close()
    assert Path("imported.csv").read_text(encoding="utf-8-sig").count("katherine@example.com") == 1
    assert Path("rejected.csv").stat().st_size > 0
    body = json.dumps({"id": "1", "type": "moon.landed", "timestamp": "2026-01-31T09:30:00.250Z", "data": {}})
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign("1", now, body)
    headers = {
        "webhook-id": "1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature,
    }  # fmt: skip
    assert names["handle"](headers, body.encode()) == 204
    assert names["handle"](headers, b"{}") == 401


def test_the_example_of_the_page_on_clients(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = RUN.findall(PAGE)
    for name, value in environment(tenant).items():
        monkeypatch.setenv(name, value)
    exec(compile(block, "clients.md", "exec"), {})
    assert capsys.readouterr().out == "1 1\n"


@pytest.mark.parametrize("column", ["email", "id"])
def test_the_example_that_moves_everyone_who_answered(tenant: Tenant, tmp_path: Path, column: str) -> None:
    source, target = tenant.create_audience("Spring campaign"), tenant.create_audience("Customers")
    leads = tenant.add_leads(source, 450)
    emails = [f"Lead-{number}@Example.com" for number in range(450)]
    answered = (leads if column == "id" else emails)[100:400]
    file = tmp_path / "answered.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as opened:
        csv.writer(opened).writerows(
            [("Note", column), *(("yes", each) for each in [*answered, "stranger@example.com"])]
        )
    given = (file, "--source", "Spring campaign", "--target", "Customers")
    assert "301 have answered, 300 of them" in run("move_answered.py", *given, tenant=tenant, folder=tmp_path)
    assert set(tenant.members(target)) == set(leads[100:400])
    # Again: they are no longer in the source.
    assert "301 have answered, 0 of them" in run("move_answered.py", *given, tenant=tenant, folder=tmp_path)
    assert len(tenant.walk("/moves")) == 1
    wrong = run(
        "move_answered.py", file, "--source", "Nowhere", "--target", "Customers", tenant=tenant, folder=tmp_path, code=1
    )
    assert wrong == "0 audiences have the name 'Nowhere'. It must be exactly one.\n"
    file.write_text("Name\nAda\n")
    assert "no column" in run("move_answered.py", *given, tenant=tenant, folder=tmp_path, code=1)


def test_leads_that_move_away_in_between_are_left_out(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "examples"))
    from move_answered import audience_named, move  # type: ignore[import-not-found]

    source, target = tenant.create_audience("Here"), tenant.create_audience("There")
    elsewhere = tenant.create_audience("Elsewhere")
    leads = tenant.add_leads(source, 260)
    tenant.move(source, elsewhere, leads[:250])
    with Leadyard(tenant.service.base_url, tenant.key) as client:
        audiences = [audience_named(client, name) for name in ("Here", "There")]
        assert move(client, *audiences, leads) == 10
    assert set(tenant.members(target)) == set(leads[250:])


def test_the_example_of_a_nightly_sync(lively: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("Name,E-mail,Title\nAda Lovelace,ada@example.com,Analyst\nEve Example,eve@example.com,\n")
    given = (file, "--audience", "CRM", "--state", tmp_path / "sync")
    first = run("nightly_sync.py", *given, tenant=lively, folder=tmp_path)
    assert first.endswith("2 read: 2 new, 0 known, 0 rejected.\n")
    file.write_text("Name,E-mail,Title\nAda Lovelace,ada@example.com,Countess\nJoe,joe@example.com,\nX,not one,\n")
    second = run("nightly_sync.py", *given, tenant=lively, folder=tmp_path, code=2)
    assert "leads.added: 1\n" in second
    assert "3 read: 1 new, 1 known, 1 rejected.\n" in second
    assert "not one" in (tmp_path / "sync" / "rejected.csv").read_text(encoding="utf-8-sig")
    with Leadyard(lively.service.base_url, lively.key) as client:
        (audience,) = client.list_audiences()
        titles = {lead.email: lead.title for lead in client.list_prospects(audience.id)}
    assert titles == {"ada@example.com": "Countess", "eve@example.com": None, "joe@example.com": None}
