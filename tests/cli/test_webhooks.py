"""`leadyard webhooks …` and `leadyard example-receiver`, as an operator uses them together."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from rig.secret_key import SECRET_KEY
from rig.service import LEADYARD, WorkerProcess, leadyard

HERE = "127.0.0.0/8"


@contextmanager
def example_receiver(*options: str) -> Iterator[tuple[str, IO[str]]]:
    """Yields the URL of an example receiver and its output."""
    process = subprocess.Popen([*LEADYARD, "example-receiver", "--json", *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"], process.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def run(url: str, *arguments: str, code: int = 0) -> Any:
    done = leadyard(*arguments, "--json", url=url, LEADYARD_WEBHOOK_NETWORKS=HERE, LEADYARD_SECRET_KEY=SECRET_KEY)
    assert done.returncode == code, done
    return json.loads(done.stdout)


def test_an_operator_sets_up_a_webhook_and_replays_events(migrated_database: Callable[[], str], log_dir: Any) -> None:
    url = migrated_database()
    group = run(url, "account-groups", "create", "Acme")["id"]
    of_group = ["--account-group", group]
    refused = run(url, "webhooks", "create", "https://10.0.0.1/", *of_group, code=1)
    assert refused["error"]["code"] == "URL_NOT_ALLOWED"
    with example_receiver() as (there, _):
        first = run(url, "webhooks", "create", there, *of_group, "--type", "audience.created", "--type", "leads.added")
    assert first["types"] == ["audience.created", "leads.added"]
    nobody = run(url, "webhooks", "test", first["id"], *of_group, code=1)
    assert (nobody["statusCode"], nobody["error"]) == (None, "CANNOT_CONNECT")
    run(url, "webhooks", "delete", first["id"], *of_group)
    with example_receiver("--secret", first["secret"]) as (there, lines):
        made = run(url, "webhooks", "create", there, *of_group)
        # Signed with another secret than the receiver has.
        wrong = run(url, "webhooks", "test", made["id"], *of_group, code=1)
        assert (wrong["statusCode"], wrong["error"]) == (401, "STATUS")
        assert json.loads(lines.readline())["verified"] is False
    port = there.rstrip("/").rpartition(":")[2]
    with example_receiver("--secret", made["secret"], "--port", port) as (_, lines):
        assert run(url, "webhooks", "test", made["id"], *of_group)["error"] is None
        came = json.loads(lines.readline())
        assert (came["verified"], came["status"], came["event"]["type"]) == (True, 204, "webhook.test")
        _import_one(url, group)
        environment = {"LEADYARD_WEBHOOK_NETWORKS": HERE}
        worker = WorkerProcess(url, log_dir, environment).start()
        try:
            events = [json.loads(lines.readline()) for _ in range(2)]
            assert [each["event"]["type"] for each in events] == ["audience.created", "leads.added"]
            assert all(each["verified"] for each in events)
            _wait_for_deliveries(url, made["id"], of_group, 2)
            run(url, "webhooks", "replay", made["id"], *of_group, "--from", events[0]["event"]["timestamp"])
            again = [json.loads(lines.readline()) for _ in range(2)]
            assert [each["id"] for each in again] == [each["id"] for each in events]
        finally:
            assert worker.stop() == 0
    [shown] = run(url, "webhooks", "list", *of_group)["items"]
    assert (shown["status"], shown["failingSince"]) == ("active", None)
    rotated = run(url, "webhooks", "rotate-secret", made["id"], *of_group)
    assert rotated["secret"] != made["secret"]
    text = leadyard("webhooks", "deliveries", made["id"], *of_group, url=url, LEADYARD_SECRET_KEY=SECRET_KEY).stdout
    assert "audience.created" in text
    assert "204 in" in text


def _import_one(url: str, group: str) -> None:
    done = subprocess.run(
        [*LEADYARD, "import", "-", "--account-group", group, "--audience", "A", "--json"],
        env={**_environment(), "LEADYARD_DATABASE_URL": url},
        input="email\nada@example.org\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "LEADYARD_SECRET_KEY": SECRET_KEY}


def _wait_for_deliveries(url: str, webhook_id: str, of_group: list[str], count: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        items = run(url, "webhooks", "deliveries", webhook_id, *of_group, "--status", "delivered")["items"]
        if len(items) == count:
            return
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_wrong_usage_is_refused() -> None:
    url = "sqlite:////nowhere/x.db"
    for arguments in (
        ["webhooks", "replay", "0" * 24, "--account-group", "0" * 24, "--from", "yesterday"],
        ["webhooks", "replay", "0" * 24, "--account-group", "0" * 24, "--from", "2026-01-01T00:00:00"],
        [
            "webhooks",
            "replay",
            "0" * 24,
            "--account-group",
            "0" * 24,
            "--from",
            "2026-01-02T00:00Z",
            "--to",
            "2026-01-01T00:00Z",
        ],
        ["webhooks", "create", "https://x.example", "--account-group", "0" * 24, "--type", "webhook.test"],
        ["webhooks", "create", "https://x.example", "--account-group", "0" * 24, "--secret", "--json"],
        ["example-receiver", "--secret", "whsec_"],
    ):
        done = leadyard(*arguments, url=url)
        assert done.returncode == 2, (arguments, done)
        assert "Traceback" not in done.stderr
