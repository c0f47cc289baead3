"""The client of the prospect provider, a service that the operator runs or rents. docs/providers.md is the protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from leadyard.model import Page, Profile, RejectedRow, SalesNavigatorEntry, SearchQuery
from leadyard.provider.connection import ProviderConnection, garbage
from leadyard.provider.limits import MAX_CURSOR_LENGTH
from leadyard.provider.shapes import (
    ROW_HEADER,
    EmailsAnswer,
    ListAnswer,
    SearchAnswer,
    query_fields,
    row_cells,
    to_profile,
    to_request,
)
from leadyard.provider.trouble import PermanentProviderTrouble

__all__ = ["MAX_PAGE", "ROW_HEADER", "ProspectPage", "Provider"]

MAX_PAGE = 100

S = TypeVar("S", bound=BaseModel)

_CURSOR = re.compile(rf"[!-~]{{1,{MAX_CURSOR_LENGTH}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectPage:
    """A page of a search. `raw_rows` are the raw entries of the profiles, in the same order, each as the cells under
    ROW_HEADER. `rejected` are the entries without the shape of a prospect. `total` is the provider's estimate."""

    profiles: tuple[Profile, ...]
    raw_rows: tuple[tuple[str, ...], ...]
    rejected: tuple[RejectedRow, ...]
    next_cursor: str | None
    total: int | None


class Provider:
    """The provider at a base URL. Its methods raise TemporaryProviderTrouble or PermanentProviderTrouble. A request
    never takes longer than `timeout_s`, reads more than 5 MiB or is sent twice. It connects at the first request.

    `traceparent` is sent unchanged (W3C Trace Context).
    """

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 30) -> None:
        self._connection = ProviderConnection(url, token, timeout_s=timeout_s)

    async def close(self) -> None:
        """Closes the connections."""
        await self._connection.close()

    async def search(
        self,
        *,
        account_group_id: str,
        job_id: str,
        query: SearchQuery,
        cursor: str | None,
        limit: int,
        traceparent: str | None = None,
    ) -> ProspectPage:
        """Returns the page of at most `limit` (100 if that is more) prospects that begins at the cursor, None for the
        first. Profiles are not normalised.

        Every page but the last has at least one prospect, profile or rejected, so a caller that counts prospects will
        reach the end. `next_cursor` may be the same cursor again. The page is returned anyway, because its people may
        be on no other page, and the caller has to detect the repetition.
        """
        limit = min(limit, MAX_PAGE)
        body = {
            **query_fields(query),
            "cursor": cursor,
            "limit": limit,
            "accountGroupId": account_group_id,
            "jobId": job_id,
        }

        def read(found: Any) -> ProspectPage:
            answer = _shaped(SearchAnswer, found)
            _check_count(len(answer.prospects), limit)
            _check_cursor(answer.next_cursor)
            if not answer.prospects and answer.next_cursor is not None:
                raise _against_protocol("an empty page has a nextCursor")
            return _page(answer)

        return await self._connection.ask("POST", "v1/search", read, body=body, traceparent=traceparent)

    async def find_emails(
        self,
        *,
        account_group_id: str,
        job_id: str,
        prospects: Mapping[str, Profile],
        traceparent: str | None = None,
    ) -> Mapping[str, str]:
        """Returns the e-mails that were found, not normalised, by the keys of `prospects`, which are at most 100."""
        if not 0 < len(prospects) <= MAX_PAGE:
            raise ValueError(f"{len(prospects)} prospects; from 1 to {MAX_PAGE} are allowed")
        body = {
            "accountGroupId": account_group_id,
            "jobId": job_id,
            "prospects": [{"key": key, **to_request(profile)} for key, profile in prospects.items()],
        }

        def read(found: Any) -> Mapping[str, str]:
            results = _shaped(EmailsAnswer, found).results
            keys = {result.key for result in results}
            # An e-mail under a wrong key would be written to the wrong person.
            if len(keys) != len(results) or not keys <= set(prospects):
                raise _against_protocol("it has e-mails for keys that were not sent, or two for one key")
            return {result.key: result.email for result in results if result.email}

        return await self._connection.ask("POST", "v1/enrich-emails", read, body=body, traceparent=traceparent)

    async def list_lead_lists(
        self, *, account_group_id: str, cursor: str | None, limit: int, traceparent: str | None = None
    ) -> Page[SalesNavigatorEntry]:
        """Returns a page of at most `limit` (up to 200) lead lists. `next_key` is the provider's cursor."""
        return await self._list("lead-lists", account_group_id, cursor, limit, traceparent)

    async def list_saved_searches(
        self, *, account_group_id: str, cursor: str | None, limit: int, traceparent: str | None = None
    ) -> Page[SalesNavigatorEntry]:
        """Returns a page of at most `limit` (up to 200) saved searches. `next_key` is the provider's cursor."""
        return await self._list("saved-searches", account_group_id, cursor, limit, traceparent)

    async def _list(
        self, kind: str, account_group_id: str, cursor: str | None, limit: int, traceparent: str | None
    ) -> Page[SalesNavigatorEntry]:
        query: dict[str, str | int] = {"accountGroupId": account_group_id, "limit": limit}
        if cursor is not None:
            query["cursor"] = cursor

        def read(found: Any) -> Page[SalesNavigatorEntry]:
            answer = _shaped(ListAnswer, found)
            _check_count(len(answer.items), limit)
            _check_cursor(answer.next_cursor)
            if cursor is not None and answer.next_cursor == cursor:
                raise _against_protocol("nextCursor is the cursor that was sent, so the list would never end")
            return Page(tuple(SalesNavigatorEntry(**item.model_dump()) for item in answer.items), answer.next_cursor)

        path = f"v1/sales-navigator/{kind}"
        return await self._connection.ask("GET", path, read, query=query, traceparent=traceparent)


def _shaped(shape: type[S], found: Any) -> S:
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        # Only the names of our fields, because Pydantic's text would quote the answer.
        place = next((str(part) for part in error.errors(include_input=False)[0]["loc"]), "")
        raise garbage(f"{place or 'it'} does not have the promised shape") from None


def _page(answer: SearchAnswer) -> ProspectPage:
    profiles: list[Profile] = []
    rows: list[tuple[str, ...]] = []
    rejected: list[RejectedRow] = []
    for raw in answer.prospects:
        made = to_profile(raw)
        if isinstance(made, RejectedRow):
            rejected.append(made)
        else:
            profiles.append(made)
            rows.append(row_cells(raw))
    return ProspectPage(
        profiles=tuple(profiles),
        raw_rows=tuple(rows),
        rejected=tuple(rejected),
        next_cursor=answer.next_cursor,
        total=answer.total,
    )


def _check_count(count: int, limit: int) -> None:
    # The page is refused and not cut, because the next page begins after the cut entries, which would be lost silently.
    if count > limit:
        raise _against_protocol(f"it has {count} entries where at most {limit} were requested")


def _check_cursor(cursor: str | None) -> None:
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        raise _against_protocol(f"nextCursor is not 1 to {MAX_CURSOR_LENGTH} visible ASCII characters")


def _against_protocol(what: str) -> PermanentProviderTrouble:
    message = f"The prospect provider's answer breaks the protocol: {what}."
    return PermanentProviderTrouble("PROVIDER_GARBAGE", message)
