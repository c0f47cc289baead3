"""An ordinary run of the tests tries the same examples, whichever modules are loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEARCH = """
from hypothesis import given, settings, strategies as st
from tests.same_examples import leave_out_constants_of_modules

{switch}
drawn = []

@settings(derandomize=True, database=None, max_examples=60)
@given(st.text(max_size=20), st.integers())
def search(text, number):
    drawn.append((text, number))

search()
print(ascii(drawn))
"""
WORDS = "".join(f"word_{number} = 'constant {number}', {number * 7_919 + 50}\n" for number in range(300))


def examples(folder: Path, *, switch: str, module: str | None = None) -> str:
    """Returns the examples of a search, perhaps with a module of constants beside it."""
    folder.mkdir()
    lines = "".join(f"import {name}\n" for name in ("words",) if module is not None)
    (folder / "words.py").write_text(module or "")
    (folder / "search.py").write_text(lines + SEARCH.format(switch=switch))
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(folder)!r}]; import search"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, timeout=60)
    return done.stdout


def test_a_search_tries_the_same_examples_beside_other_modules(tmp_path: Path) -> None:
    switch = "leave_out_constants_of_modules()"
    alone = examples(tmp_path / "one", switch=switch)
    assert alone.count("(") >= 60
    assert examples(tmp_path / "two", switch=switch, module=WORDS) == alone
    # Without the switch the module changes the examples, so the test would notice.
    assert examples(tmp_path / "three", switch="", module=WORDS) != alone
