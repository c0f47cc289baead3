"""Jobs that use the prospect provider, and every failure that it can cause: bounded, reported, without a lost lead."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.ids import key_of
from leadyard.model import ExistingAudience, ProfileUrls
from leadyard.provider.client import Provider
from leadyard.worker.jobs.job_run import MAX_ATTEMPTS
from rig.jobs import (
    assert_counts,
    claimed_by,
    found_job,
    hurry,
    in_database,
    job_of,
    new_job,
    run_of,
    search_job,
    start_import,
    work_until_ended,
)
from rig.providers import TOKEN, Stage, made_up, staged_provider
from rig.racing import assert_healthy
from rig.service import Tenant

PEOPLE = 250


@pytest.fixture(scope="module")
def one_stage() -> Iterator[Stage]:
    with staged_provider(made_up(PEOPLE), withhold_emails=True, retry_after="0") as running:
        yield running


@pytest.fixture
def stage(one_stage: Stage) -> Iterator[Stage]:
    """A provider of 250 people in three pages, of whom every second one has an e-mail address that only enrichment
    finds."""
    one_stage.fail()
    one_stage.asked.clear()
    app = one_stage.app
    yield one_stage
    one_stage.app, one_stage.canned = app, None


def searches(stage: Stage) -> int:
    return sum(asked["path"] == "/v1/search" for asked in stage.asked)


@pytest.mark.parametrize(
    "specs",
    [("500:first=3",), ("429:first=3",), ("garbage:first=2",), ("drop:first=2",), ("timeout:first=2",),
     ("500:0.4", "drop:0.2", "429:0.2")],
    ids=" ".join,
)  # fmt: skip
def test_after_trouble_that_ends_everybody_is_there_once(job_tenant: Tenant, stage: Stage, specs: tuple[str]) -> None:
    stage.fail(*specs)
    job = search_job(job_tenant, search_emails=True)

    ended = work_until_ended(job_tenant, job, stage.url, timeout_s=0.5 if "timeout" in specs[0] else 5)

    assert ended["status"] == "completed", ended
    assert_counts(ended, read=PEOPLE, created=PEOPLE, matched=0, added=PEOPLE, rejected=0, emailsFound=PEOPLE // 2)
    assert [each["progress"] for each in ended["stages"].values()] == [1, 1]
    assert len(set(job_tenant.members(ended["audienceId"]))) == PEOPLE == job_tenant.count(ended["audienceId"])
    assert_healthy(job_tenant)


@pytest.mark.parametrize(
    ("spec", "code", "requests", "read", "added"),
    [
        ("500", "PROVIDER_ERROR", MAX_ATTEMPTS, 0, 0),
        ("429", "PROVIDER_RATE_LIMITED", MAX_ATTEMPTS, 0, 0),
        ("garbage", "PROVIDER_GARBAGE", MAX_ATTEMPTS, 0, 0),
        ("drop", "PROVIDER_UNREACHABLE", MAX_ATTEMPTS, 0, 0),
        ("huge-page", "PROVIDER_ANSWER_TOO_LARGE", 1, 0, 0),
        # The first page, and the first page again.
        ("repeat-cursor", "PROVIDER_CURSOR_REPEATED", 2, 200, 100),
    ],
)
def test_trouble_that_does_not_end_fails_the_job(
    job_tenant: Tenant, stage: Stage, spec: str, code: str, requests: int, read: int, added: int
) -> None:
    stage.fail(spec)

    ended = work_until_ended(job_tenant, search_job(job_tenant, search_emails=True), stage.url)

    assert (ended["status"], ended["error"]["code"]) == ("failed", code)
    assert ended["error"]["message"].endswith(".")
    assert searches(stage) == requests
    assert [each["status"] for each in ended["stages"].values()] == ["failed", "skipped"]
    assert_counts(ended, read=read, added=added)
    assert job_tenant.count(ended["audienceId"]) == added


def test_people_without_identity_are_rejected_one_by_one(job_tenant: Tenant, stage: Stage) -> None:
    stage.fail("no-identity:first=1")

    ended = work_until_ended(job_tenant, search_job(job_tenant), stage.url)

    assert ended["status"] == "completed"
    assert_counts(ended, read=PEOPLE, created=PEOPLE - 100, rejected=100)
    rows = list(csv.reader(job_tenant.client.get(f"/prospecting/{ended['jobId']}/rejected.csv").text.splitlines()))
    assert len(rows) == 101
    assert {row[1] for row in rows[1:]} == {"NO_IDENTITY"}


class Circle:
    """A provider of one person a page, whose cursors lead through `tail` pages into a circle of `period` pages."""

    def __init__(self, tail: int, period: int) -> None:
        self.tail, self.pages, self.asked = tail, tail + period, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = await Request(scope, receive).json()
        page = int(asked["cursor"] or 0)
        self.asked += 1
        following = page + 1 if page + 1 < self.pages else self.tail
        person = {"linkedinUrl": f"https://www.linkedin.com/in/circle-{page}"}
        await JSONResponse({"prospects": [person], "nextCursor": str(following)})(scope, receive, send)


@pytest.mark.parametrize(("tail", "period"), [(0, 1), (3, 1), (1, 2), (0, 3), (4, 2), (1, 7), (9, 5)])
def test_cursors_that_go_round_in_a_circle_end_after_a_few_rounds(
    job_tenant: Tenant, stage: Stage, tail: int, period: int
) -> None:
    stage.app = circle = Circle(tail, period)

    ended = work_until_ended(job_tenant, search_job(job_tenant, max_results=2_000), stage.url)

    assert (ended["status"], ended["error"]["code"]) == ("failed", "PROVIDER_CURSOR_REPEATED")
    assert circle.asked <= 4 * (tail + period) + 4
    assert_counts(ended, created=tail + period, read=circle.asked, matched=circle.asked - tail - period)
    assert job_tenant.count(ended["audienceId"]) == tail + period, "the page that closes the circle was lost"


def test_a_search_that_was_interrupted_after_its_last_page_does_not_begin_anew(
    job_tenant: Tenant, stage: Stage
) -> None:
    """The worker stops between the last page and the end of the job. Without a cursor to continue from, the next worker
    must recognise that nothing is left."""
    job = search_job(job_tenant)

    async def run(db: Database) -> None:
        provider = Provider(stage.url, TOKEN)
        for _ in range(3):
            await run_of(db, await claimed_by(db, job), provider, is_stopping=lambda: True).run()
        await run_of(db, await claimed_by(db, job), provider).run()
        await provider.close()

    in_database(job_tenant, run)
    ended = job_of(job_tenant, job.id)
    assert ended["status"] == "completed"
    assert_counts(ended, read=PEOPLE, created=PEOPLE, matched=0)
    assert searches(stage) == 3


@pytest.mark.parametrize("most", [1, 100, 150])
def test_no_more_people_than_asked_for(job_tenant: Tenant, stage: Stage, most: int) -> None:
    ended = work_until_ended(job_tenant, search_job(job_tenant, max_results=most), stage.url)

    assert ended["status"] == "completed"
    assert_counts(ended, read=most, added=most)
    assert ended["stages"]["import"]["progress"] == 1


def test_a_provider_that_sends_more_than_asked_for(job_tenant: Tenant, stage: Stage) -> None:
    people = [{"linkedinUrl": f"https://www.linkedin.com/in/more-{n}"} for n in range(50)]
    stage.app = JSONResponse({"prospects": people, "nextCursor": None})

    ended = work_until_ended(job_tenant, search_job(job_tenant, max_results=10), stage.url)

    assert (ended["status"], ended["error"]["code"]) == ("failed", "PROVIDER_GARBAGE")
    assert_counts(ended, read=0)


@pytest.mark.parametrize(("asked", "least_s"), [("120", 120), ("999999", 3_600)])
def test_retry_after_is_waited_for(job_tenant: Tenant, stage: Stage, asked: str, least_s: int) -> None:
    job = search_job(job_tenant)
    refusal = Response("{}", 429, {"Retry-After": asked}, media_type="application/json")
    stage.app = refusal
    before = now_ms()

    async def run(db: Database) -> None:
        provider = Provider(stage.url, TOKEN)
        await run_of(db, await claimed_by(db, job), provider).run()
        await provider.close()

    in_database(job_tenant, run)
    after = now_ms()
    [(ready_at, failed)] = job_tenant.sql("SELECT ready_at, failed_attempts FROM jobs WHERE id = $1", key_of(job.id))
    assert failed == 1
    # The pause starts at a moment between these two, however long the request took. It lasts the requested time, and up
    # to a quarter more.
    assert before + least_s * 1000 <= ready_at <= after + least_s * 1250


def test_an_email_that_another_lead_has_is_not_given_twice(job_tenant: Tenant, stage: Stage) -> None:
    other = job_tenant.create_audience("Others")
    people = [{"email": "ADA-0@example.com"}, {"email": "ada-2@example.com", "firstName": "Else"}]
    job_tenant.client.post(f"/audiences/{other}/prospects", json={"prospects": people}).raise_for_status()

    ended = work_until_ended(job_tenant, search_job(job_tenant, search_emails=True), stage.url)

    assert ended["status"] == "completed"
    assert_counts(ended, created=PEOPLE, emailsFound=PEOPLE // 2 - 2)
    emails = [email for (email,) in job_tenant.sql(
        "SELECT email FROM leads WHERE account_group_id = $1 AND email IS NOT NULL", job_tenant.number
    )]  # fmt: skip
    assert len(emails) == len(set(emails)) == PEOPLE // 2
    assert_healthy(job_tenant)


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        (("same@example.com", "same@example.com"), 1),
        (("not an e-mail", "x" * 5_000 + "@example.com"), 0),
        (("a\x00b@example.com", "ok@example.com"), 2),
        (("email_not_unlocked@domain.com", "noreply@example.com"), 0),
    ],
    ids=["twice", "invalid", "nul", "placeholders"],
)
def test_emails_that_cannot_be_written_are_left_out(
    job_tenant: Tenant, stage: Stage, answer: tuple[str, ...], written: int
) -> None:
    urls = ProfileUrls(tuple(f"https://www.linkedin.com/in/enriched-{n}" for n in range(2)))
    job = new_job(job_tenant, urls, search_emails=True)

    async def enrich(scope: Scope, receive: Receive, send: Send) -> None:
        asked = await Request(scope, receive).json()
        results = [
            {"key": prospect["key"], "email": email}
            for prospect, email in zip(asked["prospects"], answer, strict=False)
        ]
        await JSONResponse({"results": results})(scope, receive, send)

    stage.app = enrich
    ended = work_until_ended(job_tenant, job, stage.url)

    assert ended["status"] == "completed"
    assert_counts(ended, created=2, emailsFound=written)


def test_the_enrichment_asks_only_for_the_leads_that_the_job_has_added(job_tenant: Tenant, stage: Stage) -> None:
    """Two people were in the audience before, and the search finds one of them again. Neither has an e-mail address."""
    audience = job_tenant.create_audience()
    before = [{"linkedinUrl": "https://www.linkedin.com/in/ada-2"}, {"linkedinUrl": "https://www.linkedin.com/in/old"}]
    job_tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": before}).raise_for_status()

    job = search_job(job_tenant, audience=ExistingAudience(audience), search_emails=True)
    ended = work_until_ended(job_tenant, job, stage.url)

    assert_counts(ended, read=PEOPLE, matched=1, added=PEOPLE - 1, alreadyInAudience=1, emailsFound=PEOPLE // 2 - 1)
    assert job_tenant.count(audience) == PEOPLE + 1


def test_trouble_in_the_enrichment_that_ends(job_tenant: Tenant, stage: Stage) -> None:
    job = found_job(job_tenant, start_import(job_tenant, 5))
    job_tenant.sql("UPDATE jobs SET search_emails = $1 WHERE id = $2", True, key_of(job.id))
    stage.fail("500:first=2")
    ended = work_until_ended(job_tenant, found_job(job_tenant, job.id), stage.url)
    assert ended["status"] == "completed"
    assert_counts(ended, emailsFound=0, added=5)


def test_a_provider_that_is_no_longer_configured_fails_the_stage_and_keeps_the_import(
    job_tenant: Tenant, stage: Stage
) -> None:
    job = search_job(job_tenant, search_emails=True)

    async def run(db: Database) -> None:
        provider = Provider(stage.url, TOKEN)
        for _ in range(3):
            await run_of(db, await claimed_by(db, job), provider, is_stopping=lambda: True).run()
        await provider.close()
        await run_of(db, await claimed_by(db, job), None).run()

    in_database(job_tenant, run)
    ended = job_of(job_tenant, job.id)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "SOURCE_NOT_CONFIGURED")
    assert_counts(ended, added=PEOPLE, emailsFound=0)
    assert job_tenant.count(ended["audienceId"]) == PEOPLE


def test_cancelled_while_the_provider_takes_its_time(job_tenant: Tenant, stage: Stage) -> None:
    """Nothing is added after the answer, although a page was on its way."""
    job = search_job(job_tenant)
    real = stage.app
    cancelled: list[int] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if not cancelled:
            answer = await asyncio.to_thread(job_tenant.client.post, f"/prospecting/{job.id}/cancel")
            cancelled.append(answer.status_code)
        await real(scope, receive, send)

    stage.app = slow
    ended = work_until_ended(job_tenant, job, stage.url)

    assert cancelled == [200]
    assert ended["status"] == "cancelled"
    assert_counts(ended, read=0, added=0)
    assert job_tenant.count(ended["audienceId"]) == 0
    hurry(job_tenant.service.database_url)
