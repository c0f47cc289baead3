"""The guide as a reader gets it: built by `script/docs`, served by the real service, and opened in a real browser."""

from __future__ import annotations

import fcntl
import gzip
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest

import leadyard
from leadyard.http.guide.serving import HOME, POLICY
from rig.browser import Seen, open_browser
from rig.run_folder import run_folder
from rig.service import Service
from script.guide.navigation import pages_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HTML = {"accept": "text/html,*/*"}

# Building installs Sphinx at the first time.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with the archive and the HTML, which one process of the run builds."""
    folder = run_folder() / "guide"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "guide.zip").exists():
            command = [ROOT / "script" / "docs", folder]
            done = subprocess.run(command, capture_output=True, text=True, timeout=350, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


def package_with(archive: Path | None, folder: Path) -> str:
    """Returns a PYTHONPATH with a copy of the package that has this guide, or none, as an installed release has it."""
    without = shutil.ignore_patterns("guide.zip", "__pycache__")
    package = folder / "leadyard"
    shutil.copytree(Path(leadyard.__file__).parent, package, ignore=without)
    if archive is not None:
        shutil.copy(archive, package / "http" / "guide" / "guide.zip")
    return str(folder)


@pytest.fixture(scope="session")
def guide(built: Path, new_service: Callable[..., Service], tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service that has the guide."""
    return new_service(PYTHONPATH=package_with(built / "guide.zip", tmp_path_factory.mktemp("package")))


@pytest.fixture
def client(guide: Service) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=guide.base_url, headers=HTML) as made:
        yield made


class Links(HTMLParser):
    """Collects where the elements of a page lead, and the ids that a link can lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            if name == "id" and value:
                self.ids.add(value)


def test_every_page_and_every_link_works(client: httpx.Client) -> None:
    pages: dict[str, Links] = {}
    seen: dict[str, int] = {}
    waiting, wanted = [HOME], set()
    while waiting:
        path = waiting.pop()
        answer = client.get(path)
        seen[path] = answer.status_code
        if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue
        pages[path] = Links(answer.text)
        for link in pages[path].links:
            target, fragment = urldefrag(urljoin(f"http://guide{path}", link))
            parts = urlsplit(target)
            if parts.netloc != "guide" or not parts.path.startswith(HOME):
                continue
            wanted.add((path, parts.path, fragment))
            if parts.path not in seen and parts.path not in waiting:
                waiting.append(parts.path)
    assert {path: status for path, status in seen.items() if status != 200} == {}
    assert len(pages) > 80
    missing = [(page, to, part) for page, to, part in wanted if part and to in pages and part not in pages[to].ids]
    assert missing == []
    sources = {f"{HOME}{page.relative_to(DOCS).with_suffix('.html').as_posix()}" for page in DOCS.rglob("*.md")}
    assert sources <= set(pages), "every page can be reached from the first one"


def test_the_navigation_lists_every_page() -> None:
    """Apart from the index and the decisions, which have an index of their own."""
    listed = pages_of((DOCS / "index.md").read_text())
    assert len(listed) == len(set(listed))
    here = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")}
    assert set(listed) == {each for each in here if not each.startswith("decisions/0")} - {"index"}


def test_headers_and_the_check_of_a_copy(client: httpx.Client) -> None:
    for path, media_type in (
        (HOME, "text/html; charset=utf-8"),
        (f"{HOME}searchindex.js", "text/javascript; charset=utf-8"),
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = client.get(path, headers={"If-None-Match": f"W/{answer.headers['etag']}"})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
        plain = client.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == answer.text
        assert plain.headers["etag"] != answer.headers["etag"]
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b"")
    first = client.get(HOME).text
    assets = re.findall(r'(?:src|href)="([^"]*_static/[^"]+\.(?:css|js)[^"]*)"', first)
    assert len(assets) > 5
    for asset in assets:
        answer = client.get(urljoin(HOME, asset))
        assert "immutable" in answer.headers["cache-control"], f"{asset}: its address has a checksum"
    picture = client.get(f"{HOME}_images/page-list.png")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert "content-encoding" not in picture.headers


def test_the_start_has_one_address(client: httpx.Client) -> None:
    answer = client.get("/docs/guide")
    assert (answer.status_code, answer.headers["location"]) == (307, HOME)
    assert client.get("/docs").status_code == 200, "the reference stays where it was"
    assert client.post(HOME).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "nothing.html",
        "../serving.py",
        "..%2fserving.py",
        "%2e%2e/serving.py",
        "....//serving.py",
        "..%5cserving.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "index.html%00.png",
        "_static",
        "_static/",
        "INDEX.HTML",
    ],
)
def test_other_paths_lead_nowhere(client: httpx.Client, guide: Service, path: str) -> None:
    # httpx would resolve the dots before it sends the path, and curl does not with this option.
    done = subprocess.run(
        [
            "curl",
            "-s",
            "--path-as-is",
            "-H",
            "Accept: text/html",
            "-w",
            "\n%{http_code}",
            f"{guide.base_url}{HOME}{path}",
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    assert status == "404"
    assert "There is no such page" in body
    assert f'href="{HOME}"' in body
    for_a_program = client.get(f"{HOME}nothing", headers={"accept": "application/json"})
    assert (for_a_program.status_code, for_a_program.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_without_the_archive_a_page_explains_it(new_service: Callable[..., Service], tmp_path: Path) -> None:
    service = new_service(PYTHONPATH=package_with(None, tmp_path))
    answer = httpx.get(f"{service.base_url}{HOME}quickstart.html", headers=HTML)
    assert answer.status_code == 404
    assert "<code>script/docs</code>" in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert httpx.get(f"{service.base_url}{HOME}", headers={"accept": "application/json"}).json()["success"] is False


def test_a_new_archive_is_served_without_a_restart(
    built: Path, new_service: Callable[..., Service], tmp_path: Path
) -> None:
    service = new_service(PYTHONPATH=package_with(None, tmp_path))
    assert httpx.get(service.base_url + HOME, headers=HTML).status_code == 404
    new = tmp_path / "leadyard" / "http" / "guide" / "guide.new"
    shutil.copy(built / "guide.zip", new)
    new.replace(new.with_name("guide.zip"))
    assert httpx.get(service.base_url + HOME, headers=HTML).status_code == 200


@pytest.mark.needs_chromium
def test_a_reader_searches_in_a_browser(guide: Service) -> None:
    with open_browser() as browser:
        seen = Seen(browser, guide.base_url)
        hosts: set[str] = set()
        seen.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        seen.open(HOME)
        seen.page.get_by_role("link", name="Quickstart").first.click()
        seen.page.wait_for_url("**/quickstart.html")
        box = seen.page.locator("input[name=q]").first
        box.fill("overlap")
        box.press("Enter")
        found = seen.page.locator("#search-results li a", has_text="Keep two lists apart").first
        found.wait_for()
        found.click()
        seen.page.get_by_role("heading", level=1, name="Keep two lists apart").wait_for()
        assert hosts <= {urlsplit(guide.base_url).netloc, ""}
        assert seen.errors == []


@pytest.mark.needs_chromium
@pytest.mark.parametrize("window", [{}, {"dark": True}, {"width": 360}], ids=["light", "dark", "narrow"])
def test_pages_are_accessible_and_keep_the_policy(guide: Service, window: dict[str, object]) -> None:
    with open_browser() as browser:
        seen = Seen(browser, guide.base_url, **window)
        for page in ("", "quickstart.html", "howto/receive-webhooks.html", "api.html", "search.html?q=move"):
            seen.open(HOME + page)
            assert seen.broken_rules() == [], page
            overflow = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, page
        assert seen.errors == []


def test_the_guide_is_small(built: Path) -> None:
    """The wheel contains it. The first page with its styles and scripts is less than a picture."""
    assert (built / "guide.zip").stat().st_size < 2_500_000
    first = (built / "html" / "index.html").read_text()
    loaded = re.findall(r'(?:src|href)="(_static/[^"?]+\.(?:js|css))', first)
    assert sum(len(gzip.compress((built / "html" / each).read_bytes())) for each in loaded) < 60_000
