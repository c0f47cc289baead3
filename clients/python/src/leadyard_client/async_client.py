"""The client for programs with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Self, TypeVar, overload

import httpx

from leadyard_client import jobs, models
from leadyard_client.attempts import USUAL_RETRIES, Attempts, RetryPolicy
from leadyard_client.connection import TIMEOUT_S, checked_key, checked_url, group_of, http_options, page_of, verified
from leadyard_client.downloads import AsyncDownload
from leadyard_client.feed import AsyncEventFeed
from leadyard_client.operations.awaitable import Operations
from leadyard_client.pages import AsyncPages, Page
from leadyard_client.request import Request

T = TypeVar("T")


class AsyncLeadyard(Operations):
    """A client of a Leadyard service, with a coroutine for every operation of the API. Tasks may share it.

    `url` is the address of the service, such as `https://leads.example`, and `key` an API key. You may leave
    `account_group_id` out if the key is valid for one account group only. `timeout_s` is how long the service may be
    silent during an answer, in seconds. Pass `http_client` to set a proxy or certificates; you then close it yourself.

    Every method raises ApiError for a refusal, NoAnswer after a broken connection, and UnexpectedAnswer.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        account_group_id: str | None = None,
        retries: RetryPolicy = USUAL_RETRIES,
        timeout_s: float = TIMEOUT_S,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._url = checked_url(url)
        self._key = checked_key(key)
        self._group_id = account_group_id
        self._retries = retries
        self._owns_http = http_client is None
        self._http = http_client or httpx.AsyncClient(**http_options(timeout_s))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncLeadyard({self._url!r})"

    async def close(self) -> None:
        """Closes the connections."""
        if self._owns_http:
            await self._http.aclose()

    def in_account_group(self, account_group_id: str) -> AsyncLeadyard:
        """Returns a client for another account group of the same key. It shares the connections of this one."""
        return AsyncLeadyard(
            self._url, self._key, account_group_id=account_group_id, retries=self._retries, http_client=self._http
        )

    async def account_group_id(self) -> str:
        """Returns the account group of all requests.

        Raises WrongAccountGroup if you left it out and the key is not valid for exactly one.
        """
        if self._group_id is None:
            self._group_id = group_of(await self.list_accounts(limit=2).page())
        return self._group_id

    # ------------------------------------------------------------------------------------------------------- jobs

    @overload
    async def wait(
        self,
        started: models.TransferStart | models.TransferPreview,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.Transfer] | None = None,
    ) -> models.Transfer: ...

    @overload
    async def wait(
        self,
        started: models.ProspectingJobStart,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.ProspectingJobStatus] | None = None,
    ) -> models.ProspectingJobStatus: ...

    @overload
    async def wait(
        self,
        started: models.ChangeUndo | models.TransferStart,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.Transfer] | None = None,
    ) -> models.ChangeUndo | models.Transfer: ...

    async def wait(self, started: Any, *, timeout_s: float | None = None, on_progress: Any = None) -> Any:
        """Waits for the job that `start_transfer`, `start_prospecting` or `undo_change` has started.

        Returns the completed job; a change that was undone at once is returned as it is. Calls `on_progress` with each
        new state of the job. Raises JobNotCompleted if it fails or is cancelled, and WaitTimeout after `timeout_s`
        seconds, which does not stop the job.
        """
        if isinstance(started, models.ChangeUndo):
            return started
        if isinstance(started, models.ProspectingJobStart):
            return await self.wait_for_prospecting(started.job_id, timeout_s=timeout_s, on_progress=on_progress)
        if isinstance(started, models.TransferPreview):
            raise ValueError(jobs.NOT_A_JOB)
        return await self.wait_for_transfer(started.job_id, timeout_s=timeout_s, on_progress=on_progress)

    async def wait_for_transfer(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.Transfer] | None = None,
    ) -> models.Transfer:
        """Does the same for a transfer, or a large undo, whose id you have kept."""
        watch = jobs.Watch[models.Transfer](timeout_s, on_progress)
        while True:
            job = await self.get_transfer(job_id)
            pause = watch.pause_after(job)
            if pause is None:
                return job
            await asyncio.sleep(pause)

    async def wait_for_prospecting(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.ProspectingJobStatus] | None = None,
    ) -> models.ProspectingJobStatus:
        """Does the same for a prospecting job, such as an import, whose id you have kept."""
        watch = jobs.Watch[models.ProspectingJobStatus](timeout_s, on_progress)
        while True:
            job = await self.get_prospecting(job_id)
            pause = watch.pause_after(job)
            if pause is None:
                return job
            await asyncio.sleep(pause)

    # ----------------------------------------------------------------------------------------------------- events

    def follow_events(
        self,
        *,
        cursor: str | None = None,
        from_start: bool = False,
        types: Iterable[models.EventType] = (),
        audience_id: str | None = None,
        wait_s: int = 30,
    ) -> AsyncEventFeed:
        """Returns all events from `cursor` on, without an end.

        Without a cursor it begins now, or with `from_start` at the oldest event that is kept. `types` and `audience_id`
        select events. Each request waits up to `wait_s` seconds, at most 30, for the next event.
        """
        chosen = ",".join(types) or None

        async def fetch(position: str | None) -> Page[models.AnyEvent]:
            start = "start" if from_start and position is None else None
            return await self.list_events(
                cursor=position, limit=200, from_=start, types=chosen, audience_id=audience_id, wait=wait_s
            ).page()

        return AsyncEventFeed(fetch, cursor)

    # ---------------------------------------------------------------------------------------------------- sending

    async def _send(self, request: Request[T]) -> T:
        keyed = request.with_key()
        return verified(keyed, keyed.answered(await self._response(keyed)))

    def _pages(self, request: Request[T], cursor: str | None) -> AsyncPages[T]:
        async def fetch(position: str | None) -> Page[T]:
            return page_of(request, await self._response(request.at(position)))

        return AsyncPages(fetch, cursor)

    def _download(self, request: Request[Any]) -> AsyncDownload:
        return AsyncDownload(lambda: self._response(request, stream=True))

    async def _response(self, request: Request[Any], *, stream: bool = False) -> httpx.Response:
        """Returns the answer of success, after as many attempts as it takes. The body of a stream is not read."""
        url = self._url + (
            f"/accounts/{await self.account_group_id()}{request.path}" if request.in_group else request.path
        )
        attempts = Attempts(request, self._retries)
        # Made once: a repetition has to have the same body, whatever happens to a list of yours in between.
        body = request.json_body()
        while True:
            try:
                response = await self._http.send(self._http_request(url, request, body), stream=True)
                if not (stream and response.is_success):
                    await response.aread()
            except httpx.TransportError as error:
                wait: float | None = attempts.wait_after_break(error)
            else:
                wait = attempts.wait_after_answer(response)
            if wait is None:
                return response
            await asyncio.sleep(wait)

    def _http_request(self, url: str, request: Request[Any], body: bytes | None) -> httpx.Request:
        content = request.upload.async_pieces() if request.upload is not None else body
        headers = request.all_headers(self._key)
        return self._http.build_request(
            request.method, url, params=request.all_query(), headers=headers, content=content
        )
