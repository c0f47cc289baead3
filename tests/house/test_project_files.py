"""The files around the code: hosted CI, Dependabot, forms, hooks and editors agree with what the scripts really do."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for  # type: ignore[import-untyped]

from tests.house.documents import ROOT, tracked_files

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (".github/workflows/ci.yml", "github-workflows"),
        (".github/dependabot.yml", "dependabot"),
        (".github/ISSUE_TEMPLATE/config.yml", "github-issue-config"),
        (".github/ISSUE_TEMPLATE/bug.yml", "github-issue-forms"),
        (".github/ISSUE_TEMPLATE/change.yml", "github-issue-forms"),
    ],
)
def test_the_files_of_the_host_follow_its_schemas(file: str, schema: str) -> None:
    rules = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{schema}.json").read_text())
    content = yaml.safe_load((ROOT / file).read_text())
    # YAML 1.1 reads the key `on` as a boolean.
    content = {("on" if key is True else key): value for key, value in content.items()}
    assert not [error.message for error in validator_for(rules)(rules).iter_errors(content)]
    assert list(validator_for(rules)(rules).iter_errors({"unknown": 1})), "the schema would notice a mistake"


def test_hosted_ci_runs_ours_on_every_python_that_we_name() -> None:
    job = WORKFLOW["jobs"]["ci"]
    versions = job["strategy"]["matrix"]["python"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))
    assert versions == named
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert job["env"]["PYTHON"] == "python${{ matrix.python }}", "script/bootstrap reads it"
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_the_hooks_are_our_own_programs() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local", "a hook from elsewhere is downloaded, and has a version of its own"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        program = shlex.split(hook["entry"])[0].replace(".venv/bin", str(Path(sys.executable).parent))
        assert (ROOT / program).is_file(), hook["entry"]


def test_every_text_file_is_as_the_editors_are_told() -> None:
    rules = configparser.ConfigParser()
    rules.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    assert rules["*"]["max_line_length"] == str(PROJECT["tool"]["ruff"]["line-length"])
    for file in tracked_files():
        content = file.read_bytes()
        if not content or b"\0" in content or file.suffix == ".csv":
            continue
        assert b"\r" not in content, f"{file}: end_of_line"
        assert content.endswith(b"\n"), f"{file}: insert_final_newline"
        assert not re.search(rb"[ \t]\n", content), f"{file}: trim_trailing_whitespace"


def test_dependencies_are_sorted() -> None:
    for names in (PROJECT["project"]["dependencies"], PROJECT["dependency-groups"]["dev"]):
        plain = [re.split(r"[\[<>=;]", each)[0] for each in names]
        assert plain == sorted(plain)
