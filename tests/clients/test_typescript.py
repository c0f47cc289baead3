"""The TypeScript client in clients/typescript, with Node and a real service: its own tests, its package, its README."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadyard.http.answer.errors import STATUS_OF_CODE
from rig.answers import ADDED_KEYS
from rig.racing import assert_healthy
from rig.service import Service, Tenant, make_tenant
from rig.typescript_client import ROOT, SOURCES, Package, environment_of, run

# Node's tests, npm and the compiler take a while on a machine with other work.
pytestmark = pytest.mark.timeout(500)
needs_npm = pytest.mark.needs_npm
README = SOURCES / "README.md"
GENERATED = ("openapi.ts", "operations.ts")
STRICT = ("--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022", "--types", "node")

MOVE = """import { Leadyard, LeadyardError } from "leadyard-client";

const { LEADYARD_URL: baseUrl = "", LEADYARD_API_KEY: apiKey, ACCOUNT_GROUP: accountGroupId } = process.env;
const [source = "", target = "", lead = ""] = process.argv.slice(2);
const client = new Leadyard({ baseUrl, apiKey, accountGroupId });
const { movedCount, targetAudience } = await client.moveLeads(source, target, [lead]);
console.log(movedCount, targetAudience.prospectCount);
try {
  await client.moveLeads(source, target, [lead]);
} catch (error) {
  if (!(error instanceof LeadyardError) || error.code !== "LEADS_NOT_IN_SOURCE") throw error;
  console.log(error.fields.leadIds[0] === lead);
}
"""


@pytest.fixture(scope="session")
def user_project(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of a user, with the packed client installed and with programs that are compiled strictly: `move`, the
    blocks of the README one after the other as `readme`, and the program of docs/clients.md as `page`."""
    folder = tmp_path_factory.mktemp("user")
    project = folder / "project"
    package.installed_in(project, package.pack(folder))
    [page] = typescript_in(ROOT / "docs" / "clients.md")
    programs = {"move.ts": MOVE, "readme.ts": "\n".join(typescript_in(README)), "page.ts": page}
    for name, program in programs.items():
        (project / name).write_text(program)
    run(["node_modules/typescript/bin/tsc", *STRICT, *programs], project)
    return project


