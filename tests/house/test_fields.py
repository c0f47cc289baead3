"""A new field of a person is one entry in people/fields.py and a migration: proved on a copy of the code."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import leadyard
from leadyard.people.fields import ATTRIBUTES, COLUMN_NAMES, COMPANY_FIELDS, TEXT_FIELDS, Profile
from leadyard.store.schema import head_revision

SOURCE = Path(leadyard.__file__).parent
FIELD = 'twitter: str | None = _text(20, "twitter twitterhandle", is_sent_to_provider=True, example="@ada")'
COMPANY_FIELD = 'company_size: str | None = _text(30, "companysize employees", is_sent_to_provider=True)'
MIGRATION = f'''"""Two fields that nobody needs."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head_revision()}"


def upgrade() -> None:
    op.add_column("leads", sa.Column("twitter", sa.Text()))
    op.add_column("leads", sa.Column("company_size", sa.Text()))
'''
LOOK = """
import json

import leadyard
from leadyard.http.v1.leads import Lead, UpdateLead
from leadyard.http.v1.prospects import NewProspect, Prospect
from leadyard.people.shapes import profile_of
from leadyard.provider.shapes import ROW_HEADER, to_profile, to_request
from leadyard.store.tables import leads

RAW = {"twitter": "@ada", "company": {"size": "7"}}
MODELS = (Lead, UpdateLead, NewProspect, Prospect)
schemas = {model.__name__: model.model_json_schema() for model in MODELS}
profiles = [to_profile(RAW), profile_of(NewProspect.model_validate(RAW))]
print(json.dumps({
    "file": leadyard.__file__,
    "person": {name: list(schema["properties"]) for name, schema in schemas.items()},
    "company": {
        name: list(part["properties"])
        for name, schema in schemas.items() for title, part in schema["$defs"].items() if title.endswith("Company")
    },
    "profiles": [[profile.twitter, profile.company_size] for profile in profiles],
    "request": [to_request(profiles[0])["twitter"], to_request(profiles[0])["company"]["size"]],
    "row": [name for name in ROW_HEADER if name in ("twitter", "company.size")],
    "columns": [column.name for column in leads.columns if column.name in ("twitter", "company_size")],
}))
"""


class Copy(NamedTuple):
    """The code with two more fields, and a database of its own."""

    folder: Path

    def run(self, *arguments: str) -> str:
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder / "src"),
            "LEADYARD_DATABASE_URL": f"sqlite:///{self.folder / 'people.db'}",
        }
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "src" / "leadyard"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    table = package / "people" / "fields.py"
    text = table.read_text()
    for field, before in ((FIELD, "    phone:"), (COMPANY_FIELD, "    company_website:")):
        assert text.count(before) == 1
        text = text.replace(before, f"    {field}\n{before}")
    table.write_text(text)
    (package / "store" / "migrations" / "versions" / "9999_two_fields.py").write_text(MIGRATION)
    return Copy(folder)


@pytest.mark.timeout(120)
def test_it_arrives_in_every_shape_and_in_the_table(copy: Copy) -> None:
    found: dict[str, Any] = json.loads(copy.run("-c", LOOK))
    assert found["file"].startswith(str(copy.folder)), "the copy was looked at"
    assert len(found["person"]) == len(found["company"]) == 4
    for shape, fields in found["person"].items():
        assert fields[fields.index("phone") - 1] == "twitter", shape
    for shape, fields in found["company"].items():
        assert fields[-2:] == ["size", "website"], shape
    assert found["profiles"] == [["@ada", "7"], ["@ada", "7"]]
    assert found["request"] == ["@ada", "7"]
    assert found["row"] == ["twitter", "company.size"]
    assert sorted(found["columns"]) == ["company_size", "twitter"]


@pytest.mark.timeout(120)
def test_it_is_imported_stored_and_exported(copy: Copy) -> None:
    people = copy.folder / "people.csv"
    people.write_text(f"email,Twitter Handle,Employees\nada@example.org,ada_l,7\nb@example.org,{'x' * 21},\n")
    group = copy.run("-m", "leadyard", "account-groups", "create", "Acme", "--json")
    in_audience = ("--account-group", json.loads(group)["id"], "--audience", "All")
    report = json.loads(copy.run("-m", "leadyard", "import", str(people), *in_audience, "--json"))
    [noted] = csv.DictReader(Path(report["rejectsFile"]).read_text().splitlines())
    exported, cut = csv.DictReader(copy.run("-m", "leadyard", "export", *in_audience).splitlines())

    assert "has 21 characters" in noted["reject_reason"] and noted["reject_reason"].startswith("twitter ")
    assert (cut["email"], cut["twitter"]) == ("b@example.org", "x" * 20)
    assert (exported["email"], exported["twitter"], exported["company.size"]) == ("ada@example.org", "ada_l", "7")


def test_the_names_in_json_are_the_published_ones() -> None:
    assert COLUMN_NAMES == (
        "firstName", "lastName", "name", "headline", "about", "photoUrl", "linkedinUrl", "publicIdentifier", "title",
        "email", "phone", "location", "company.name", "company.linkedinIdentifier", "company.linkedinUrl",
        "company.industry", "company.website", "providerId",
    )  # fmt: skip
    assert [field.json_key for field in COMPANY_FIELDS] == [
        "name", "linkedinIdentifier", "linkedinUrl", "industry", "website",
    ]  # fmt: skip
    assert [*ATTRIBUTES, "custom_fields"] == list(Profile.__dataclass_fields__)
    assert [field.attribute for field in TEXT_FIELDS if field.is_key] == ["public_identifier", "email", "provider_id"]
