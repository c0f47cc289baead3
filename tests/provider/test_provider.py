"""The prospect provider's adapter: right answers, and all failures, bounded and distinguished."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar

import pytest
from structlog.testing import capture_logs

from leadyard.model import (
    LinkedInSearch,
    PostCommenters,
    Profile,
    SalesNavigatorEntry,
    SalesNavigatorList,
    SearchQuery,
)
from leadyard.provider.client import ROW_HEADER, ProspectPage, Provider
from leadyard.provider.connection import MAX_ANSWER_BYTES
from leadyard.provider.limits import MAX_CURSOR_LENGTH
from leadyard.provider.trouble import PermanentProviderTrouble, ProviderTrouble, TemporaryProviderTrouble
from leadyard.retry_after import retry_after_s
from rig.providers import TOKEN, answer, example_provider, made_up, raw_provider

R = TypeVar("R")
EMPTY = '{"prospects": [], "nextCursor": null, "total": 0}'
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def search(provider: Provider, cursor: str | None = None, limit: int = 100, **changes: Any) -> ProspectPage:
    known: dict[str, Any] = {
        "account_group_id": "a" * 24,
        "job_id": "b" * 24,
        "query": LinkedInSearch("https://www.linkedin.com/search/results/people/?keywords=cto"),
    }
    return await provider.search(**{**known, **changes}, cursor=cursor, limit=limit)


def ask(url: str, work: Callable[[Provider], Awaitable[R]], *, timeout_s: float = 5, token: str | None = TOKEN) -> R:
    """Runs one piece of work with a new provider."""

    async def run() -> R:
        provider = Provider(url, token, timeout_s=timeout_s)
        try:
            return await work(provider)
        finally:
            await provider.close()

    return asyncio.run(run())


def trouble_with(url: str, *, timeout_s: float = 5, limit: int = 100, cursor: str | None = None) -> ProviderTrouble:
    """Returns the failure of a search. Neither it nor the log contains a secret."""

    async def work(provider: Provider) -> ProviderTrouble:
        with pytest.raises(ProviderTrouble) as met:
            await search(provider, cursor, limit)
        return met.value

    with capture_logs() as logged:
        trouble = ask(url, work, timeout_s=timeout_s)
    assert [line["code"] for line in logged if line["event"] == "provider_trouble"] == [trouble.code]
    told = f"{trouble.message} {trouble} {logged} {trouble.__cause__!r}"
    assert TOKEN not in told
    assert trouble.message.startswith("The prospect provider")
    assert trouble.message.endswith((".", "!", "…"))
    assert len(trouble.message) < 400
    return trouble


def trouble_with_bytes(sent: bytes, **how: Any) -> ProviderTrouble:
    """The same with a provider that answers with these bytes."""

    async def run() -> ProviderTrouble:
        async with raw_provider(sent) as raw:
            return await asyncio.to_thread(trouble_with, raw.url, **how)

    return asyncio.run(run())


def is_temporary(trouble: ProviderTrouble, code: str) -> bool:
    return isinstance(trouble, TemporaryProviderTrouble) and trouble.code == code


def is_permanent(trouble: ProviderTrouble, code: str) -> bool:
    return isinstance(trouble, PermanentProviderTrouble) and trouble.code == code


# ------------------------------------------------------------------------------------------------------ right answers


def test_a_search_is_walked_page_by_page_and_a_page_can_be_asked_for_again() -> None:
    async def walk(provider: Provider) -> list[ProspectPage]:
        pages = [await search(provider, limit=100)]
        while pages[-1].next_cursor is not None:
            pages.append(await search(provider, pages[-1].next_cursor, 1_000))
        assert await search(provider, pages[0].next_cursor) == pages[1]
        return pages

    with example_provider(made_up(250)) as url:
        pages = ask(f"{url}/", walk)

    assert [len(page.profiles) for page in pages] == [100, 100, 50]
    assert [page.total for page in pages] == [250] * 3
    profiles = [profile for page in pages for profile in page.profiles]
    assert [profile.provider_id for profile in profiles] == [f"p-{n}" for n in range(250)]
    assert profiles[2] == Profile(
        first_name="Ada 2",
        linkedin_url="https://www.linkedin.com/in/ada-2",
        email="ada-2@example.com",
        company_name="Engines",
        provider_id="p-2",
        custom_fields={"Number": "2"},
    )
    row = dict(zip(ROW_HEADER, pages[0].raw_rows[2], strict=True))
    assert (row["firstName"], row["company.name"], row["customFields"]) == ("Ada 2", "Engines", '{"Number": "2"}')
    assert not any(page.rejected for page in pages)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (SalesNavigatorList(lead_list_id="people-first-half"), 5),
        (SalesNavigatorList(saved_search_id="people-every-second"), 5),
        (LinkedInSearch("https://www.linkedin.com/search/results/people/?x"), 10),
        (PostCommenters("https://www.linkedin.com/feed/update/urn:li:activity:1"), 10),
    ],
)
def test_every_way_to_search(query: SearchQuery, count: int) -> None:
    with example_provider(made_up(10)) as url:
        page = ask(url, lambda it: search(it, query=query))
    assert len(page.profiles) == count


def test_what_is_sent_is_what_the_protocol_says() -> None:
    async def run() -> tuple[list[str], list[str]]:
        async with raw_provider(answer(EMPTY)) as raw:
            provider = Provider(f"{raw.url}/under/", TOKEN)
            await search(provider, "c", 7, traceparent=TRACEPARENT)
            await search(provider)
            await provider.close()
            return raw.asked[0].splitlines(), raw.asked[1].splitlines()

    first, second = asyncio.run(run())
    assert first[0] == "POST /under/v1/search HTTP/1.1"
    headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in first[1:-2]}
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["traceparent"] == TRACEPARENT
    assert headers["accept-encoding"] == "identity"
    assert headers["content-type"] == "application/json"
    assert json.loads(first[-1]) == {
        "type": "linkedin_search",
        "searchUrl": "https://www.linkedin.com/search/results/people/?keywords=cto",
        "cursor": "c",
        "limit": 7,
        "accountGroupId": "a" * 24,
        "jobId": "b" * 24,
    }
    assert not any(line.lower().startswith("traceparent") for line in second)
    assert json.loads(second[-1])["cursor"] is None


def test_emails_of_those_who_are_known() -> None:
    people = {
        "by id": Profile(provider_id="p-2"),
        "by url": Profile(linkedin_url="https://de.linkedin.com/in/Ada-4/", public_identifier="ada-4"),
        "without": Profile(provider_id="p-3"),
        "unknown": Profile(name="Nobody"),
    }

    async def work(provider: Provider) -> dict[str, str]:
        searched = await search(provider)
        assert {profile.email for profile in searched.profiles} == {None}
        return dict(await provider.find_emails(account_group_id="a", job_id="b", prospects=people))

    with example_provider(made_up(10), withhold_emails=True) as url:
        assert ask(url, work) == {"by id": "ada-2@example.com", "by url": "ada-4@example.com"}


@pytest.mark.parametrize("count", [0, 101])
def test_emails_of_nobody_or_too_many_are_not_asked_for(count: int) -> None:
    people = {str(n): Profile(name="Ada") for n in range(count)}
    with pytest.raises(ValueError, match=str(count)):
        ask("http://127.0.0.1:1", lambda it: it.find_emails(account_group_id="a", job_id="b", prospects=people))


def test_lead_lists_and_saved_searches() -> None:
    async def work(provider: Provider) -> None:
        first = await provider.list_lead_lists(account_group_id="a", cursor=None, limit=2)
        rest = await provider.list_lead_lists(account_group_id="a", cursor=first.next_key, limit=2)
        assert [len(first.items), len(rest.items), rest.next_key] == [2, 1, None]
        assert first.items[0] == SalesNavigatorEntry(id="people-all", name="people: everybody", lead_count=10)
        searches = await provider.list_saved_searches(account_group_id="a", cursor=None, limit=200)
        assert [each.id for each in searches.items] == ["people-every-second", "people-first-ten"]

    with example_provider(made_up(10)) as url:
        ask(url, work)


def test_a_wrong_token_is_refused_and_not_told() -> None:
    with example_provider(made_up(1), token="another") as url:
        trouble = trouble_with(url)
    assert is_permanent(trouble, "PROVIDER_REFUSED")
    assert trouble.message == (
        "The prospect provider refused the request: Send the header 'Authorization: Bearer <token>'."
    )


# ----------------------------------------------------------------------------------- the failures of the example


@pytest.mark.parametrize(
    ("fail", "kind", "code"),
    [
        ("500", TemporaryProviderTrouble, "PROVIDER_ERROR"),
        ("429", TemporaryProviderTrouble, "PROVIDER_RATE_LIMITED"),
        ("timeout", TemporaryProviderTrouble, "PROVIDER_TIMEOUT"),
        ("drop", TemporaryProviderTrouble, "PROVIDER_UNREACHABLE"),
        ("garbage", TemporaryProviderTrouble, "PROVIDER_GARBAGE"),
        ("huge-page", PermanentProviderTrouble, "PROVIDER_ANSWER_TOO_LARGE"),
    ],
)
def test_a_failure_is_told_apart_soon_and_the_next_request_is_served(
    fail: str, kind: type[ProviderTrouble], code: str
) -> None:
    async def work(provider: Provider) -> ProspectPage:
        started = time.monotonic()
        with pytest.raises(kind) as met:
            await search(provider)
        assert met.value.code == code
        assert time.monotonic() - started < 20
        # The same client, because a connection that was left in the middle of an answer must not be used again.
        return await search(provider)

    with example_provider(made_up(3), f"{fail}:first=1", retry_after="7") as url:
        # Long enough for the request that is served, also if another test has the machine for a second.
        assert len(ask(url, work, timeout_s=2 if fail == "timeout" else 30).profiles) == 3


def test_how_long_to_wait_is_handed_on() -> None:
    with example_provider(made_up(1), "429", retry_after="7") as url:
        trouble = trouble_with(url)
    assert isinstance(trouble, TemporaryProviderTrouble)
    assert trouble.retry_after_s == 7


def test_a_page_whose_cursor_leads_back_to_it_is_handed_on_for_its_people() -> None:
    async def work(provider: Provider) -> None:
        first = await search(provider)
        assert first.next_cursor is not None
        second = await search(provider, first.next_cursor)
        assert second.next_cursor == first.next_cursor
        assert second.profiles

    with example_provider(made_up(3), "repeat-cursor") as url:
        ask(url, work)


def test_people_without_identity_are_handed_on_for_the_operations_to_reject() -> None:
    with example_provider(made_up(3), "no-identity") as url:
        page = ask(url, search)
    assert [(p.first_name, p.linkedin_url, p.email, p.provider_id) for p in page.profiles] == [
        (f"Ada {n}", None, None, None) for n in range(3)
    ]


def test_a_share_of_failures_is_the_same_for_the_same_seed() -> None:
    async def work(provider: Provider) -> str:
        outcomes = ""
        for _ in range(30):
            try:
                await search(provider, limit=1)
                outcomes += "."
            except TemporaryProviderTrouble:
                outcomes += "x"
        return outcomes

    seen = []
    for seed in (5, 5, 6):
        with example_provider(made_up(1), "500:0.4", seed=seed) as url:
            seen.append(ask(url, work))
    assert seen[0] == seen[1] != seen[2]
    assert 3 < seen[0].count("x") < 25


# --------------------------------------------------------------------------------------------- bounded time and memory


def test_ten_megabytes_are_never_in_memory() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b'{"x": "')
        while True:
            writer.write(_PIECE)
            await writer.drain()

    async def run() -> int:
        async with raw_provider(endless) as raw:
            provider = Provider(raw.url, TOKEN, timeout_s=60)
            tracemalloc.start()
            with pytest.raises(PermanentProviderTrouble, match="PROVIDER_ANSWER_TOO_LARGE"):
                await search(provider)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            await provider.close()
            return peak

    assert asyncio.run(run()) < 3 * MAX_ANSWER_BYTES


_PIECE = b"x" * 65_536


def test_an_announced_size_is_believed_without_reading() -> None:
    async def announced(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(60)

    async def run() -> ProviderTrouble:
        async with raw_provider(announced) as raw:
            return await asyncio.to_thread(trouble_with, raw.url, timeout_s=30)

    assert is_permanent(asyncio.run(run()), "PROVIDER_ANSWER_TOO_LARGE")


def test_an_answer_of_just_the_limit_is_read() -> None:
    body = EMPTY[:-1] + ', "x": "' + "y" * (MAX_ANSWER_BYTES - len(EMPTY) - 9) + '"}'
    assert len(body) == MAX_ANSWER_BYTES

    async def run(body: str) -> ProspectPage:
        async with raw_provider(answer(body)) as raw:
            provider = Provider(raw.url, None)
            try:
                return await search(provider)
            finally:
                await provider.close()

    assert asyncio.run(run(body)).profiles == ()
    with pytest.raises(PermanentProviderTrouble):
        asyncio.run(run(body + " "))


def test_an_answer_that_drips_is_given_up_when_the_time_is_over() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def run() -> ProviderTrouble:
        async with raw_provider(drip) as raw:
            return await asyncio.to_thread(trouble_with, raw.url, timeout_s=0.4)

    started = time.monotonic()
    trouble = asyncio.run(run())
    assert is_temporary(trouble, "PROVIDER_TIMEOUT")
    assert trouble.message == "The prospect provider did not answer within 0.4 s."
    assert time.monotonic() - started < 20


def test_a_bomb_of_brackets_is_not_parsed() -> None:
    body = b'{"prospects": [' + b"[]," * 1_500_000 + b'[]], "nextCursor": null}'
    assert len(body) < MAX_ANSWER_BYTES
    assert is_temporary(trouble_with_bytes(answer(body)), "PROVIDER_GARBAGE")


# --------------------------------------------------------------------------------------------------------- odd answers


@pytest.mark.parametrize(
    "sent",
    [
        answer("<html>Welcome</html>", content_type="text/html"),
        answer(EMPTY, content_type="text/plain"),
        answer(gzip.compress(EMPTY.encode()), "200 OK", "Content-Encoding: gzip"),
        answer(""),
        answer("null"),
        answer("[]"),
        answer("{}"),
        answer('{"prospects": [], "total": 0}'),
        answer('{"prospects": [], "nextcursor": "x"}'),
        answer('{"prospects": {}, "nextCursor": null}'),
        answer('{"prospects": [], "nextCursor": 7}'),
        answer('{"prospects": [], "nextCursor": null, "total": "many"}'),
        answer('{"prospects": [], "nextCursor": null, "total": -1}'),
        answer('{"prospects": [], "nextCursor": null, "total": NaN}'),
        answer(b'{"prospects": [], "nextCursor": "\xff"}'),
        answer("[" * 50_000),
        answer(EMPTY, "204 No Content").partition(b'{"')[0].replace(b"Content-Length: 49\r\n", b""),
        answer(EMPTY, "201 Created"),
    ],
    ids=range(18),
)
def test_an_answer_that_cannot_be_read_may_be_better_next_time(sent: bytes) -> None:
    assert is_temporary(trouble_with_bytes(sent), "PROVIDER_GARBAGE")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500_000,
    ],
    ids=["nothing", "no HTTP", "half", "endless header"],
)
def test_a_broken_connection_may_hold_next_time(sent: bytes) -> None:
    assert is_temporary(trouble_with_bytes(sent), "PROVIDER_UNREACHABLE")


def test_nobody_listens() -> None:
    assert is_temporary(trouble_with("http://127.0.0.1:1"), "PROVIDER_UNREACHABLE")
    assert is_temporary(trouble_with("http://no-such-host.invalid"), "PROVIDER_UNREACHABLE")


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_statuses_to_try_again_after(status: int) -> None:
    trouble = trouble_with_bytes(answer("{}", f"{status} X", "Retry-After: 12"))
    assert is_temporary(trouble, "PROVIDER_ERROR")
    assert isinstance(trouble, TemporaryProviderTrouble)
    assert trouble.retry_after_s == 12
    assert str(status) in trouble.message


def test_an_error_with_a_huge_body_is_still_that_error() -> None:
    body = "x" * (MAX_ANSWER_BYTES * 2)
    assert is_temporary(trouble_with_bytes(answer(body, "503 X")), "PROVIDER_ERROR")
    assert is_permanent(trouble_with_bytes(answer(body, "403 X")), "PROVIDER_REFUSED")


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 422, 451])
def test_statuses_that_stay(status: int) -> None:
    trouble = trouble_with_bytes(answer("no", f"{status} X"))
    assert is_permanent(trouble, "PROVIDER_REFUSED")
    assert trouble.message == f"The prospect provider refused the request with status {status}."


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Your plan has no searches left", "Your plan has no searches left."),
        ("One\r\n2026 ERROR fake\x1b[31m line\u202e", "One 2026 ERROR fake [31m line."),
        (f"Wrong token {TOKEN}!", "Wrong token ***!"),
        ("x" * 5_000, "x" * 299 + "…"),
        ("x" * 290 + TOKEN, "x" * 290 + "***."),
        ("\ud800", "with status 400."),
        (7, "with status 400."),
    ],
)
def test_what_a_provider_says_is_shown_on_one_short_line_without_the_token(message: object, shown: str) -> None:
    body = json.dumps({"error": {"code": "X", "message": message}})
    trouble = trouble_with_bytes(answer(body, "400 X"))
    assert trouble.message.removeprefix("The prospect provider refused the request").lstrip(": ") == shown


@pytest.mark.parametrize("body", ['{"error": "x"}', '{"error": null}', "[]", "null", '{"error": {}}', "\x00"])
def test_a_refusal_of_another_shape_is_a_refusal(body: str) -> None:
    assert is_permanent(trouble_with_bytes(answer(body, "400 X")), "PROVIDER_REFUSED")


def test_a_redirect_is_not_followed() -> None:
    async def run() -> tuple[ProviderTrouble, int]:
        async with raw_provider(answer(EMPTY)) as target:
            moved = answer("", "307 X", f"Location: {target.url}/v1/search")
            async with raw_provider(moved) as raw:
                return await asyncio.to_thread(trouble_with, raw.url), len(target.asked)

    trouble, requests = asyncio.run(run())
    assert is_permanent(trouble, "PROVIDER_REFUSED")
    assert requests == 0


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with example_provider(made_up(1)) as url:
        assert len(ask(url, search).profiles) == 1


def test_a_cookie_is_not_sent_back() -> None:
    async def run() -> list[str]:
        async with raw_provider(answer(EMPTY, "200 OK", "Set-Cookie: who=first; Path=/")) as raw:
            provider = Provider(raw.url, TOKEN)
            await search(provider)
            await search(provider)
            await provider.close()
            return raw.asked

    assert not any("who=first" in each for each in asyncio.run(run()))


# ---------------------------------------------------------------------------------------------- against the protocol


def prospects(*found: Any, cursor: str | None = None) -> bytes:
    return answer(json.dumps({"prospects": list(found), "nextCursor": cursor, "total": None}))


def test_more_prospects_than_asked_for_are_refused_not_cut() -> None:
    two = prospects({"email": "a@example.com"}, {"email": "b@example.com"})
    trouble = trouble_with_bytes(two, limit=1)
    assert is_permanent(trouble, "PROVIDER_GARBAGE")
    assert "2 entries where at most 1" in trouble.message


@pytest.mark.parametrize("cursor", ["", "x" * (MAX_CURSOR_LENGTH + 1), "a b", "é", "a\n"])
def test_a_cursor_that_cannot_be_kept(cursor: str) -> None:
    assert is_permanent(trouble_with_bytes(prospects({}, cursor=cursor)), "PROVIDER_GARBAGE")


def test_an_empty_page_that_says_more_follow() -> None:
    assert is_permanent(trouble_with_bytes(prospects(cursor="more")), "PROVIDER_GARBAGE")


def test_one_malformed_prospect_does_not_spoil_the_page() -> None:
    found = [
        {"firstName": "Ada", "email": "ada@example.com", "somethingElse": [1], "company": None, "customFields": None},
        {"firstName": "Bob", "email": 7},
        "Cy",
        None,
        {"company": "Engines"},
        {"customFields": {"secret-key": 1}},
        {"about": "x" * 20_000, "phone": []},
        {"customFields": {"a": "1", "b": None}, "company": {"name": "Engines"}},
    ]

    async def run() -> ProspectPage:
        async with raw_provider(prospects(*found, cursor="x" * MAX_CURSOR_LENGTH)) as raw:
            provider = Provider(raw.url, TOKEN)
            page = await search(provider)
            await provider.close()
            return page

    page = asyncio.run(run())
    assert page.profiles == (
        Profile(first_name="Ada", email="ada@example.com"),
        Profile(company_name="Engines", custom_fields={"a": "1"}),
    )
    assert len(page.raw_rows) == 2
    assert {row.code for row in page.rejected} == {"MALFORMED_PROSPECT"}
    assert [row.message for row in page.rejected] == [
        "email must be text.",
        "A prospect must be an object.",
        "A prospect must be an object.",
        "company must be an object.",
        "customFields.secret-key must be text.",
        "phone must be text.",
    ]
    for row in page.rejected:
        assert len(row.cells) == len(ROW_HEADER)
        assert all(len(cell) <= 10_000 for cell in row.cells)
    assert "Bob" in page.rejected[0].cells
    assert page.rejected[1].cells[0] == "Cy"
    assert "Engines" in page.rejected[3].cells


@pytest.mark.parametrize(
    "results",
    [
        [{"key": "stranger", "email": "a@example.com"}],
        [{"key": "k", "email": "a@example.com"}, {"key": "k", "email": "b@example.com"}],
    ],
)
def test_emails_for_keys_nobody_asked_about(results: list[dict[str, str]]) -> None:
    async def run() -> None:
        async with raw_provider(answer(json.dumps({"results": results}))) as raw:
            provider = Provider(raw.url, TOKEN)
            with pytest.raises(PermanentProviderTrouble, match="PROVIDER_GARBAGE"):
                await provider.find_emails(account_group_id="a", job_id="b", prospects={"k": Profile(name="Ada")})
            await provider.close()

    asyncio.run(run())


# ---------------------------------------------------------------------------------------------------------- Retry-After


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), ("", None), ("0", 0), ("12", 12), (" 12 ", 12), ("3600", 3600), ("3601", 3600),
        ("1000000000", 3600), ("9" * 10_000, 3600), ("-1", None), ("1e9", None), ("1.5", None), ("soon", None),
        ("٣", None), ("Mon, 99 Foo 2026 00:00:00 GMT", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600), ("Wed, 21 Oct 2015 07:28:00 -0000", 0), ("x" * 100_000, None),
    ],
)  # fmt: skip
def test_retry_after(value: str | None, seconds: int | None) -> None:
    assert retry_after_s(value) == seconds


def test_retry_after_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    assert retry_after_s(format_datetime(moment, usegmt=True)) in range(97, 102)


# -------------------------------------------------------------------------------------------------------------- secrets


def test_the_token_is_in_no_log_not_even_of_the_libraries(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), example_provider(made_up(1), "500:first=1") as url, capture_logs() as logged:
        trouble_with(url)
        ask(url, search)
    assert TOKEN not in caplog.text + repr(logged)
