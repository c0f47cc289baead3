"""The workflow for n8n, in a real n8n: imported with its commands, published, and started by a request."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard.model import Permission
from rig.real_parts import find
from rig.run_folder import free_port
from rig.service import Tenant

WORKFLOW = Path(__file__).parents[2] / "recipes" / "n8n" / "move-who-replied.json"
# n8n makes its tables at the first command, and loads 400 packages at each.
pytestmark = [pytest.mark.needs_n8n, pytest.mark.timeout(600)]
STARTS_WITHIN_S = 240


class N8n:
    """An n8n of its own: a folder, a port, and the settings of this environment, such as the database for it."""

    def __init__(self, folder: Path) -> None:
        program = find("n8n")
        assert program is not None
        self.program = program
        self.port = free_port()
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "N8N_USER_FOLDER": str(folder),
            "N8N_PORT": str(self.port),
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_RUNNERS_BROKER_PORT": str(free_port()),
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_ENCRYPTION_KEY": "only for this test",
        }

    def run(self, *arguments: str) -> None:
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def imports(self, kind: str, content: Any) -> None:
        file = self.folder / f"{kind}.json"
        file.write_text(json.dumps(content))
        self.run(f"import:{kind}", f"--input={file}")

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "n8n.log").open("wb") as log:
            return subprocess.Popen(
                [self.program, "start"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def replied(self, email: str) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}/webhook/leadyard-replied", json={"email": email}, timeout=90)


def with_settings(tenant: Tenant, source: str, target: str) -> dict[str, Any]:
    """Returns the workflow as a user has it after the first step of its page."""
    workflow: dict[str, Any] = json.loads(WORKFLOW.read_text())
    (settings,) = [node for node in workflow["nodes"] if node["name"] == "Settings"]
    mine = {
        "url": tenant.service.base_url,
        "accountGroup": tenant.account_group_id,
        "source": source,
        "target": target,
    }
    for each in settings["parameters"]["assignments"]["assignments"]:
        each["value"] = mine.get(each["name"], each["value"])
    return workflow


@pytest.fixture
def n8n(tenant: Tenant, tmp_path: Path) -> Iterator[tuple[N8n, str, str]]:
    """A running n8n with the workflow, and the two lists."""
    made = N8n(tmp_path)
    source, target = tenant.create_audience("Campaign"), tenant.create_audience("Replied")
    key = tenant.key_with(Permission.AUDIENCES_READ, Permission.AUDIENCES_WRITE, Permission.PROSPECTS_READ)
    value = {"name": "Authorization", "value": f"Bearer {key}"}
    credential = {"id": "leadyardApiKey01", "name": "Leadyard API key", "type": "httpHeaderAuth", "data": value}
    made.imports("credentials", [credential])
    made.imports("workflow", with_settings(tenant, source, target))
    made.run("publish:workflow", "--id=leadyardReplied1")
    process = made.start()
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            log = (tmp_path / "n8n.log").read_text(errors="replace")
            assert process.poll() is None, log
            assert time.monotonic() < deadline, log
            try:
                # While it starts, n8n answers every path with 200 and a sentence.
                answer = made.replied("")
                if answer.status_code == 200 and answer.text.startswith("{"):
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        yield made, source, target
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def test_a_person_who_replied_is_moved_once(n8n: tuple[N8n, str, str], tenant: Tenant) -> None:
    made, source, target = n8n
    # An address that is a part of another one: only the exact one is moved.
    people = ["ada@engines.example", "ada@engines.example.org", "grace@navy.example"]
    tenant.client.post(f"/audiences/{source}/prospects", json={"prospects": [{"email": each} for each in people]})
    first = made.replied(" Ada@Engines.example ")
    assert (first.status_code, first.json()) == (200, {"moved": 1, "source": 2, "target": 1})
    assert made.replied("ada@engines.example").json() == {"moved": 0}
    assert made.replied("").json() == {"moved": 0}
    assert made.replied("joe@beach.example").json() == {"moved": 0}
    assert (tenant.count(source), tenant.count(target)) == (2, 1)
    assert len(tenant.walk("/moves")) == 1
