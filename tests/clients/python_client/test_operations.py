"""Every operation of the API through both kinds of clients, with a real service on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadyard_client import errors, models
from rig.python_clients import Recorded
from rig.racing import wait_until
from rig.receivers import Receivers, receivers
from rig.service import Tenant
from tests.clients.python_client.operations import OPERATIONS

PEOPLE = "Full name,Work e-mail\nAda Lovelace,ada@engines.example\nGrace Hopper,grace@navy.example\nNone,not one\n"


@pytest.mark.timeout(240)
def test_every_operation(client: Recorded, lively: Tenant, tmp_path: Path) -> None:
    source, target = audiences_and_folders(client)
    leads = people(client, source)
    moves_and_changes(client, source, target, leads)
    transfers(client, source, target)
    imports(client, tmp_path)
    with receivers() as receiving:
        webhooks(client, receiving)
    erasing(client, source, leads)
    assert client.used & OPERATIONS == OPERATIONS


def audiences_and_folders(client: Recorded) -> tuple[str, str]:
    source = client.create_audience(name="Source", type="on_demand")
    target = client.create_audience(name="Target", type="on_demand", description="where they go")
    assert isinstance(source, models.Audience)
    assert (source.prospect_count, source.description, target.description) == (0, None, "where they go")
    assert datetime.now(UTC) - source.created_at < timedelta(minutes=5)
    renamed = client.update_audience(target.id, name="Customers")
    assert (renamed.name, renamed.description) == ("Customers", "where they go")
    assert client.update_audience(target.id, description=None).description is None
    folder = client.create_folder(name="Folder", audience_type="on_demand")
    assert client.update_folder(folder.id, is_pinned=True).is_pinned
    assert client.move_to_folder(source.id, folder_id=folder.id).folder_id == folder.id
    navigation = client.get_navigation()
    assert [each.id for each in navigation.folders[0].audiences] == [source.id]
    assert client.remove_from_folder(source.id).folder_id is None
    assert client.delete_folder(folder.id).deleted
    assert client.get_audience(source.id) == source
    assert {each.id for each in client.list_audiences(limit=1)} == {source.id, target.id}
    assert [each.id for each in client.list_audiences(name=source.name)] == [source.id]
    assert [each.name for each in client.list_accounts()] == ["Tenant"]
    assert "audiences:write" in client.list_accounts().page().headers["Key-Permissions"]
    return source.id, target.id


def people(client: Recorded, source: str) -> list[str]:
    new = [
        models.NewProspect(email=f"{name}@example.com", first_name=name, provider_id=f"p/{name} %")
        for name in ("ada", "eve", "joe")
    ]
    company = models.NewCompany(name="Engines")
    added = client.add_prospects(
        source,
        prospects=[*new, models.NewProspect(email="zoe@example.com", company=company, custom_fields={"A b": "c"})],
    )
    assert (added.created, added.rejected, added.differing, added.notes) == (4, (), 0, ())
    assert added.change_id is not None
    walked = list(client.list_prospects(source, limit=1))
    assert [each.email for each in walked][:1] == ["ada@example.com"]
    assert walked[3].company.name == "Engines"
    assert walked[3].custom_fields == {"A b": "c"}
    leads = [each.id for each in walked]
    assert [each.id for each in client.list_prospects(source, q="ada", has_email=True)] == leads[:1]
    after = client.list_prospects(source, added_after=datetime.now(UTC) + timedelta(hours=1))
    assert list(after) == []
    page = client.list_prospects(source, limit=3).page()
    assert (len(page.items), page.has_more) == (3, True)
    assert [each.id for each in client.list_prospects(source, cursor=page.next_cursor)] == leads[3:]
    assert client.get_prospect(leads[0]).audiences[0].id == source
    edited = client.update_prospect(
        leads[0], title="Analyst", company=models.UpdateCompany(website="https://e.example")
    )
    assert (edited.title, edited.first_name, edited.company.website) == ("Analyst", "ada", "https://e.example")
    [ada] = client.find_prospects(email="ADA@example.com", created_after=datetime.now(UTC) - timedelta(hours=1))
    assert (ada.id, ada.first_name, [each.id for each in ada.audiences]) == (leads[0], "ada", [source])
    assert [each.id for each in client.find_prospects(q="example.com", limit=1)] == leads
    assert client.find_by_provider_id("p/ada %").matches[0].prospect_id == leads[0]
    assert client.export_prospects(source).read().decode("utf-8-sig").count("@example.com") == 4
    return leads


def moves_and_changes(client: Recorded, source: str, target: str, leads: list[str]) -> None:
    moved = client.move_leads(source, target_audience_id=target, lead_ids=leads[:2])
    assert (moved.moved_count, moved.source_audience.prospect_count) == (2, 2)
    record = client.get_move(moved.move_id)
    assert (record.lead_ids, record.moved_count) == (tuple(leads[:2]), 2)
    assert [each.id for each in client.list_moves()] == [moved.move_id]
    change = client.get_change(moved.change_id)
    assert (change.kind, change.lead_count) == ("move", 2)
    assert {each.prospect_id for each in client.list_changed_prospects(moved.change_id)} == set(leads[:2])
    assert [each.id for each in client.list_changes(kind="move", audience_id=target)] == [moved.change_id]
    assert moved.change_id in [each.id for each in client.list_prospect_changes(leads[0])]
    undone = client.wait(client.undo_change(moved.change_id))
    assert (undone.undone_count, undone.change.undoes_change_id) == (2, moved.change_id)
    with pytest.raises(errors.AlreadyUndone) as refused:
        client.undo_change(moved.change_id, skip_changed=True)
    assert refused.value.fields["undoneByChangeId"] == undone.change_id
    copied = client.copy_leads(source, target_audience_id=target, lead_ids=leads)
    assert (copied.copied_count, copied.already_in_target_count) == (4, 0)
    assert client.remove_leads(target, lead_ids=leads).removed_count == 4
    updated = client.add_prospects(
        source, prospects=[models.NewProspect(email="eve@example.com", first_name="Eva")], on_known="update"
    )
    replaced = list(client.list_replaced_values(updated.change_id))
    assert [(each.old_value, each.new_value) for each in replaced] == [("eve", "Eva")]
    kinds = [type(event) for event in client.list_events(from_="start")]
    assert kinds.count(models.LeadsMoved) == 1
    assert models.ChangeUndone in kinds


def transfers(client: Recorded, source: str, target: str) -> None:
    everyone: dict[str, Any] = {
        "action": "copy",
        "source_audience_id": source,
        "target_audience_id": target,
        "select": models.TransferSelection(all=True),
    }
    preview = client.start_transfer(**everyone, dry_run=True)
    assert isinstance(preview, models.TransferPreview)
    assert (preview.count, len(preview.sample)) == (4, 4)
    seen: list[models.Transfer] = []
    done = client.wait(client.start_transfer(**everyone, expected_count=4), timeout_s=60, on_progress=seen.append)
    assert (done.status, done.applied_count, seen[-1]) == ("completed", 4, done)
    assert client.get_transfer(done.job_id) == done
    assert done in list(client.list_transfers(status="completed"))
    with pytest.raises(errors.JobNotCancellable):
        client.cancel_transfer(done.job_id)
    with pytest.raises(ValueError, match="preview"):
        client.wait(preview)


def imports(client: Recorded, folder: Path) -> None:
    file = folder / "people.csv"
    file.write_text(PEOPLE)
    upload = client.create_upload(file, content_type="text/csv")
    assert upload.size_bytes == len(PEOPLE)
    preview = client.preview_upload(upload.upload_id, on_known="skip")
    assert (preview.estimate.read, preview.estimate.notes) == (3, {"INVALID_EMAIL": 1})
    start = models.StartCsvUpload(audience=models.TargetAudience(name="Imported"), upload_id=upload.upload_id)
    seen: list[models.ProspectingJobStatus] = []
    job = client.wait(client.start_prospecting(start), timeout_s=60, on_progress=seen.append)
    assert (job.status, job.counts.created, seen[-1]) == ("completed", 3 - job.counts.rejected, job)
    assert client.get_prospecting(job.job_id) == job
    assert job.job_id in [each.job_id for each in client.list_prospecting()]
    rejected = folder / "rejected.csv"
    assert client.export_rejected(job.job_id, notes=True).save(rejected) == rejected.stat().st_size > 0
    with pytest.raises(errors.JobNotCancellable):
        client.cancel_prospecting(job.job_id)
    assert list(client.list_lead_lists()) + list(client.list_saved_searches())


def webhooks(client: Recorded, receiving: Receivers) -> None:
    receiver = receiving.start()
    began = datetime.now(UTC) - timedelta(seconds=1)
    made = client.create_webhook(url=receiver.url, types=["audience.created"])
    assert client.test_webhook(made.id).status_code == 204
    created = client.create_audience(name="Announced", type="on_demand")
    wait_until(lambda: list(client.list_deliveries(made.id, status="delivered")), "a delivery")
    (delivery,) = client.list_deliveries(made.id)
    assert (delivery.type, delivery.attempts[0].status_code) == ("audience.created", 204)
    assert client.redeliver(made.id, delivery.id).status == "pending"
    wait_until(lambda: receiver.times()[delivery.id] == 2, "the event again")
    client.replay_events(made.id, from_=began)
    wait_until(lambda: receiver.times()[delivery.id] == 3, "the event for the third time")
    assert receiver.received[1].body["data"]["audienceId"] == created.id
    assert client.update_webhook(made.id, status="paused").status == "paused"
    assert client.get_webhook(made.id).url == receiver.url
    assert client.rotate_secret(made.id).secret != made.secret
    assert [each.id for each in client.list_webhooks()] == [made.id]
    assert client.delete_webhook(made.id).deleted


def erasing(client: Recorded, source: str, leads: list[str]) -> None:
    assert list(client.list_duplicates()) == []
    merged = client.merge_prospects(leads[0], merged_prospect_id=leads[1])
    assert merged.change_id is not None
    assert client.delete_prospect(leads[0], suppress=True, reason="asked for it").deleted
    client.suppress_prospects(prospects=[models.SuppressedProspect(email="never@example.com")])
    suppressed = list(client.list_suppressions(limit=1))
    assert len(suppressed) >= 2
    assert client.delete_suppression(suppressed[0].hash).deleted
    assert client.delete_audience(source).change_id is not None
    with pytest.raises(errors.NotFound) as missing:
        client.get_audience(source)
    assert (missing.value.status, missing.value.was_repeated, len(missing.value.trace_id)) == (404, False, 32)
    assert source in missing.value.details
