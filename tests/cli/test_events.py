"""`leadyard events`: lists what is kept, and follows what happens until it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.commands import command
from rig.service import LEADYARD, Tenant


def test_list(tenant: Tenant) -> None:
    url, group = tenant.service.database_url, ["--account-group", tenant.account_group_id]
    source, target = tenant.create_audience("From"), tenant.create_audience("To")
    lead_ids = tenant.add_leads(source, 2)
    tenant.move(source, target, lead_ids)
    events = tenant.client.get("/events", params={"from": "start"}).json()["data"]["items"]
    listed = command("events", "list", *group, "--json", url=url).json()
    assert listed == {"items": events, "lastEventId": events[-1]["id"], "hasMore": False}
    some = command("events", "list", *group, "--limit", "2", "--json", url=url).json()
    assert (some["items"], some["hasMore"]) == (events[:2], True)
    after = command("events", "list", *group, "--after", some["lastEventId"], "--json", url=url).json()
    assert after["items"] == events[2:]
    moves = command("events", "list", *group, "--type", "leads.moved", "--audience", target, "--json", url=url).json()
    assert moves["items"] == events[-1:]
    shown = command("events", "list", *group, url=url).out.splitlines()
    assert len(shown) == 4
    assert shown[-1].startswith(events[-1]["id"]) and shown[-1].endswith("2 leads  From (0) -> To (2)")
    assert command("events", "list", *group, "--type", "job.failed", url=url).out == "No events found.\n"


@pytest.mark.parametrize("action", ["list", "follow"])
def test_a_position_that_is_none_is_refused(tenant: Tenant, action: str) -> None:
    where = ("--account-group", tenant.account_group_id)
    command("events", action, *where, "--after", "zzz", url=tenant.service.database_url).refused(2, "'zzz'", "24")


def test_each_batch_of_an_import_is_reported(tenant: Tenant, tmp_path: Path) -> None:
    """The command may be killed between two batches, so an event at its end would be missing."""
    url, group = tenant.service.database_url, ["--account-group", tenant.account_group_id]
    file = tmp_path / "people.csv"
    file.write_text("email,first name\n" + "".join(f"secret-{n}@example.com,Hidden{n}\n" for n in range(2_500)))
    done = command("import", str(file), *group, "--audience", "Imported", "--json", url=url)
    events = command("events", "list", *group, "--limit", "1000", "--json", url=url).json()["items"]
    assert events[0]["type"] == "audience.created"
    added = [event["data"] for event in events[1:]]
    assert {event["type"] for event in events[1:]} == {"leads.added"}
    assert len(added) > 1
    assert len({data["changeId"] for data in added}) == 1
    assert sum(data["leadCount"] for data in added) == 2_500
    counts = [data["targetAudience"]["prospectCount"] for data in added]
    assert counts == sorted(counts) and counts[-1] == 2_500
    ids = [lead_id for data in added for lead_id in data["leadIds"]]
    assert len(ids) == len(set(ids)) == 100 * len(added)
    assert done.json()["audience"]["id"] == added[0]["targetAudience"]["id"]
    assert "secret" not in str(events) and "Hidden" not in str(events)


@contextmanager
def following(tenant: Tenant, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*LEADYARD, "events", "follow", "--account-group", tenant.account_group_id, *options],
        env={**os.environ, "LEADYARD_DATABASE_URL": tenant.service.database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # A command that prints nothing must not hold up the run.
    rescue = threading.Timer(60, process.kill)
    rescue.start()
    try:
        yield process
    finally:
        rescue.cancel()
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_follow(tenant: Tenant, stop: signal.Signals) -> None:
    tenant.create_audience("first")
    events = tenant.client.get("/events", params={"from": "start"}).json()["data"]["items"]
    with following(tenant, "--after", "0" * 24, "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == events[0]
        # By another process, while it waits.
        for name in ("second", "third"):
            audience = tenant.create_audience(name)
            event = json.loads(process.stdout.readline())
            assert (event["type"], event["data"]["audienceId"]) == ("audience.created", audience)
        process.send_signal(stop)
        assert process.wait(20) == 0
        assert process.stderr is not None and "Traceback" not in process.stderr.read()


def test_follow_refuses_an_unknown_account_group(tenant: Tenant) -> None:
    url = tenant.service.database_url
    command("events", "follow", "--account-group", "0" * 24, url=url).refused(1, "account group")
