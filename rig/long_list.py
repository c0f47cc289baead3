"""A long list of the page as a browser shows it: its frames while it scrolls, and the memory of its tab."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

SCROLLED_S = 4
# Scrolls a little in each frame, as a person does with a touchpad, and counts the frames and the longest gap.
_SCROLL = f"""async () => {{
    const table = document.querySelector(".scroller");
    const began = performance.now();
    let frames = 0, longest = 0, before = began;
    while (performance.now() - began < {SCROLLED_S * 1000}) {{
        table.scrollTop += 90;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        longest = Math.max(longest, now - before);
        before = now;
        frames++;
    }}
    return [frames / ((performance.now() - began) / 1000), longest];
}}"""
_RENDERER = "renderer"


@dataclass(frozen=True)
class Scrolled:
    """`frames` are per second. `longest_ms` is the longest time between two of them."""

    frames: float
    longest_ms: float


def scroll(page: Page) -> Scrolled:
    """Scrolls the table for some seconds, and returns what the browser drew."""
    return Scrolled(*page.evaluate(_SCROLL))


def jump_to(page: Page, share: float) -> float:
    """Drags the scrollbar to that share of the list, and returns the seconds until its rows are there."""
    began = time.perf_counter()
    page.evaluate(
        """(share) => { const table = document.querySelector(".scroller");
            table.scrollTop = share * (table.scrollHeight - table.clientHeight); }""",
        share,
    )
    wait_for_rows(page)
    return time.perf_counter() - began


def wait_for_rows(page: Page) -> None:
    """Waits until each row in view is a person, and no placeholder."""
    page.wait_for_function(
        """() => { const table = document.querySelector(".scroller").getBoundingClientRect();
            const isInView = (box) => box.bottom > table.top + 40 && box.top < table.bottom;
            const rows = [...document.querySelectorAll(".body .row")]
                .filter((each) => isInView(each.getBoundingClientRect()));
            return rows.length > 5 && rows.every((each) => each.querySelector(".text")); }"""
    )


def memory_of_tab_mb(browser: Browser) -> tuple[float, float]:
    """Returns the private memory of the largest process that shows pages, and the memory of the scripts of all pages,
    in MB, after their garbage was collected. Reads /proc, so it needs Linux."""
    connection = browser.new_browser_cdp_session()
    found = connection.send("SystemInfo.getProcessInfo")["processInfo"]
    connection.detach()
    heap = 0.0
    for context in browser.contexts:
        for page in context.pages:
            session = context.new_cdp_session(page)
            session.send("HeapProfiler.collectGarbage")
            session.send("Performance.enable")
            metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
            heap += metrics["JSHeapUsedSize"] / 1e6
            session.detach()
    return max(_private_mb(each["id"]) for each in found if each["type"] == _RENDERER), heap


def _private_mb(process_id: int) -> float:
    text = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    return sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE)) / 1024
