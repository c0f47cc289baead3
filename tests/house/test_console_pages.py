"""Every `console` block of the documentation runs, and its output is the one that the page shows.

After a change of an output, LEADYARD_TEST_WRITE_CONSOLE=1 script/test tests/house/test_console_pages.py writes the real
outputs into the pages. Read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.house.console_page import Reader, Step, masked, steps, without_secrets

ROOT = Path(__file__).parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if steps(page.read_text())]
WRITE = bool(os.environ.get("LEADYARD_TEST_WRITE_CONSOLE"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_outputs_are_real(page: Path, tmp_path: Path, log_dir: Path) -> None:
    shown = steps(page.read_text())
    reader = Reader(tmp_path, log_dir)
    try:
        real = []
        for step in shown:
            output = reader.output_of(step)
            real.append(Step(step.command, output))
            if not WRITE:
                assert masked(output) == masked(step.shown), f"{page.name}: $ {step.command}\n{output}"
    finally:
        reader.close()
    if WRITE:
        page.write_text(_with_outputs(page.read_text(), shown, real))


def _with_outputs(text: str, shown: list[Step], real: list[Step]) -> str:
    """Returns the page with the real outputs where they differ by more than ids and times. Secrets are cut."""
    start = 0
    for old, new in zip(shown, real, strict=True):
        start = text.index(old.text, start)
        if masked(old.shown) != masked(new.shown):
            text = text[:start] + without_secrets(new.text) + text[start + len(old.text) :]
        start += len(f"$ {old.command}")
    return text


def test_the_pages_are_read_as_they_are_written() -> None:
    page = "```console\n$ one \\\n>   two\nout\n\nmore\n$ three\n```\n```bash\n$ four\n```"
    assert steps(page) == [Step("one \\\n>   two", "out\n\nmore"), Step("three", "")]


def test_only_different_outputs_are_written() -> None:
    page = "```console\n$ one\nat 2026-01-01\n$ two\nold\n$ two\n```"
    real = [Step("one", "at 2026-02-02"), Step("two", "new"), Step("two", "newer")]
    assert _with_outputs(page, steps(page), real) == "```console\n$ one\nat 2026-01-01\n$ two\nnew\n$ two\nnewer\n```"


def test_a_different_output_would_be_noticed(tmp_path: Path, log_dir: Path) -> None:
    reader = Reader(tmp_path, log_dir)
    try:
        output = reader.output_of(Step("leadyard account-groups create Acme", ""))
        again = reader.output_of(Step("leadyard account-groups create Acme", ""))
        other = reader.output_of(Step("leadyard account-groups create Other", ""))
    finally:
        reader.close()
    assert output != again
    assert masked(output) == masked(again)
    assert masked(output) != masked(other)
