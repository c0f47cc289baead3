"""The commands that use the API, through both doors: on the database as its operator, and to a service with a key."""

from __future__ import annotations

import re
from dataclasses import replace

from rig.commands import Outcome, command
from rig.service import Tenant

ON_DATABASE, TO_SERVICE = "on the database", "to a service"
DOORS = (ON_DATABASE, TO_SERVICE)
_OUT_OF_REACH = "postgresql://nobody@127.0.0.1:1/nothing"
# Ids, trace ids and times.
_VARYING = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{24}\b|\d{4}-\d\d-\d\dT[\d:.]+Z")
# The operator has no key.
_KEY_ID = re.compile(r'"apiKeyId": (?:null|"[0-9a-f]{24}"), |^apiKeyId: [0-9a-f]{24}\n', re.MULTILINE)


def through(tenant: Tenant, door: str, *arguments: str, key: str | None = None) -> Outcome:
    """Calls a command for the account group of the tenant. The door to a service has no database."""
    where = (*arguments, "--account-group", tenant.account_group_id)
    if door == ON_DATABASE:
        return command(*where, url=tenant.service.database_url)
    service = {"LEADYARD_URL": tenant.service.base_url, "LEADYARD_API_KEY": key or tenant.key}
    return command(*where, LEADYARD_DATABASE_URL=_OUT_OF_REACH, **service)


def masked(outcome: Outcome) -> Outcome:
    """Returns the outcome with a mark for everything that differs between two account groups."""
    out, err = (_VARYING.sub("~", _KEY_ID.sub("", text)) for text in (outcome.out, outcome.err))
    return replace(outcome, out=out, err=err)
