#!/usr/bin/env bash
# csvsort, which sorts the rows of a CSV file, also writes "Monday" as 0001-01-08 and the initial "Y" as "True".
#
# Expected: the rows in another order, and each cell as it was. The manual mentions that csvkit infers types; you expect
# that they decide the order.
#
# Observed: csvkit guesses a type for each column and writes the values of that type. A column with only weekdays is a
# date, counted from the first day of the year 1. So is a column with only first names such as April, May and June.
# "Tuesday" and "tomorrow" give the same date, so you cannot restore them. A column with only the initials T, F, Y and N
# is a boolean. `csvjoin`, `csvjson`, `csvlook` and `in2csv` do the same; `csvcut` and `csvgrep` do not.
#
# Versions: csvkit 2.2.0, agate 1.14.2 (PyPI). Seen on 2026-11-30 with Python 3.11:
#
#   firstName,initial,lastName,callOn
#   0001-05-01,True,Adams,0001-01-08
#   0001-06-01,True,Berg,0001-01-02
#   0001-04-01,False,Cole,0001-01-02
#
# For you: pass `--no-inference` to every command of csvkit that writes contacts. Leadyard keeps the text of a CSV cell.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2 2>/dev/null

cat >"$work/people.csv" <<'CSV'
firstName,initial,lastName,callOn
June,Y,Berg,Tuesday
April,F,Cole,tomorrow
May,T,Adams,Monday
CSV
"$work/venv/bin/csvsort" -c lastName "$work/people.csv" | tee "$work/seen"

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: csvsort no longer writes these values as described."; exit 1; }
firstName,initial,lastName,callOn
0001-05-01,True,Adams,0001-01-08
0001-06-01,True,Berg,0001-01-02
0001-04-01,False,Cole,0001-01-02
EXPECTED
"$work/venv/bin/csvsort" --no-inference -c lastName "$work/people.csv" >"$work/kept"
diff "$work/kept" - <<'EXPECTED'
firstName,initial,lastName,callOn
May,T,Adams,Monday
June,Y,Berg,Tuesday
April,F,Cole,tomorrow
EXPECTED
