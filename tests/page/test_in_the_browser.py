"""The page in a real Chromium, as a person uses it: with the mouse, and with the keyboard alone."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from rig.answers import data_of
from rig.browser import Seen
from rig.service import Tenant
from tests.page.people_lists import count_of, names_in, new_list

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(240)]


def test_a_wrong_key_is_refused_and_the_right_one_opens_the_page(
    new_window: Callable[..., Seen], page_tenant: Tenant
) -> None:
    window = new_window()
    page = window.page
    page.get_by_label("API key").fill("sk_live_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This key is not valid")
    window.sign_in(page_tenant.key)
    expect(page.get_by_text("There are no lists yet.")).to_be_visible()


def test_the_rejected_rows_of_a_file_can_be_downloaded(seen: Seen, page_tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_text("Name,E-mail\nAda Lovelace,ada@engines.example\n,not an address\n")
    seen.open(f"/#/g/{page_tenant.account_group_id}/import")
    page = seen.page
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.locator(".import-job .tag").first).to_have_text("Done")
    expect(page.locator(".counts")).to_contain_text("Rejected1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download rejected rows").click()
    assert "not an address" in download.value.path().read_text()


def test_a_file_on_a_telephone(new_window: Callable[..., Seen], page_tenant: Tenant, tmp_path: Path) -> None:
    """The field of a column is in view, each note is a sentence, and a name that is taken is reported."""
    new_list(page_tenant, "fair")
    file = tmp_path / "fair.csv"
    file.write_text("First name,E-mail,Hall\nAda,ada@fair.example,3\nBen,,4\n")
    seen = new_window(width=390, height=844)
    seen.sign_in(page_tenant.key)
    page = seen.page
    page.get_by_role("link", name="Bring in people").first.click()
    page.locator("input[type=file]").set_input_files(file)
    field = page.get_by_label("E-mail: Becomes")
    field.wait_for()
    box = field.bounding_box()
    assert box is not None and box["x"] + box["width"] <= 390
    estimate = page.get_by_label("Estimate")
    expect(estimate).to_contain_text("1 new person · 0 already known · 1 rejected row")
    expect(estimate).to_contain_text("1 row without an e-mail, a LinkedIn profile or an id")
    taken = page.get_by_text("There is a list with this name already.")
    expect(taken).to_be_visible()
    page.get_by_label("Name of the new list").fill("Autumn fair")
    expect(taken).to_be_hidden()
    page.get_by_role("button", name="Import 2 rows").click()
    page.get_by_role("link", name="Open list").wait_for()
    expect(page.get_by_text("You can leave this page.")).to_be_hidden()
    page.get_by_role("button", name="Choose another file").click()
    file.write_bytes(b"\x89PNG\r\n")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("The file cannot be read").wait_for()
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()


def test_a_person_can_be_edited_and_has_a_history(seen: Seen, page_tenant: Tenant) -> None:
    list_id = new_list(page_tenant, "Few", 3)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{list_id}")
    page = seen.page
    [name, *_] = names_in(page_tenant, list_id)
    search = page.get_by_role("searchbox", name="Search these people")
    search.fill(name)
    expect(seen.rows()).to_have_count(1)
    page.get_by_role("button", name="Clear filters").click()
    expect(seen.rows()).to_have_count(3)
    seen.rows().filter(has_text=name).locator(".name").click()
    panel = page.get_by_role("complementary", name=name)
    panel.get_by_role("button", name="Edit").click()
    panel.get_by_label("Title", exact=True).fill("Mathematician")
    panel.get_by_role("button", name="Save").click()
    expect(seen.rows().filter(has_text=name)).to_contain_text("Mathematician")
    panel.get_by_role("tab", name="History").click()
    expect(panel.locator(".changes li")).to_have_count(1)
    page.go_back()
    expect(panel).to_have_count(0)


def test_the_keyboard_is_enough(new_window: Callable[..., Seen], page_tenant: Tenant) -> None:
    source, target = new_list(page_tenant, "From here", 30), new_list(page_tenant, "To there")
    window = new_window()
    page, keys = window.page, window.page.keyboard
    expect(page.get_by_label("API key")).to_be_focused()
    keys.insert_text(page_tenant.key)
    keys.press("Enter")
    page.get_by_label("Find a list").wait_for()
    page.get_by_role("link", name="From here").wait_for()
    keys.press("/")
    keys.type("from")
    _tab_to(window, "From here")
    keys.press("Enter")
    window.rows().first.wait_for()
    _tab_to(window, "People of From here")
    for key in ("ArrowDown", "Space", "Shift+ArrowDown", "Shift+ArrowDown"):
        keys.press(key)
    expect(page.get_by_text("3 selected")).to_be_visible()
    _tab_to(window, "Move", backwards=True)
    keys.press("Enter")
    keys.type("to th")
    expect(page.get_by_role("option", selected=True)).to_contain_text("To there")
    keys.press("Enter")
    button = page.get_by_role("button", name="Move 3 people")
    expect(button).to_be_enabled()
    _tab_to(window, "Move 3 people")
    keys.press("Enter")
    window.notice("Moved 3 people to “To there”")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (27, 3)
    _tab_to(window, "Undo")
    keys.press("Enter")
    window.notice("Undone for 3 people")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (30, 0)

    # A person opens with Enter and closes with Escape, and the focus is back in the table.
    _tab_to(window, "People of From here")
    keys.press("Home")
    keys.press("Enter")
    page.get_by_role("tab", name="Fields").wait_for()
    keys.press("Escape")
    expect(page.get_by_role("grid")).to_be_focused()


def _tab_to(window: Seen, name: str, *, backwards: bool = False) -> None:
    """Presses Tab until the control with this name has the focus."""
    for _ in range(80):
        window.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        focused = window.page.evaluate(
            """() => { const it = document.activeElement; const label = it.querySelector(".name") ?? it;
                return it.getAttribute("aria-label") ?? label.textContent.trim(); }"""
        )
        if focused == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_a_list_that_changes_under_the_hand(seen: Seen, page_tenant: Tenant) -> None:
    source, target = new_list(page_tenant, "Moving", 5), new_list(page_tenant, "Goal")
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{source}")
    seen.rows().first.wait_for()
    page = seen.page
    page.get_by_label("Select the people in view").check()
    expect(page.get_by_text("5 selected")).to_be_visible()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("goal")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Move 5 people")
    expect(button).to_be_enabled()
    # Another client is faster. Nothing may move, and the page must not report a success.
    [first, *_] = data_of(page_tenant.client.get(f"/audiences/{source}/prospects"))["items"]
    data_of(page_tenant.client.post(f"/audiences/{source}/remove-leads", json={"leadIds": [first["id"]]}))
    button.click()
    expect(page.get_by_text("1 person of your selection is no longer in this list. Nothing was done.")).to_be_visible()
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (4, 0)
    page.get_by_role("button", name="Leave out, and look again").click()
    effect = page.get_by_role("region", name="The effect")
    expect(effect).to_contain_text("Moving40")
    expect(effect).to_contain_text("Goal04")
    page.get_by_role("button", name="Move 4 people").click()
    expect(seen.notice("Moved 4 people to “Goal”")).to_contain_text("“Moving” now has 0 · “Goal” now has 4")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (0, 4)


def test_all_that_match_but_one(seen: Seen, page_tenant: Tenant) -> None:
    source, target = new_list(page_tenant, "Everyone", 250), new_list(page_tenant, "Chosen")
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{source}?q=person")
    page = seen.page
    page.get_by_role("button", name="Select all 250").click()
    seen.rows().first.locator(".check").click()
    expect(page.get_by_text("249 selected")).to_be_visible()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("chosen")
    page.keyboard.press("Enter")
    effect = page.get_by_role("region", name="The effect")
    expect(effect).to_contain_text("2501")
    expect(effect).to_contain_text("0249")
    # Another client adds a person who matches. The number on the button is no longer true, so nothing happens.
    person = {"name": "Person 9999", "email": "late@example.com"}
    data_of(page_tenant.client.post(f"/audiences/{source}/prospects", json={"prospects": [person]}))
    page.get_by_role("button", name="Move 249 people").click()
    expect(page.get_by_text("now 250 people match")).to_be_visible(timeout=30_000)
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (251, 0)
    page.get_by_role("button", name="Move 250 people").click()
    moved = seen.notice("Moved 250 people to “Chosen”")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (1, 250)
    moved.get_by_role("button", name="Undo").click()
    seen.notice("Undone for 250 people")
    assert (count_of(page_tenant, source), count_of(page_tenant, target)) == (251, 0)


def test_a_long_list_has_only_the_visible_rows_in_the_document(seen: Seen, page_tenant: Tenant) -> None:
    long = new_list(page_tenant, "Long", 3_000)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{long}")
    seen.rows().first.wait_for()
    grid = seen.page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "3001")
    grid.focus()
    seen.page.keyboard.press("End")
    expect(seen.page.locator("#row-2999 .text").first).to_be_visible()
    seen.page.keyboard.press("Home")
    expect(seen.page.locator("#row-0 .text").first).to_be_visible()
    assert seen.page.locator(".body .row").count() < 80
    # A range that was never in the document.
    seen.page.keyboard.press("Space")
    seen.page.keyboard.press("Shift+End")
    expect(seen.page.get_by_text("3,000 selected")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_view_is_accessible(new_window: Callable[..., Seen], page_tenant: Tenant, dark: bool) -> None:
    source = new_list(page_tenant, "Spring", 40, company={"name": "Acme"})
    target = new_list(page_tenant, "Summer")
    folder = data_of(
        page_tenant.client.post("/audiences/folders", json={"name": "Campaigns", "audienceType": "on_demand"}), 201
    )["id"]
    data_of(page_tenant.client.post(f"/audiences/{source}/move-to-folder", json={"folderId": folder}))
    people = data_of(page_tenant.client.get(f"/audiences/{source}/prospects"))["items"]
    ids = [person["id"] for person in people[:3]]
    data_of(
        page_tenant.client.post(f"/audiences/{source}/copy-leads", json={"targetAudienceId": target, "leadIds": ids})
    )
    home = f"/#/g/{page_tenant.account_group_id}"
    broken: dict[str, list[str]] = {}
    for width in (1280, 360):
        window = new_window(dark=dark, width=width)
        page = window.page
        page.get_by_label("API key").wait_for()
        broken[f"sign in {width}"] = window.broken_rules()
        window.sign_in(page_tenant.key)
        for place in (
            "",
            f"/lists/{source}",
            f"/lists/{source}?person={ids[0]}",
            f"/lists/{source}?q=nobody-here",
            "/people",
            f"/people?q=person&person={ids[0]}",
            "/people?q=nobody-here",
            "/history",
            "/jobs",
            "/import",
            "/duplicates",
            "/webhooks",
            "/nowhere",
        ):
            window.open(home + place)
            page.locator("h1, .tree a:visible").first.wait_for()
            expect(page.locator(".loading")).to_have_count(0)
            broken[f"{place} {width}"] = window.broken_rules()
        window.open(f"{home}/lists/{source}")
        window.rows().first.wait_for()
        page.get_by_label("Select the people in view").check()
        page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
        page.get_by_role("combobox").fill("su")
        broken[f"move, choosing {width}"] = window.broken_rules()
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="The effect")).to_be_visible()
        broken[f"move {width}"] = window.broken_rules()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}"
    assert {view: rules for view, rules in broken.items() if rules} == {}


def test_a_session_that_ends_leads_back_to_the_same_place(seen: Seen, page_tenant: Tenant) -> None:
    list_id = new_list(page_tenant, "Still here", 3)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{list_id}")
    seen.rows().first.wait_for()
    seen.window.clear_cookies()
    seen.page.get_by_role("searchbox", name="Search these people").fill("person")
    expect(seen.page.get_by_text("Your session has ended.")).to_be_visible()
    seen.sign_in(page_tenant.key)
    expect(seen.page.get_by_role("heading", name="Still here", level=1)).to_be_visible()


def test_a_key_that_may_only_read_is_shown_why(
    new_window: Callable[..., Seen], page_tenant: Tenant, read_key: str
) -> None:
    list_id = new_list(page_tenant, "Look", 3)
    window = new_window()
    window.sign_in(read_key)
    window.open(f"/#/g/{page_tenant.account_group_id}/lists/{list_id}")
    window.rows().first.locator(".check").click()
    move = window.page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True)
    expect(move).to_have_attribute("aria-description", "Your key lacks the permission audiences:write.")
    move.click(force=True)
    expect(window.page.get_by_role("dialog")).to_have_count(0)


def test_a_change_by_another_client_appears_by_itself(seen: Seen, page_tenant: Tenant) -> None:
    list_id = new_list(page_tenant, "Growing", 2)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{list_id}")
    expect(seen.rows()).to_have_count(2)
    person = {"name": "Late Comer", "email": "late@example.com"}
    data_of(page_tenant.client.post(f"/audiences/{list_id}/prospects", json={"prospects": [person]}))
    expect(seen.rows()).to_have_count(3)
    assert "Late Comer" in names_in(page_tenant, list_id)


ELSEWHERE = "<!doctype html><title>elsewhere</title>"


def test_another_site_cannot_use_the_session(seen: Seen, page_tenant: Tenant) -> None:
    """From another port, which is the same site to the browser, and from another host, which is not."""
    path = f"{seen.base_url}/v1/accounts/{page_tenant.account_group_id}/audiences"
    with Site(ELSEWHERE) as port:
        for host in ("127.0.0.1", "localhost"):
            page = seen.window.new_page()
            page.goto(f"http://{host}:{port}/")
            for headers in ({}, {"X-Leadyard-Page": "1"}):
                outcome = page.evaluate(
                    """async ([path, headers]) => { const out = [];
                        for (const method of ["GET", "POST"]) { try {
                            const body = method === "POST" ? '{"name": "Forged", "type": "on_demand"}' : undefined;
                            const answer = await fetch(path, {method, body, headers, credentials: "include"});
                            out.push(answer.status);
                        } catch { out.push("blocked"); } } return out; }""",
                    [path, headers],
                )
                assert outcome == ["blocked", "blocked"]
            page.goto(path)
            assert "UNAUTHORIZED" in page.content()
            framed = page.evaluate(
                """async (url) => { const frame = document.createElement("iframe"); frame.src = url;
                    const loaded = new Promise((resolve) => { frame.onload = resolve; });
                    document.body.append(frame); await loaded;
                    try { return frame.contentDocument?.body.textContent ?? ""; } catch { return "refused"; } }""",
                seen.base_url,
            )
            assert "Leadyard" not in framed
            page.close()
    assert data_of(page_tenant.client.get("/audiences"))["items"] == []


class Site:
    """A web site of somebody else, on a port of its own."""

    def __init__(self, html: str) -> None:
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)

    def __enter__(self) -> int:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server.server_port

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_the_first_view_is_small(page_tenant: Tenant) -> None:
    """Counts the bytes that a browser receives before it can show the door."""
    with httpx.Client(base_url=page_tenant.service.base_url, headers={"Accept": "text/html"}) as client:
        page = client.get("/")
        files = {
            part.split('"')[0].removeprefix("./")
            for part in page.text.split('="')[1:]
            if "assets/" in part.split('"')[0]
        }
        sizes = [int(client.get(f"/{file}").headers["Content-Length"]) for file in files]
    assert len(sizes) >= 3
    assert int(page.headers["Content-Length"]) + sum(sizes) < 150_000


def test_a_list_that_appears_while_you_type_its_name(seen: Seen, page_tenant: Tenant) -> None:
    source = new_list(page_tenant, "From", 2)
    seen.open(f"/#/g/{page_tenant.account_group_id}/lists/{source}")
    page = seen.page
    seen.rows().first.locator(".check").click()
    page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("combobox").fill("new")
    expect(page.get_by_text("No other list matches “new”")).to_be_visible()
    new_list(page_tenant, "Newly made")
    expect(page.get_by_role("option", name="Newly made", selected=True)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Move 1 person")).to_be_enabled()