def typescript_in(page: Path) -> list[str]:
    """Returns the blocks of TypeScript in a page."""
    return re.findall(r"^```ts\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def busy_tenant(new_service: Callable[..., Service]) -> Iterator[Tenant]:
    """An account group of a service that runs jobs and sends webhooks, also to this machine."""
    made = make_tenant(new_service(LEADYARD_WORKER_IN_SERVE="on", LEADYARD_WEBHOOK_NETWORKS="127.0.0.0/8"))
    yield made
    made.client.close()


# ------------------------------------------------------------------------------------------------- Node's own tests


@needs_npm
@pytest.mark.parametrize("name", ["retrying", "types", "webhooks"])
def test_rules_that_need_no_service(package: Package, name: str) -> None:
    package.test(name)


@needs_npm
def test_every_operation(package: Package, busy_tenant: Tenant) -> None:
    package.test("operations", **environment_of(busy_tenant))
    assert_healthy(busy_tenant)


@needs_npm
def test_a_move_whose_connection_breaks_at_each_byte(package: Package, tenant: Tenant) -> None:
    package.test("cuts", **environment_of(tenant))
    assert_healthy(tenant)


@needs_npm
def test_storms(package: Package, tenant: Tenant, new_service: Callable[..., Service]) -> None:
    limited = make_tenant(new_service(LEADYARD_RATE_LIMITS="key=20/second"))
    package.test(
        "storms",
        **environment_of(tenant),
        LEADYARD_LIMITED_URL=limited.service.base_url,
        LEADYARD_LIMITED_KEY=limited.key,
        LEADYARD_LIMITED_GROUP=limited.account_group_id,
    )
    assert_healthy(tenant)


@needs_npm
def test_a_service_that_is_killed_while_the_client_moves(package: Package, new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    with subprocess.Popen(
        package.test_command("killed"),
        cwd=package.folder,
        env={**os.environ, **environment_of(tenant)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as client:
        assert client.stdout is not None
        lines = iter(client.stdout.readline, "")
        assert next((line for line in lines if line.startswith("moving")), ""), "the client did not begin"
        for _ in range(3):
            time.sleep(0.25)
            service.kill()
            service.start()
        report = "".join(lines)
        assert client.wait(300) == 0, report
    assert_healthy(tenant)
    tenant.client.close()


# --------------------------------------------------------------------------------------------------- the package


@needs_npm
def test_the_generated_files_are_those_of_the_document(package: Package) -> None:
    run(["npm", "run", "generate"], package.folder)
    for name in GENERATED:
        made = (package.folder / "src" / name).read_text()
        assert made == (SOURCES / "src" / name).read_text(), "run script/typescript-client"


def test_the_version_is_that_of_the_service() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    description = json.loads((SOURCES / "package.json").read_text())
    lock = json.loads((SOURCES / "package-lock.json").read_text())
    assert [description["version"], lock["version"], lock["packages"][""]["version"]] == [project["version"]] * 3
    assert (description["license"], "dependencies" in description) == (project["license"], False)


def test_the_types_of_errors_are_those_of_the_service() -> None:
    """Each code has its line in the table, with the fields that its refusals add."""
    table = (
        (SOURCES / "src" / "errors.ts").read_text().partition("export interface ErrorFields {")[2].partition("\n}\n")[0]
    )
    listed = dict(re.findall(r"^  ([A-Z_]+): (.+);$", table, re.MULTILINE))
    own = {"UNREACHABLE", "UNEXPECTED_ANSWER"}
    assert set(listed) == set(STATUS_OF_CODE) | own
    leads = {"LEADS_NOT_IN_SOURCE", "CHANGED_SINCE"}
    fields = {code: re.findall(r"(\w+): ", shape) for code, shape in listed.items() if code not in leads}
    for code in set(listed) - leads:
        expected = list(ADDED_KEYS.get(code, ()))
        # The columns are objects with two fields of their own.
        assert [name for name in fields[code] if code != "NOBODY_IDENTIFIED" or name == "columns"] == expected, code
    assert {listed[code] for code in leads} == {"SomeLeads"}


def test_the_posts_without_a_key_are_those_of_the_document() -> None:
    """The client repeats every other POST after a broken connection. A preview only reads, so it is repeated, too."""
    document = json.loads((ROOT / "openapi.json").read_text())
    without = {
        path.rpartition("/")[2]
        for path, methods in document["paths"].items()
        if "post" in methods and not any(each["name"] == "Idempotency-Key" for each in methods["post"]["parameters"])
    }
    assert without == {"preview", "test"}


@needs_npm
def test_the_packed_client_makes_a_move(user_project: Path, tenant: Tenant) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    [lead] = tenant.add_leads(source, 1)
    printed = run(["node", "move.js", source, target, lead], user_project, environment_of(tenant))
    assert printed.split() == ["1", "1", "true"]
    assert tenant.members(target) == [lead]


@needs_npm
def test_the_package_contains_only_what_a_user_needs(user_project: Path) -> None:
    installed = user_project / "node_modules" / "leadyard-client"
    files = {file.relative_to(installed).as_posix() for file in installed.rglob("*") if file.is_file()}
    modules = {file.stem for file in (SOURCES / "src").glob("*.ts")}
    built = {f"dist/{module}.{suffix}" for module in modules for suffix in ("js", "d.ts")}
    assert files == {"package.json", "README.md", "LICENSE", *built}
    assert (installed / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


# ---------------------------------------------------------------------------------------------------- the README


@needs_npm
def test_the_examples_of_the_readme(user_project: Path, busy_tenant: Tenant) -> None:
    program = (user_project / "readme.ts").read_text()
    assert program.count("await ") > 10
    shutil.copy(ROOT / "examples" / "people.csv", user_project / "people.csv")
    printed = run(["node", "readme.js"], user_project, environment_of(busy_tenant))
    assert printed.splitlines() == re.findall(r"// prints: (.*)$", program, re.MULTILINE)
    assert_healthy(busy_tenant)


@needs_npm
def test_node_prints_the_example_of_the_page(user_project: Path, tenant: Tenant) -> None:
    """The program in docs/clients.md."""
    source, target = tenant.create_audience("Spring campaign"), tenant.create_audience("Customers")
    leads = tenant.add_leads(source, 3)
    variables = {"SOURCE": source, "TARGET": target, "LEAD": leads[0]}
    assert run(["node", "page.js"], user_project, {**environment_of(tenant), **variables}).split() == ["1", "2", "1"]
