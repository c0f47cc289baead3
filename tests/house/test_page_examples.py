"""The pages of the API show requests and their responses. Each is sent here, by curl and by Python, and compared."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from leadyard.database import Database
from leadyard.example_provider.people import read_people
from leadyard.model import AudienceType, Caller, Profile
from leadyard.operations.audiences import create_audience
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.people.checking import check_profiles
from rig.providers import example_provider
from rig.service import Service, Tenant, make_tenant, on_shared_database
from tests.house.page_examples import (
    DOCUMENTED_URL,
    Answer,
    Comparison,
    Example,
    Runner,
    Session,
    read_sessions,
)

ROOT = Path(__file__).parents[2]
PROSPECTS = ROOT / "docs" / "prospects.md"
GROUP = "/v1/accounts/{accountGroupId}"
PAGES = (
    "README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "api",
            "audiences",
            "prospects",
            "prospecting",
            "move",
            "transfers",
            "changes",
            "events",
            "webhooks",
            "duplicates",
            "privacy",
            "providers",
            "howto/keep-two-lists-apart",
            "howto/receive-webhooks",
        )
    ),
)
PROVIDER_URL = "http://127.0.0.1:9000"
PROVIDER_TOKEN = "hush"
LANGUAGES = ("bash", "python")
# Every service of the tests has these.
USUAL_SETTINGS = {"LEADYARD_RATE_LIMITS": "off", "LEADYARD_WORKER_IN_SERVE": "off"}
# `LEADYARD_UPDATE_EXAMPLES=1 script/test tests/house/test_page_examples.py` writes what came back into the pages.
UPDATES = os.environ.get("LEADYARD_UPDATE_EXAMPLES") == "1"

LEADS = [
    Profile(first_name=first, last_name=last, email=f"{first.lower()}@example.com", company_name=company)
    for first, last, company in (
        ("Ada", "Lovelace", "Engines"),
        ("Grace", "Hopper", "Navy"),
        ("Katherine", "Johnson", "NASA"),
    )
]
PEOPLE = ROOT / "examples" / "people.csv"


def examples_of(page: str) -> list[Session]:
    return read_sessions((ROOT / page).read_text())


def setup() -> Example:
    """Returns the first example of docs/api.md: what every other one builds on."""
    return examples_of("docs/api.md")[0].examples[0]


def is_example(page: str, example: Example) -> bool:
    """The README's other blocks are run by test_docs.py; a block without a response is run for its effect."""
    return page != "README.md" or bool(example.kind)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page(
    page: str, service: Service, new_service: Callable[..., Service], tmp_path: Path
) -> None:
    comparisons = {language: Comparison() for language in LANGUAGES}
    changed: list[tuple[Example, str]] = []
    for session in examples_of(page):
        with started(session, service, new_service) as (of_session, provider_url):
            for language, comparison in comparisons.items():
                folder = tmp_path / language
                shutil.copytree(PEOPLE.parent, folder / "examples", dirs_exist_ok=True)
                with Runner(language, setup=setup(), folder=folder, **for_tenant(of_session, provider_url)) as runner:
                    changed += differences(page, session, runner, comparison)
    if UPDATES:
        write(ROOT / page, changed)
    else:
        assert not changed, "\n".join(f"{page} shows\n{each.response}\nbut now it is\n{text}" for each, text in changed)


def differences(page: str, session: Session, runner: Runner, comparison: Comparison) -> Iterator[tuple[Example, str]]:
    """Runs the examples of a session. Yields those whose response has changed, with what the page should show."""
    for example in session.examples:
        if is_example(page, example) and (answer := runner.run(example)) is not None and example.kind:
            text = comparison.as_shown(example, answer)
            if text != example.response:
                yield example, text


def write(page: Path, changed: list[tuple[Example, str]]) -> None:
    """Writes the responses into the page, the last one first, so that the places of the others stay. A response that
    differs in both languages is written once."""
    text = page.read_text()
    responses = {example.at: response for example, response in changed}
    for start, end in sorted(responses, reverse=True):
        text = text[:start] + responses[start, end] + text[end:]
    page.write_text(text)


