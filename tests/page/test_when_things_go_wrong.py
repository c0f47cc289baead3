"""The page when the service dies, when the network is slow, when the key is revoked, and in two tabs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Route, expect

from rig.answers import data_of
from rig.browser import Seen
from rig.service import Tenant, leadyard
from tests.page.people_lists import count_of, new_list

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(240)]

# The page tries a request again for some seconds before it gives up.
GIVES_UP_MS = 20_000
AWAY = "The service does not answer."


def _list(seen: Seen, tenant: Tenant, list_id: str) -> None:
    seen.open(f"/#/g/{tenant.account_group_id}/lists/{list_id}")
    seen.rows().first.wait_for()


def _ready_to_move(seen: Seen, target: str) -> Locator:
    """Selects all people in view, chooses Move and the target, and returns the button."""
    page = seen.page
    page.get_by_label("Select the people in view").check()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill(target)
    page.keyboard.press("Enter")
    button = page.get_by_role("dialog").get_by_role("button", name="Move")
    expect(button).to_be_enabled()
    return button


def test_a_service_that_dies_and_comes_back(seen: Seen, page_tenant: Tenant) -> None:
    list_id = new_list(page_tenant, "Steady", 3)
    _list(seen, page_tenant, list_id)
    page = seen.page
    seen.rows().first.locator(".name").click()
    panel = page.locator(".panel")
    panel.get_by_role("button", name="Edit").click()
    title = panel.get_by_label("Title", exact=True)
    title.fill("Half typed")
    away = page.locator(".connection").get_by_text(AWAY)
    page_tenant.service.kill()
    try:
        expect(away).to_be_visible()
        panel.get_by_role("button", name="Save").click()
        expect(panel.get_by_role("alert")).to_contain_text(AWAY)
        page.get_by_role("button", name="Sign out").click()
        seen.notice("You are still signed in, because the service does not answer.")
        expect(title).to_have_value("Half typed")
    finally:
        page_tenant.service.start()
    expect(away).to_have_count(0)
    expect(title).to_have_value("Half typed")
    panel.get_by_role("button", name="Save").click()
    seen.notice("Saved")
    expect(seen.rows().filter(has_text="Half typed")).to_have_count(1)
    # The stream of events continues.
    late = [{"name": "Late Comer", "email": "late@example.com"}]
    data_of(page_tenant.client.post(f"/audiences/{list_id}/prospects", json={"prospects": late}))
    expect(seen.rows()).to_have_count(4)


@pytest.mark.parametrize("committed", [True, False], ids=["after the commit", "before the commit"])
@pytest.mark.parametrize("by_hand", [True, False], ids=["repeated by hand", "repeated by the page"])
def test_a_move_without_an_answer_happens_once(seen: Seen, page_tenant: Tenant, committed: bool, by_hand: bool) -> None:
    source, target = new_list(page_tenant, "Halfway", 5), new_list(page_tenant, "Arrived")
    _list(seen, page_tenant, source)
    button = _ready_to_move(seen, "arrived")
    lost: list[str] = []

    def lose(route: Route) -> None:
        """The service dies with the answer, or with the request."""
        lost.append(route.request.headers["idempotency-key"])
        if committed:
            assert route.fetch().status == 200
        page_tenant.service.kill()
        if not by_hand:
            page_tenant.service.start()
        route.abort("connectionreset")

    seen.page.route("**/move-leads", lose, times=1)
    try:
        button.click()
        if by_hand:
            expect(seen.page.get_by_role("dialog").get_by_role("alert").last).to_contain_text(AWAY, timeout=GIVES_UP_MS)
    finally:
        if page_tenant.service.process is None:
            page_tenant.service.start()
    if by_hand:
        expect(button).to_have_text("Move 5 people")
        button.click()
    # On a busy machine the start of the service takes a while.
    moved = seen.notice("Moved 5 people to “Arrived”", within_ms=60_000)
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (0, 5)
    assert len(data_of(page_tenant.client.get("/moves"))["items"]) == len(lost) == 1
    moved.get_by_role("button", name="Undo").click()
    seen.notice("Undone for 5 people")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (5, 0)


def test_a_slow_network(seen: Seen, page_tenant: Tenant) -> None:
    source, target = new_list(page_tenant, "Slow", 30), new_list(page_tenant, "Slow goal")
    network = seen.window.new_cdp_session(seen.page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 500, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    network.send("Network.emulateNetworkConditions", slow)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{source}")
    expect(seen.page.locator(".loading").first).to_be_visible()
    seen.rows().first.wait_for()
    # Each pause sends a search. Their answers may overtake each other, and the last search counts.
    search = seen.page.get_by_role("searchbox", name="Search these people")
    for text in ("person 00", "person 001", "person 0017"):
        search.fill(text)
        seen.page.wait_for_timeout(300)
    expect(seen.rows()).to_have_count(1)
    seen.page.wait_for_timeout(1_500)
    expect(seen.rows()).to_contain_text(["Person 0017"], timeout=1_000)
    # An impatient person clicks twice.
    _ready_to_move(seen, "slow goal").dblclick()
    seen.notice("Moved 1 person to “Slow goal”")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (29, 1)
    assert len(data_of(page_tenant.client.get("/moves"))["items"]) == 1


def _nothing_is_visible_of(seen: Seen, *texts: str) -> None:
    document = seen.page.content() + seen.page.title()
    assert [text for text in texts if text in document] == []


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "at work"])
def test_a_key_that_is_revoked(seen: Seen, page_tenant: Tenant, idle: bool) -> None:
    list_id = new_list(page_tenant, "Confidential", 3)
    if idle:
        seen.page.clock.install()
    _list(seen, page_tenant, list_id)
    seen.rows().first.locator(".name").click()
    expect(seen.page.locator(".panel")).to_contain_text("confidential-1@example.com")
    done = leadyard("keys", "revoke", page_tenant.api_key_id, url=page_tenant.service.database_url)
    assert done.returncode == 0, done.stderr
    if idle:
        seen.page.clock.fast_forward(31_000)
    else:
        # A process remembers a key for three seconds.
        seen.page.wait_for_timeout(3_500)
        seen.page.get_by_role("searchbox", name="Search these people").fill("person")
    expect(seen.page.get_by_text("Your session has ended.")).to_be_visible()
    expect(seen.page.get_by_label("API key")).to_be_focused()
    _nothing_is_visible_of(seen, "Confidential", "Person 0001", "confidential-1@example.com")
    seen.page.reload()
    expect(seen.page.get_by_label("API key")).to_be_visible()
    _nothing_is_visible_of(seen, "Confidential", "Person 0001")


def test_two_tabs_are_one_session(seen: Seen, page_tenant: Tenant) -> None:
    list_id = new_list(page_tenant, "Shared", 3)
    _list(seen, page_tenant, list_id)
    other = seen.another_tab()
    _list(other, page_tenant, list_id)
    other.rows().first.locator(".check").click()
    other.page.get_by_role("region", name="Select").get_by_role("button", name="Remove").click()
    other.page.get_by_role("dialog").get_by_role("button", name="Remove 1 person").click()
    other.notice("Removed 1 person")
    expect(seen.rows()).to_have_count(2)
    seen.page.get_by_role("button", name="Sign out").click()
    expect(seen.page.get_by_label("API key")).to_be_visible()
    expect(other.page.get_by_text("You have signed out in another tab.")).to_be_visible()
    _nothing_is_visible_of(other, "Shared", "Person 0002")
    other.sign_in(page_tenant.key)
    expect(seen.page.get_by_label("Find a list")).to_be_visible()
    expect(seen.page.get_by_role("link", name="Shared")).to_be_visible()


def test_a_tab_in_the_background_catches_up(seen: Seen, page_tenant: Tenant) -> None:
    list_id = new_list(page_tenant, "Behind", 2)
    _list(seen, page_tenant, list_id)

    def put_to(state: str) -> None:
        seen.page.evaluate(
            """(state) => { Object.defineProperty(document, "visibilityState", {value: state, configurable: true});
                document.dispatchEvent(new Event("visibilitychange")); }""",
            state,
        )

    put_to("hidden")
    data_of(page_tenant.client.post("/audiences", json={"name": "Made elsewhere", "type": "on_demand"}), 201)
    late = [{"name": "Late Comer", "email": "late@example.com"}]
    data_of(page_tenant.client.post(f"/audiences/{list_id}/prospects", json={"prospects": late}))
    # A hidden tab has no stream, so it cannot have seen the change.
    seen.page.wait_for_timeout(1_500)
    expect(seen.rows()).to_have_count(2)
    put_to("visible")
    expect(seen.rows()).to_have_count(3)
    expect(seen.page.get_by_role("link", name="Made elsewhere")).to_be_visible()


@pytest.mark.parametrize("number_gone", [120])
def test_people_who_have_left_are_left_out_of_the_next_look(
    new_window: Callable[..., Seen], page_tenant: Tenant, number_gone: int
) -> None:
    source, target = new_list(page_tenant, "Leaving", 125), new_list(page_tenant, "Onward")
    seen = new_window()
    seen.sign_in(page_tenant.key)
    _list(seen, page_tenant, source)
    page = seen.page
    page.get_by_role("grid").focus()
    for key in ("Home", "Space", "Shift+End"):
        page.keyboard.press(key)
    expect(page.get_by_text("125 selected")).to_be_visible()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("onward")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Move 125 people")
    expect(button).to_be_enabled()
    ids = [person["id"] for person in page_tenant.walk(f"/audiences/{source}/prospects")]
    page_tenant.remove(source, ids[:number_gone]).raise_for_status()
    button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert").first).to_contain_text("no longer in this list. Nothing was done.")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (125 - number_gone, 0)
    # The service names a hundred of them at a time.
    for _ in range(0, number_gone, 100):
        dialog.get_by_role("button", name="Leave out, and look again").click()
    left = 125 - number_gone
    dialog.get_by_role("button", name=f"Move {left} people").click()
    seen.notice(f"Moved {left} people to “Onward”")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (0, left)


def test_a_large_selection_that_changes_before_its_job(page_tenant: Tenant, new_window: Callable[..., Seen]) -> None:
    """Above 10,000 people the service counts in the job, after the dialog has closed."""
    source, target = new_list(page_tenant, "Crowd", 10_002), new_list(page_tenant, "Hall")
    seen = new_window()
    seen.sign_in(page_tenant.key)
    _list(seen, page_tenant, source)
    page = seen.page
    page.get_by_role("button", name="Select all 10,002").click()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("hall")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Move 10,002 people")
    expect(button).to_be_enabled()
    [first, *_] = data_of(page_tenant.client.get(f"/audiences/{source}/prospects"))["items"]
    page_tenant.remove(source, [first["id"]]).raise_for_status()
    button.click()
    refused = seen.notice("now 10,001 people match. Nothing was done.")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (10_001, 0)
    refused.get_by_role("button", name="Look again").click()
    page.get_by_role("combobox").fill("hall")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move 10,001 people").click()
    seen.notice("Moved 10,001 people to “Hall”", within_ms=60_000)
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (0, 10_001)
