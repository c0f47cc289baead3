"""Answers in which a model that had nothing but the list of tools went wrong or had to call again, until they explained
what they do now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leadyard.model import Permission
from rig.agents import Agent, with_agent
from rig.service import Service, Tenant, WorkerProcess

COMPANIES = ["Acme"] * 3 + ["Acmeron Labs"] * 2 + ["Globex"]


@pytest.fixture
def worker(service: Service, new_worker: Callable[..., WorkerProcess]) -> WorkerProcess:
    """A worker for the jobs of the shared service."""
    return new_worker(service)


def add(tenant: Tenant, audience: str, companies: list[str], first: int = 0) -> list[str]:
    people: list[dict[str, Any]] = [
        {
            "name": f"Person {n}",
            "title": "CEO" if n else "CEO Office",
            "email": f"p{n}@a.example",
            "company": {"name": c},
        }
        for n, c in enumerate(companies, first)
    ]
    answer = tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people})
    assert answer.status_code == 200, answer.text
    page = tenant.client.get(f"/audiences/{audience}/prospects", params={"limit": 200})
    return [each["id"] for each in page.json()["data"]["items"]]


def test_a_preview_shows_which_companies_and_titles_the_words_have_found(tenant: Tenant) -> None:
    source, target = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    ids = add(tenant, source, COMPANIES)
    asked = {"action": "move", "sourceAudienceId": source, "targetAudienceId": target}

    async def look(agent: Agent) -> list[dict[str, Any]]:
        by_company = {"filter": {"company": "acme", "title": "ceo"}}
        return [
            await agent.call("preview_transfer", **asked, select=by_company),
            await agent.call("preview_transfer", **asked, select=by_company, excludeLeadIds=ids[3:5], limit=2),
            await agent.call("preview_transfer", **asked, select={"filter": {"q": "acme"}}),
            await agent.call(
                "preview_transfer", **asked, select={"filter": {"company": "a", "notInAudienceId": target}}
            ),
        ]

    whole, narrowed, by_words, by_overlap = with_agent(tenant, look)
    assert whole["matchedCompanies"] == [{"company": "Acme", "count": 3}, {"company": "Acmeron Labs", "count": 2}]
    assert whole["matchedTitles"] == [{"title": "CEO", "count": 4}, {"title": "CEO Office", "count": 1}]
    assert (narrowed["count"], narrowed["matchedCompanies"]) == (2, [{"company": "Acme", "count": 2}])
    # The list of people cannot show an overlap, so nothing is better than people who are not selected.
    assert not {"matchedCompanies", "matchedTitles"} & (by_words.keys() | by_overlap.keys())


def test_a_preview_of_very_many_people_reads_the_first_thousand(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    add(tenant, source, ["Acme"] * 1_000)
    add(tenant, source, ["Acme"] * 1, first=1_000)

    async def look(agent: Agent) -> dict[str, Any]:
        asked = {"action": "copy", "sourceAudienceId": source, "targetAudienceId": target}
        return await agent.call("preview_transfer", **asked, select={"filter": {"company": "acme"}})

    seen = with_agent(tenant, look)
    assert seen["count"] == 1_001 and seen["matchedCompanies"] == [{"company": "Acme", "count": 1_000}]
    assert "first 1,000" in seen["matchedAmong"]


def test_a_key_that_may_not_see_people_gets_the_count_alone(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    add(tenant, source, COMPANIES)

    async def look(agent: Agent) -> dict[str, Any]:
        asked = {"action": "copy", "sourceAudienceId": source, "targetAudienceId": target}
        return await agent.call("preview_transfer", **asked, select={"filter": {"company": "acme"}})

    seen = with_agent(tenant, look, key=tenant.key_with(Permission.AUDIENCES_WRITE))
    assert seen["count"] == 5 and "matchedCompanies" not in seen


def test_a_transfer_answers_with_the_new_numbers(tenant: Tenant, worker: WorkerProcess) -> None:
    source, target = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    add(tenant, source, COMPANIES)

    async def work(agent: Agent) -> dict[str, Any]:
        return await agent.call(
            "transfer", action="move", sourceAudienceId=source, targetAudienceId=target,
            select={"filter": {"company": "Globex"}}, expectedCount=1, waitSeconds=45,
        )  # fmt: skip

    done = with_agent(tenant, work)
    assert (done["sourceAudience"]["name"], done["sourceAudience"]["prospectCount"]) == ("Spring", 5)
    assert (done["targetAudience"]["name"], done["targetAudience"]["prospectCount"]) == ("Customers", 1)
    assert worker.process is not None and worker.process.poll() is None


def test_rejected_rows_and_the_use_of_columns_stand_in_the_answer(tenant: Tenant, worker: WorkerProcess) -> None:
    csv = "Name;Mail;Firma;Tier\nAda Byron;ada@a.example;Acme;1\nBob Noe;;Acme;2\nCid Roy;n/a;Acme;3\n"

    async def work(agent: Agent) -> tuple[dict[str, Any], dict[str, Any]]:
        done = await agent.call("start_import", audienceName="Webinar", csv=csv, waitSeconds=45)
        return done, await agent.call("get_job", jobId=done["jobId"])

    for shown in with_agent(tenant, work):
        assert (shown["audience"]["name"], shown["audience"]["prospectCount"]) == ("Webinar", 1)
        assert shown["columns"] == {"Name": "name", "Mail": "email", "Firma": "company.name", "Tier": "custom"}
        assert shown["counts"]["rejected"] == 2 and "differing" not in shown["counts"]
        assert [each["row"]["Name"] for each in shown["rejectedRows"]] == ["Bob Noe", "Cid Roy"]
        assert [each["line"] for each in shown["rejectedRows"]] == [3, 4]
        assert all(each["code"] and each["reason"] for each in shown["rejectedRows"])
        assert "rejectedRows" in shown["next"] and shown["changeId"] in shown["next"]


def test_a_file_with_very_many_rejected_rows_is_not_read_to_a_model(tenant: Tenant, worker: WorkerProcess) -> None:
    rows = "".join(f"Person {n},{'p@a.example' if n == 0 else ''}\n" for n in range(502))
    some = "".join(f"Person {n},{'q@a.example' if n == 0 else ''}\n" for n in range(30))

    async def work(agent: Agent) -> list[Any]:
        answers = [
            await agent.call("start_import", audienceName="Webinar", csv=f"Name,Email\n{text}", waitSeconds=45)
            for text in (rows, some)
        ]
        return [each["rejectedRows"] for each in answers]

    many, few = with_agent(tenant, work)
    assert many.startswith("501 rows") and "rejected.csv?notes=true" in many
    assert len(few) == 21 and few[-1] == {"others": 9}


def test_a_list_that_a_job_hides_is_explained(tenant: Tenant) -> None:
    async def look(agent: Agent) -> None:
        nothing = await agent.call("list_audiences", nameContains="spring")
        assert nothing["busyJobs"] == [] and "no job hides one" in nothing["next"]
        started = await agent.call("start_import", audienceName="Spring", csv="Email\na@a.example\n", waitSeconds=0)
        hidden = await agent.call("list_audiences", nameContains="spring")
        assert [each["jobId"] for each in hidden["busyJobs"]] == [started["jobId"]]
        assert "get_job" in hidden["next"]

    with_agent(tenant, look)


def test_the_record_names_audiences_and_the_key(tenant: Tenant) -> None:
    source, target = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    [first, *_] = add(tenant, source, COMPANIES)

    async def work(agent: Agent) -> dict[str, Any]:
        await agent.call("copy_leads", sourceAudienceId=source, targetAudienceId=target, leadIds=[first])
        return await agent.call("list_changes", audienceId=target)

    shown = with_agent(tenant, work)
    [change] = shown["changes"]
    assert (change["sourceAudienceName"], change["targetAudienceName"]) == ("Spring", "Customers")
    assert change["apiKeyId"] and shown["now"].endswith("+00:00")


def test_the_next_step_after_an_undo_of_an_undo_is_the_other_way_round(tenant: Tenant) -> None:
    source, target = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    [first, *_] = add(tenant, source, COMPANIES)

    async def work(agent: Agent) -> None:
        moved = await agent.call("move_leads", sourceAudienceId=source, targetAudienceId=target, leadIds=[first])
        undone = await agent.call("undo_change", changeId=moved["changeId"])
        assert "as before the change" in undone["next"] and "keptEdits" not in undone
        # The undo has gone from Customers to Spring.
        assert (undone["sourceAudience"]["name"], undone["sourceAudience"]["prospectCount"]) == ("Customers", 0)
        assert (undone["targetAudience"]["name"], undone["targetAudience"]["prospectCount"]) == ("Spring", 6)
        assert "expectedCount 1." in undone["next"]
        again = undone["next"].partition("changeId ")[2].split()[0]
        redone = await agent.call("undo_change", changeId=again)
        assert "in force again" in redone["next"]
        back = redone["next"].partition("changeId ")[2].split()[0]
        await agent.call("undo_change", changeId=back)
        assert (await agent.call("get_audience", audienceId=source))["audience"]["prospectCount"] == 6

    with_agent(tenant, work)


def test_a_new_audience_is_created_for_a_move(tenant: Tenant) -> None:
    source = tenant.create_audience("Spring")
    ids = add(tenant, source, COMPANIES)

    async def work(agent: Agent) -> None:
        made = await agent.call("create_audience", name="Archive", description="People of last year")
        assert made["audience"]["prospectCount"] == 0
        target = made["audience"]["id"]
        await agent.call("move_leads", sourceAudienceId=source, targetAudienceId=target, leadIds=ids)
        assert (await agent.call("get_audience", audienceId=target))["audience"]["prospectCount"] == 6

    with_agent(tenant, work)