@contextmanager
def started(session: Session, shared: Service, new_service: Callable[..., Service]) -> Iterator[tuple[Service, str]]:
    """The service with the session's settings, or the one that most tests share; and the URL of its provider."""
    settings = {name: value for name, value in session.settings.items() if USUAL_SETTINGS.get(name) != value}
    if settings.get("LEADYARD_PROVIDER_URL") != PROVIDER_URL:
        yield new_service(**settings) if settings else shared, PROVIDER_URL
        return
    with example_provider(read_people(PEOPLE), token=PROVIDER_TOKEN) as url:
        own = {"LEADYARD_PROVIDER_URL": url, "LEADYARD_PROVIDER_TOKEN": PROVIDER_TOKEN}
        yield new_service(**{**settings, **own}), url


def for_tenant(service: Service, provider_url: str) -> dict[str, dict[str, str]]:
    """Returns the data of a new account group that a runner needs: URLs that the pages show, and the variables."""
    tenant = make_tenant(service, "Acme")
    tenant.client.close()
    urls = {DOCUMENTED_URL: service.base_url, PROVIDER_URL: provider_url}
    return {"urls": urls, "variables": variables(tenant)}


def variables(tenant: Tenant) -> dict[str, str]:
    """Returns what the examples can use: see "Set up your session" in docs/api.md."""
    ids = on_shared_database(tenant.service.database_url, partial(two_audiences, tenant.account_group_id))
    server = {"ACCOUNT_GROUP": tenant.account_group_id, "LEADYARD_DATABASE_URL": tenant.service.database_url}
    return {**server, "KEY": tenant.key, "LEAD": ids["ADA"], **ids}


async def two_audiences(account_group_id: str, db: Database) -> dict[str, str]:
    """Makes the audiences and leads that every example can use, without HTTP, so that no quota is used up."""
    operator = Caller.operator(account_group_id)
    ids = {}
    for variable, name, profiles in (("SOURCE", "Spring campaign", LEADS), ("TARGET", "Customers", LEADS[2:])):
        audience = await create_audience(db, operator, name=name, type=AudienceType.ON_DEMAND, description=None)
        await add_prospects(db, operator, audience_id=audience.id, checked=check_profiles(profiles))
        ids[variable] = audience.id
    page = await list_prospects(db, operator, audience_id=ids["SOURCE"], after=None, limit=3)
    return ids | {str(member.lead.profile.first_name).upper(): member.lead.id for member in page.items}


@pytest.mark.parametrize("page", PAGES)
def test_every_response_has_a_request_in_curl_and_in_python(page: str) -> None:
    examples = [each for session in examples_of(page) for each in session.examples if each.kind]
    assert examples
    for example in examples:
        assert set(example.code) == {"bash", "python"}, f"{page}: {example.code}"


def test_every_path_of_the_api_is_on_a_page() -> None:
    pages = "".join((ROOT / page).read_text() for page in PAGES)
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]
    assert len(paths) > 20
    for path in paths:
        below = re.escape(path.removeprefix(GROUP)).replace("\\{", "{").replace("\\}", "}")
        pattern = ("(?:[{]g[}]|[$]BASE)" if path.startswith(GROUP) else "") + re.sub(r"{\w+}", r"[^/\\s`\"?]+", below)
        assert re.search(rf"{pattern}(?![\w/.-])", pages), f"no page shows {path}"


def test_the_longest_values_of_a_prospect(tenant: Tenant) -> None:
    """The table of docs/prospects.md, against the real service."""
    cells = [line.split("|")[1:-1] for line in PROSPECTS.read_text().splitlines() if line.startswith("| `")]
    limits = {
        name: int(re.sub(r"\D", "", limit))
        for row in cells
        if len(row) == 4
        for names, limit in (row[:2], row[2:])
        if "customFields" not in names
        for name in re.findall(r"`([\w.]+)`", names)
    }
    assert len(limits) == 18
    audience = tenant.create_audience()
    for more, expected in ((0, set()), (1, set(limits))):
        people = [prospect_with(name, "x" * (limit + more)) for name, limit in limits.items()]
        answer = tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people}).json()
        too_long = {each["index"] for each in answer["data"]["rejected"] if each["code"] == "VALUE_TOO_LONG"}
        assert {list(limits)[index] for index in too_long} == expected


