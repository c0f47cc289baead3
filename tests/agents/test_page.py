"""docs/agents.md is correct: its program runs, and its table is the list of tools."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from leadyard.agents.advice import next_step
from leadyard.agents.catalogue import TOOLS
from leadyard.api_client.refused import Refused
from rig.service import Tenant

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text()


def test_the_program_of_the_page_runs(tenant: Tenant, tmp_path: Path) -> None:
    tenant.create_audience("Spring campaign")
    [program] = re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KEY": tenant.key, "MCP_URL": f"{tenant.service.base_url}/mcp"},
        cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("Spring campaign 0\n", 0), done.stderr


def test_the_table_has_every_tool_with_its_effect_and_permission() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (reads|adds|changes): .* \| (.*) \|$", PAGE, re.MULTILINE)
    described = [(name, effect, tuple(re.findall(r"`(.*?)`", permissions))) for name, effect, permissions in rows]
    assert described == [(each.name, each.effect.value, tuple(map(str, each.needs))) for each in TOOLS]


def test_every_code_of_the_tools_is_on_the_page_with_a_next_step() -> None:
    folders = [ROOT / "src" / "leadyard" / name for name in ("agents", "api_client")]
    source = "".join(file.read_text() for folder in folders for file in folder.rglob("*.py"))
    raised = set(re.findall(r'Refused\(\s*"([A-Z_]+)"', source)) | {"JOB_FAILED"}
    elsewhere = {"VALIDATION_ERROR", "INTERNAL_ERROR"}
    on_page = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE))
    assert on_page == raised - elsewhere
    assert all(next_step(Refused(code, "")) for code in raised)
