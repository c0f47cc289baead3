"""A whole day of an operations person, once with the mouse and once with the keyboard alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from rig.answers import data_of
from rig.browser import Seen
from rig.service import Tenant
from tests.page.people_lists import count_of, new_list

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(240)]

# A title above the header, a column that no name explains, a row that is not a person, a person twice.
FILE = "\n".join(
    [
        "Report of the fair;;;",
        "first_name;last_name;E-mail;Where they sit",
        *(f"Given{n};Family{n};person{n}@{'freight' if n % 3 else 'foods'}.example;Lisbon" for n in range(1, 31)),
        "Given1;Family1;PERSON1@freight.example;Lisbon",
        ";;not an address;",
    ]
)
FREIGHT, PEOPLE = 20, 30


class Hand(ABC):
    """How a person reaches the controls."""

    def __init__(self, seen: Seen) -> None:
        self.seen, self.page = seen, seen.page

    def button(self, name: str, within: str = "body") -> None:
        self.press(self.page.locator(within).get_by_role("button", name=name, exact=True))

    def link(self, name: str) -> None:
        self.press(self.page.get_by_role("link", name=name, exact=True).first)

    def take_target(self, text: str) -> None:
        self.write(self.page.get_by_role("combobox", name="To which list"), text)
        self.page.keyboard.press("Enter")

    @abstractmethod
    def press(self, control: Locator) -> None: ...

    @abstractmethod
    def write(self, field: Locator, text: str) -> None: ...

    @abstractmethod
    def choose(self, field: Locator, option: str) -> None: ...

    @abstractmethod
    def put_into_folder(self, name: str, folder: str) -> None: ...

    @abstractmethod
    def hand_over(self, file: Path) -> None: ...

    @abstractmethod
    def click_rows(self, count: int) -> None: ...


class Mouse(Hand):
    def press(self, control: Locator) -> None:
        control.click()

    def write(self, field: Locator, text: str) -> None:
        field.click()
        field.fill(text)

    def choose(self, field: Locator, option: str) -> None:
        field.select_option(label=option)

    def put_into_folder(self, name: str, folder: str) -> None:
        lists = self.page.get_by_role("navigation", name="Lists")
        lists.get_by_role("link", name=name).drag_to(self.page.get_by_role("button", name=folder, expanded=True))

    def hand_over(self, file: Path) -> None:
        """Drags the file from the desktop, as the browser reports it."""
        box = self.page.locator(".drop-area").bounding_box()
        assert box is not None
        browser = self.seen.window.new_cdp_session(self.page)
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        for moment in ("dragEnter", "dragOver", "drop"):
            place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
            browser.send("Input.dispatchDragEvent", {"type": moment, **place, "data": data})
        browser.detach()

    def click_rows(self, count: int) -> None:
        for number in range(count):
            self.seen.rows().nth(number).locator(".check").click()


class Keyboard(Hand):
    def _go_to(self, control: Locator) -> None:
        control.wait_for()
        for _ in range(120):
            if control.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {control}")

    def press(self, control: Locator) -> None:
        expect(control).to_be_enabled()
        self._go_to(control)
        self.page.keyboard.press("Enter")

    def write(self, field: Locator, text: str) -> None:
        self._go_to(field)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def choose(self, field: Locator, option: str) -> None:
        self._go_to(field)
        self.page.keyboard.type(option)

    def put_into_folder(self, name: str, folder: str) -> None:
        self.button(f"Options of {name}")
        expect(self.page.get_by_role("menuitem", name="Rename")).to_be_focused()
        for key in ("ArrowDown", "Enter"):
            self.page.keyboard.press(key)
        self.choose(self.page.get_by_role("dialog").get_by_label("Move to folder"), folder)
        self.button("Save", "dialog")

    def hand_over(self, file: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.button("or choose one")
        chooser.value.set_files(file)

    def click_rows(self, count: int) -> None:
        self._go_to(self.page.get_by_role("grid"))
        self.page.keyboard.press("Home")
        for _ in range(count):
            self.page.keyboard.press("Space")
            self.page.keyboard.press("ArrowDown")


@pytest.mark.parametrize("with_hand", [Mouse, Keyboard], ids=["mouse", "keyboard"])
def test_a_whole_day(
    new_window: Callable[..., Seen], page_tenant: Tenant, tmp_path: Path, with_hand: type[Hand]
) -> None:
    file = tmp_path / "fair.csv"
    file.write_text(FILE)
    twins = new_list(page_tenant, "Twins")
    hedy = {"name": "Hedy Lamarr", "company": {"name": "Signals"}}
    both = [{**hedy, "email": "hedy@signals.example"}, {**hedy, "linkedinUrl": "https://linkedin.com/in/hedy"}]
    data_of(page_tenant.client.post(f"/audiences/{twins}/prospects", json={"prospects": both}))
    seen = new_window()
    page, hand = seen.page, with_hand(seen)

    hand.write(page.get_by_label("API key"), page_tenant.key)
    hand.button("Sign in")
    page.get_by_label("Find a list").wait_for()

    hand.button("New folder")
    hand.write(page.get_by_role("dialog").get_by_label("Name"), "Campaigns")
    hand.button("Create", "dialog")
    hand.button("New list")
    hand.write(page.get_by_role("dialog").get_by_label("Name"), "Answered")
    hand.button("Create", "dialog")
    expect(page.get_by_role("heading", name="Answered", level=1)).to_be_visible()
    answered = page.url.rpartition("/")[2]
    hand.put_into_folder("Answered", "Campaigns")
    seen.notice("“Answered” is now in “Campaigns”")

    hand.link("Bring in people")
    hand.hand_over(file)
    hand.choose(page.get_by_label("Where they sit: Becomes"), "Location")
    expect(page.get_by_role("region", name="Estimate")).to_contain_text(f"{PEOPLE} new people")
    hand.button(f"Import {PEOPLE + 2} rows")
    expect(page.locator(".import-job .tag").first).to_have_text("Done")
    expect(page.locator(".counts")).to_contain_text(f"New in the list{PEOPLE}")
    expect(page.locator(".counts")).to_contain_text("Rejected1")
    hand.link("Open list")
    expect(page.get_by_role("heading", name="fair", level=1)).to_be_visible()
    fair = page.url.rpartition("/")[2]
    expect(seen.rows().first).to_contain_text("Lisbon")

    hand.write(page.get_by_role("searchbox", name="Search these people"), "freight")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(FREIGHT + 1))
    hand.button(f"Select all {FREIGHT}")
    hand.click_rows(3)
    moved = FREIGHT - 3
    expect(page.get_by_text(f"{moved} selected")).to_be_visible()
    hand.button("Move", "[role=region][aria-label=Select]")
    hand.take_target("answ")
    effect = page.get_by_role("region", name="The effect")
    expect(effect).to_contain_text(f"fair{PEOPLE}{PEOPLE - moved}")
    expect(effect).to_contain_text(f"Answered0{moved}")
    hand.button(f"Move {moved} people")
    done = seen.notice(f"Moved {moved} people to “Answered”")
    expect(done).to_contain_text(f"“fair” now has {PEOPLE - moved} · “Answered” now has {moved}")
    assert (count_of(page_tenant, fair), count_of(page_tenant, answered)) == (PEOPLE - moved, moved)
    hand.button("Undo", ".notices")
    seen.notice(f"Undone for {moved} people")
    assert (count_of(page_tenant, fair), count_of(page_tenant, answered)) == (PEOPLE, 0)

    hand.link("Jobs")
    job = page.locator(".jobs > li").filter(has_text=f"{moved} people · fair → Answered")
    expect(job.locator(".tag")).to_have_text("Done")
    imported = page.locator(".jobs > li").filter(has_text="Import of a file")
    hand.press(imported.get_by_role("link", name="Details"))
    hand.press(imported.get_by_role("button", name="Undo the import"))
    seen.notice(f"Undone for {PEOPLE} people")
    expect(imported.locator(".tag").last).to_have_text("Undone")
    assert count_of(page_tenant, fair) == 0

    hand.link("Duplicates")
    page.get_by_role("button", name="Merge into Hedy Lamarr").wait_for(timeout=30_000)
    hand.button("Merge into Hedy Lamarr", "#content .duplicate table")
    hand.button("Merge into Hedy Lamarr", "dialog")
    seen.notice("Merged into Hedy Lamarr, now in 1 list")
    expect(page.get_by_text("No likely duplicates.")).to_be_visible()
    assert count_of(page_tenant, twins) == 1

    hand.button("Sign out")
    expect(page.get_by_label("API key")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("API key")).to_be_visible()
