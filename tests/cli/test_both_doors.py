"""The commands for people print the same on the database and to a service, also when they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadyard.model import Permission
from rig.answers import data_of
from rig.jobs import start, wait_for_end
from rig.people_commands import DOORS, ON_DATABASE, TO_SERVICE, masked, masked_text, through
from rig.racing import assert_healthy
from rig.service import Tenant, WorkerProcess, make_tenant

# In this order, on the people that `prepared` makes. Each works on what the ones before have left.
STEPS = [
    ["audiences", "create", "Winter", "--description", "For the fair"],
    ["audiences", "create", "Reports", "--type", "monitoring"],
    ["audiences", "list"],
    ["audiences", "list", "--limit", "2"],
    ["audiences", "show", "Winter"],
    ["audiences", "show", "SPRING_ID"],
    ["audiences", "rename", "Winter", "Cold season"],
    ["people", "find", "--audience", "Spring"],
    ["people", "find", "--audience", "SPRING_ID", "--limit", "3"],
    ["people", "find", "--audience", "Spring", "--company", "acme", "--title", "engineer", "--has-email"],
    ["people", "find", "--audience", "Spring", "--q", "lovelace", "--added-after", "2020-01-01"],
    ["people", "find", "--audience", "Spring", "--has-no-email"],
    ["people", "find", "--audience", "Spring", "--added-before", "2020-01-01T00:00:00"],
    ["people", "find"],
    ["people", "find", "lovelace"],
    ["people", "find", "--q", "acme", "--title", "engineer", "--has-email", "--limit", "1"],
    ["people", "find", "--email", "ADA@example.com"],
    ["people", "find", "--linkedin-url", "linkedin.com/in/nobody-has-this"],
    ["people", "find", "--created-after", "2020-01-01", "--created-before", "2020-01-02T00:00:00Z"],
    ["people", "show", "ADA"],
    ["move", "LEAD_0", "LEAD_1", "--source", "Spring", "--target", "Cold season", "--dry-run"],
    ["move", "LEAD_0", "LEAD_1", "--source", "Spring", "--target", "Cold season"],
    ["copy", "LEAD_1", "LEAD_0", "LEAD_0", "--source", "Cold season", "--target", "Autumn"],
    ["copy", "LEAD_1", "--source", "Cold season", "--target", "Autumn", "--expected-count", "1"],
    ["remove", "LEAD_0", "--source", "Autumn"],
    ["remove", "--ids-from", "IDS", "--source", "Spring"],
    ["move", "--all", "--source", "Cold season", "--target", "Spring", "--dry-run"],
    ["move", "--all", "--source", "Cold season", "--target", "Spring"],
    ["copy", "--company", "Acme", "--not-in-audience", "Autumn", "--source", "Spring", "--target", "Autumn"],
    ["remove", "--in-audience", "Autumn", "--source", "Spring", "--limit", "1", "--yes"],
    ["remove", "--all", "--exclude", "IDS", "--source", "Spring", "--expected-count", "5"],
    ["changes", "show", "CHANGE"],
    ["changes", "undo", "CHANGE"],
    ["transfers", "start", "copy", "--source", "Autumn", "--target", "Spring", "--all", "--dry-run"],
    ["transfers", "start", "copy", "--source", "Autumn", "--target", "Spring", "--all"],
    ["transfers", "list"],
    ["transfers", "list", "--status", "failed"],
    ["changes", "list"],
    ["changes", "list", "--audience", "Autumn", "--kind", "copy", "--changed-after", "2020-01-01T00:00:00Z"],
    ["audiences", "delete", "Cold season"],
    ["people", "erase", "ADA", "--suppress", "--reason", "She asked", "--yes"],
]
# Each works on what `with_job` makes.
MORE_STEPS = [
    ["jobs", "list"],
    ["jobs", "list", "--status", "failed"],
    ["jobs", "list", "--limit", "1"],
    ["jobs", "show", "JOB"],
    ["jobs", "watch", "JOB"],
    ["jobs", "rejected", "JOB", "--output", "NEW_FILE"],
    ["duplicates", "list"],
    ["duplicates", "merge", "LEAD_0", "LEAD_1"],
    ["webhooks", "list"],
    ["webhooks", "create", "https://receiver.example/", "--type", "leads.moved", "--audience", "Spring"],
    ["webhooks", "list"],
    ["webhooks", "test", "WEBHOOK"],
    ["webhooks", "deliveries", "WEBHOOK"],
    ["webhooks", "rotate-secret", "WEBHOOK"],
    ["webhooks", "replay", "WEBHOOK", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T01:00:00+01:00"],
    ["webhooks", "delete", "WEBHOOK"],
    ["events", "list", "--type", "audience.created"],
    ["events", "list", "--limit", "3"],
    ["export", "--audience", "Spring", "--output", "NEW_FILE"],
    ["suppress", "PEOPLE_FILE", "--reason", "They asked"],
    ["suppress", "PEOPLE_FILE"],
]
# Their exit code is 1, because the receiver does not answer or a row has no identity.
WITH_A_FAULT = {"webhooks test", "suppress PEOPLE_FILE"}
REFUSED = [
    ["audiences", "show", "Nowhere"],
    ["audiences", "show", "0" * 24],
    ["audiences", "show", "Twice"],
    ["audiences", "show", ""],
    ["audiences", "show", "Busy"],
    ["audiences", "show", "x" * 201],
    ["audiences", "create", ""],
    ["audiences", "create", "A", "--type", "csv_upload"],
    ["audiences", "create", "A", "--type", "nonsense"],
    ["audiences", "rename", "Spring", "x" * 201],
    ["audiences", "rename", "0" * 24, "New"],
    ["audiences", "delete", "0" * 24],
    ["audiences", "delete", "Busy"],
    ["audiences", "delete", "BUSY_ID"],
    ["audiences", "delete", "Many"],
    ["audiences", "delete", "Spring", "--expected-count", "99"],
    ["people", "find", "--audience", "0" * 24],
    ["people", "find", "--audience", "BUSY_ID"],
    ["people", "find", "--audience", "Spring", "--q", "x" * 300],
    ["people", "find", "--audience", "Spring", "--added-after", "yesterday"],
    ["people", "find", "--email", "not an address"],
    ["people", "find", "--linkedin-url", "https://example.com"],
    ["people", "show", "0" * 24],
    ["people", "show", "not-an-id"],
    ["people", "show", "../../audiences"],
    ["people", "erase", "0" * 24, "--yes"],
    ["people", "erase", "LEAD_0"],
    ["people", "erase", "LEAD_0", "--yes", "--reason", "Without a suppression"],
    ["move", "LEAD_0", "--source", "Spring", "--target", "Spring"],
    ["move", "0" * 24, "--source", "Spring", "--target", "Autumn"],
    ["move", "not-an-id", "LEAD_0", "also-not", "--source", "Spring", "--target", "Autumn"],
    ["move", "LEAD_0", "--source", "Spring", "--target", "0" * 24],
    ["move", "LEAD_0", "--source", "", "--target", "Autumn"],
    ["move", "LEAD_0", "--source", "Busy", "--target", "Autumn"],
    ["move", "LEAD_0", "--source", "Spring", "--target", "BUSY_ID"],
    ["move", "LEAD_0", "--source", "Spring", "--target", "Autumn", "--expected-count", "2"],
    ["move", "--ids-from", "EMPTY", "--source", "Spring", "--target", "Autumn"],
    ["move", "--all", "--source", "Spring", "--target", "Spring"],
    ["move", "--all", "--source", "Many", "--target", "Autumn"],
    ["copy", "--all", "--source", "Spring", "--target", "Autumn", "--expected-count", "77"],
    ["copy", "--q", " ", "--source", "Spring", "--target", "Autumn", "--yes"],
    ["remove", "0" * 24, "--source", "Spring"],
    ["remove", "--all", "--source", "Many"],
    ["remove", "--all", "--source", "BUSY_ID", "--dry-run"],
    ["jobs", "show", "0" * 24],
    ["jobs", "show", "not-an-id"],
    ["jobs", "watch", "0" * 24],
    ["jobs", "cancel", "JOB"],
    ["jobs", "rejected", "0" * 24],
    ["duplicates", "merge", "LEAD_0", "0" * 24],
    ["duplicates", "merge", "LEAD_0", "LEAD_0"],
    ["duplicates", "merge", "LEAD_0", "not-an-id"],
    ["webhooks", "create", "http://10.0.0.1/"],
    ["webhooks", "create", "https://receiver.example/", "--audience", "Nowhere"],
    ["webhooks", "test", "0" * 24],
    ["webhooks", "deliveries", "not-an-id"],
    ["webhooks", "replay", "0" * 24, "--from", "2026-01-01T00:00:00Z"],
    ["webhooks", "delete", "0" * 24],
    ["export", "--audience", "Nowhere", "--output", "NEW_FILE"],
    ["export", "--audience", "Busy", "--output", "NEW_FILE"],
    ["import", "PEOPLE_FILE", "--audience", "Busy"],
    ["import", "EMPTY", "--audience", "Spring"],
    ["import", "nowhere.csv", "--audience", "Spring"],
    ["import", "PEOPLE_FILE", "--audience", "Spring", "--map", "email=Nothing"],
    ["import", "PEOPLE_FILE", "--audience", ""],
    ["suppress", "EMPTY"],
    ["transfers", "show", "0" * 24],
    ["transfers", "cancel", "not-an-id"],
    ["transfers", "watch", "0" * 24],
    ["changes", "show", "0" * 24],
    ["changes", "undo", "0" * 24],
    ["changes", "list", "--prospect", "not-an-id"],
    ["changes", "list", "--audience", "Nowhere"],
]
WRONG_USAGE = [
    (["move", "--source", "Spring", "--target", "Autumn"], "exactly one of ids, --all and filters"),
    (["move", "LEAD_0", "--all", "--source", "Spring", "--target", "Autumn"], "exactly one of ids"),
    (["remove", "--all", "--q", "x", "--source", "Spring"], "exactly one of ids"),
    (["remove", "--ids-from", "/nowhere", "--source", "Spring"], "cannot be read"),
    (["people", "find", "--audience", "Spring", "--ids", "--json"], "only one output"),
    (["people", "find", "ada", "--q", "ada"], "Give the words once"),
    (["people", "find", "--audience", "Spring", "--email", "ada@example.com"], "leave out --audience"),
    (["people", "find", "--added-after", "2020-01-01"], "name it with --audience"),
]


@pytest.fixture
def worked(job_tenant: Tenant, new_worker: Callable[..., WorkerProcess]) -> Tenant:
    """A tenant of a service that has a worker, as a remote user expects."""
    new_worker(job_tenant.service)
    return job_tenant


@dataclass
class Prepared:
    """Audiences and people of a tenant. `ids` has the values of the words in capitals above."""

    tenant: Tenant
    ids: dict[str, str]

    def filled(self, arguments: list[str]) -> list[str]:
        """Returns the arguments with the values of this tenant."""
        if "WEBHOOK" in arguments:
            self.ids["WEBHOOK"] = data_of(self.tenant.client.get("/webhooks"))["items"][0]["id"]
        if "CHANGE" in arguments:
            newest = data_of(self.tenant.client.get("/changes", params={"kind": "remove", "limit": 1}))
            self.ids["CHANGE"] = newest["items"][0]["id"]
        return [self.ids.get(each, each) for each in arguments]


def prepare(tenant: Tenant, folder: Path) -> Prepared:
    spring, _ = tenant.create_audience("Spring"), tenant.create_audience("Autumn")
    leads = tenant.add_leads(spring, 5)
    people = [
        {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.example", "title": "Chief Engineer",
         "company": {"name": "ACME"}, "customFields": {"Team": "Blue"}},
        {"firstName": "Kim", "lastName": "Ode", "title": "Sales", "company": {"name": "Acme"}, "providerId": "crm-1"},
        {"firstName": "Evil\u202e", "lastName": "Name", "email": "evil@acme.example"},
    ]  # fmt: skip
    data_of(tenant.client.post(f"/audiences/{spring}/prospects", json={"prospects": people}))
    file, empty = folder / f"{tenant.account_group_id}.txt", folder / "empty.txt"
    file.write_text("\n".join(leads[3:5]))
    empty.write_text("")
    rows = folder / "rows.csv"
    rows.write_text("email,linkedin,name\nada@acme.example,,Ada\nzoe@acme.example,,Zoe\n,,Nobody\n,nonsense,Kim\n")
    ids = {f"LEAD_{number}": lead for number, lead in enumerate(leads)}
    ids |= {"PEOPLE_FILE": str(rows), "NEW_FILE": str(folder / "new.csv")}
    ids["ADA"] = tenant.ids_by_email("ada@acme.example")["ada@acme.example"]
    return Prepared(tenant, ids | {"SPRING_ID": spring, "IDS": str(file), "EMPTY": str(empty)})


def with_job(made: Prepared) -> Prepared:
    """Adds a job that has ended, and has rejected a row."""
    urls = ["https://www.linkedin.com/in/ada", 'no "profile",\nat all', "=HYPERLINK(1)"]
    made.ids["JOB"] = start(made.tenant, profileUrls=urls)
    assert wait_for_end(made.tenant, made.ids["JOB"])["counts"]["rejected"] == 2
    return made


def written(folder: Path) -> str | None:
    """Returns the text of the file that a command has written, and removes it."""
    file = folder / "new.csv"
    text = masked_text(file.read_bytes().decode()) if file.exists() else None
    file.unlink(missing_ok=True)
    return text


# Eighty commands: two minutes on a machine that many tests share.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("steps", [STEPS, MORE_STEPS], ids=["people", "more"])
def test_every_command_prints_the_same_through_both_doors(
    worked: Tenant, tmp_path: Path, steps: list[list[str]], form: list[str]
) -> None:
    pair = [prepare(make_tenant(worked.service), tmp_path) for _ in DOORS]
    pair = list(map(with_job, pair)) if steps is MORE_STEPS else pair
    for step in steps:
        outcomes, files = [], []
        for each, door in zip(pair, DOORS, strict=True):
            outcomes.append(masked(through(each.tenant, door, *each.filled(step), *form)))
            files.append(written(tmp_path))
        code = int(" ".join(step[:2]) in WITH_A_FAULT)
        assert [each.code for each in outcomes] == [code, code], (step, *outcomes)
        assert outcomes[0].out == outcomes[1].out, (step, *outcomes)
        assert files[0] == files[1] and (files[0] is not None) == ("NEW_FILE" in step), (step, *files)
        # On stderr there may be a line of progress, at any time.
        assert not form or [each.err for each in outcomes] == ["", ""], (step, *outcomes)
    for each in pair:
        assert_healthy(each.tenant)
        each.tenant.client.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_every_refusal_is_the_same_through_both_doors(job_tenant: Tenant, tmp_path: Path, form: list[str]) -> None:
    made = prepare(job_tenant, tmp_path)
    job_tenant.create_audience("Twice")
    job_tenant.create_audience("Twice")
    busy, many = job_tenant.create_audience("Busy"), job_tenant.create_audience("Many")
    job_tenant.add_leads(many, 101, prefix="many")
    job_tenant.insert_job(busy)
    made.ids |= {"BUSY_ID": busy, "JOB": job_tenant.insert_job(made.ids["SPRING_ID"], "completed")}
    watched = (made.ids["SPRING_ID"], many)
    before = [job_tenant.members(audience) for audience in watched]
    for step in REFUSED:
        here, there = (masked(through(job_tenant, door, *made.filled(step), *form)) for door in DOORS)
        assert here == there, (step, here, there)
        assert here.code in (1, 2), (step, here)
        assert written(tmp_path) is None, step
        if form:
            error = here.json()["error"]
            assert error["code"].isupper() and error["message"] and error["details"], (step, here)
        else:
            here.refused(here.code)
    assert before == [job_tenant.members(audience) for audience in watched]


@pytest.mark.parametrize(("arguments", "words"), WRONG_USAGE)
@pytest.mark.parametrize("door", DOORS)
def test_wrong_usage(tenant: Tenant, door: str, arguments: list[str], words: str) -> None:
    done = through(tenant, door, *arguments)
    assert done.code == 2
    assert words in " ".join((done.err + done.out).replace("│", " ").split())


def test_a_key_without_the_permission_is_refused(tenant: Tenant) -> None:
    audience = tenant.create_audience("Spring")
    [lead] = tenant.add_leads(audience, 1)
    reader = tenant.key_with(Permission.AUDIENCES_READ)
    through(tenant, TO_SERVICE, "people", "show", lead, key=reader).refused(1, "prospects:read")
    through(tenant, TO_SERVICE, "remove", lead, "--source", "Spring", key=reader).refused(1, "audiences:write")
    # An id needs no look at the audience, so a key that may only write can move.
    writer = tenant.key_with(Permission.AUDIENCES_WRITE)
    assert through(tenant, TO_SERVICE, "remove", lead, "--source", audience, key=writer).code == 0


def test_ids_go_from_one_command_to_the_next(tenant: Tenant, tmp_path: Path) -> None:
    spring, autumn = tenant.create_audience("Spring"), tenant.create_audience("Autumn")
    leads = tenant.add_leads(spring, 12)
    found = through(tenant, ON_DATABASE, "people", "find", "--audience", "Spring", "--q", "lead-1", "--ids")
    assert sorted(found.out.split()) == sorted([leads[1], *leads[10:]])
    (tmp_path / "ids").write_text(found.out)
    moved = through(tenant, ON_DATABASE, "move", "--ids-from", str(tmp_path / "ids"), "--source", "Spring",
                    "--target", "Autumn", "--json")  # fmt: skip
    assert moved.json()["movedCount"] == 3 == tenant.count(autumn)
    undone = through(tenant, TO_SERVICE, "changes", "undo", moved.json()["changeId"])
    assert undone.out.startswith("Undone: 3 leads") and tenant.count(autumn) == 0
    cut = through(tenant, ON_DATABASE, "people", "find", "--audience", "Spring", "--ids", "--limit", "2")
    assert len(cut.out.split()) == 2 and "More exist" in cut.err


def test_more_ids_than_a_request_takes_are_a_transfer(worked: Tenant, tmp_path: Path) -> None:
    spring, autumn = worked.create_audience("Spring"), worked.create_audience("Autumn")
    leads = worked.add_leads(spring, 10_001)
    (tmp_path / "ids").write_text("\n".join(leads))
    ids = ("--ids-from", str(tmp_path / "ids"), "--source", "Spring", "--target", "Autumn")
    through(worked, ON_DATABASE, "move", *ids).refused(1, "10,001 people", "--expected-count 10001 or --yes")
    for door, source in ((ON_DATABASE, spring), (TO_SERVICE, autumn)):
        done = through(worked, door, "copy" if door == TO_SERVICE else "move", *ids, "--yes", "--json")
        if door == TO_SERVICE:
            # They are in the other audience now.
            assert done.json()["error"]["code"] == "LEADS_NOT_IN_SOURCE"
            continue
        assert done.json()["transfer"]["status"] == "completed" and worked.count(source) == 0
    back = ("--ids-from", str(tmp_path / "ids"), "--source", "Autumn", "--target", "Spring")
    done = through(worked, TO_SERVICE, "move", *back, "--expected-count", "10001")
    assert done.code == 0 and "10,001 of them done" in done.out and worked.count(spring) == 10_001
    assert_healthy(worked)
