"""The documentation keeps its word: commands run, links lead somewhere, nothing tells of one particular machine."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.service import Service, Tenant, leadyard, make_tenant

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def tracked_files() -> list[Path]:
    """Returns the files of the repository; outside of one, those that lie where its files would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    found = [ROOT / name for name in names if name] or [
        file for top in ("src", "tests", "docs", "script") for file in (ROOT / top).rglob("*")
    ]
    return [file for file in found if file.is_file()]


def bash_blocks(text: str) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", text, re.DOTALL)


def block_with(words: str) -> str:
    (found,) = [block for block in bash_blocks(README) if words in block]
    return found


def run_bash(script: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a block of the README as a reader would: in bash, in some folder, with nothing set but a home and a path."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={
            "HOME": str(cwd),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# ------------------------------------------------------------------------------------------ what the README shows


def test_every_block_of_the_readme_is_run_below() -> None:
    known = ("script/demo", "script/bootstrap", "move-leads", "/prospecting", "leadyard migrate")
    for block in bash_blocks(README):
        assert sum(words in block for words in known) == 1, f"no test runs this block:\n{block}"


def test_scripts_can_be_run() -> None:
    named = set(re.findall(r"\bscript/\w+", README))
    assert named >= {"script/demo", "script/test", "script/bootstrap"}
    for name in named:
        assert (ROOT / name).stat().st_mode & stat.S_IXUSR, f"{name} is not executable"
        assert subprocess.run(["bash", "-n", str(ROOT / name)], check=False).returncode == 0
    # script/test is what runs this very test, so all that is left to ask is that it hands its arguments to pytest.
    assert "-m pytest" in (ROOT / "script" / "test").read_text()


def test_the_demo_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100" in done.stdout
    assert "examples/demo.py" in (ROOT / "script" / "demo").read_text()


def test_run_it(tmp_path: Path) -> None:
    """The block line by line: the id which the first command prints goes where the text says it goes."""
    lines = block_with("script/bootstrap").splitlines()
    assert lines.pop(0) == "script/bootstrap"
    assert lines.pop(0) == 'export PATH="$PWD/.venv/bin:$PATH"'
    assert lines.pop().split()[:2] == ["leadyard", "serve"]
    assert all(line.startswith("leadyard ") for line in lines)
    (tmp_path / "people.csv").write_text("email\nada@example.org\n")
    first = run_bash(lines[0], tmp_path)
    match = re.search(r"[0-9a-f]{24}", first.stdout)
    assert match, first.stderr
    rest = run_bash("\n".join(lines[1:]), tmp_path, ACCOUNT_GROUP=match[0])
    assert rest.returncode == 0, rest.stderr
    assert "sk_live_" in rest.stdout
    assert "added 1" in rest.stdout
    assert (tmp_path / "data" / "leadyard.db").exists()


def test_the_move_as_one_curl(tenant: Tenant, tmp_path: Path) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    (lead,) = tenant.add_leads(source, 1)
    block = block_with("move-leads")
    assert "http://127.0.0.1:8000/" in block
    ids = {"ACCOUNT_GROUP": tenant.account_group_id, "SOURCE": source, "TARGET": target, "LEAD": lead}
    script = block.replace("http://127.0.0.1:8000", tenant.service.base_url)
    done = run_bash(script, tmp_path, KEY=tenant.key, **ids)
    assert done.returncode == 0, done.stderr
    answer = httpx.Response(200, text=done.stdout).json()
    assert answer["success"] is True, answer
    assert answer["data"]["movedCount"] == 1
    assert tenant.members(target) == [lead]


def test_an_audience_from_a_file(tenant: Tenant, tmp_path: Path) -> None:
    block = block_with("/prospecting").replace("http://127.0.0.1:8000", tenant.service.base_url)
    (tmp_path / "people.csv").write_text("email\nada@example.org\n")
    done = run_bash(block, tmp_path, KEY=tenant.key, ACCOUNT_GROUP=tenant.account_group_id)
    assert done.returncode == 0, done.stderr
    started = httpx.Response(200, text=done.stdout).json()
    assert started["success"] is True, started
    job = tenant.client.get(f"/prospecting/{started['data']['jobId']}").json()["data"]
    assert (job["sourceType"], job["status"]) == ("csv_upload", "queued"), "the services of the tests have no worker"


def test_postgresql_in_three_lines(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Asks for PostgreSQL by itself, so it runs once; with SQLite alone there is nothing to check."""
    lines = block_with("leadyard migrate").splitlines()
    assert len(lines) == 3
    name, _, url = lines[0].removeprefix("export ").partition("=")
    assert name == "LEADYARD_DATABASE_URL"
    assert url.startswith("postgresql://")
    assert lines[2].startswith("leadyard serve")
    if "postgresql" not in os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql"):
        return
    server: str = request.getfixturevalue("postgres_url")
    from tests.service import run_sql

    database = f"leadyard_readme_{os.getpid()}"
    run_sql(server, f"CREATE DATABASE {database}")
    try:
        real = re.sub(r"^(postgres(?:ql)?://[^/]*/)[^?]*", rf"\g<1>{database}", server)
        done = run_bash(f"export LEADYARD_DATABASE_URL='{real}'\n{lines[1]}\nleadyard doctor", tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Migrated from an empty database")
        assert "Healthy" in done.stdout
    finally:
        run_sql(server, f"DROP DATABASE {database} WITH (FORCE)")


def test_commands_in_other_documents_exist() -> None:
    known = set(re.findall(r"^  ([a-z-]+)  ", leadyard("--help", url="").stdout, re.MULTILINE))
    assert "import" in known
    for file in documents():
        for name in re.findall(r"(?:^|`)leadyard ([a-z][a-z-]*)", file.read_text(), re.MULTILINE):
            assert name in known, f"{file.name}: there is no command 'leadyard {name}'"


# ------------------------------------------------------------------------------------------ all documents


def documents() -> list[Path]:
    return [file for file in tracked_files() if file.suffix == ".md"]


def links(text: str) -> Iterator[str]:
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    yield from re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", without_code)


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_links_lead_somewhere() -> None:
    seen = 0
    for file in documents():
        for link in links(file.read_text()):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            assert target.exists(), f"{file.relative_to(ROOT)}: {link} leads nowhere"
            assert ROOT in [target, *target.parents], f"{file.relative_to(ROOT)}: {link} leads out of the repository"
            if anchor:
                assert anchor in anchors(target.read_text()), f"{file.relative_to(ROOT)}: {link} has no such heading"
            seen += 1
    assert seen >= 6


def test_a_dead_link_would_be_seen() -> None:
    assert list(links("[a](b.md) and `[c](d.md)` and\n```\n[e](f.md)\n```")) == ["b.md"]
    assert anchors("# One, two & Three!\n") == {"one-two--three"}


# Written so that this file does not hold what it looks for.
_HOMES = "|".join(["work", "root", r"home/(?!user\b)\w+", r"Users/\w+", "workspace", "private/var"])
MACHINE_PATHS = re.compile(rf"(?<![\w.])/(?:{_HOMES})/[\w.]")
_INDEXES = [
    "artifactory",
    "jfrog",
    r"nexus\.",
    "devpi",
    "codeartifact",
    r"pkg\.dev",
    r"index-url\s*=",
    r"proxy\.golang",
]
INDEX_HOSTS = re.compile("|".join([*_INDEXES, r"files\.pythonhosted\.org", r"pypi\.org/simple"]))


def test_nothing_tells_of_one_machine_or_its_package_index() -> None:
    for file in tracked_files():
        if file == Path(__file__) or b"\0" in file.read_bytes()[:8000]:
            continue
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            for pattern in (MACHINE_PATHS, INDEX_HOSTS):
                assert not pattern.search(line), f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"


def test_a_machine_path_would_be_seen() -> None:
    assert MACHINE_PATHS.search("see /" + "work/main/x")
    assert MACHINE_PATHS.search("'/" + "root/.cache'")
    assert not MACHINE_PATHS.search("a homework/main")
    assert INDEX_HOSTS.search("https://acme.jfrog" + ".io/pypi")


def test_versions_agree() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version("leadyard") == declared, "script/bootstrap installs the version that pyproject.toml declares"
    changelog = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased", "the newest section of CHANGELOG.md collects what is not released"
    released = [heading.split()[0] for heading in headings[1:]]
    assert not released or released[0] == declared, "the newest release in CHANGELOG.md is that of pyproject.toml"


def test_the_license_is_the_declared_one() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert "Apache-2.0" in README


def test_openapi_tells_the_version(service: Service) -> None:
    tenant = make_tenant(service)
    tenant.client.close()
    described = httpx.get(f"{service.base_url}/openapi.json").json()
    assert described["info"]["version"] == version("leadyard")
