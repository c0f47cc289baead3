"""Builds the TypeScript client in a folder of its own, packs it, and runs its tests and examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.service import Tenant

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "clients" / "typescript"
_NOT_SOURCES = shutil.ignore_patterns("node_modules", "dist", "build-tests", "*.tgz")


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Runs a command and returns what it has printed. Fails with all of its output if its exit code is not 0."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment_of(tenant: Tenant) -> dict[str, str]:
    """Returns the variables that the tests and the examples of the client read."""
    return {
        "LEADYARD_URL": tenant.service.base_url,
        "LEADYARD_API_KEY": tenant.key,
        "ACCOUNT_GROUP": tenant.account_group_id,
    }


@dataclass(frozen=True)
class Package:
    """A copy of the package with its development tools. `folder` is clients/typescript of that copy."""

    folder: Path

    @classmethod
    def copied_to(cls, root: Path) -> Package:
        """Copies the sources and openapi.json, installs the tools, and builds the client and its tests."""
        package = cls(root / "clients" / "typescript")
        shutil.copytree(SOURCES, package.folder, ignore=_NOT_SOURCES)
        shutil.copy(ROOT / "openapi.json", root)
        run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], package.folder)
        run(["npm", "run", "build"], package.folder)
        run(["npm", "run", "build-tests"], package.folder)
        return package

    def test(self, name: str, **environment: str) -> None:
        """Runs a file of tests with Node's own test runner."""
        report = run(self.test_command(name), self.folder, environment)
        assert re.search(r"^# pass [1-9]", report, re.MULTILINE), report

    def test_command(self, name: str) -> list[str]:
        """Returns the command that runs a file of tests. The runner would start a second process for it, so Node itself
        runs it, which reports the same."""
        return ["node", "--test-reporter=tap", f"build-tests/{name}.test.js"]

    def pack(self, folder: Path) -> Path:
        """Returns the file that `npm publish` would send."""
        run(["npm", "pack", "--silent", "--pack-destination", folder], self.folder)
        [packed] = folder.glob("*.tgz")
        return packed

    def installed_in(self, folder: Path, packed: Path) -> None:
        """Makes `folder` a project that uses the packed client, with the compiler and Node's types."""
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", packed], folder)
        for tool in ("typescript", "@types/node", "undici-types"):
            place = folder / "node_modules" / tool
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(self.folder / "node_modules" / tool)
