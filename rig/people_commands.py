"""The commands that use the API, through both doors: on the database as its operator, and to a service with a key."""

from __future__ import annotations

import re
from dataclasses import replace

from rig.commands import Outcome, command
from rig.service import Tenant

ON_DATABASE, TO_SERVICE = "on the database", "to a service"
DOORS = (ON_DATABASE, TO_SERVICE)
_OUT_OF_REACH = "postgresql://nobody@127.0.0.1:1/nothing"
# Ids, trace ids, times, secrets and durations.
_VARYING = re.compile(
    r"\b[0-9a-f]{32}\b|\b[0-9a-f]{24}\b|\d{4}-\d\d-\d\dT[\d:.]+Z|whsec_[\w+/=]+|\b\d+ ms\b|(?<=\"durationMs\": )\d+"
)
# The operator has no key, and a command that works on the database without the API has no trace id.
_ONE_SIDED = re.compile(
    r'"apiKeyId": (?:null|"[0-9a-f]{24}"), |^apiKeyId: [0-9a-f]{24}\n|, "traceId": "[0-9a-f]{32}"', re.MULTILINE
)


def through(tenant: Tenant, door: str, *arguments: str, key: str | None = None) -> Outcome:
    """Calls a command for the account group of the tenant. The door to a service has no database."""
    where = (*arguments, "--account-group", tenant.account_group_id)
    if door == ON_DATABASE:
        return command(*where, url=tenant.service.database_url)
    service = {"LEADYARD_URL": tenant.service.base_url, "LEADYARD_API_KEY": key or tenant.key}
    return command(*where, LEADYARD_DATABASE_URL=_OUT_OF_REACH, **service)


def masked(outcome: Outcome) -> Outcome:
    """Returns the outcome with a mark for everything that differs between two account groups."""
    return replace(outcome, out=masked_text(outcome.out), err=masked_text(outcome.err))


def masked_text(text: str) -> str:
    """Returns the text with a mark for everything that differs between two account groups."""
    return _VARYING.sub("~", _ONE_SIDED.sub("", text))
