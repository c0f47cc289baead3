"""Source and position of a job come back from its row as they were, also from the row of an older version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from leadyard.ids import key_of, new_id
from leadyard.model import (
    CsvPosition,
    CsvSource,
    EnrichmentPosition,
    Job,
    JobCounts,
    JobKind,
    JobPosition,
    JobSource,
    JobStage,
    JobStatus,
    LinkedInSearch,
    PostCommenters,
    SalesNavigatorList,
    SearchPosition,
    SearchSource,
    UploadedCsv,
    UrlPosition,
    UrlSource,
)
from leadyard.store.job_positions import position_document, position_from
from leadyard.store.job_sources import source_columns, source_from, stages_from

UPLOAD = new_id()
CSV = CsvSource(file=UploadedCsv(upload_id=UPLOAD), upload_bytes=12, header=("Email",))
MAPPED = UploadedCsv(
    upload_id=UPLOAD, mapping={"firstName": "Who"}, identity_column="No", encoding="cp1252", delimiter=";"
)
URLS = UrlSource(profile_urls=("https://www.linkedin.com/in/ada", "=x"), header=("profileUrl",))
SOURCES: list[JobSource] = [
    CSV,
    CsvSource(file=MAPPED, upload_bytes=2**40, header=("Who", "No", "é;'")),
    URLS,
    *(
        SearchSource(query=query, max_results=2_000, header=("firstName", "customFields"))
        for query in (
            LinkedInSearch("https://www.linkedin.com/search/results/people/?keywords=cto"),
            SalesNavigatorList(saved_search_id="12"),
            SalesNavigatorList(lead_list_id="13"),
            PostCommenters("https://www.linkedin.com/feed/update/urn:li:activity:1"),
        )
    ),
]


def job_on(source: JobSource, *, enriches: bool = False) -> Job:
    stages = (JobStage.IMPORT, JobStage.ENRICHMENT) if enriches else (JobStage.IMPORT,)
    return Job(
        id="b" * 24,
        kind=JobKind.PROSPECTING,
        status=JobStatus.QUEUED,
        audience_ids=("c" * 24,),
        source=source,
        stages=stages,
        stage=stages[-1],
        progress={},
        counts=JobCounts(),
        error=None,
        api_key_id=None,
        created_at=1,
        updated_at=1,
    )


def row_of(type: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"id": 7, "kind": "prospecting", "type": type, "source": json.dumps(document), "search_emails": False}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.type))
@pytest.mark.parametrize("enriches", [True, False])
def test_a_source_comes_back_as_it_was(source: JobSource, enriches: bool) -> None:
    job = job_on(source, enriches=enriches)
    row = {"id": job.id, "kind": job.kind, "ends_as": None, **source_columns(job)}
    assert source_from(row) == source
    assert stages_from(row) == job.stages
    assert row["upload_id"] == (key_of(UPLOAD) if isinstance(source, CsvSource) else None)


@pytest.mark.parametrize(
    ("type", "document", "expected"),
    [
        ("csv_upload", {"uploadId": UPLOAD, "uploadBytes": 12, "header": ["Email"]}, CSV),
        ("url_upload", {"profileUrls": list(URLS.profile_urls), "header": ["profileUrl"]}, URLS),
        (
            "post_commenters",
            {"postUrl": "https://www.linkedin.com/posts/a", "maxResults": 5, "header": []},
            SearchSource(query=PostCommenters("https://www.linkedin.com/posts/a"), max_results=5, header=()),
        ),
        # Of a row that another program has written.
        ("url_upload", {}, UrlSource(profile_urls=(), header=())),
        # A key that only a newer version writes.
        ("url_upload", {"version": 1, "new": True}, UrlSource(profile_urls=(), header=())),
    ],
)
def test_a_document_of_another_version_is_read(type: str, document: dict[str, Any], expected: JobSource) -> None:
    assert source_from(row_of(type, document)) == expected


def test_a_document_of_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        source_from(row_of("url_upload", {"version": 2}))


@pytest.mark.parametrize(
    ("position", "job"),
    [
        (CsvPosition(records=7), job_on(CSV)),
        (UrlPosition(done=200), job_on(URLS)),
        (SearchPosition(cursor="x", read=5, anchor="y", lap=1, lap_length=2, circle=True), job_on(SOURCES[3])),
        (EnrichmentPosition(total=9, after="d" * 24, done=3), job_on(URLS, enriches=True)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_position_comes_back_as_it_was(position: JobPosition, job: Job) -> None:
    text = position_document(position)
    assert position_from(job, text) == position
    assert position_from(job, json.dumps({**json.loads(text), "new": 1})) == position
    assert position_from(job, None) is None
