"""The client for programs without asyncio."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Self, TypeVar, overload

import httpx

from leadyard_client import jobs, models
from leadyard_client.attempts import USUAL_RETRIES, Attempts, RetryPolicy
from leadyard_client.connection import TIMEOUT_S, checked_key, checked_url, group_of, http_options, page_of, verified
from leadyard_client.downloads import Download
from leadyard_client.feed import EventFeed
from leadyard_client.operations.blocking import Operations
from leadyard_client.pages import Page, Pages
from leadyard_client.request import Request

T = TypeVar("T")


class Leadyard(Operations):
    """A client of a Leadyard service, with a method for every operation of the API. Threads may share it.

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
        http_client: httpx.Client | None = None,
    ) -> None:
        self._url = checked_url(url)
        self._key = checked_key(key)
        self._group_id = account_group_id
        self._retries = retries
        self._owns_http = http_client is None
        self._http = http_client or httpx.Client(**http_options(timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Leadyard({self._url!r})"

    def close(self) -> None:
        """Closes the connections."""
        if self._owns_http:
            self._http.close()

    def in_account_group(self, account_group_id: str) -> Leadyard:
        """Returns a client for another account group of the same key. It shares the connections of this one."""
        return Leadyard(
            self._url, self._key, account_group_id=account_group_id, retries=self._retries, http_client=self._http
        )

    @property
    def account_group_id(self) -> str:
        """The account group of all requests.

        Raises WrongAccountGroup if you left it out and the key is not valid for exactly one.
        """
        if self._group_id is None:
            self._group_id = group_of(self.list_accounts(limit=2).page())
        return self._group_id

    # ------------------------------------------------------------------------------------------------------- jobs

    @overload
    def wait(
        self,
        started: models.TransferStart | models.TransferPreview,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.Transfer] | None = None,
    ) -> models.Transfer: ...

    @overload
    def wait(
        self,
        started: models.ProspectingJobStart,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.ProspectingJobStatus] | None = None,
    ) -> models.ProspectingJobStatus: ...

    @overload
    def wait(
        self,
        started: models.ChangeUndo | models.TransferStart,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.Transfer] | None = None,
    ) -> models.ChangeUndo | models.Transfer: ...

    def wait(self, started: Any, *, timeout_s: float | None = None, on_progress: Any = None) -> Any:
        """Waits for the job that `start_transfer`, `start_prospecting` or `undo_change` has started.

        Returns the completed job; a change that was undone at once is returned as it is. Calls `on_progress` with each
        new state of the job. Raises JobNotCompleted if it fails or is cancelled, and WaitTimeout after `timeout_s`
        seconds, which does not stop the job.
        """
        if isinstance(started, models.ChangeUndo):
            return started
        if isinstance(started, models.ProspectingJobStart):
            return self.wait_for_prospecting(started.job_id, timeout_s=timeout_s, on_progress=on_progress)
        if isinstance(started, models.TransferPreview):
            raise ValueError(jobs.NOT_A_JOB)
        return self.wait_for_transfer(started.job_id, timeout_s=timeout_s, on_progress=on_progress)

    def wait_for_transfer(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.Transfer] | None = None,
    ) -> models.Transfer:
        """Does the same for a transfer, or a large undo, whose id you have kept."""
        watch = jobs.Watch[models.Transfer](timeout_s, on_progress)
        while (pause := watch.pause_after(job := self.get_transfer(job_id))) is not None:
            time.sleep(pause)
        return job

    def wait_for_prospecting(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        on_progress: jobs.OnProgress[models.ProspectingJobStatus] | None = None,
    ) -> models.ProspectingJobStatus:
        """Does the same for a prospecting job, such as an import, whose id you have kept."""
        watch = jobs.Watch[models.ProspectingJobStatus](timeout_s, on_progress)
        while (pause := watch.pause_after(job := self.get_prospecting(job_id))) is not None:
            time.sleep(pause)
        return job

    # ----------------------------------------------------------------------------------------------------- events

    def follow_events(
        self,
        *,
        cursor: str | None = None,
        from_start: bool = False,
        types: Iterable[models.EventType] = (),
        audience_id: str | None = None,
        wait_s: int = 30,
    ) -> EventFeed:
        """Returns all events from `cursor` on, without an end.

        Without a cursor it begins now, or with `from_start` at the oldest event that is kept. `types` and `audience_id`
        select events. Each request waits up to `wait_s` seconds, at most 30, for the next event.
        """
        chosen = ",".join(types) or None

        def fetch(position: str | None) -> Page[models.AnyEvent]:
            start = "start" if from_start and position is None else None
            return self.list_events(
                cursor=position, limit=200, from_=start, types=chosen, audience_id=audience_id, wait=wait_s
            ).page()

        return EventFeed(fetch, cursor)

    # ---------------------------------------------------------------------------------------------------- sending

    def _send(self, request: Request[T]) -> T:
        keyed = request.with_key()
        return verified(keyed, keyed.answered(self._response(keyed)))

    def _pages(self, request: Request[T], cursor: str | None) -> Pages[T]:
        return Pages(lambda position: page_of(request, self._response(request.at(position))), cursor)

    def _download(self, request: Request[Any]) -> Download:
        return Download(lambda: self._response(request, stream=True))

    def _response(self, request: Request[Any], *, stream: bool = False) -> httpx.Response:
        """Returns the answer of success, after as many attempts as it takes. The body of a stream is not read."""
        url = self._url + (f"/accounts/{self.account_group_id}{request.path}" if request.in_group else request.path)
        attempts = Attempts(request, self._retries)
        # Made once: a repetition has to have the same body, whatever happens to a list of yours in between.
        body = request.json_body()
        while True:
            try:
                response = self._http.send(self._http_request(url, request, body), stream=True)
                if not (stream and response.is_success):
                    response.read()
            except httpx.TransportError as error:
                wait: float | None = attempts.wait_after_break(error)
            else:
                wait = attempts.wait_after_answer(response)
            if wait is None:
                return response
            time.sleep(wait)

    def _http_request(self, url: str, request: Request[Any], body: bytes | None) -> httpx.Request:
        content = request.upload.pieces() if request.upload is not None else body
        headers = request.all_headers(self._key)
        return self._http.build_request(
            request.method, url, params=request.all_query(), headers=headers, content=content
        )
