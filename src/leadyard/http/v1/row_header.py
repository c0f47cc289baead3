"""The names of the cells of a rejected row, and the use of the columns, for a prospecting job that starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module

from leadyard import model
from leadyard.database import Database

_FILE_HEADER = "leadyard.http.v1.file_header"
_OF_URLS = model.RowHeader(("profileUrl",))


async def header_reader(
    db: Database, who: model.Caller, people: model.UploadedCsv | model.ProfileUrls | model.SearchQuery
) -> Callable[[], model.RowHeader]:
    """Returns the function that returns the names of the cells of a rejected row, and the use of the columns."""
    if isinstance(people, model.ProfileUrls):
        return lambda: _OF_URLS
    if not isinstance(people, model.UploadedCsv):
        # Not at the top, because most services have no provider.
        from leadyard.provider.shapes import ROW_HEADER

        return lambda: model.RowHeader(ROW_HEADER)
    await load_file_readers()
    from leadyard.http.v1.file_header import file_header_reader

    return await file_header_reader(db, who, people)


async def load_file_readers() -> None:
    """Loads the readers of all formats of files, in a thread, because that takes a tenth of the start of the service,
    and the start loads only what most requests need."""
    await asyncio.to_thread(import_module, _FILE_HEADER)
