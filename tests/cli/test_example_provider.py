"""`leadyard example-provider` as a real process: a URL on the first line, and the people of a file behind it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from leadyard.example_provider.faults import KINDS, Failures, parse_failure
from leadyard.example_provider.people import read_people
from leadyard.model import LinkedInSearch, Profile
from leadyard.provider.client import Provider
from leadyard.provider.trouble import TemporaryProviderTrouble
from rig.commands import LEGISLATORS, command
from rig.providers import example_provider, made_up
from rig.service import LEADYARD

PEOPLE = "First Name,Last Name,Email,LinkedIn Url,Company,Plan\n" + "".join(
    f"Ada,{n},ada-{n}@example.com,https://linkedin.com/in/Ada-{n}/,Engines,pro\n" for n in range(5)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "spring people.csv"
    made.write_text(PEOPLE)
    return made


@pytest.fixture(scope="module")
def strict() -> Iterator[str]:
    """The URL of an example provider that needs no token."""
    with example_provider(made_up(3), token=None) as url:
        yield url


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yields the process and the first line it prints."""
    process = subprocess.Popen(
        [*LEADYARD, "example-provider", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().rstrip("\n")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_it_serves_the_file_says_where_and_ends_when_told_to(file: Path) -> None:
    async def use(url: str) -> None:
        provider = Provider(url, "hush")
        query = LinkedInSearch("https://www.linkedin.com/search/results/people/")
        known = {"account_group_id": "a", "job_id": "b"}
        with pytest.raises(TemporaryProviderTrouble, match="PROVIDER_ERROR"):
            await provider.search(**known, query=query, cursor=None, limit=2)
        page = await provider.search(**known, query=query, cursor=None, limit=2)
        assert (len(page.profiles), page.total, page.next_cursor) == (2, 5, "from-2")
        assert page.profiles[1] == Profile(
            first_name="Ada",
            last_name="1",
            name="Ada 1",
            linkedin_url="https://linkedin.com/in/Ada-1/",
            company_name="Engines",
            provider_id="spring people-2",
            custom_fields={"Plan": "pro"},
        )
        found = await provider.find_emails(**known, prospects={"x": Profile(public_identifier="ada-1")})
        assert found == {"x": "ada-1@example.com"}
        await provider.close()

    options = ["--token", "hush", "--fail", "500:first=1", "--withhold-emails", "--json"]
    with running(str(file), *options) as (process, first):
        told = json.loads(first)
        assert told["people"] == 5
        asyncio.run(use(told["url"]))
        assert httpx.get(f"{told['url']}/v1/sales-navigator/lead-lists").status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_for_a_person_the_first_line_is_the_url(file: Path) -> None:
    with running(str(file), "--delay-s", "0.01") as (process, first):
        assert first.startswith("http://127.0.0.1:")
        [entry] = httpx.get(f"{first}/v1/sales-navigator/lead-lists?limit=1").json()["items"]
        assert entry == {"id": "spring people-all", "name": "spring people: everybody", "leadCount": 5}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_what_stops_it(tmp_path: Path, file: Path) -> None:
    command("example-provider", str(tmp_path / "none.csv")).refused(1, "There is no file")
    command("example-provider", str(file), "--fail", "502").refused(2, "unknown failure", "repeat-cursor")
    command("example-provider", str(file), "--fail", "500:2").refused(2, "500:0.2")
    command("example-provider", str(file), "--host", "203.0.113.1").refused(2, "203.0.113.1", "cannot be used")
    done = command("example-provider", str(tmp_path / "none.csv"), "--json")
    assert (done.code, done.json()["error"]["code"]) == (1, "UNREADABLE_FILE")
    done = command("example-provider", str(file), "--json", "--no-such-option")
    assert (done.code, done.json()["error"]["code"]) == (2, "WRONG_USAGE")


def test_the_help_names_every_failure() -> None:
    shown = "".join(command("example-provider", "--help").out.split())  # It breaks lines at hyphens, too.
    assert all(kind in shown for kind in KINDS)


@pytest.mark.parametrize(
    "spec", ["", "x", "500:", "500:x", "500:-1", "500:nan", "500:1.1", "500:first=", "500:first=-1"]
)
def test_specs_that_are_none(spec: str) -> None:
    with pytest.raises(ValueError, match=r"failure|must look like"):
        parse_failure(spec)


def test_of_several_failures_the_first_that_is_due_wins() -> None:
    failures = Failures([parse_failure(spec) for spec in ("repeat-cursor", "429:first=2", "500:first=3")], seed=1)
    assert [failures.next(is_search=False) for _ in range(4)] == ["429", "429", "500", None]
    assert failures.next(is_search=True) == "repeat-cursor"


def test_a_file_of_people_whom_nothing_identifies_gets_ids() -> None:
    people = read_people(LEGISLATORS)
    ids = {person["providerId"] for person in people.prospects}
    assert len(ids) == len(people.prospects) == 537
    assert people.find({"providerId": "legislators-current-7"}) is people.prospects[6]
    assert people.find({"providerId": None, "linkedinUrl": 7, "publicIdentifier": []}) is None


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("search", {"type": "csv_upload", "searchUrl": "x", "limit": 1}, 400),
        ("search", {"type": "linkedin_search", "limit": 1}, 400),
        ("search", {"type": "linkedin_search", "searchUrl": "x"}, 400),
        ("search", {"type": "linkedin_search", "searchUrl": "x", "limit": 101}, 400),
        ("search", {"type": "linkedin_search", "searchUrl": "x", "limit": True}, 400),
        ("search", {"type": "linkedin_search", "searchUrl": "x", "limit": 1, "cursor": "from-99"}, 400),
        ("search", {"type": "linkedin_search", "searchUrl": "x", "limit": 1, "cursor": 7}, 400),
        ("search", {"type": "sales_navigator", "leadListId": "none", "limit": 1}, 404),
        ("search", [], 400),
        ("enrich-emails", {"prospects": []}, 400),
        ("enrich-emails", {"prospects": [{}]}, 400),
        ("enrich-emails", {"prospects": [{"key": "k"}] * 101}, 400),
        ("search", {"type": "post_commenters", "postUrl": "x", "limit": 1}, 200),
    ],
)
def test_a_request_against_the_protocol_is_refused(strict: str, path: str, asked: object, status: int) -> None:
    """So that a developer who changes our adapter sees here what another provider would answer."""
    answer = httpx.post(f"{strict}/v1/{path}", json=asked)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert set(answer.json()["error"]) == {"code", "message"}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=x", "cursor=from-3"])
def test_a_wrong_query_is_refused(strict: str, query: str) -> None:
    assert httpx.get(f"{strict}/v1/sales-navigator/lead-lists?{query}").status_code == 400
