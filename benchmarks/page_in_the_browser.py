"""Measures the page in a real Chromium: how soon it can be used with many lists, and how it scrolls and jumps in a long
list.

    python benchmarks/page_in_the_browser.py sqlite     [--people 100000] [--lists 1000]
    python benchmarks/page_in_the_browser.py postgresql [--people 100000] [--lists 1000] [--url postgresql://…]

Without --url the benchmark starts a throwaway PostgreSQL. The database named by --url must be empty; the rows stay in
it. It needs Chromium and Linux. The frames depend on the machine and its load, so a browser without any page of ours is
measured in the same run, with an empty box that scrolls as far.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.suite.filling import Filler
from leadyard.store import schema
from rig.browser import Seen, open_browser
from rig.long_list import jump_to, memory_of_tab_mb, scroll
from rig.service import Service, Tenant, make_tenant
from rig.throwaway_postgres import ThrowawayPostgres

ROUNDS = 5
_EMPTY = """<!doctype html><div class="scroller" style="height: 600px; overflow: auto">
<div style="height: 3000000px"></div></div>"""


def fill(tenant: Tenant, people: int, lists: int) -> str:
    """Returns the id of the long list."""
    for number in range(lists - 1):
        tenant.create_audience(f"List {number:04}")
    long = tenant.create_audience("Everybody")
    with Filler(tenant) as filler:
        filler.add_leads(people, lambda: None)
        filler.add_members(long, people, lambda: None)
    return long


def usable_ms(seen: Seen, lists: int, place: str) -> float:
    """Returns the time from the navigation until all lists and the first people are there, and the page takes input."""
    seen.open(place)
    seen.page.wait_for_function(
        """(lists) => document.querySelectorAll(".tree li a").length === lists
            && document.querySelector(".body .row .text")""",
        arg=lists,
    )
    seen.page.get_by_label("Find a list").fill("every")
    seen.page.wait_for_function("() => document.querySelectorAll('.tree li a').length === 1")
    found: float = seen.page.evaluate("performance.now()")
    return found


def empty_frames(browser: Browser) -> float:
    page = browser.new_page()
    page.set_content(_EMPTY)
    found = scroll(page).frames
    page.close()
    return found


def measure(service: Service, tenant: Tenant, long: str, lists: int) -> None:
    place = f"/#/g/{tenant.account_group_id}/lists/{long}"
    with open_browser() as browser:
        seen = Seen(browser, service.base_url)
        seen.open()
        seen.sign_in(tenant.key)
        usable = [usable_ms(seen, lists, place) for _ in range(ROUNDS)]
        median = statistics.median(usable)
        print(f"usable with {lists} lists after {median:.0f} ms ({min(usable):.0f} to {max(usable):.0f})")
        seen.open(place)
        seen.rows().first.wait_for()
        for share in (1.0, 0.5, 0.25, 0.0):
            print(f"jump to {share:.0%}: {jump_to(seen.page, share) * 1000:.0f} ms")
        drawn = [(scroll(seen.page), empty_frames(browser)) for _ in range(ROUNDS)]
        frames = [each.frames for each, _ in drawn]
        print(f"scrolling: {statistics.median(frames):.0f} frames a second ({min(frames):.0f} to {max(frames):.0f})")
        print(f"the longest time between two frames: {max(each.longest_ms for each, _ in drawn):.0f} ms")
        print(f"an empty box: {statistics.median(empty for _, empty in drawn):.0f} frames a second")
        private_mb, scripts_mb = memory_of_tab_mb(browser)
        print(f"memory of the tab: {private_mb:.0f} MB, of it scripts {scripts_mb:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--lists", type=int, default=1_000)
    parser.add_argument("--url", help="an empty PostgreSQL database")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/leadyard.db" if asked.database == "sqlite" else asked.url
        if url is None:
            url = stack.enter_context(ThrowawayPostgres()).url
        asyncio.run(schema.migrate(url))
        service = Service(url, folder, {"LEADYARD_LOG_LEVEL": "warning", "LEADYARD_WORKER_IN_SERVE": "on"}).start()
        stack.callback(service.stop)
        tenant = make_tenant(service)
        long = fill(tenant, asked.people, asked.lists)
        measure(service, tenant, long, asked.lists)


if __name__ == "__main__":
    main()
