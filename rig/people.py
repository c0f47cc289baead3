"""Shared by the tests of leads: brings a person in, and reads and edits the lead over HTTP."""

from __future__ import annotations

from typing import Any

from rig.answers import data_of
from rig.service import Tenant

LEAD_KEYS = {
    "id", "firstName", "lastName", "name", "headline", "about", "photoUrl", "linkedinUrl", "publicIdentifier", "title",
    "email", "phone", "location", "company", "customFields", "providerId", "createdAt", "audiences",
}  # fmt: skip


def bring_in(tenant: Tenant, audience_id: str, **prospect: Any) -> str:
    """Adds one person and returns the lead's id."""
    before = set(tenant.members(audience_id))
    added = data_of(tenant.client.post(f"/audiences/{audience_id}/prospects", json={"prospects": [prospect]}))
    assert added["rejected"] == []
    (lead_id,) = set(tenant.members(audience_id)) - before
    return lead_id


def read(tenant: Tenant, lead_id: str) -> Any:
    return data_of(tenant.client.get(f"/prospects/{lead_id}"))


def patch(tenant: Tenant, lead_id: str, **body: Any) -> Any:
    return tenant.client.patch(f"/prospects/{lead_id}", json=body)
