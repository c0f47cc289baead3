#!/usr/bin/env bash
# CleverCSV takes the @ for the delimiter of a file with one column of e-mail addresses.
#
# Expected: CleverCSV finds the dialect of messy CSV files, and it recognises e-mail addresses as one of its types of
# cells. A file with one column of them has no delimiter, as a file with one column of URLs has none.
#
# Observed: it splits each address. `read_dicts` returns the names before the @ under "Email", and the hosts under None.
# There is no error. It is the same with 3 and with 1,000 addresses. A second column in the file makes it right.
#
# Versions: clevercsv 0.8.5 (PyPI). Seen on 2026-11-30 with Python 3.11:
#
#   3 addresses: delimiter '@', first row {'Email': 'person0', None: ['company0.example']}
#   1,000 addresses: delimiter '@', first row {'Email': 'person0', None: ['company0.example']}
#   3 addresses and names: delimiter ',', first row {'Email': 'person0@company0.example', 'Name': 'Person'}
#   3 profiles: delimiter '', first row {'Profile': 'https://people.example/person0'}
#
# For you: name the delimiters that you accept, `Detector().detect(text, delimiters=[",", ";", "\t", "|"])`. Leadyard takes
# a file with one column of addresses for what it is.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check clevercsv==0.8.5 2>/dev/null

"$work/venv/bin/python" -W error - "$work/people.csv" <<'PYTHON' | tee "$work/seen"
import sys
from pathlib import Path

import clevercsv

path = Path(sys.argv[1])


def show(what, header, lines):
    path.write_text("\n".join([header, *lines]) + "\n")
    dialect = clevercsv.Sniffer().sniff(path.read_text())
    first = dict(clevercsv.read_dicts(str(path))[0])
    print(f"{what}: delimiter {dialect.delimiter!r}, first row {first}")


addresses = [f"person{n}@company{n % 7}.example" for n in range(1000)]
show("3 addresses", "Email", addresses[:3])
show("1,000 addresses", "Email", addresses)
show("3 addresses and names", "Email,Name", [f"{address},Person" for address in addresses[:3]])
show("3 profiles", "Profile", [f"https://people.example/person{n}" for n in range(3)])
PYTHON

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: CleverCSV no longer splits the addresses as described."; exit 1; }
3 addresses: delimiter '@', first row {'Email': 'person0', None: ['company0.example']}
1,000 addresses: delimiter '@', first row {'Email': 'person0', None: ['company0.example']}
3 addresses and names: delimiter ',', first row {'Email': 'person0@company0.example', 'Name': 'Person'}
3 profiles: delimiter '', first row {'Profile': 'https://people.example/person0'}
EXPECTED