def prospect_with(name: str, value: str) -> dict[str, object]:
    outer, _, inner = name.partition(".")
    return {outer: {inner: value} if inner else value}


# ------------------------------------------------------------------------------------------- what would be noticed


ID, OTHER_ID, TRACE_ID = "a" * 24, "b" * 24, "c" * 32


def body(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False)


def shown_after(response: str, answer: Answer, comparison: Comparison | None = None, kind: str = "json") -> str:
    return (comparison or Comparison()).as_shown(Example(code={}, kind=kind, response=response), answer)


def test_ids_times_and_trace_ids_may_differ() -> None:
    shown = body(id=ID, at="2026-01-01T00:00:00.000Z", traceId=TRACE_ID)
    now = body(id=OTHER_ID, at="2027-02-02T00:00:00.001Z", traceId="d" * 32)
    assert shown_after(shown, Answer(body=now)) == shown


@pytest.mark.parametrize(
    ("shown", "now"),
    [
        ('{"count": 1}', '{"count": 2}'),
        ('{"count": 1}', '{"count": 1.0}'),
        ('{"message": "Wait."}', '{"message": "Go."}'),
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ('{"a": 1, "b": 2, "…": "…"}', '{"a": 1, "c": 2}'),
        ('{"items": [{"a": 1}, "…"]}', '{"items": [{"a": 2}, {"a": 1}]}'),
        ('{"nextCursor": null}', '{"nextCursor": "x"}'),
        (body(id=ID), '{"id": "x"}'),
    ],
)
def test_a_changed_response_would_be_seen(shown: str, now: str) -> None:
    assert shown_after(shown, Answer(body=now)) != shown


def test_what_a_page_leaves_out_is_left_out_again() -> None:
    shown = '{"data": {"items": [{"a": 1, "…": "…"}, "…"], "…": "…"}, "…": "…"}'
    now = '{"data": {"items": [{"a": 1, "b": 2}, {"a": 3}], "hasMore": false}, "error": null}'
    assert shown_after(shown, Answer(body=now)) == shown


def test_a_duration_may_differ_and_stays_a_number() -> None:
    shown = body(durationMs=10)
    assert shown_after(shown, Answer(body=body(durationMs=3))) == shown
    assert shown_after(shown, Answer(body=body(durationMs=None))) != shown


def test_a_written_response_keeps_the_ids_of_the_page() -> None:
    comparison = Comparison()
    shown = body(id=ID, count=1, folderId="d" * 24)
    now = body(id=OTHER_ID, count=2, folderId="e" * 24)
    written = json.loads(shown_after(shown, Answer(body=now), comparison))
    assert written == {"id": ID, "count": 2, "folderId": "d" * 24}
    assert shown_after(body(id=ID), Answer(body=body(id=OTHER_ID)), comparison) == body(id=ID)


def test_an_id_stands_for_one_id_only() -> None:
    comparison = Comparison()
    assert shown_after(body(id=ID), Answer(body=body(id=OTHER_ID)), comparison) == body(id=ID)
    assert shown_after(body(id="e" * 24), Answer(body=body(id=OTHER_ID)), comparison) != body(id="e" * 24)


def test_a_changed_status_or_header_would_be_seen() -> None:
    shown = "HTTP/1.1 200 OK\nAllow: GET\n"
    same = Answer(status="HTTP/1.1 200 OK", headers={"allow": "GET", "date": "now"})
    assert shown_after(shown, same, kind="http") == shown
    for status, allow in (("HTTP/1.1 404 Not Found", "GET"), ("HTTP/1.1 200 OK", "POST")):
        assert shown_after(shown, Answer(status=status, headers={"allow": allow}), kind="http") != shown


@pytest.mark.parametrize("page", ["```json\n{}\n```\n", "```ruby\nputs 1\n```\n", "```\ncurl\n```\n"])
def test_a_block_that_is_not_run_would_be_seen(page: str) -> None:
    with pytest.raises(ValueError, match=r"no request|Nothing is known"):
        read_sessions(page)
