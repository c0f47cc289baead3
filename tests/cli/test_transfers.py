"""`leadyard transfers …` and the undo of a large change by command, without a worker and beside one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.answers import data_of
from rig.commands import Outcome, command
from rig.racing import assert_healthy, wait_until
from rig.service import LEADYARD, Tenant, WorkerProcess
from rig.transfers import counts_of, memberships_of, run_transfer, start_transfer, transfer_of


def transfers(tenant: Tenant, *arguments: str) -> Outcome:
    """Calls the command for the account group of the tenant."""
    where = ("--account-group", tenant.account_group_id)
    return command("transfers", *arguments, *where, url=tenant.service.database_url)


def start(tenant: Tenant, *arguments: str) -> dict[str, Any]:
    """Starts a transfer and returns the transfer that the command printed."""
    done = transfers(tenant, "start", *arguments, "--json")
    assert (done.code, done.err) == (0, ""), done
    found: dict[str, Any] = done.json()["transfer"]
    return found


def test_a_transfer_needs_no_worker(job_tenant: Tenant) -> None:
    source, target = job_tenant.create_audience("Spring"), job_tenant.create_audience("Autumn")
    leads = job_tenant.add_leads(source, 5)
    names = ("--source", "Spring", "--target", "Autumn")

    shown = transfers(job_tenant, "start", "move", *names, "--q", "lead-", "--dry-run", "--json").json()
    assert (shown["count"], shown["sourceProspectCountAfter"], shown["targetProspectCountAfter"]) == (5, 0, 5)
    assert [each["id"] for each in shown["sample"]] == sorted(leads)
    text = transfers(job_tenant, "start", "move", *names, "--all", "--dry-run").out
    assert text.startswith("To move: 5 people from Spring to Autumn.\nSpring has 5 people now, and would have 0.")
    assert counts_of(job_tenant, [source, target]) == [5, 0]

    ended = start(job_tenant, "copy", *names, "--all", "--limit", "2", "--expected-count", "2")
    assert ended == transfer_of(job_tenant, ended["jobId"])
    assert (ended["status"], ended["count"]) == ("completed", 2)
    refused = transfers(job_tenant, "start", "move", *names, "--all", "--expected-count", "9")
    refused.refused(1, "It has 5 leads now.")
    moved = transfers(job_tenant, "start", "move", *names, "--all")
    assert moved.code == 0 and "5 leads, 5 of them done, 2 were in the target before." in moved.out
    assert counts_of(job_tenant, [source, target]) == [0, 5]
    assert "leadyard changes undo" in moved.out
    assert_healthy(job_tenant)
    listed = transfers(job_tenant, "list", "--json").json()["items"]
    assert [each["action"] for each in listed] == ["move", "copy"]
    assert len(transfers(job_tenant, "list").out.splitlines()) == 3
    assert transfers(job_tenant, "show", ended["jobId"], "--json").json()["transfer"] == ended
    watched = transfers(job_tenant, "watch", ended["jobId"], "--json")
    assert (watched.code, watched.json()["transfer"]) == (0, ended)
    transfers(job_tenant, "cancel", ended["jobId"]).refused(1, "nothing left to cancel")


def test_ids_come_from_files(job_tenant: Tenant, tmp_path: Path) -> None:
    source, other = job_tenant.create_audience("Spring"), job_tenant.create_audience("Other")
    leads = job_tenant.add_leads(source, 4)
    data_of(job_tenant.copy(source, other, leads[:1]))
    file, excluded = tmp_path / "ids.txt", tmp_path / "excluded.txt"
    file.write_text("\n".join(leads[:3]) + "\n")
    excluded.write_text(leads[2])
    ended = start(job_tenant, "remove", "--source", source, "--lead-ids", str(file), "--exclude", str(excluded))
    assert (ended["status"], ended["count"]) == ("completed", 2)
    assert job_tenant.members(source) == sorted(leads[2:])
    overlap = ("--source", source, "--not-in-audience", "Other", "--has-email", "--added-after", "2020-01-01T00:00:00")
    assert start(job_tenant, "remove", *overlap)["count"] == 2
    file.write_text("nonsense")
    wrong = transfers(job_tenant, "start", "remove", "--source", source, "--lead-ids", str(file))
    assert wrong.code == 2 and "select.leadIds[0]: Must be an id" in wrong.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("move", "--source", "A", "--all"), "need --target"),
        (("remove", "--source", "A", "--target", "B", "--all"), "must not have it"),
        (("remove", "--source", "A"), "exactly one of"),
        (("remove", "--source", "A", "--all", "--q", "x"), "exactly one of"),
        (("remove", "--source", "A", "--lead-ids", "/nowhere"), "cannot be read"),
    ],
)
def test_wrong_usage(job_tenant: Tenant, arguments: tuple[str, ...], says: str) -> None:
    done = transfers(job_tenant, "start", *arguments)
    assert done.code == 2
    assert says in " ".join(done.err.replace("│", " ").split())


def test_a_transfer_left_to_a_worker_is_watched(job_tenant: Tenant, new_worker: Callable[..., WorkerProcess]) -> None:
    source = job_tenant.create_audience()
    job_tenant.add_leads(source, 3)
    queued = start(job_tenant, "remove", "--source", source, "--all", "--no-wait")
    assert queued["status"] == "queued"
    new_worker(job_tenant.service)
    watched = transfers(job_tenant, "watch", queued["jobId"])
    assert watched.code == 0 and "is completed, 100 %" in watched.out
    assert job_tenant.count(source) == 0


def test_cancelling_needs_no_worker(job_tenant: Tenant) -> None:
    source = job_tenant.create_audience()
    job_tenant.add_leads(source, 3)
    job_id = start_transfer(job_tenant, "remove", source)
    done = transfers(job_tenant, "cancel", job_id, "--json")
    assert (done.code, done.json()["transfer"]["status"]) == (0, "cancelled")
    assert job_tenant.count(source) == 3
    watched = transfers(job_tenant, "watch", job_id)
    assert watched.code == 1


def test_a_large_change_is_undone_by_command(job_tenant: Tenant) -> None:
    source, target = job_tenant.create_audience("Spring"), job_tenant.create_audience("Autumn")
    job_tenant.add_leads(source, 10_001)
    before = memberships_of(job_tenant)
    moved = run_transfer(job_tenant, start_transfer(job_tenant, "move", source, target))
    where = ("--account-group", job_tenant.account_group_id)
    undone = command("changes", "undo", moved["changeId"], *where, "--json", url=job_tenant.service.database_url)
    assert (undone.code, undone.err) == (0, "")
    found = undone.json()["transfer"]
    assert (found["action"], found["status"], found["count"]) == ("undo", "completed", 10_001)
    assert memberships_of(job_tenant) == before
    # And a lead that has moved on is an obstacle, until it is skipped.
    away = job_tenant.members(source)[:1]
    data_of(job_tenant.remove(source, away))
    again = command("changes", "undo", found["changeId"], *where, "--json", url=job_tenant.service.database_url)
    error = again.json()["transfer"]["error"]
    assert (again.code, error["code"], error["leadIds"], error["leadCount"]) == (1, "CHANGED_SINCE", away, 1)
    skipped = command(
        "changes", "undo", found["changeId"], *where, "--skip-changed", url=job_tenant.service.database_url
    )
    assert skipped.code == 0 and "Skipped: 1 lead" in skipped.out
    assert_healthy(job_tenant)


def test_an_interrupted_command_leaves_its_transfer_to_others(job_tenant: Tenant) -> None:
    source, target = job_tenant.create_audience("Spring"), job_tenant.create_audience("Autumn")
    job_tenant.add_leads(source, 3)
    arguments = ["transfers", "start", "move", "--account-group", job_tenant.account_group_id]
    arguments += ["--source", "Spring", "--target", "Autumn", "--all"]
    code = "import leadyard.assemble as a, asyncio, sys; a.work_on_job = lambda *_: asyncio.sleep(600); "
    code += f"sys.argv = ['leadyard', *{arguments!r}]; from leadyard.cli.main import run; run()"
    environment = {**os.environ, "LEADYARD_DATABASE_URL": job_tenant.service.database_url}
    running = subprocess.Popen([LEADYARD[0], "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: bool(job_tenant.walk("/transfers")), "the command has queued its transfer")
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    [queued] = job_tenant.walk("/transfers")
    assert queued["status"] == "queued"
    assert f"Job {queued['jobId']} is not finished." in err
    assert running.returncode != 0
    assert json.loads(transfers(job_tenant, "watch", queued["jobId"], "--work", "--json").out)["transfer"][
        "status"
    ] == ("completed")
    assert counts_of(job_tenant, [source, target]) == [0, 3]
