"""What the client does at the edges: refusals, timeouts, jobs that end badly, the feed of events, account groups."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from leadyard.model import Permission
from leadyard_client import NO_RETRIES, AsyncLeadyard, Leadyard, LeadyardError, NoAnswer, RetryPolicy, errors, models
from leadyard_client.attempts import Attempts
from leadyard_client.request import Request
from rig.certificates import Authority
from rig.python_clients import Recorded, client_of
from rig.service import Tenant, make_key, make_tenant


@pytest.fixture
def leadyard(tenant: Tenant) -> Iterator[Leadyard]:
    with client_of(tenant) as made:
        yield made


# ---------------------------------------------------------------------------------------------------------- refusals


def test_a_refusal_has_its_class_its_sentences_its_fields_and_the_trace_id(tenant: Tenant, leadyard: Leadyard) -> None:
    here, there = tenant.create_audience("Here"), tenant.create_audience("There")
    missing = "0" * 24
    with pytest.raises(errors.LeadsNotInSource) as refused:
        leadyard.move_leads(here, target_audience_id=there, lead_ids=[missing])
    error = refused.value
    assert isinstance(error, errors.ApiError)
    assert isinstance(error, LeadyardError)
    assert (error.status, error.code, error.was_repeated) == (422, "LEADS_NOT_IN_SOURCE", False)
    assert error.fields == {"leadIds": [missing], "leadCount": 1}
    for part in (error.message, error.details, error.code, error.trace_id):
        assert part and part in str(error)


def test_all_violations_are_there(leadyard: Leadyard) -> None:
    with pytest.raises(errors.ValidationError) as refused:
        leadyard.create_audience(name="", type="nonsense")  # type: ignore[arg-type]
    assert {(each["path"], each["code"]) for each in refused.value.violations} == {
        ("name", "TOO_SHORT"),
        ("type", "UNKNOWN_VALUE"),
    }


def test_a_code_that_this_client_does_not_have_is_still_an_api_error() -> None:
    error = {"code": "BRAND_NEW", "message": "A.", "details": "B.", "hint": 7}
    with (
        answering(422, {"success": False, "data": None, "error": error, "traceId": "f" * 32}) as client,
        pytest.raises(errors.ApiError) as refused,
    ):
        client.get_audience("0" * 24)
    assert type(refused.value) is errors.ApiError
    assert (refused.value.code, refused.value.fields) == ("BRAND_NEW", {"hint": 7})


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "<h1>Welcome</h1>"), (200, {"data": {"id": 1}}), (200, []), (418, "tea"), (404, {"error": "no"})],
)
def test_an_answer_of_another_program_is_reported_with_its_beginning(status: int, body: object) -> None:
    with answering(status, body) as client, pytest.raises(errors.UnexpectedAnswer) as wrong:
        client.get_audience("0" * 24)
    assert wrong.value.status == status
    assert wrong.value.excerpt
    with answering(status, body) as client, pytest.raises(errors.UnexpectedAnswer):
        list(client.list_audiences())


def test_a_field_of_a_newer_service_is_ignored(leadyard: Leadyard, tenant: Tenant) -> None:
    audience = tenant.create_audience("A")
    envelope = tenant.client.get(f"/audiences/{audience}").json()
    with answering(200, {**envelope, "data": {**envelope["data"], "shoeSize": 44}}) as client:
        assert client.get_audience(audience) == leadyard.get_audience(audience)


def answering(status: int, body: object) -> Leadyard:
    """A client whose every request gets this answer."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return Leadyard("http://service.invalid", "key", account_group_id="1" * 24, http_client=http)


# ------------------------------------------------------------------------------------------------------------- waits


def waits_of(answers: list[httpx.Response], policy: RetryPolicy = RetryPolicy()) -> list[float | None]:  # noqa: B008
    attempts = Attempts(Request[str](method="GET", path="/x", answers={200: str}), policy)
    return [attempts.wait_after_answer(each) for each in answers]


def test_a_wait_is_never_shorter_than_requested_and_little_longer() -> None:
    for seconds in (0, 1, 7):
        for _ in range(20):
            (wait,) = waits_of([httpx.Response(429, headers={"Retry-After": str(seconds)})])
            assert wait is not None
            assert seconds <= wait <= seconds + 1


def conflict(headers: dict[str, str]) -> httpx.Response:
    error = {"code": "IDEMPOTENCY_CONFLICT", "message": "A.", "details": "B."}
    return httpx.Response(409, headers=headers, json={"error": error, "traceId": "1"})


def test_a_key_in_flight_is_waited_for_and_a_key_of_another_request_is_not() -> None:
    (wait,) = waits_of([conflict({"Retry-After": "1"})])
    assert wait is not None
    assert wait >= 1
    with pytest.raises(errors.IdempotencyConflict):
        waits_of([conflict({})])
    # An audience that a job is filling may take hours, so the caller decides.
    error = {"code": "AUDIENCE_NOT_READY", "message": "A.", "details": "B."}
    with pytest.raises(errors.AudienceNotReady):
        waits_of([httpx.Response(409, headers={"Retry-After": "1"}, json={"error": error, "traceId": "1"})])


