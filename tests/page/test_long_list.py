"""A list that is too long to be read: jumps, a selection of all, and its transfer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from benchmarks.suite.filling import Filler
from rig.browser import Seen
from rig.long_list import jump_to, memory_of_tab_mb, scroll, wait_for_rows
from rig.racing import TORTURE
from rig.service import Tenant
from tests.page.people_lists import count_of, new_list

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(900)]

LONG = 1_000_000 if TORTURE else 100_000


@pytest.fixture
def long_list(page_tenant: Tenant) -> str:
    """Filled before the browser starts, because that needs the event loop."""
    list_id = page_tenant.create_audience("Everybody")
    with Filler(page_tenant) as filler:
        filler.add_leads(LONG, lambda: None)
        filler.add_members(list_id, LONG, lambda: None)
    return list_id


@pytest.fixture
def long_window(long_list: str, page_tenant: Tenant, new_window: Callable[..., Seen]) -> Iterator[Seen]:
    """A window that shows the long list."""
    seen = new_window()
    seen.sign_in(page_tenant.key)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{long_list}")
    seen.rows().first.wait_for()
    yield seen


@pytest.mark.torture
def test_a_long_list_from_end_to_end(long_window: Seen, long_list: str, page_tenant: Tenant) -> None:
    page = long_window.page
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/prospects?" in request.url else None)
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("End")
    expect(page.locator(f"#row-{LONG - 1}")).to_contain_text(f"person-{LONG - 1}@example.com", timeout=30_000)
    jump_to(page, 0.5)
    expect(page.locator(f"#row-{LONG // 2}")).to_contain_text(f"person-{LONG // 2}@example.com")
    page.keyboard.press("Home")
    expect(page.locator("#row-0")).to_contain_text("person-0@example.com")
    # At most a jump of 100,000 rows for each request, and two pages for each place.
    assert len(requests) <= LONG // 100_000 + 8
    # The torture has the machine for itself, so it may measure frames.
    drawn = [scroll(page).frames for _ in range(4 if TORTURE else 1)]
    wait_for_rows(page)
    assert page.locator(".body .row").count() < 80
    assert max(drawn) >= (50 if TORTURE else 1)
    private_mb, _ = memory_of_tab_mb(long_window.browser)
    assert private_mb <= 150

    target = new_list(page_tenant, "All of them")
    page.get_by_role("button", name=f"Select all {LONG:,}").click()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("all of")
    # The list was made a moment ago, and an event reports it to the page.
    page.get_by_role("option", name="All of them").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"Move {LONG:,} people").click(timeout=60_000)
    long_window.notice(f"Moved {LONG:,} people", within_ms=600_000)
    assert (count_of(page_tenant, long_list), count_of(page_tenant, target)) == (0, LONG)


def test_a_jump_into_a_list_that_has_become_shorter(seen: Seen, page_tenant: Tenant) -> None:
    """The page finds the new end by itself, without a place that stays empty."""
    list_id = new_list(page_tenant, "Shrinking", 3_000)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{list_id}")
    seen.rows().first.wait_for()
    page = seen.page
    # Without events, so that the page still believes in the old number.
    page.route("**/events", lambda route: route.abort())
    people = page_tenant.walk(f"/audiences/{list_id}/prospects")
    page_tenant.remove(list_id, [person["id"] for person in people[700:]]).raise_for_status()
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "701")
    page.keyboard.press("End")
    expect(page.locator("#row-699")).to_contain_text("Person 0700")


def test_a_jump_is_few_requests(seen: Seen, page_tenant: Tenant) -> None:
    list_id = new_list(page_tenant, "Jumping", 3_000)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{list_id}")
    seen.rows().first.wait_for()
    page = seen.page
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/prospects?" in request.url else None)
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("End")
    expect(page.locator("#row-2999")).to_contain_text("Person 3000")
    jump_to(page, 0.5)
    expect(page.locator("#row-1500")).to_contain_text("Person 1501")
    page.keyboard.press("Home")
    expect(page.locator("#row-0")).to_contain_text("Person 0001")
    assert len(requests) <= 4
    # A selection across all of it is complete and exact.
    page.keyboard.press("Space")
    page.keyboard.press("Shift+End")
    expect(page.get_by_text("3,000 selected")).to_be_visible()
