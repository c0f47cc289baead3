"""The receivers that docs/webhooks.md shows, in Python and in JavaScript, with their libraries and a real service."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from rig.answers import data_of
from rig.run_folder import free_port
from rig.service import Tenant
from tests.webhooks.conftest import create

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "webhooks.md"
NODE = Path(__file__).parent / "node"


def documented(language: str) -> str:
    """Returns the program of that language in the page."""
    [program] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(program)


@contextmanager
def running(command: list[str], folder: Path, port: int, secret: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PORT": str(port), "WEBHOOK_SECRET": secret}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        _wait_until_it_listens(process, port)
        yield process
    finally:
        process.kill()
        process.wait(10)


def _wait_until_it_listens(process: subprocess.Popen[str], port: int) -> None:
    for _ in range(200):
        assert process.poll() is None
        try:
            # Not signed, so it is refused.
            assert httpx.post(f"http://127.0.0.1:{port}/", content=b"{}").status_code == 401
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the receiver does not listen")


def check(hooks: Tenant, command: list[str], folder: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    made = create(hooks, url)
    with running(command, folder, port, made["secret"]) as receiver:
        result = data_of(hooks.client.post(f"/webhooks/{made['id']}/test"))
        assert (result["statusCode"], result["error"]) == (204, None)
        # After a rotation each request has two signatures, and the receiver has the old secret only.
        data_of(hooks.client.post(f"/webhooks/{made['id']}/rotate-secret"))
        # With characters that JSON and signatures have to treat as text.
        audience = hooks.create_audience("Ünïcode ✓ \\ \"quoted\" 'x' 😀")
        assert receiver.stdout is not None
        lines = [receiver.stdout.readline() for _ in range(2)]
        assert lines[0].startswith("webhook.test ")
        assert lines[1].startswith("audience.created ")
        assert audience in lines[1]
        assert "😀" in lines[1]
        [delivery] = _wait_for_deliveries(hooks, made["id"], 1)
        data_of(hooks.client.post(f"/webhooks/{made['id']}/deliveries/{delivery['id']}/redeliver"))
        _wait_for_attempts(hooks, made["id"], 2)
        hooks.create_audience("Last")
        # Neither a retry nor a forged request is printed.
        forged = {"webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
        assert httpx.post(url, content=b'{"id": "x", "type": "y"}', headers=forged).status_code == 401
        assert "Last" in receiver.stdout.readline()


def _wait_for_deliveries(hooks: Tenant, webhook_id: str, count: int) -> list[Any]:
    for _ in range(200):
        items: list[Any] = data_of(hooks.client.get(f"/webhooks/{webhook_id}/deliveries?status=delivered"))["items"]
        if len(items) >= count:
            return items
        time.sleep(0.05)
    raise AssertionError("nothing was delivered")


def _wait_for_attempts(hooks: Tenant, webhook_id: str, count: int) -> None:
    for _ in range(200):
        [delivery] = _wait_for_deliveries(hooks, webhook_id, 1)
        if len(delivery["attempts"]) == count:
            assert delivery["attempts"][-1]["statusCode"] == 204
            return
        time.sleep(0.05)
    raise AssertionError("it was not sent again")


def test_the_receiver_in_python(hooks: Tenant, tmp_path: Path) -> None:
    (tmp_path / "receiver.py").write_text(documented("py"))
    check(hooks, [sys.executable, "receiver.py"], tmp_path)


@pytest.mark.needs_npm
@pytest.mark.timeout(300)
def test_the_receiver_in_javascript(hooks: Tenant, tmp_path: Path) -> None:
    shutil.copytree(NODE, tmp_path, dirs_exist_ok=True)
    subprocess.run(["npm", "ci", "--silent"], cwd=tmp_path, check=True, timeout=200)
    (tmp_path / "receiver.mjs").write_text(documented("js"))
    check(hooks, ["node", "receiver.mjs"], tmp_path)
