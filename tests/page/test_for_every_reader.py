"""The page at 200 % zoom, for people who prefer less motion, and the place of the keyboard after every act."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from rig.answers import data_of
from rig.browser import Seen
from rig.service import Tenant
from tests.page.people_lists import new_list

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(240)]

# Scrolls each control into view, and finds those that something else covers, and what is wider than the window.
COVERED = """() => {
    const bad = [];
    if (document.documentElement.scrollWidth > innerWidth) bad.push("the page is wider than the window");
    const inside = document.querySelector("dialog[open]") ?? document;
    for (const each of inside.querySelectorAll("a[href], button, input, select, textarea")) {
        if (!each.checkVisibility({visibilityProperty: true}) || each.closest(".visually-hidden, .skip")) continue;
        each.scrollIntoView({block: "center", inline: "center"});
        // A link may take two lines.
        const box = each.getClientRects()[0];
        const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        if (!hit || !(each.contains(hit) || hit.closest("label")?.contains(each))) {
            bad.push(`${each.outerHTML.slice(0, 90)} is behind ${hit?.outerHTML.slice(0, 60)}`);
        }
    }
    return bad;
}"""


def test_at_200_percent_nothing_is_covered(new_window: Callable[..., Seen], page_tenant: Tenant) -> None:
    """A window of 1280 × 800 has 640 × 400 pixels of CSS at 200 %."""
    source = new_list(page_tenant, "A list with a name that does not fit into one line of a small window", 40)
    new_list(page_tenant, "Summer")
    home = f"/#/g/{page_tenant.account_group_id}"
    seen = new_window(width=640, height=400)
    page = seen.page
    page.get_by_label("API key").wait_for()
    bad = {"sign in": page.evaluate(COVERED)}
    seen.sign_in(page_tenant.key)
    for place in ("", f"/lists/{source}", f"/lists/{source}?company=x", "/people?q=person", "/history", "/jobs",
                  "/import", "/duplicates", "/webhooks"):  # fmt: skip
        seen.open(home + place)
        page.locator("h1, .tree a:visible").first.wait_for()
        expect(page.locator(".loading")).to_have_count(0)
        bad[place] = page.evaluate(COVERED)
    seen.open(f"{home}/lists/{source}")
    seen.rows().first.wait_for()
    # Some rows are in view below everything that is above them.
    assert page.locator(".scroller").evaluate("each => each.clientHeight") >= 4 * 36
    page.get_by_label("Select the people in view").check()
    bad["selected"] = page.evaluate(COVERED)
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("summer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="The effect")).to_be_visible()
    bad["move"] = page.evaluate(COVERED)
    page.keyboard.press("Escape")
    seen.rows().first.locator(".name").click()
    page.locator(".panel").get_by_role("button", name="Edit").click()
    bad["edit"] = page.locator(".panel").evaluate(f"() => ({COVERED})().filter((each) => !each.includes('table'))")
    assert {view: found for view, found in bad.items() if found} == {}


@pytest.mark.parametrize("still", [True, False], ids=["less motion", "as usual"])
def test_less_motion(new_window: Callable[..., Seen], page_tenant: Tenant, still: bool) -> None:
    source = new_list(page_tenant, "Moving pictures", 3)
    seen = new_window(still=still)
    # Counts what moves in each frame, from the start.
    seen.page.add_init_script(
        """window.moving = 0; const count = () => { window.moving += document.getAnimations().length;
            requestAnimationFrame(count); }; count();"""
    )
    seen.open()
    seen.sign_in(page_tenant.key)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{source}")
    seen.rows().first.locator(".check").click()
    seen.page.get_by_role("region", name="Select").get_by_role("button", name="Remove").click()
    seen.page.get_by_role("dialog").get_by_role("button", name="Remove 1 person").click()
    seen.notice("Removed 1 person")
    seen.page.wait_for_timeout(300)
    assert (seen.page.evaluate("window.moving") == 0) is still


def _focused(seen: Seen) -> str:
    """Returns the name of the control that has the focus, after the page has come to rest."""
    seen.page.wait_for_timeout(150)
    found: str = seen.page.evaluate(
        """() => { const it = document.activeElement;
            return it.getAttribute("aria-label") || it.id || it.textContent.trim().slice(0, 60) || it.tagName; }"""
    )
    is_lost = seen.page.evaluate("document.activeElement === document.body")
    return "LOST" if is_lost else found


def test_the_focus_is_never_lost(seen: Seen, page_tenant: Tenant) -> None:
    source = new_list(page_tenant, "Focus", 6)
    new_list(page_tenant, "Elsewhere")
    folder = {"name": "Drawer", "audienceType": "on_demand"}
    data_of(page_tenant.client.post("/audiences/folders", json=folder), 201)
    page, keys = seen.page, seen.page.keyboard
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{source}")
    seen.rows().first.wait_for()
    select = page.get_by_role("region", name="Select")
    after: dict[str, str] = {}

    def press(name: str, *, within: str = "") -> None:
        """As the keyboard does it: the control has the focus, and then it disappears."""
        place = page.locator(within) if within else page
        control = place.get_by_role("button", name=name, exact=True).first
        control.focus()
        keys.press("Enter")

    press("New list")
    # No person is fast enough to press Escape before the dialog is there.
    page.get_by_role("dialog").wait_for()
    keys.press("Escape")
    after["a dialog, with Escape"] = _focused(seen)
    press("New folder")
    press("Cancel", within="dialog")
    after["a dialog, with its button"] = _focused(seen)
    press("Select all 6")
    after["select all"] = _focused(seen)
    press("Clear selection")
    after["clear the selection"] = _focused(seen)
    page.get_by_role("searchbox", name="Search these people").fill("person 0001")
    expect(seen.rows()).to_have_count(1)
    press("Clear filters")
    expect(seen.rows()).to_have_count(6)
    after["clear the filters"] = _focused(seen)
    seen.rows().first.locator(".check").click()
    select.get_by_role("button", name="Move", exact=True).focus()
    keys.press("Enter")
    page.get_by_role("combobox").fill("elsewhere")
    keys.press("Enter")
    button = page.get_by_role("button", name="Move 1 person")
    expect(button).to_be_enabled()
    press("Move 1 person")
    seen.notice("Moved 1 person")
    after["a move"] = _focused(seen)
    press("Undo")
    seen.notice("Undone for 1 person")
    after["undo"] = _focused(seen)
    press("Close", within=".notices")
    after["a message, closed"] = _focused(seen)
    page.get_by_role("grid").focus()
    keys.press("Home")
    keys.press("Enter")
    page.get_by_role("tab", name="Fields").wait_for()
    press("Edit")
    after["edit"] = _focused(seen)
    press("Cancel", within=".panel")
    after["edit, cancelled"] = _focused(seen)
    press("Erase")
    press("Erase", within="dialog footer")
    seen.notice("Erased Person 0001")
    after["erase"] = _focused(seen)
    press("Options of Drawer")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("Enter")
    press("Delete folder", within="dialog footer")
    expect(page.get_by_role("button", name="Options of Drawer")).to_have_count(0)
    after["delete a folder"] = _focused(seen)
    press("Options of Focus")
    page.get_by_role("menuitem", name="Delete list").focus()
    keys.press("Enter")
    press("Delete list", within="dialog footer")
    seen.notice("Deleted “Focus”")
    after["delete a list"] = _focused(seen)
    page.get_by_role("link", name="History", exact=True).click()
    deleted = page.locator(".changes li").filter(has_text="Deleted a list")
    deleted.get_by_role("button", name="Undo").focus()
    keys.press("Enter")
    expect(deleted).to_contain_text("Undone")
    after["undo in the history"] = _focused(seen)
    assert {act: place for act, place in after.items() if place in ("LOST", "BODY")} == {}
    # In some places a person has an expectation.
    assert after["a dialog, with Escape"] == "New list"
    assert after["a dialog, with its button"] == "New folder"
    assert after["clear the selection"] == "Select all 6"
    assert after["edit"] != "content"
