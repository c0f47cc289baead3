"""The recipe for a chat: a real service sends, the recipe verifies, and a receiver stands for the chat."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from rig.answers import data_of
from rig.receivers import Received, Receiver, receivers
from rig.run_folder import free_port
from rig.service import Service, Tenant, make_tenant

RECIPE = Path(__file__).parents[2] / "recipes" / "chat_notifier.py"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="session")
def chatty_service(new_service: Callable[..., Service]) -> Service:
    """A service that may send to this machine."""
    return new_service(LEADYARD_WEBHOOK_NETWORKS="127.0.0.0/8", LEADYARD_WORKER_IN_SERVE="on")


@pytest.fixture
def team(chatty_service: Service) -> Iterator[Tenant]:
    made = make_tenant(chatty_service)
    yield made
    for each in data_of(made.client.get("/webhooks"))["items"]:
        made.client.delete(f"/webhooks/{each['id']}")
    made.client.close()


@contextmanager
def notifier(secret: str, chat_url: str, port: int, folder: Path) -> Iterator[str]:
    """Runs the recipe, and yields its URL."""
    environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "CHAT_URL": chat_url, "PORT": str(port)}
    process = subprocess.Popen([sys.executable, str(RECIPE)], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(200):
            assert process.poll() is None
            try:
                assert httpx.post(url, content=b"{}").status_code == 401, "it is not signed"
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait(10)


class Chat:
    """A chat that has the manner of a receiver of webhooks: it answers with `status`."""

    def __init__(self) -> None:
        self.status = 200

    def manner(self, _: Received) -> int:
        return self.status


def lines(chat: Receiver) -> list[str]:
    return [each.body["text"] for each in list(chat.received)]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def signed(event: dict[str, Any], secret: str = SECRET, **headers: str) -> tuple[str, dict[str, str]]:
    import json

    body = json.dumps(event)
    now = datetime.now(UTC)
    signature = Webhook(secret).sign(event["id"], now, body)
    times = {"webhook-id": event["id"], "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    return body, {**times, **headers}


def moved(event_id: str, name: str = "Spring", count: int = 2) -> dict[str, Any]:
    source, target = (
        {"id": "a" * 24, "name": name, "prospectCount": 1},
        {"id": "b" * 24, "name": "B", "prospectCount": 2},
    )
    data = {"sourceAudience": source, "targetAudience": target, "leadCount": count}
    return {"id": event_id, "type": "leads.moved", "timestamp": "2026-01-01T00:00:00.000Z", "data": data}


def test_a_move_and_its_undo_reach_the_chat(team: Tenant, tmp_path: Path) -> None:
    port = free_port()
    made = data_of(team.client.post("/webhooks", json={"url": f"http://127.0.0.1:{port}/"}), 201)
    with receivers() as receiving:
        chat = receiving.start(200)
        with notifier(made["secret"], chat.url, port, tmp_path):
            test = data_of(team.client.post(f"/webhooks/{made['id']}/test"))
            assert (test["statusCode"], test["error"]) == (204, None)
            source, target = team.create_audience("Spring <!channel> & co"), team.create_audience("Replied")
            people = team.add_leads(source, 3)
            change = team.move(source, target, people[:2]).headers["Change-Id"]
            data_of(team.client.post(f"/changes/{change}/undo"))
            wait_until(lambda: len(chat.received) >= 3, "three lines")
    spring = "*Spring &lt;!channel&gt; &amp; co*"
    assert lines(chat) == [
        f"3 people added to {spring} (now 3)",
        f"2 people moved from {spring} (now 1) to *Replied* (now 2)",
        f"2 people put back by an undo from *Replied* (now 0) to {spring} (now 3)",
    ]
    assert "example.com" not in "".join(each.text for each in chat.received), "no personal data"


def test_a_line_waits_for_a_chat_that_is_down(tmp_path: Path) -> None:
    with receivers() as receiving:
        manner = Chat()
        chat = receiving.start(manner.manner)
        with notifier(SECRET, chat.url, free_port(), tmp_path) as url:
            manner.status = 500
            body, headers = signed(moved("evt-1"))
            assert httpx.post(url, content=body, headers=headers).status_code == 503
            manner.status = 200
            assert httpx.post(url, content=body, headers=headers).status_code == 204
    assert lines(chat) == ["2 people moved from *Spring* (now 1) to *B* (now 2)"] * 2, "one refused, one accepted"


def test_a_line_comes_once_also_after_a_restart(tmp_path: Path) -> None:
    body, headers = signed(moved("evt-1", count=1))
    with receivers() as receiving:
        chat = receiving.start(200)
        for _ in range(2):
            with notifier(SECRET, chat.url, free_port(), tmp_path) as url:
                for _ in range(2):
                    assert httpx.post(url, content=body, headers=headers).status_code == 204
    assert lines(chat) == ["1 person moved from *Spring* (now 1) to *B* (now 2)"]


def test_forged_requests_post_nothing(tmp_path: Path) -> None:
    with receivers() as receiving:
        chat = receiving.start(200)
        with notifier(SECRET, chat.url, free_port(), tmp_path) as url:
            body, headers = signed(moved("evt-1"), "whsec_" + "A" * 32)
            assert httpx.post(url, content=body, headers=headers).status_code == 401
            body, headers = signed(moved("evt-1"))
            assert httpx.post(url, content=body.replace("Spring", "Autumn"), headers=headers).status_code == 401
            for signature in (b"", b"v1", b"v1,", b"v1,A , v1", b"\xf0\x9f\x98\x80"):
                wrong = {**{n.encode(): v.encode() for n, v in headers.items()}, b"webhook-signature": signature}
                assert httpx.post(url, content=body, headers=wrong).status_code == 401
            assert httpx.post(url, content=b" " * 65_537, headers=headers).status_code == 413
            assert httpx.post(url, content=body, headers=headers).status_code == 204, "it still works"
    assert len(chat.received) == 1
