"""What the generated operations need from a client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

from leadyard_client.downloads import AsyncDownload, Download
from leadyard_client.pages import AsyncPages, Pages
from leadyard_client.request import Request

T = TypeVar("T")


class Sender(ABC):
    """Sends requests, and returns when the answer is there."""

    @abstractmethod
    def _send(self, request: Request[T]) -> T: ...

    @abstractmethod
    def _pages(self, request: Request[T], cursor: str | None) -> Pages[T]: ...

    @abstractmethod
    def _download(self, request: Request[Any]) -> Download: ...


class AsyncSender(ABC):
    """Sends requests, and is awaited."""

    @abstractmethod
    async def _send(self, request: Request[T]) -> T: ...

    @abstractmethod
    def _pages(self, request: Request[T], cursor: str | None) -> AsyncPages[T]: ...

    @abstractmethod
    def _download(self, request: Request[Any]) -> AsyncDownload: ...