def test_waits_without_a_request_grow_up_to_a_limit() -> None:
    policy = RetryPolicy(total_s=1000, first_wait_s=1, longest_backoff_s=4)
    waits = waits_of([httpx.Response(503)] * 6, policy)
    for wait, longest in zip(waits, (1, 2, 4, 4, 4, 4), strict=True):
        assert wait is not None
        assert longest / 2 <= wait <= longest


@pytest.mark.parametrize("seconds", ["61", "100000"])
def test_a_wait_that_is_too_long_is_left_to_the_caller(seconds: str) -> None:
    error = {"code": "RATE_LIMITED", "message": "A.", "details": "B."}
    answer = httpx.Response(429, headers={"Retry-After": seconds}, json={"error": error, "traceId": "1"})
    with pytest.raises(errors.RateLimited) as refused:
        waits_of([answer], RetryPolicy(total_s=40_000))
    assert refused.value.retry_after_s == int(seconds)


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """The URL of a server whose certificate is from an authority that no machine trusts."""
    certificate, key = Authority(tmp_path / "authority").create().issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_certificate_that_is_not_trusted_is_reported_at_once(untrusted: str) -> None:
    with Leadyard(untrusted, "key", account_group_id="1" * 24) as client, pytest.raises(NoAnswer) as refused:
        within(10, client.get_navigation)
    assert "certificate" in str(refused.value)
    assert not refused.value.may_have_happened


def test_a_name_that_does_not_exist_is_reported_at_once() -> None:
    def look_up(_: httpx.Request) -> httpx.Response:
        try:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    http = httpx.Client(transport=httpx.MockTransport(look_up))
    client = Leadyard("http://nowhere.invalid", "key", account_group_id="1" * 24, http_client=http)
    with pytest.raises(NoAnswer, match="not known"):
        within(10, client.get_navigation)


def within(seconds: float, call: Callable[[], object]) -> None:
    began = time.monotonic()
    try:
        call()
    finally:
        assert time.monotonic() - began < seconds


@pytest.mark.parametrize("total_s", [-1, 43_201, 1e9, float("nan")])
def test_a_call_never_goes_on_for_longer_than_the_service_keeps_its_key(total_s: float) -> None:
    with pytest.raises(ValueError, match="24 hours"):
        RetryPolicy(total_s=total_s)


def test_without_retries_the_first_refusal_is_raised(tenant: Tenant) -> None:
    with (
        Leadyard("http://127.0.0.1:9", tenant.key, account_group_id="1" * 24, retries=NO_RETRIES) as client,
        pytest.raises(NoAnswer) as refused,
    ):
        client.get_navigation()
    assert "Nothing has changed" in str(refused.value)


@pytest.mark.parametrize("client", [Leadyard, AsyncLeadyard])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(client: type[Leadyard | AsyncLeadyard]) -> None:
    for wrong in ("", " \n", "sk_live_hush\nsk_live_hush", "sk_live_hush\u2026", "sk_live_hush sk_live_hush"):
        with pytest.raises(ValueError, match="key") as refused:
            client("http://127.0.0.1:9", wrong)
        assert "hush" not in str(refused.value)


def test_space_around_a_key_does_not_count(tenant: Tenant) -> None:
    with Leadyard(tenant.service.base_url, f" {tenant.key}\n") as client:
        assert client.list_audiences().page().items == ()


# -------------------------------------------------------------------------------------------------------- the client


def test_the_only_account_group_of_a_key_is_found(tenant: Tenant) -> None:
    with Leadyard(tenant.service.base_url, tenant.key) as client:
        assert client.account_group_id == tenant.account_group_id
        assert client.create_audience(name="A", type="on_demand").name == "A"
        assert tenant.key not in repr(client)


def test_with_several_account_groups_you_choose_one(tenant: Tenant) -> None:
    other = make_tenant(tenant.service, "Other")
    groups = [tenant.account_group_id, other.account_group_id]
    _, key = make_key(tenant.service.database_url, groups)
    with Leadyard(tenant.service.base_url + "/", key) as client:
        with pytest.raises(errors.WrongAccountGroup, match="account_group_id"):
            client.get_navigation()
        made = [client.in_account_group(group).create_audience(name="A", type="on_demand").id for group in groups]
    assert [item["id"] for item in tenant.walk("/audiences")] == made[:1]
    assert [item["id"] for item in other.walk("/audiences")] == made[1:]
    other.client.close()


def test_a_missing_permission_is_forbidden(tenant: Tenant) -> None:
    key = tenant.key_with(Permission.AUDIENCES_READ)
    with Leadyard(tenant.service.base_url, key, account_group_id=tenant.account_group_id) as client:
        with pytest.raises(errors.Forbidden, match="audiences:write"):
            client.create_audience(name="A", type="on_demand")
        assert list(client.list_audiences()) == []


