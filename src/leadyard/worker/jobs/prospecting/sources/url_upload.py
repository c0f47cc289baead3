"""`url_upload`: profile URLs that came with the request."""

from __future__ import annotations

from collections.abc import AsyncIterator

from leadyard.model import Batch, ClaimedJob, Profile, UrlPosition, UrlSource

_BATCH = 200


async def batches(claimed: ClaimedJob, source: UrlSource) -> AsyncIterator[Batch]:
    """Yields a profile for each URL. Texts that are not profile URLs are rejected when the batch is added."""
    urls, position = source.profile_urls, claimed.position_as(UrlPosition)
    start = position.done if position else 0
    for first in range(start, len(urls), _BATCH):
        some = urls[first : first + _BATCH]
        done = first + len(some)
        yield Batch(
            profiles=tuple(Profile(linkedin_url=url) for url in some),
            rows=tuple((number, (url,)) for number, url in enumerate(some, first + 1)),
            rejected=(),
            position=UrlPosition(done=done),
            progress=done / len(urls),
        )
