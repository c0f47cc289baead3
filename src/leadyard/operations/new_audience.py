"""Creates audiences inside the transaction of an operation. All new audiences come from here."""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.ids import new_id_with_free_number
from leadyard.model import Audience, AudienceType, EventType
from leadyard.operations.events.recording import record_audience
from leadyard.store import audiences


async def add_audience(tx: Transaction, *, name: str, type: AudienceType, description: str | None = None) -> Audience:
    """Creates an audience without members and returns it. No other transaction sees it before the commit."""
    audience = Audience(
        id=new_id_with_free_number(),
        name=name,
        type=type,
        description=description,
        folder_id=None,
        prospect_count=0,
        created_at=now_ms(),
    )
    await audiences.insert(tx, audience)
    await record_audience(tx, EventType.AUDIENCE_CREATED, audience, at=audience.created_at)
    return audience