@pytest.mark.parametrize("url", ["", "leads.example", "ftp://leads.example", "http://", "http://a?b=c"])
def test_a_url_that_is_not_the_address_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not the address"):
        Leadyard(url, "key")


def test_an_empty_id_or_a_time_without_a_zone_is_refused_before_it_is_sent(leadyard: Leadyard) -> None:
    for wrong in ("", "..", "."):
        with pytest.raises(ValueError, match="not an id"):
            leadyard.get_audience(wrong)
    with pytest.raises(ValueError, match="time zone"):
        list(leadyard.list_changes(changed_after=datetime(2026, 1, 1)))
    with pytest.raises(TypeError, match="list"):
        leadyard.move_leads("1" * 24, target_audience_id="2" * 24, lead_ids={"a"})  # type: ignore[arg-type]


def test_tasks_share_the_client_for_asyncio(tenant: Tenant) -> None:
    async def run() -> list[models.Audience]:
        async with AsyncLeadyard(tenant.service.base_url, tenant.key) as client:
            assert await client.account_group_id() == tenant.account_group_id
            made = await asyncio.gather(
                *(client.create_audience(name=f"A{number}", type="on_demand") for number in range(20))
            )
            assert [each.id async for each in client.list_audiences(limit=7)] == [
                each.id for each in sorted(made, key=lambda each: each.id)
            ]
            return made

    assert len(asyncio.run(run())) == 20


# -------------------------------------------------------------------------------------------------- jobs and events


def test_a_job_that_fails_or_takes_too_long_is_an_error_with_its_state(tenant: Tenant, leadyard: Leadyard) -> None:
    """The worker of this service is off, so that a job stays as it is."""
    urls = ["https://www.linkedin.com/in/ada"]
    start = models.StartUrlUpload(audience=models.TargetAudience(name="Cancelled"), profile_urls=urls)
    started = leadyard.start_prospecting(start)
    with pytest.raises(errors.WaitTimeout, match="Wait for it again") as late:
        leadyard.wait(started, timeout_s=0.3)
    assert (late.value.job.job_id, late.value.job.status) == (started.job_id, "queued")
    assert leadyard.cancel_prospecting(started.job_id).status == "cancelled"
    with pytest.raises(errors.JobNotCompleted, match="cancelled") as ended:
        leadyard.wait(started)
    assert ended.value.job.status == "cancelled"
    failing = tenant.insert_job(tenant.create_audience())
    tenant.end_job(failing, "failed")
    with pytest.raises(errors.JobNotCompleted, match="failed"):
        leadyard.wait_for_prospecting(failing)
    here, there = tenant.create_audience("Here"), tenant.create_audience("There")
    tenant.add_leads(here, 1)
    everyone = models.TransferSelection(all=True)
    transfer = leadyard.start_transfer(
        action="move", source_audience_id=here, target_audience_id=there, select=everyone
    )
    with pytest.raises(errors.WaitTimeout):
        leadyard.wait(transfer, timeout_s=0)
    with pytest.raises(errors.AudienceNotReady) as refused:
        leadyard.move_leads(here, target_audience_id=there, lead_ids=["0" * 24])
    assert refused.value.fields["jobId"]
    assert refused.value.retry_after_s is not None


def test_the_feed_continues_at_its_cursor_without_a_gap(client: Recorded) -> None:
    names = [client.create_audience(name=f"A{number}", type="on_demand").name for number in range(5)]
    feed = client.follow_events(from_start=True, types=["audience.created"], wait_s=1)
    seen = list(itertools.islice(feed, 3))
    # It stopped in the middle of a page, so the page comes again.
    again = client.follow_events(cursor=feed.cursor, from_start=True, types=["audience.created"], wait_s=1)
    whole = list(itertools.islice(again, 5))
    assert [event.data.name for event in whole] == names
    assert whole[:3] == seen
    later = client.follow_events(cursor=again.cursor, wait_s=5)
    client.create_audience(name="Later", type="on_demand")
    (event,) = itertools.islice(later, 1)
    assert isinstance(event, models.AudienceCreated)
    assert event.data.name == "Later"


def test_the_undo_of_a_large_change_is_a_job_to_wait_for(lively: Tenant) -> None:
    here, there = lively.create_audience("Here"), lively.create_audience("There")
    lively.add_leads(here, 10_001)
    with client_of(lively) as client:
        everyone = models.TransferSelection(all=True)
        moved = client.wait(
            client.start_transfer(action="move", source_audience_id=here, target_audience_id=there, select=everyone)
        )
        assert moved.change_id is not None
        started = client.undo_change(moved.change_id)
        assert isinstance(started, models.TransferStart)
        undone = client.wait(started)
        assert (undone.action, undone.applied_count, undone.undoes_change_id) == ("undo", 10_001, moved.change_id)
        assert client.get_audience(here).prospect_count == 10_001
