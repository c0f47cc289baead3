#!/usr/bin/env bash
# A derandomized test of Hypothesis tries other examples if another module of your project is loaded.
#
# Expected: `derandomize=True` lets every run try the same examples. The documentation promises that until you update
# Hypothesis, Python or the test function.
#
# Observed: Hypothesis collects the constants of all modules of the project that are loaded, and draws some of them. So
# the same test tries other examples when any module of the project has been imported before, for example by another
# test file of the same run. A test can fail beside some tests and pass alone, or the reverse.
#
# Versions: Hypothesis 6.170.15 and pytest 9.0.2. Seen on 2026-11-30 with Python 3.11:
#
#   alone twice: the same examples
#   alone, and behind a test that imports words.py: other examples
#   behind that test, a text of words.py is among the examples
#
# For you: there is no setting for it. Leadyard's tests replace a private function of Hypothesis in ordinary runs, and a
# test of their own notices if that loses its effect.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hypothesis==6.170.15 pytest==9.0.2 2>/dev/null
mkdir "$work/project"
cd "$work/project"

"$work/venv/bin/python" - > words.py <<'PYTHON'
for number in range(300):
    print(f"word_{number} = 'constant {number}'")
PYTHON
cat > test_a.py <<'PYTHON'
import words


def test_words():
    assert words.word_0 == "constant 0"
PYTHON
cat > test_b.py <<'PYTHON'
import os

from hypothesis import given, settings
from hypothesis import strategies as st

drawn = []


@settings(derandomize=True, database=None, max_examples=300)
@given(st.text(max_size=20))
def search(text):
    drawn.append(text)


def test_search():
    search()
    with open(os.environ["DRAWN"], "w") as file:
        file.write(ascii(drawn))
PYTHON

examples() { DRAWN=$work/$1 "$work/venv/bin/python" -m pytest -q -p no:cacheprovider "${@:2}" > "$work/log" || { cat "$work/log"; exit 1; }; }
compare() { if cmp -s "$work/$1" "$work/$2"; then echo "the same examples"; else echo "other examples"; fi; }

examples alone test_b.py
examples again test_b.py
examples beside test_a.py test_b.py
{
  echo "alone twice: $(compare alone again)"
  echo "alone, and behind a test that imports words.py: $(compare alone beside)"
  grep -q "'constant [0-9]*'" "$work/beside" && echo "behind that test, a text of words.py is among the examples"
} | tee "$work/seen"

diff "$work/seen" - <<'EXPECTED' || { echo "Hypothesis no longer behaves as described above."; exit 1; }
alone twice: the same examples
alone, and behind a test that imports words.py: other examples
behind that test, a text of words.py is among the examples
EXPECTED
