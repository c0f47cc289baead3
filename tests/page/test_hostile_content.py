"""Hostile content in every field that the page shows, and a policy that has nothing to report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rig.answers import data_of
from rig.browser import Seen, open_browser
from rig.service import Service, Tenant, make_tenant
from tests.page.people_lists import new_list

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(240)]

MARKUP = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
HOSTILE = [
    MARKUP,
    "javascript:window.hit=1",
    "=HYPERLINK(1)",
    "\u202eevil\u202c",
    '"><svg onload=window.hit=1>',
    "x" * 180,
    "{{7*7}}${7*7}",
]


def test_hostile_content_is_text_and_nothing_else(seen: Seen, page_tenant: Tenant) -> None:
    name = MARKUP + "‮"
    list_id = new_list(page_tenant, name)
    folder = data_of(
        page_tenant.client.post("/audiences/folders", json={"name": HOSTILE[4], "audienceType": "on_demand"}), 201
    )["id"]
    data_of(page_tenant.client.post(f"/audiences/{list_id}/move-to-folder", json={"folderId": folder}))
    people = [
        {"name": text, "title": text, "location": text, "headline": text, "about": text * 50,
         "company": {"name": text, "industry": text}, "email": f"hostile{number}@example.com",
         "customFields": {f"{text[:90]}{number}": text, "long": "y" * 4_900}}
        for number, text in enumerate(HOSTILE)
    ]  # fmt: skip
    assert (
        data_of(page_tenant.client.post(f"/audiences/{list_id}/prospects", json={"prospects": people}))["rejected"]
        == []
    )
    home = f"/#/g/{page_tenant.account_group_id}"
    seen.open(f"{home}/lists/{list_id}")
    expect(seen.rows()).to_have_count(len(HOSTILE))
    expect(seen.page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
    for number in range(len(HOSTILE)):
        seen.rows().nth(number).locator(".name").click()
        expect(seen.page.get_by_role("tab", name="Fields")).to_be_visible()
        seen.page.keyboard.press("Escape")
    for place in (
        "/history",
        "/duplicates",
        f"/lists/{list_id}?q={MARKUP}",
        "/people?q=hostile",
        f"/people?q={MARKUP}",
    ):
        seen.open(home + place)
        seen.page.locator("#content h1").wait_for()
    assert seen.page.evaluate("window.hit") is None
    assert seen.page.locator("img, #page script").count() == 0


@pytest.fixture
def hostile_tenant(page_service: Service) -> Iterator[Tenant]:
    """An account group with a hostile name. It is made before the browser starts."""
    made = make_tenant(page_service, MARKUP)
    yield made
    made.client.close()


def test_hostile_content_on_its_way_through_the_page(
    hostile_tenant: Tenant, new_window: Callable[..., Seen], tmp_path: Path
) -> None:
    """Typed, dropped, imported, moved, undone, merged: in each field, in each dialog and in each message."""
    target = new_list(hostile_tenant, HOSTILE[4])
    twins = [{"name": MARKUP, "company": {"name": MARKUP}, "email": f"{each}@hostile.example"} for each in ("a", "b")]
    data_of(hostile_tenant.client.post(f"/audiences/{target}/prospects", json={"prospects": twins}))
    hook = {"url": "https://hooks.example/?a=%3Cscript%3E", "types": ["leads.moved"], "description": MARKUP}
    data_of(hostile_tenant.client.post("/webhooks", json=hook), 201)
    header = [f'"{text.replace(chr(34), chr(34) * 2)}"' for text in HOSTILE]
    rows = [",".join(["E-mail", *header])] + [",".join([f"file{n}@hostile.example", *header]) for n in range(3)]
    file = tmp_path / "<img src=x onerror=window.hit=1>.csv"
    file.write_text("\n".join([*rows, ",".join(["not an address", *header])]), encoding="utf-8")

    seen = new_window()
    seen.sign_in(hostile_tenant.key)
    page = seen.page
    expect(page.locator(".group-name")).to_have_text(MARKUP)
    page.get_by_role("button", name="New list").click()
    page.get_by_label("Name").fill(MARKUP)
    page.get_by_label("Description (optional)").fill(MARKUP)
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    seen.notice(f"Created “{MARKUP}”")
    page.get_by_role("link", name="Bring in people").first.click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("rowheader", name=MARKUP)).to_be_visible()
    page.get_by_role("button", name="Import 4 rows").click()
    expect(page.locator(".import-job .tag").first).to_have_text("Done")
    page.get_by_role("link", name="Open list").click()
    expect(seen.rows()).to_have_count(3)
    seen.rows().first.locator(".name").click()
    expect(page.locator(".panel")).to_contain_text(MARKUP)
    page.keyboard.press("Escape")
    page.get_by_label("Select the people in view").check()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("<svg")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move 3 people").click()
    seen.notice(f"Moved 3 people to “{HOSTILE[4]}”").get_by_role("button", name="Undo").click()
    seen.notice("Undone for 3 people")
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Show people").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Webhooks").click()
    expect(page.locator("#content")).to_contain_text(MARKUP)
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator(".jobs li").first).to_contain_text("Done")
    page.get_by_role("link", name="Duplicates").click()
    page.get_by_role("button", name="Merge into").first.click(timeout=30_000)
    page.get_by_role("dialog").get_by_role("button", name="Merge into").click()
    seen.notice(f"Merged into {MARKUP}")
    page.get_by_role("navigation", name="Lists").get_by_role("link", name=MARKUP).first.click()
    expect(page.get_by_role("heading", name=MARKUP, level=1)).to_be_visible()
    assert page.evaluate("window.hit") is None
    assert page.locator("img, #page script, #page iframe, #page [onload], #page [onerror]").count() == 0


def test_a_breach_of_the_policy_would_be_noticed(page_tenant: Tenant) -> None:
    """The other tests require that no window has errors. This is what one would look like."""
    with open_browser() as browser:
        seen = Seen(browser, page_tenant.service.base_url)
        seen.open()
        seen.page.get_by_label("API key").wait_for()
        seen.page.evaluate(
            """() => { try { document.body.innerHTML = "<b>x</b>"; } catch {}
                const image = document.createElement("img");
                image.src = "https://elsewhere.example/x.png"; document.body.append(image); }"""
        )
        seen.page.wait_for_timeout(500)
        assert any(error.startswith("console: policy: ") for error in seen.errors)
