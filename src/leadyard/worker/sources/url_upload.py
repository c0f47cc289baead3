"""`url_upload`: profile URLs that came with the request."""

from __future__ import annotations

from collections.abc import AsyncIterator

from leadyard.model import Batch, ClaimedJob, Profile

_BATCH = 200


async def batches(claimed: ClaimedJob) -> AsyncIterator[Batch]:
    """Yields the profiles behind the URLs. What is no profile URL is rejected when the batch is brought in."""
    urls: list[str] = claimed.job.source["profileUrls"]
    start = claimed.position["done"] if claimed.position else 0
    for first in range(start, len(urls), _BATCH):
        some = urls[first : first + _BATCH]
        done = first + len(some)
        yield Batch(
            profiles=tuple(Profile(linkedin_url=url) for url in some),
            rows=tuple((number, (url,)) for number, url in enumerate(some, first + 1)),
            rejected=(),
            position={"done": done},
            progress=done / len(urls),
        )
