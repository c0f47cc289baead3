"""The source of a job in its row. No other file contains the JSON of sources.

A document has the names of the public API and a `version`. During an upgrade the old and the new version of the service
read each other's jobs, so a document only gains keys, and a reader has a default for each new key. Any other change
needs a new version number: one release can read it, and the next release writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, assert_never

from leadyard.ids import id_of, key_of
from leadyard.model import (
    STAGES_OF_KIND,
    AudienceType,
    CsvSource,
    Job,
    JobKind,
    JobSource,
    JobStage,
    LinkedInSearch,
    MemberFilter,
    OnKnown,
    PlannedColumn,
    PostCommenters,
    ProspectingSource,
    SalesNavigatorList,
    SearchQuery,
    SearchSource,
    SelectionFilter,
    TransferAction,
    TransferSource,
    UndoSource,
    UploadedCsv,
    UrlSource,
)
from leadyard.store.db import Row, as_document, from_document

_VERSION = 1
# Attribute → key of the document.
_MEMBER_FILTER = {
    "q": "q",
    "company": "company",
    "title": "title",
    "has_email": "hasEmail",
    "added_after": "addedAfter",
    "added_before": "addedBefore",
}
_UNDO = {
    "change_id": "changeId",
    "source_audience_id": "sourceAudienceId",
    "target_audience_id": "targetAudienceId",
    "skip_changed": "skipChanged",
    "restored_audience_id": "restoredAudienceId",
}


def source_columns(job: Job) -> dict[str, Any]:
    """Returns the columns that follow from the source: type, source, search_emails, upload_id."""
    document = {"version": _VERSION, **_document(job.source), "onKnown": _on_known(job.source)}
    return {
        "type": job.source.type,
        "source": as_document({key: value for key, value in document.items() if value is not None}),
        "search_emails": JobStage.ENRICHMENT in job.stages,
        "upload_id": key_of(job.source.file.upload_id) if isinstance(job.source, CsvSource) else None,
    }


def source_from(row: Row) -> JobSource:
    """Returns the source in a row with the columns of `source_columns`. Raises ValueError for a newer version."""
    document: Mapping[str, Any] = from_document(row["source"])
    if document.get("version", _VERSION) > _VERSION:
        raise ValueError(
            f"The source of job {id_of(row['id'])} has version {document['version']}; this reads {_VERSION}"
        )
    match JobKind(row["kind"]):
        case JobKind.PROSPECTING:
            source = _prospecting_source(AudienceType(row["type"]), document)
            return replace(source, on_known=OnKnown(document["onKnown"])) if "onKnown" in document else source
        case JobKind.TRANSFER:
            return _transfer_source(TransferAction(row["type"]), document)
        case JobKind.UNDO:
            return _undo_source(document)


def stages_from(row: Row) -> tuple[JobStage, ...]:
    """Returns the stages of the job in the row."""
    if row["ends_as"] is not None:
        return (JobStage.REVERT,)
    stages = STAGES_OF_KIND[JobKind(row["kind"])]
    return tuple(stage for stage in stages if stage is not JobStage.ENRICHMENT or row["search_emails"])


def _prospecting_source(type: AudienceType, document: Mapping[str, Any]) -> ProspectingSource:
    header = tuple(document.get("header", ()))
    match type:
        case AudienceType.CSV_UPLOAD:
            plan = tuple(PlannedColumn(name, *use) for name, use in zip(header, document.get("plan", ()), strict=False))
            upload_bytes = document.get("uploadBytes", 0)
            return CsvSource(file=_file(document), upload_bytes=upload_bytes, header=header, plan=plan)
        case AudienceType.URL_UPLOAD:
            return UrlSource(profile_urls=tuple(document.get("profileUrls", ())), header=header)
        case _:
            query, max_results = _query(type, document), document.get("maxResults", 0)
            return SearchSource(query=query, max_results=max_results, header=header)


def _transfer_source(action: TransferAction, document: Mapping[str, Any]) -> TransferSource:
    wanted = document.get("filter", {})
    return TransferSource(
        action=action,
        is_listed=document.get("isListed", False),
        filter=SelectionFilter(
            members=MemberFilter(**{name: wanted.get(key) for name, key in _MEMBER_FILTER.items()}),
            in_audience_id=wanted.get("inAudienceId"),
            not_in_audience_id=wanted.get("notInAudienceId"),
        ),
        limit=document.get("limit"),
        expected_count=document.get("expectedCount"),
    )


def _transfer_document(source: TransferSource) -> dict[str, Any]:
    wanted = {key: getattr(source.filter.members, name) for name, key in _MEMBER_FILTER.items()}
    wanted["inAudienceId"] = source.filter.in_audience_id
    wanted["notInAudienceId"] = source.filter.not_in_audience_id
    return {
        "isListed": source.is_listed,
        "filter": {key: value for key, value in wanted.items() if value is not None},
        "limit": source.limit,
        "expectedCount": source.expected_count,
    }


def _undo_source(document: Mapping[str, Any]) -> UndoSource:
    values: dict[str, Any] = {name: document.get(key) for name, key in _UNDO.items()}
    return UndoSource(**values)


def _on_known(source: JobSource) -> str | None:
    """Returns the word for the document, None for the default."""
    if isinstance(source, TransferSource | UndoSource):
        return None
    return None if source.on_known is OnKnown.FILL else str(source.on_known)


def _document(source: JobSource) -> dict[str, Any]:
    match source:
        case CsvSource(file=file):
            return {
                "uploadId": file.upload_id,
                "mapping": dict(file.mapping) or None,
                "identityColumn": file.identity_column,
                "sheet": file.sheet,
                "encoding": file.encoding,
                "defaultEncoding": file.default_encoding,
                "delimiter": file.delimiter,
                "uploadBytes": source.upload_bytes,
                "header": source.header,
                "plan": [(column.field, column.how) for column in source.plan] or None,
            }
        case UrlSource():
            return {"profileUrls": source.profile_urls, "header": source.header}
        case SearchSource():
            return {**_query_document(source.query), "maxResults": source.max_results, "header": source.header}
        case TransferSource():
            return _transfer_document(source)
        case UndoSource():
            return {key: getattr(source, name) for name, key in _UNDO.items()}
        case _:
            assert_never(source)


def _query_document(query: SearchQuery) -> dict[str, Any]:
    match query:
        case LinkedInSearch():
            return {"searchUrl": query.search_url}
        case SalesNavigatorList():
            return {"savedSearchId": query.saved_search_id, "leadListId": query.lead_list_id}
        case PostCommenters():
            return {"postUrl": query.post_url}
        case _:
            assert_never(query)


def _file(document: Mapping[str, Any]) -> UploadedCsv:
    return UploadedCsv(
        upload_id=document.get("uploadId", ""),
        mapping={field: _columns(columns) for field, columns in document.get("mapping", {}).items()},
        identity_column=document.get("identityColumn"),
        sheet=document.get("sheet"),
        encoding=document.get("encoding"),
        default_encoding=document.get("defaultEncoding"),
        delimiter=document.get("delimiter"),
    )


def _columns(columns: str | list[str]) -> str | tuple[str, ...]:
    return columns if isinstance(columns, str) else tuple(columns)


def _query(type: AudienceType, document: Mapping[str, Any]) -> SearchQuery:
    match type:
        case AudienceType.LINKEDIN_SEARCH:
            return LinkedInSearch(document.get("searchUrl", ""))
        case AudienceType.SALES_NAVIGATOR:
            return SalesNavigatorList(
                saved_search_id=document.get("savedSearchId"), lead_list_id=document.get("leadListId")
            )
        case AudienceType.POST_COMMENTERS:
            return PostCommenters(document.get("postUrl", ""))
        case _:
            raise ValueError(f"A job cannot have the type {type}")
