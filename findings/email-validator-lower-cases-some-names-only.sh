#!/usr/bin/env bash
# email-validator lower-cases `Sales@` and keeps `Hello@`: its normal form is not a key, and not the address as written.
#
# Expected: the part before the @ is kept as it is written, because the mail server decides whether its case matters.
# Or, from a library that returns a field `normalized`, that it is lower-cased. Either way, all names alike.
#
# Observed: the part before the @ keeps its case, except for a short list of mailbox names (postmaster, sales, info,
# support and a few more), which are lower-cased. `Sales@` and `sales@` become one person, `Hello@` and `hello@` stay two.
# `Office`, `Contact` and `Admin` are not on the list.
#
# Versions: email-validator 2.4.0, also as `EmailStr` of pydantic 2.14.4. Seen on 2026-11-29 with Python 3.11:
#
#   Sales@Example.COM      email-validator sales@example.com      EmailStr sales@example.com
#   INFO@Example.COM       email-validator info@example.com       EmailStr info@example.com
#   Support@Example.COM    email-validator support@example.com    EmailStr support@example.com
#   Hello@Example.COM      email-validator Hello@example.com      EmailStr Hello@example.com
#   Office@Example.COM     email-validator Office@example.com     EmailStr Office@example.com
#   CONTACT@Example.COM    email-validator CONTACT@example.com    EmailStr CONTACT@example.com
#   Admin@Example.COM      email-validator Admin@example.com      EmailStr Admin@example.com
#   Anna.Berg@Example.COM  email-validator Anna.Berg@example.com  EmailStr Anna.Berg@example.com
#
# For you: if the address identifies a person, fold its case yourself after you validate it. Leadyard compares addresses
# in lower case, and stores them so.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check email-validator==2.4.0 pydantic==2.14.4 2>/dev/null
"$work/venv/bin/python" - <<'PYTHON'
from email_validator import validate_email
from pydantic import EmailStr, TypeAdapter

cells = [f"{name}@Example.COM" for name in ("Sales", "INFO", "Support", "Hello", "Office", "CONTACT", "Admin", "Anna.Berg")]
plain = [validate_email(cell, check_deliverability=False).normalized for cell in cells]
pydantic = [TypeAdapter(EmailStr).validate_python(cell) for cell in cells]
for cell, first, second in zip(cells, plain, pydantic):
    print(f"{cell:22} email-validator {first:22} EmailStr {second}")
names = ["sales", "info", "support", "Hello", "Office", "CONTACT", "Admin", "Anna.Berg"]
if plain != [f"{name}@example.com" for name in names] or pydantic != plain:
    print("CHANGED: the names are no longer treated as described.")
    raise SystemExit(1)
PYTHON
