"""Writes the pictures of docs/page.md. It starts the service on a temporary database, fills it, and opens the page.

With a folder as argument it writes every view there instead, light and dark and in three widths, to look at."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

from rig.browser import new_window, open_browser
from rig.service import Service, Tenant, make_tenant

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
# Name of the file, view, width, height, dark.
SIX = (
    ("list", "selected", 1280, 760, False),
    ("move", "act", 1280, 760, False),
    ("person", "person", 1280, 760, True),
    ("import", "import", 1280, 760, False),
    ("history", "history", 1280, 760, True),
    ("phone", "list", 390, 760, False),
)
WIDTHS = {360: 740, 1024: 768, 1600: 1000}
# The pictures show the dates of the day on which they were made.
_COLUMNS = "first_name,last_name,E-mail,Company,Job Title,Mobile,Where\n"
FIRST = [
    "Amara",
    "Bruno",
    "Chiara",
    "Daan",
    "Elif",
    "Farid",
    "Greta",
    "Hana",
    "Ivo",
    "Jasmin",
    "Kofi",
    "Lena",
    "Mateo",
    "Nadia",
    "Oskar",
    "Priya",
    "Quinn",
    "Rosa",
    "Sven",
    "Tala",
]
LAST = [
    "Adeyemi",
    "Berger",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fontaine",
    "Garcia",
    "Haas",
    "Ivanova",
    "Janssen",
    "Kowalska",
    "Lindqvist",
    "Marino",
]
COMPANIES = [
    "Northwind Freight",
    "Alder Analytics",
    "Brightwater Foods",
    "Cobalt Robotics",
    "Dune Software",
    "Elmtree Health",
    "Fjord Shipping",
]
TITLES = [
    "Head of Operations",
    "Marketing Manager",
    "Chief Technology Officer",
    "Sales Director",
    "Founder",
    "Product Lead",
    "Account Executive",
    "Buyer",
]
PLACES = ["Lisbon", "Hamburg", "Oslo", "Toronto", "Nairobi", "Kraków", "São Paulo", "Lyon", "Utrecht"]
_ROWS = [
    "Ada,Lovelace,ada@analytical.example,Analytical Engines,Mathematician,+44 20 7946 0001,London\n",
    "Grace,Hopper,grace@navy.example,Naval Computing,Rear admiral,+1 202 555 0101,Arlington\n",
    "Katherine,Johnson,katherine@orbit.example,Orbit Research,Mathematician,+1 757 555 0102,Hampton\n",
    "Hedy,Lamarr,hedy@hopping.example,Hopping Signals,Inventor,+43 1 555 0103,Vienna\n",
    "Annie,Easley,not an address,Rocket Laboratory,Computer scientist,+1 216 555 0104,Cleveland\n",
]


def made_up(number: int) -> dict[str, object]:
    """Returns a person who does not exist."""
    first, last = FIRST[number % len(FIRST)], LAST[number * 7 % len(LAST)]
    company = COMPANIES[number * 5 % len(COMPANIES)]
    domain = company.split()[0].lower() + ".example"
    return {
        "firstName": first,
        "lastName": last,
        "title": TITLES[number * 3 % len(TITLES)],
        "company": {"name": company},
        "location": PLACES[number * 11 % len(PLACES)],
        **({"email": f"{first}.{last}{number}@{domain}".lower()} if number % 6 else {}),
        "linkedinUrl": f"https://www.linkedin.com/in/{first}-{last}-{number}".lower(),
    }


def fill(tenant: Tenant) -> dict[str, str]:
    """Fills the account group, and returns the ids of its lists by name."""

    def made(path: str, body: dict[str, object]) -> str:
        answer = tenant.client.post(path, json=body)
        answer.raise_for_status()
        found: str = answer.json()["data"]["id"]
        return found

    folders = {
        name: made("/audiences/folders", {"name": name, "audienceType": "on_demand"})
        for name in ("Campaigns", "Archive")
    }
    lists = {
        name: made("/audiences", {"name": name, "type": "on_demand", "description": text})
        for name, text in {
            "Spring campaign": "People who asked for the spring brochure",
            "Answered": "Had a first conversation",
            "Customers": "Signed",
            "Not interested": "",
            "Newsletter": "",
        }.items()
    }
    for name, folder in (("Spring campaign", "Campaigns"), ("Answered", "Campaigns"), ("Not interested", "Archive")):
        tenant.client.post(
            f"/audiences/{lists[name]}/move-to-folder", json={"folderId": folders[folder]}
        ).raise_for_status()
    source = f"/audiences/{lists['Spring campaign']}"
    tenant.client.post(
        f"{source}/prospects", json={"prospects": [made_up(number) for number in range(640)]}
    ).raise_for_status()
    people = tenant.client.get(f"{source}/prospects", params={"limit": 200}).json()["data"]["items"]
    ids = [person["id"] for person in people]
    tenant.client.post(f"{source}/move-leads", json={"targetAudienceId": lists["Answered"], "leadIds": ids[:48]})
    _transfer(tenant, lists["Spring campaign"], lists["Newsletter"])
    tenant.client.post(f"{source}/copy-leads", json={"targetAudienceId": lists["Newsletter"], "leadIds": ids[60:190]})
    tenant.client.post(
        f"/audiences/{lists['Answered']}/move-leads", json={"targetAudienceId": lists["Customers"], "leadIds": ids[:9]}
    )
    tenant.client.post(f"/audiences/{lists['Newsletter']}/remove-leads", json={"leadIds": ids[60:64]})
    twins = [
        {"name": "Grace Hopper", "email": "grace@navy.example", "company": {"name": "Naval Computing"},
         "title": "Rear admiral"},
        {"name": "Grace Hopper", "company": {"name": "Naval Computing Inc."}, "phone": "+1 202 555 0101",
         "location": "Arlington", "linkedinUrl": "https://www.linkedin.com/in/grace-hopper"},
    ]  # fmt: skip
    tenant.client.post(f"/audiences/{lists['Newsletter']}/prospects", json={"prospects": twins}).raise_for_status()
    hook = {"url": "https://crm.example/leadyard", "types": ["leads.moved"], "description": "Our CRM"}
    tenant.client.post("/webhooks", json=hook).raise_for_status()
    return lists


def _transfer(tenant: Tenant, source: str, target: str) -> None:
    """Copies some people with a job, and waits for its end."""
    some = {"filter": {"company": "Cobalt"}}
    body = {"action": "copy", "sourceAudienceId": source, "targetAudienceId": target, "select": some}
    job = tenant.client.post("/transfers", json=body).raise_for_status().json()["data"]["jobId"]
    while tenant.client.get(f"/transfers/{job}").json()["data"]["status"] in ("queued", "running"):
        time.sleep(0.1)


def sign_in(page: Page, tenant: Tenant) -> None:
    page.goto(tenant.service.base_url)
    page.get_by_label("API key").fill(tenant.key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Lists").wait_for()


def views(page: Page, tenant: Tenant, lists: dict[str, str]) -> dict[str, Callable[[], None]]:
    """Returns what to do for each view, by its name."""
    home = f"{tenant.service.base_url}/#/g/{tenant.account_group_id}"

    def at(place: str) -> None:
        page.goto("about:blank")
        page.goto(f"{home}{place}")
        page.locator("#content h1").first.wait_for(state="attached")

    def a_list() -> None:
        at(f"/lists/{lists['Spring campaign']}")
        page.locator(".body .text").first.wait_for()

    def selected() -> None:
        a_list()
        boxes = page.locator(".body .row .check")
        boxes.nth(1).click()
        boxes.nth(7).click(modifiers=["Shift"])

    def act() -> None:
        selected()
        page.get_by_role("region", name="Select").get_by_role("button", name="Move", exact=True).click()
        page.get_by_role("combobox").fill("cust")
        page.keyboard.press("Enter")
        page.get_by_role("region", name="The effect").wait_for()

    def person() -> None:
        a_list()
        page.locator(".body .row .cell.name").nth(2).click()
        page.get_by_role("tab", name="Fields").wait_for()

    def bring_in() -> None:
        at("/import")
        page.locator("input[type=file]").set_input_files(
            {"name": "fair.csv", "mimeType": "text/csv", "buffer": (_COLUMNS + "".join(_ROWS)).encode()}
        )
        page.get_by_role("button", name="Import 5 rows").wait_for()

    def waited(place: str, what: str) -> Callable[[], None]:
        def go() -> None:
            at(place)
            page.locator(what).first.wait_for()

        return go

    return {
        "home": waited("", ".tree a"),
        "list": a_list,
        "selected": selected,
        "act": act,
        "person": person,
        "import": bring_in,
        "find": waited("/people?q=cobalt", ".found li"),
        "found": waited(f"/people?q=grace&person={_id_of(tenant, 'grace@navy.example')}", ".panel dl"),
        "find-none": waited("/people?q=nowhere", ".empty"),
        "find-start": waited("/people", ".empty"),
        "history": waited("/history", ".changes li"),
        "jobs": waited("/jobs", ".jobs > li"),
        "webhooks": waited("/webhooks", ".jobs > li"),
        "duplicates": waited("/duplicates", ".duplicate"),
        "not-here": lambda: at("/nowhere"),
    }


def _id_of(tenant: Tenant, email: str) -> str:
    found: str = tenant.client.get("/prospects", params={"email": email}).json()["data"]["items"][0]["id"]
    return found


def write_all(browser: Browser, tenant: Tenant, lists: dict[str, str], folder: Path, only: set[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for dark in (False, True):
        for width, height in WIDTHS.items():
            with new_window(browser, width=width, height=height, dark=dark) as window:
                page = window.new_page()
                page.on("console", lambda message: print(f"console: {message.text}"))
                page.on("pageerror", lambda error: print(f"error: {error}"))
                page.goto(tenant.service.base_url)
                page.get_by_label("API key").wait_for()
                page.screenshot(path=folder / f"sign-in-{width}-{'dark' if dark else 'light'}.png")
                sign_in_narrow(page, tenant)
                for name, do in views(page, tenant, lists).items():
                    if only and name not in only:
                        continue
                    try:
                        do()
                    except Exception as error:
                        print(f"{name} at {width}: {str(error).splitlines()[0]}")
                    page.screenshot(path=folder / f"{name}-{width}-{'dark' if dark else 'light'}.png")


def sign_in_narrow(page: Page, tenant: Tenant) -> None:
    page.get_by_label("API key").fill(tenant.key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Find a list").wait_for()


def write_six(browser: Browser, tenant: Tenant, lists: dict[str, str]) -> None:
    """Writes the pictures of docs/page.md."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, view, width, height, dark in SIX:
        with new_window(browser, width=width, height=height, dark=dark) as window:
            page = window.new_page()
            page.set_default_timeout(15_000)
            page.goto(tenant.service.base_url)
            sign_in_narrow(page, tenant)
            views(page, tenant, lists)[view]()
            page.screenshot(path=PICTURES / f"page-{name}.png")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(f"sqlite:///{folder}/leadyard.db", Path(folder), {"LEADYARD_WORKER_IN_SERVE": "on"})
        service.start()
        try:
            tenant = make_tenant(service, "Acme")
            lists = fill(tenant)
            with open_browser() as browser:
                if len(sys.argv) > 1:
                    write_all(browser, tenant, lists, Path(sys.argv[1]), set(sys.argv[2:]))
                else:
                    write_six(browser, tenant, lists)
        finally:
            service.stop()


if __name__ == "__main__":
    main()
