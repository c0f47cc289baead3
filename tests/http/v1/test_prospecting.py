"""Prospecting over HTTP: jobs are started, refused, listed, cancelled. A worker runs only in the tests that start
one."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from leadyard.model import Permission
from rig.answers import ID, TIME, UNKNOWN_ID, data_of, refusal, violations
from rig.jobs import assert_counts, csv_of, found_job, job_of, start, upload, work_until_ended
from rig.service import Tenant, make_tenant

URLS = ["https://www.linkedin.com/in/avery-stone"]
SEARCH_URL = "https://www.linkedin.com/search/results/people/?keywords=cto"
POST_URL = "https://www.linkedin.com/feed/update/urn:li:activity:7300000000000000000"
NEW = {"name": "New"}
# Each type with its required fields.
COMPLETE: dict[str, dict[str, Any]] = {
    "csv_upload": {"uploadId": UNKNOWN_ID},
    "url_upload": {"profileUrls": URLS},
    "linkedin_search": {"searchUrl": SEARCH_URL},
    "sales_navigator": {"savedSearchId": "12345"},
    "post_commenters": {"postUrl": POST_URL},
}


def post(tenant: Tenant, type: str | None = "url_upload", **rest: Any) -> Any:
    """Sends a start without the fields that are None in `rest`."""
    body = {"type": type, "audience": NEW, **COMPLETE.get(type or "", {}), **rest}
    return tenant.client.post("/prospecting", json={key: value for key, value in body.items() if value is not None})


@pytest.mark.parametrize("type", [each for each in COMPLETE if each != "csv_upload"])
def test_a_start_makes_a_job_and_its_audience(job_tenant: Tenant, type: str) -> None:
    answer = data_of(post(job_tenant, type), 202)
    assert set(answer) == {"jobId", "audienceId", "status", "createdAt"}
    assert ID.fullmatch(answer["jobId"])
    assert TIME.fullmatch(answer["createdAt"])
    assert answer["status"] == "queued"

    job = job_of(job_tenant, answer["jobId"])
    assert job["audienceId"] == answer["audienceId"]
    pending = {"status": "pending", "progress": 0}
    assert job["stages"] == {"import": pending, "enrichment": {"status": "skipped", "progress": 0}}
    assert (job["type"], job["sourceType"], job["status"], job["error"]) == ("prospecting", type, "queued", None)
    assert set(job["counts"].values()) == {0}
    busy = refusal(job_tenant.client.get(f"/audiences/{job['audienceId']}"), 409, "AUDIENCE_NOT_READY")
    assert busy["jobId"] == answer["jobId"]
    # The list leaves out audiences that are being populated.
    assert job_tenant.walk("/audiences") == []
    data_of(job_tenant.client.post(f"/prospecting/{answer['jobId']}/cancel"))
    [listed] = [each for each in job_tenant.walk("/audiences") if each["id"] == job["audienceId"]]
    assert (listed["name"], listed["type"]) == ("New", type)


@pytest.mark.parametrize(
    ("type", "rest", "wrong"),
    [
        (None, {}, ("type", "MISSING")),
        ("on_demand", {}, ("type", "UNKNOWN_VALUE")),
        ("url_upload", {"profileUrls": None}, ("profileUrls", "MISSING")),
        ("url_upload", {"profileUrls": []}, ("profileUrls", "TOO_SHORT")),
        ("url_upload", {"profileUrls": URLS * 1001}, ("profileUrls", "TOO_LONG")),
        ("url_upload", {"profileUrls": [*URLS, "x" * 2049]}, ("profileUrls[1]", "TOO_LONG")),
        ("url_upload", {"uploadId": UNKNOWN_ID}, ("uploadId", "UNKNOWN_FIELD")),
        ("csv_upload", {"uploadId": None}, ("uploadId", "MISSING")),
        ("csv_upload", {"uploadId": "wrong"}, ("uploadId", "WRONG_FORMAT")),
        ("csv_upload", {"delimiter": ""}, ("delimiter", "TOO_SHORT")),
        ("csv_upload", {"profileUrls": URLS}, ("profileUrls", "UNKNOWN_FIELD")),
        ("linkedin_search", {"searchUrl": None}, ("searchUrl", "MISSING")),
        ("linkedin_search", {"searchUrl": "https://example.com/search"}, ("searchUrl", "NOT_ALLOWED")),
        ("linkedin_search", {"searchUrl": "https://linkedin.com.example.com/x"}, ("searchUrl", "NOT_ALLOWED")),
        ("linkedin_search", {"searchUrl": "https://user@www.linkedin.com/x"}, ("searchUrl", "NOT_ALLOWED")),
        ("linkedin_search", {"postUrl": POST_URL}, ("postUrl", "UNKNOWN_FIELD")),
        ("linkedin_search", {"maxResults": 0}, ("maxResults", "TOO_SMALL")),
        ("post_commenters", {"postUrl": None}, ("postUrl", "MISSING")),
        ("post_commenters", {"searchUrl": SEARCH_URL}, ("searchUrl", "UNKNOWN_FIELD")),
        ("sales_navigator", {"savedSearchId": ""}, ("savedSearchId", "TOO_SHORT")),
        ("sales_navigator", {"searchUrl": SEARCH_URL}, ("searchUrl", "UNKNOWN_FIELD")),
        ("url_upload", {"audience": {"id": "wrong"}}, ("audience.id", "WRONG_FORMAT")),
        ("url_upload", {"audience": {"name": " "}}, None),
        ("url_upload", {"audience": {"name": "A", "more": 1}}, ("audience.more", "UNKNOWN_FIELD")),
        ("url_upload", {"audience": {"name": "A", "id": UNKNOWN_ID}}, ("audience", "NOT_ALLOWED")),
        ("url_upload", {"audience": {}}, ("audience", "NOT_ALLOWED")),
        ("url_upload", {"searchEmails": "perhaps"}, None),
    ],
)
def test_what_is_missing_or_too_much_is_named_by_its_path(
    job_tenant: Tenant, type: str | None, rest: dict[str, Any], wrong: tuple[str, str] | None
) -> None:
    found = violations(post(job_tenant, type, **rest))
    assert wrong is None or found == {wrong}
    assert all("csv_upload" not in path and "url_upload" not in path for path, _ in found)
    assert data_of(job_tenant.client.get("/prospecting"))["items"] == []


@pytest.mark.parametrize("both", [True, False])
def test_sales_navigator_wants_exactly_one_of_the_two(job_tenant: Tenant, both: bool) -> None:
    ids = {"savedSearchId": "1", "leadListId": "2"} if both else {"savedSearchId": None}
    violations(post(job_tenant, "sales_navigator", **ids))


def test_a_second_job_on_an_audience_is_refused_until_the_first_has_ended(job_tenant: Tenant) -> None:
    audience = job_tenant.create_audience()
    first = start(job_tenant, audience={"id": audience})

    error = refusal(post(job_tenant, audience={"id": audience}), 409, "AUDIENCE_NOT_READY")

    assert (error["audienceId"], error["jobId"]) == (audience, first)
    data_of(job_tenant.client.post(f"/prospecting/{first}/cancel"))
    start(job_tenant, audience={"id": audience})


def test_audiences_uploads_and_jobs_of_another_tenant_do_not_exist(job_tenant: Tenant) -> None:
    other = make_tenant(job_tenant.service)
    theirs, their_upload, their_job = other.create_audience(), upload(other, csv_of(1)), start(other)
    refusal(post(job_tenant, audience={"id": theirs}), 404, "NOT_FOUND")
    refusal(post(job_tenant, "csv_upload", uploadId=their_upload), 404, "NOT_FOUND")
    refusal(job_tenant.client.get(f"/prospecting/{their_job}"), 404, "NOT_FOUND")
    refusal(job_tenant.client.get(f"/prospecting/{their_job}/rejected.csv"), 404, "NOT_FOUND")
    refusal(job_tenant.client.post(f"/prospecting/{their_job}/cancel"), 404, "NOT_FOUND")
    assert job_of(other, their_job)["status"] == "queued"
    # No refused request has left an audience behind.
    assert job_tenant.walk("/audiences") == []


@pytest.mark.parametrize(
    ("content", "rest", "code"),
    [
        (csv_of(1), {"mapping": {"email": "No such column"}}, "UNKNOWN_COLUMN"),
        (csv_of(1), {"identityColumn": "No such column"}, "UNKNOWN_COLUMN"),
        (csv_of(1), {"encoding": "no-such-encoding"}, "UNREADABLE_FILE"),
        # With these a single line fills the memory of the worker.
        (csv_of(1), {"encoding": "idna"}, "UNREADABLE_FILE"),
        (csv_of(1), {"encoding": "UTF7"}, "UNREADABLE_FILE"),
        ("\x00\x01\x02", {}, "UNREADABLE_FILE"),
    ],
)
def test_a_file_or_mapping_that_cannot_work_is_refused_at_once(
    job_tenant: Tenant, content: str, rest: dict[str, Any], code: str
) -> None:
    refusal(post(job_tenant, "csv_upload", uploadId=upload(job_tenant, content), **rest), 422, code)
    assert job_tenant.walk("/audiences") == []


def test_of_several_refusals_the_first_by_the_contract_answers(job_tenant: Tenant) -> None:
    """404, then 409, then faults of the file or the limit of the account group."""
    busy, file = job_tenant.create_audience(), upload(job_tenant, csv_of(1))
    start(job_tenant, audience={"id": busy})
    wrong = {"uploadId": file, "mapping": {"email": "No such column"}}
    refusal(post(job_tenant, "csv_upload", audience={"id": UNKNOWN_ID}, **wrong), 404, "NOT_FOUND")
    refusal(post(job_tenant, "csv_upload", audience={"id": busy}, uploadId=UNKNOWN_ID), 404, "NOT_FOUND")
    refusal(post(job_tenant, "csv_upload", audience={"id": busy}, **wrong), 409, "AUDIENCE_NOT_READY")
    sent = job_tenant.client.post("/uploads", content=b"\x1f\x8bnot gzip", headers={"Content-Type": "application/gzip"})
    broken = data_of(sent, 201)["uploadId"]
    refusal(post(job_tenant, "csv_upload", audience={"id": busy}, uploadId=broken), 409, "AUDIENCE_NOT_READY")
    refusal(post(job_tenant, "csv_upload", uploadId=broken), 422, "UNREADABLE_FILE")
    much = {"audience": {"id": busy}, "maxResults": 2_001}
    refusal(post(job_tenant, "linkedin_search", **much), 409, "AUDIENCE_NOT_READY")
    refusal(post(job_tenant, "csv_upload", uploadId="wrong", audience={"id": UNKNOWN_ID}), 400, "VALIDATION_ERROR")


def test_more_results_than_the_account_group_may_have(job_tenant: Tenant) -> None:
    answer = post(job_tenant, "linkedin_search", maxResults=2_001)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "MAX_RESULTS_TOO_LARGE"
    assert answer.json()["error"]["maxResults"] == 2_000
    data_of(post(job_tenant, "linkedin_search", maxResults=2_000), 202)


@pytest.mark.parametrize("type", ["linkedin_search", "sales_navigator", "post_commenters"])
def test_without_a_provider_there_is_nothing_to_search(tenant: Tenant, type: str) -> None:
    refusal(post(tenant, type), 422, "SOURCE_NOT_CONFIGURED")
    refusal(post(tenant, searchEmails=True), 422, "SOURCE_NOT_CONFIGURED")
    refusal(post(tenant, type, audience={"id": UNKNOWN_ID}), 404, "NOT_FOUND")
    busy = tenant.create_audience()
    tenant.end_job(start(tenant, audience={"id": busy}), "cancelled")
    job = start(tenant, audience={"id": busy})
    refusal(post(tenant, type, audience={"id": busy}), 422, "SOURCE_NOT_CONFIGURED")
    tenant.end_job(job)


def test_permissions(job_tenant: Tenant) -> None:
    reader = job_tenant.new_client(job_tenant.key_with(Permission.PROSPECTING_READ))
    writer = job_tenant.new_client(job_tenant.key_with(Permission.PROSPECTING_WRITE))
    body = {"type": "url_upload", "audience": NEW, "profileUrls": URLS}
    refusal(reader.post("/prospecting", json=body), 403, "FORBIDDEN")
    job = data_of(writer.post("/prospecting", json=body), 202)["jobId"]
    refusal(reader.post(f"/prospecting/{job}/cancel"), 403, "FORBIDDEN")
    refusal(writer.get(f"/prospecting/{job}"), 403, "FORBIDDEN")
    refusal(writer.get("/prospecting"), 403, "FORBIDDEN")
    data_of(reader.get(f"/prospecting/{job}"))


def test_the_list_is_newest_first_by_status_and_page_by_page(job_tenant: Tenant) -> None:
    jobs = [start(job_tenant) for _ in range(7)]
    for job in jobs[::3]:
        data_of(job_tenant.client.post(f"/prospecting/{job}/cancel"))

    everything = job_tenant.walk("/prospecting", limit=2)

    assert [each["jobId"] for each in everything] == jobs[::-1]
    assert set(everything[0]) == {"jobId", "type", "status", "createdAt", "updatedAt"}
    cancelled = job_tenant.walk("/prospecting", limit=1, status="cancelled")
    assert [each["jobId"] for each in cancelled] == jobs[::3][::-1]
    assert len(job_tenant.walk("/prospecting", status="queued")) == 4
    assert job_tenant.walk("/prospecting", status="failed") == []
    refused = job_tenant.client.get("/prospecting", params={"status": "sleeping"})
    assert violations(refused) == {("status", "UNKNOWN_VALUE")}
    cursor = data_of(job_tenant.client.get("/prospecting", params={"limit": 1}))["nextCursor"]
    elsewhere = job_tenant.client.get("/prospecting", params={"status": "queued", "cursor": cursor})
    assert violations(elsewhere) == {("cursor", "WRONG_CURSOR")}


def test_only_a_job_that_has_not_ended_can_be_cancelled(job_tenant: Tenant) -> None:
    job = start(job_tenant)
    audience = job_of(job_tenant, job)["audienceId"]
    assert data_of(job_tenant.client.post(f"/prospecting/{job}/cancel")) == {"jobId": job, "status": "cancelled"}
    assert job_tenant.count(audience) == 0
    for status in ("cancelled", "completed", "failed"):
        job_tenant.end_job(job, status)
        answer = job_tenant.client.post(f"/prospecting/{job}/cancel")
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "JOB_NOT_CANCELLABLE"
        assert answer.json()["error"]["status"] == status
    refusal(job_tenant.client.post(f"/prospecting/{UNKNOWN_ID}/cancel"), 404, "NOT_FOUND")
    job_tenant.end_job(job, "cancelled")
    stages = job_of(job_tenant, job)["stages"]
    assert [each["status"] for each in stages.values()] == ["cancelled", "skipped"]


def test_a_thousand_urls_some_of_them_bad(job_tenant: Tenant) -> None:
    bad = {n: f"https://example.com/{n}" for n in range(0, 1_000, 10)}
    urls = [bad.get(n, f"https://www.linkedin.com/in/url-{n // 2}") for n in range(1_000)]
    urls[20] = "=cmd()\x00"

    ended = work_until_ended(job_tenant, found_job(job_tenant, start(job_tenant, profileUrls=urls)))

    # Every person comes twice, except those whose other half is bad.
    distinct = len({url for n, url in enumerate(urls) if n not in bad})
    assert ended["status"] == "completed"
    assert_counts(ended, read=1_000, created=distinct, matched=900 - distinct, added=distinct, rejected=100)
    answer = job_tenant.client.get(f"/prospecting/{ended['jobId']}/rejected.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"rejected-{ended['jobId']}.csv" in answer.headers["Content-Disposition"]
    header, *rows = csv.reader(answer.text.splitlines())
    assert header == ["reject_line", "reject_code", "reject_reason", "profileUrl"]
    assert [int(row[0]) for row in rows] == [n + 1 for n in sorted(bad)]
    assert all(row[3] == bad[int(row[0]) - 1] for row in rows if row[0] != "21")
    assert rows[2][3].startswith("'=cmd()"), "a spreadsheet would run it"


def test_adding_to_an_audience_that_has_members(job_tenant: Tenant) -> None:
    audience = job_tenant.create_audience()
    job_tenant.add_leads(audience, 30, prefix="person")
    file = upload(job_tenant, csv_of(50, bad_every=25))

    job = start(job_tenant, "csv_upload", uploadId=file, audience={"id": audience})
    ended = work_until_ended(job_tenant, found_job(job_tenant, job))

    assert_counts(ended, read=50, created=19, matched=29, added=19, alreadyInAudience=29, rejected=2)
    assert job_tenant.count(audience) == 49
    # A file that has been read to its end cannot be used again.
    refusal(post(job_tenant, "csv_upload", uploadId=file), 404, "NOT_FOUND")
    rows = list(csv.reader(job_tenant.client.get(f"/prospecting/{job}/rejected.csv").text.splitlines()))
    assert [row[0] for row in rows[1:]] == ["26", "51"]
    assert {row[1] for row in rows[1:]} == {"INVALID_EMAIL"}


def test_one_upload_for_two_audiences(job_tenant: Tenant) -> None:
    """The first job to end makes the upload useless for later jobs, not for the job that has begun."""
    file = upload(job_tenant, csv_of(20))
    jobs = [start(job_tenant, "csv_upload", uploadId=file) for _ in range(2)]
    for job in jobs:
        ended = work_until_ended(job_tenant, found_job(job_tenant, job))
        assert ended["status"] == "completed"
        assert job_tenant.count(ended["audienceId"]) == 20


def test_mapping_and_identity_column_are_those_that_were_asked_for(job_tenant: Tenant) -> None:
    text = "Who;Number\nGrace;1\nAda;2\nAda;2\n"
    job = start(
        job_tenant,
        "csv_upload",
        uploadId=upload(job_tenant, text),
        mapping={"firstName": "Who"},
        identityColumn="Number",
    )
    ended = work_until_ended(job_tenant, found_job(job_tenant, job))
    assert_counts(ended, read=3, created=2, matched=1, rejected=0)
    members = data_of(job_tenant.client.get(f"/audiences/{ended['audienceId']}/prospects"))["items"]
    assert {member["firstName"] for member in members} == {"Grace", "Ada"}
