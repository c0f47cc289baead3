"""A real Chromium for the tests of the page and for its pictures: finds one, and opens windows in it."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, sync_playwright

_PROGRAMS = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome", "google-chrome-stable")
_CHOSEN = "LEADYARD_TEST_CHROMIUM"
_PATIENCE_MS = 15_000
_REPORT_BREACHES = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} by ${event.blockedURI}`))"""


@cache
def find_chromium() -> str | None:
    """Returns the path of a Chromium: the one that LEADYARD_TEST_CHROMIUM names, one of the system, or one that
    `playwright install chromium` has downloaded. None if there is none."""
    chosen = os.environ.get(_CHOSEN)
    if chosen:
        return chosen if Path(chosen).exists() else None
    found = next((path for program in _PROGRAMS if (path := shutil.which(program))), None)
    return found or _downloaded()


def _downloaded() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Yields a headless browser."""
    path = find_chromium()
    assert path is not None, f"no Chromium: install it, or name one in {_CHOSEN}"
    with sync_playwright() as playwright:
        # As root, and in many containers, Chromium cannot start its own sandbox.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


def new_window(
    browser: Browser, *, width: int = 1280, height: int = 800, dark: bool = False, still: bool = False
) -> BrowserContext:
    """Returns a window without cookies, in English and in UTC. With `still` the person prefers less motion."""
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce" if still else "no-preference",
        locale="en-US",
        timezone_id="UTC",
        accept_downloads=True,
    )


class Seen:
    """The page as a person sees it, and the errors that a person does not see: of scripts and of the page's policy."""

    def __init__(self, browser: Browser, base_url: str, **window: Any) -> None:
        self.browser = browser
        self.window = new_window(browser, **window)
        self.base_url = base_url
        self.errors: list[str] = []
        self.page = self._new_page()

    def _new_page(self) -> Page:
        page = self.window.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        page.on("console", self._note)
        page.add_init_script(_REPORT_BREACHES)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        # The browser reports each refused request here too, and a test may want one.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(f"console: {message.text}")

    def another_tab(self) -> Seen:
        """Returns a second tab of the same window, with the same session."""
        tab = copy.copy(self)
        tab.page = self._new_page()
        return tab

    def open(self, place: str = "/") -> None:
        """Opens an address of the service."""
        self.page.goto("about:blank")
        self.page.goto(self.base_url + place)

    def sign_in(self, key: str) -> None:
        """Signs in with the key, at the door."""
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_label("Find a list").wait_for()

    def notice(self, text: str, *, within_ms: float = _PATIENCE_MS) -> Locator:
        """Waits for a message at the edge of the page, and returns it."""
        found = self.page.locator(".notice").filter(has_text=text).last
        found.wait_for(timeout=within_ms)
        return found

    def rows(self) -> Locator:
        """Returns the rows of people that are in the document."""
        return self.page.locator(".body .row:has(.text)")

    def broken_rules(self) -> list[str]:
        """Returns the rules of accessibility (WCAG 2.2 A and AA) that the view breaks, by axe."""
        self.page.evaluate(_axe())
        found = self.page.evaluate(
            """async () => (await axe.run(document, {runOnly: {type: "tag", values: [
                "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}})).violations
                .map((each) => each.id + ": " + each.nodes.map((node) => node.html.slice(0, 120)).join(" | "))"""
        )
        return [str(each) for each in found]


@cache
def _axe() -> str:
    package = find_spec("axe_playwright_python")
    assert package is not None and package.origin is not None
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")
