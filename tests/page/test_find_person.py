"""Finding a person in any list, with the mouse and with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from leadyard.model import Permission
from rig.answers import data_of
from rig.browser import Seen
from rig.service import Tenant
from tests.page.people_lists import new_list

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(240)]


def bring_in(tenant: Tenant, list_id: str, **person: Any) -> str:
    """Adds a person to a list, and returns the id."""
    data_of(tenant.client.post(f"/audiences/{list_id}/prospects", json={"prospects": [person]}))
    found = data_of(tenant.client.get("/prospects", params={"email": person["email"]}))["items"]
    person_id: str = found[0]["id"]
    return person_id


def test_a_person_in_two_lists_is_found_edited_and_erased(seen: Seen, page_tenant: Tenant) -> None:
    spring, customers = new_list(page_tenant, "Spring", 60), new_list(page_tenant, "Customers")
    ada = {"name": "Ada Lovelace", "email": "ada@engines.example", "title": "Analyst", "company": {"name": "Engines"},
           "linkedinUrl": "https://www.linkedin.com/in/ada"}  # fmt: skip
    for list_id in (spring, customers):
        bring_in(page_tenant, list_id, **ada)
    page = seen.page
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{customers}")
    page.get_by_role("link", name="Find a person").click()
    box = page.get_by_role("searchbox", name="Name, e-mail, company or LinkedIn address")
    expect(box).to_be_focused()
    expect(page.get_by_role("heading", name="Whom are you looking for?")).to_be_visible()
    results = page.get_by_role("list", name="People").get_by_role("listitem")

    box.fill("person")
    expect(results).to_have_count(50)
    expect(page.get_by_role("search").get_by_role("status")).to_have_text("The first 50 people")
    page.get_by_role("button", name="Load more").click()
    expect(results).to_have_count(60)

    box.fill("https://de.linkedin.com/in/Ada/?trk=x")
    expect(results).to_have_count(1)
    box.fill("engines love")
    expect(results).to_have_text("Ada LovelaceAnalyst · EnginesIn the lists: SpringCustomers")
    results.get_by_role("link", name="Ada Lovelace").click()
    panel = page.get_by_role("complementary", name="Ada Lovelace")
    panel.get_by_role("button", name="Edit").click()
    panel.get_by_label("Title", exact=True).fill("Countess")
    panel.get_by_role("button", name="Save").click()
    expect(results).to_contain_text("Countess · Engines")
    panel.get_by_role("tab", name="History").click()
    expect(panel.locator(".changes li")).to_have_count(2)
    panel.get_by_role("tab", name="Fields").click()
    panel.get_by_role("button", name="Erase").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    expect(page.get_by_role("heading", name="No person matches “engines love”.")).to_be_visible()
    assert data_of(page_tenant.client.get("/prospects", params={"q": "lovelace"}))["items"] == []


def test_the_keyboard_finds_a_person_from_everywhere(seen: Seen, page_tenant: Tenant) -> None:
    spring = new_list(page_tenant, "Spring", 3)
    left = bring_in(page_tenant, spring, name="Grace Hopper", email="grace@navy.example")
    data_of(page_tenant.client.post(f"/audiences/{spring}/remove-leads", json={"leadIds": [left]}))
    page, keys = seen.page, seen.page.keyboard
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{spring}")
    page.get_by_role("searchbox", name="Search these people").focus()
    keys.press("Control+k")
    box = page.get_by_role("searchbox", name="Name, e-mail, company or LinkedIn address")
    expect(box).to_be_focused()
    keys.type("example")
    results = page.get_by_role("list", name="People").get_by_role("listitem")
    expect(results).to_have_count(4)
    expect(results.last).to_have_text("Grace HopperIn no list.")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"):
        keys.press(key)
    expect(results.last.get_by_role("link")).to_be_focused()
    keys.press("Enter")
    panel = page.get_by_role("complementary", name="Grace Hopper")
    expect(panel.get_by_role("tab", name="Fields")).to_be_visible()
    keys.press("Escape")
    expect(results.last.get_by_role("link")).to_be_focused()
    keys.press("Control+k")
    expect(box).to_be_focused()
    # The text is selected, so the next word replaces it.
    keys.type("hopper")
    expect(results).to_have_count(1)
    page.go_back()
    expect(panel).to_be_visible()
    expect(box).to_have_value("example")


@pytest.fixture
def key_without_people(page_tenant: Tenant) -> str:
    """A key that may not read people. It is made before the browser starts, like `read_key`."""
    return page_tenant.key_with(Permission.AUDIENCES_READ)


def test_a_key_that_may_not_read_people_is_shown_why(
    key_without_people: str, new_window: Callable[..., Seen], page_tenant: Tenant
) -> None:
    window = new_window()
    window.sign_in(key_without_people)
    window.open(f"/#/g/{page_tenant.account_group_id}/people?q=ada")
    expect(window.page.get_by_text("Your key lacks the permission prospects:read.")).to_be_visible()
