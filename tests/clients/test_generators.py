"""Clients that generators make of openapi.json: they lose nothing, compile, and work with a real service.

`script/generators` runs the generators. openapi-generator needs Java, and compiling TypeScript needs npm: a
machine without them leaves these tests out, and the last lines of the run contain what was left out.
"""

from __future__ import annotations

import compileall
import importlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.service import Service, Tenant, make_tenant
from tests.clients.sources import LANGUAGES, Client

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
EVERY_CLIENT = [
    pytest.param(name, marks=[] if name == "openapi-python-client" else [pytest.mark.needs_java]) for name in LANGUAGES
]
# Generating, and npm, fetch packages on a new machine.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which every client has a folder."""
    folder = tmp_path_factory.mktemp("clients")
    done = subprocess.run(
        [ROOT / "script" / "generators", folder], capture_output=True, text=True, timeout=280, check=False
    )
    logs = "\n".join(log.read_text(encoding="utf-8")[-3_000:] for log in folder.glob("*.log"))
    assert done.returncode == 0, f"{done.stderr}\n{logs}"
    return folder


@pytest.fixture
def client(generated: Path, request: pytest.FixtureRequest) -> Client:
    """The client of the generator whose name is the parameter of the test."""
    return Client(generated / request.param, LANGUAGES[request.param])


@pytest.mark.parametrize("client", EVERY_CLIENT, indirect=True)
def test_a_client_has_every_schema_with_every_field(client: Client) -> None:
    missing = [each for name, schema in SCHEMAS.items() for each in client.missing_parts(name, schema)]
    assert missing == []


@pytest.mark.parametrize("client", EVERY_CLIENT, indirect=True)
def test_a_client_has_every_operation_with_its_answer(client: Client) -> None:
    for name, operation in OPERATIONS.items():
        expected = _answer_in_document(operation) or client.language.any_type
        assert expected in client.answers_of(name), name


@pytest.mark.parametrize("client", EVERY_CLIENT, indirect=True)
def test_a_client_sends_every_parameter(client: Client) -> None:
    names = {
        parameter["name"]
        for operation in OPERATIONS.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] != "path"
    }
    assert len(names) > 8
    assert [name for name in names if not client.has_parameter(name)] == []


@pytest.mark.needs_java
@pytest.mark.parametrize("client", [name for name in LANGUAGES if name != "openapi-python-client"], indirect=True)
def test_the_body_that_starts_a_job_has_a_name_of_its_own(client: Client) -> None:
    assert not client.declares("Body")
    stems = [file.stem.replace("_", "").lower() for file in client.folder.rglob(f"*{client.language.suffix}")]
    assert any(stem.endswith("startprospecting") for stem in stems)


def test_a_lost_field_would_be_seen(generated: Path) -> None:
    client = Client(generated / "openapi-python-client", LANGUAGES["openapi-python-client"])
    schema: dict[str, Any] = {"properties": {"name": {}, "shoeSize": {}}}
    assert list(client.missing_parts("CreateAudience", schema)) == ["CreateAudience.shoeSize"]
    assert list(client.missing_parts("NoSuchThing", {})) == ["NoSuchThing"]
    assert client.answers_of("no_such_operation") == set()


@pytest.mark.needs_java
@pytest.mark.needs_npm
def test_the_typescript_client_compiles(generated: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(Path(__file__).parent / "typescript", project)
    shutil.copytree(generated / "typescript-fetch", project / "client")
    subprocess.run(["npm", "ci", "--silent"], cwd=project, check=True, timeout=200)
    compiled = subprocess.run(
        [project / "node_modules" / ".bin" / "tsc", "-p", "."], cwd=project, capture_output=True, text=True, check=False
    )
    assert compiled.returncode == 0, compiled.stdout


def _answer_in_document(operation: dict[str, Any]) -> str | None:
    """Returns the name of the shape of the answer, None for an answer that is not JSON."""
    [content] = [
        response["content"] for status, response in operation["responses"].items() if status in ("200", "201")
    ] or [operation["responses"]["202"]["content"]]
    if "application/json" not in content:
        return None
    return str(content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1])


# ------------------------------------------------------------------------------------------------- a real service


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, log_dir: Path) -> Iterator[Tenant]:
    """An account group of a service whose database does not matter here, so that one is enough."""
    service = Service(f"sqlite:///{tmp_path_factory.mktemp('clients-data')}/leadyard.db", log_dir).start()
    made = make_tenant(service)
    yield made
    made.client.close()
    service.stop()


@pytest.fixture
def imported(generated: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Callable[[str], Any]]:
    """A function that compiles a Python client, and returns a function that imports modules of it."""

    def of(folder: str, package: str) -> Callable[[str], Any]:
        assert compileall.compile_dir(generated / folder / package, quiet=1)
        monkeypatch.syspath_prepend(str(generated / folder))
        return lambda module: importlib.import_module(f"{package}.{module}" if module else package)

    return of


