"""The documentation is correct: commands run, links lead somewhere, and no page depends on one particular machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from rig.service import Service, leadyard, make_tenant
from tests.house.console_page import environment_of_a_reader
from tests.house.documents import README, ROOT, bash_blocks, block_with, tracked_files


def run_bash(script: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a part of a block in bash, in a folder of the test, with only a home and a path set."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={**environment_of_a_reader(cwd), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# ----------------------------------------------------------------------------------------------------- the README


def test_every_block_of_the_readme_is_run() -> None:
    """test_page_examples.py and test_first_page.py run the others."""
    known = ("script/demo", "script/bootstrap", "move-leads", "/prospecting", "leadyard migrate")
    for block in bash_blocks(README):
        assert sum(words in block for words in known) == 1, f"no test runs this block:\n{block}"


def test_scripts_can_be_run() -> None:
    named = set(re.findall(r"\bscript/\w+", README))
    assert named >= {"script/demo", "script/test", "script/bootstrap"}
    for name in named:
        assert (ROOT / name).stat().st_mode & stat.S_IXUSR, f"{name} is not executable"
        assert subprocess.run(["bash", "-n", str(ROOT / name)], check=False).returncode == 0
    # script/test runs this very test, so all that is left to check is that it passes its arguments to pytest.
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


def test_the_example_data(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    group = run_bash("leadyard account-groups create Acme --json", tmp_path)
    blocks = bash_blocks((ROOT / "examples" / "README.md").read_text())
    added = {"--where type=sen": "added 100", "people.csv": "added 3"}
    assert len(blocks) == len(added)
    for block, (words, result) in zip(blocks, added.items(), strict=True):
        assert words in block
        done = run_bash(block, tmp_path, ACCOUNT_GROUP=json.loads(group.stdout)["id"])
        assert result in done.stdout, done.stdout + done.stderr


def test_postgresql_in_three_lines(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """It needs PostgreSQL itself, so it runs once; with SQLite alone there is nothing to check."""
    lines = block_with("leadyard migrate").splitlines()
    assert len(lines) == 3
    name, _, url = lines[0].removeprefix("export ").partition("=")
    assert name == "LEADYARD_DATABASE_URL"
    assert url.startswith("postgresql://")
    assert lines[2].startswith("leadyard serve")
    if "postgresql" not in os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql"):
        return
    server: str = request.getfixturevalue("postgres_url")
    from rig.service import run_sql

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
        for name in re.findall(r"(?:^|`|^\$ )leadyard ([a-z][a-z-]*)", file.read_text(), re.MULTILINE):
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


# Written so that this file does not contain the text that it looks for.
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
