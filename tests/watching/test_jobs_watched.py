"""Jobs as an operator sees them: a worker has its own metrics and health, and counts the outcomes of jobs."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from leadyard.errors import AddressUnavailable
from rig.jobs import SEARCH, csv_of, hurry, job_of, start, upload, wait_for_end
from rig.providers import TOKEN, made_up, staged_provider
from rig.racing import wait_until
from rig.service import Service, Tenant, WorkerProcess, leadyard
from rig.watching import admin_url, on_one_database, scraped

NewWorker = Callable[..., WorkerProcess]


def test_a_worker_tells_what_it_does(job_service: Service, job_tenant: Tenant, new_worker: NewWorker) -> None:
    with staged_provider(made_up(5)) as stage:
        stage.fail("500:first=1")
        worker = new_worker(
            job_service, LEADYARD_ADMIN_PORT="0", LEADYARD_PROVIDER_URL=stage.url, LEADYARD_PROVIDER_TOKEN=TOKEN
        )
        wait_until(lambda: "Metrics and health" in worker.log_file.read_text(), "the admin port is open")
        admin = admin_url(worker)
        assert httpx.get(f"{admin}/livez").json() == {"status": "ok"}
        assert httpx.get(f"{admin}/readyz").json() == {"status": "ok"}
        assert httpx.get(f"{admin}/v1/accounts").status_code == 404
        job_id = start(job_tenant, "csv_upload", uploadId=upload(job_tenant, csv_of(40, bad_every=10)))
        assert wait_for_end(job_tenant, job_id)["counts"]["rejected"] == 4
        put_off = start(job_tenant, "linkedin_search", searchUrl=SEARCH.search_url)
        wait_until(lambda: worker.events("job_postponed"), "the provider's failure is counted")
        hurry(job_service.database_url)
        assert wait_for_end(job_tenant, put_off)["status"] == "completed"
        # The end of a job is counted after its commit, when we can see it already.
        completed = 'leadyard_jobs_ended_total{status="completed"}'
        wait_until(lambda: scraped(worker).get(completed) == 2, "both are counted")
        counted = scraped(worker)
        assert counted['leadyard_job_retries_total{code="PROVIDER_ERROR"}'] == 1
        assert counted["leadyard_leads_imported_total"] == 36 + 5
        assert counted["leadyard_rows_rejected_total"] == 4
        assert counted['leadyard_jobs{status="queued"}'] == 0
        assert counted["leadyard_database_answers"] == 1
    assert worker.stop() == 0
    assert "Traceback" not in worker.log_file.read_text()


def test_a_cancelled_job_is_counted_where_it_was_cancelled(watched: Service, seen: Tenant) -> None:
    name = 'leadyard_jobs_ended_total{status="cancelled"}'
    job_id = start(seen)
    before = scraped(watched).get(name, 0)
    assert seen.client.post(f"/prospecting/{job_id}/cancel").status_code == 200
    assert seen.client.post(f"/prospecting/{job_id}/cancel").status_code == 422
    assert job_of(seen, job_id)["status"] == "cancelled"
    assert scraped(watched)[name] == before + 1


def test_an_answer_given_again_is_counted(watched: Service, seen: Tenant) -> None:
    def send() -> httpx.Response:
        body = {"name": "Once", "type": "on_demand"}
        return seen.client.post("/audiences", json=body, headers={"Idempotency-Key": "once"})

    before = scraped(watched)["leadyard_replays_total"]
    first = send()
    assert scraped(watched)["leadyard_replays_total"] == before
    assert send().content == first.content
    assert scraped(watched)["leadyard_replays_total"] == before + 1


@on_one_database
def test_a_worker_whose_admin_port_is_taken(watched: Service) -> None:
    taken = admin_url(watched).rpartition(":")[2]
    refused = leadyard("worker", url=watched.database_url, timeout_s=30, LEADYARD_ADMIN_PORT=taken)
    assert refused.returncode == 1
    assert str(AddressUnavailable.__doc__) in refused.stderr
    assert taken in refused.stderr
    assert "Traceback" not in refused.stderr