Imported = Callable[[str, str], Callable[[str], Any]]


def test_openapi_python_client_works_with_a_service(tenant: Tenant, imported: Imported) -> None:
    module = imported("openapi-python-client", "leadyard_api")
    models, group = module("models"), tenant.account_group_id

    def call(operation: str, *ids: str, **rest: Any) -> Any:
        tag = OPERATIONS[operation]["tags"][0].replace("-", "_")
        answer = module(f"api.{tag}.{operation}").sync_detailed(group, *ids, client=client, **rest)
        return answer.parsed

    with module("").AuthenticatedClient(base_url=tenant.service.base_url, token=tenant.key) as client:
        source, target = (
            call("create_audience", body=models.CreateAudience(name=name, type_=models.AudienceType.ON_DEMAND)).data
            for name in ("Source", "Target")
        )
        people = [models.NewProspect(email=f"{name}@example.com", first_name=name) for name in ("ada", "eve", "joe")]
        added = call("add_prospects", source.id, body=models.AddProspects(prospects=people))
        assert (added.success, added.error, added.data.created, added.data.rejected) == (True, None, 3, [])
        page = call("list_prospects", source.id, limit=2).data
        rest = call("list_prospects", source.id, limit=2, cursor=page.next_cursor).data
        leads = [lead.id for lead in (*page.items, *rest.items)]
        assert ([lead.first_name for lead in page.items], len(set(leads)), rest.has_more) == (["ada", "eve"], 3, False)

        move = models.MoveLeads(target_audience_id=target.id, lead_ids=leads[:2])
        moved = call("move_leads", source.id, body=move, idempotency_key="first-move").data
        assert (moved.moved_count, moved.source_audience.prospect_count) == (2, 1)
        refused = call("move_leads", source.id, body=move)
        assert (refused.success, refused.data, refused.error.code) == (False, None, "LEADS_NOT_IN_SOURCE")
        assert refused.error.additional_properties["leadIds"] == leads[:2]
        assert "Ada" in call("export_prospects", target.id).title()

        start = models.StartUrlUpload(
            type_="url_upload",
            audience=models.TargetAudience(name="From URLs"),
            profile_urls=["https://www.linkedin.com/in/ada"],
        )
        job = call("get_prospecting", call("start_prospecting", body=start).data.job_id).data
        assert (job.status, job.error) == (models.JobStatus.QUEUED, None)
        assert call("delete_audience", target.id).data.deleted is True


@pytest.mark.needs_java
def test_openapi_generators_python_client_works_with_a_service(tenant: Tenant, imported: Imported) -> None:
    module = imported("python", "openapi_client")
    api, group = module(""), tenant.account_group_id
    settings = api.Configuration(host=tenant.service.base_url, access_token=tenant.key)
    with api.ApiClient(settings) as connection:
        audiences, jobs = api.AudiencesApi(connection), api.ProspectingApi(connection)
        source, target = (
            audiences.create_audience(group, api.CreateAudience(name=name, type="on_demand")).data
            for name in ("Source", "Target")
        )
        people = [api.NewProspect(email=f"{name}@example.org", firstName=name) for name in ("ada", "eve", "joe")]
        added = audiences.add_prospects(group, source.id, api.AddProspects(prospects=people))
        assert (added.success, added.error, added.data.created, added.data.rejected) == (True, None, 3, [])
        page = audiences.list_prospects(group, source.id, limit=2).data
        rest = audiences.list_prospects(group, source.id, limit=2, cursor=page.next_cursor).data
        leads = [lead.id for lead in (*page.items, *rest.items)]
        assert ([lead.first_name for lead in page.items], len(set(leads)), rest.has_more) == (["ada", "eve"], 3, False)

        move = api.MoveLeads(targetAudienceId=target.id, leadIds=leads[:2])
        moved = audiences.move_leads(group, source.id, move, idempotency_key="second-move").data
        assert (moved.moved_count, moved.source_audience.prospect_count) == (2, 1)
        with pytest.raises(api.exceptions.UnprocessableEntityException) as refused:
            audiences.move_leads(group, source.id, move)
        assert (refused.value.data.success, refused.value.data.data) == (False, None)
        assert refused.value.data.error.code == "LEADS_NOT_IN_SOURCE"
        assert "Ada" in audiences.export_prospects(group, target.id).title()

        start = api.StartUrlUpload(
            type="url_upload",
            audience=api.TargetAudience(name="From URLs"),
            profileUrls=["https://www.linkedin.com/in/ada"],
        )
        started = jobs.start_prospecting(group, api.StartProspecting(start)).data
        job = jobs.get_prospecting(group, started.job_id).data
        assert (job.status, job.error) == ("queued", None)
        assert audiences.delete_audience(group, target.id).data.deleted is True
