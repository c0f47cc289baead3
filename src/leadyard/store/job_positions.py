"""The position of a job in its row. No other file contains the JSON of positions.

Its form follows from the stage and the source, so the document does not contain it. A new key needs a default:
`job_sources.py` explains why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar, assert_never

from leadyard.model import (
    CsvPosition,
    CsvSource,
    EnrichmentPosition,
    Job,
    JobPosition,
    JobStage,
    PartPosition,
    PlanPosition,
    RestPosition,
    SearchPosition,
    SearchSource,
    TransferSource,
    UndoSource,
    UrlPosition,
    UrlSource,
)
from leadyard.store.db import as_document, from_document

P = TypeVar("P", bound=JobPosition)


def position_document(position: JobPosition) -> str:
    """Returns the position as the text for its column."""
    return as_document(asdict(position))


def position_from(job: Job, column: Any) -> JobPosition | None:
    """Returns the position in the column of the job's row, None at the beginning of a stage."""
    document = from_document(column)
    if document is None:
        return None
    if job.stage is JobStage.ENRICHMENT:
        return _made(EnrichmentPosition, document)
    match job.source:
        case CsvSource():
            return _made(CsvPosition, document)
        case UrlSource():
            return _made(UrlPosition, document)
        case SearchSource():
            return _made(SearchPosition, document)
        case UndoSource() if job.stage is JobStage.SELECT:
            return _made(PlanPosition, {**document, "first_changed": tuple(document.get("first_changed", ()))})
        case UndoSource() if job.stage is JobStage.WITHDRAW:
            return _made(RestPosition, document)
        case TransferSource() | UndoSource():
            return _made(PartPosition, document)
        case _:
            assert_never(job.source)


def _made(form: type[P], document: Mapping[str, Any]) -> P:
    """Returns the value of the document without the keys of a newer version."""
    known = {field.name for field in fields(form)}
    return form(**{name: value for name, value in document.items() if name in known})
