"""A look at an upload over HTTP, before a job imports it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Path, Request, Response
from pydantic import BeforeValidator, Field

from leadyard import model
from leadyard.errors import NotFound
from leadyard.http.answer.envelope import Id, Shape, Success, whole
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import respond, run
from leadyard.http.request.route import caller, database, needs
from leadyard.http.v1.file_reading import FileReading
from leadyard.http.v1.prospects import OnKnownField, ProspectFields, profile_values
from leadyard.http.v1.row_header import load_file_readers
from leadyard.operations import previews, uploads
from leadyard.people.identity import identity_key

_DEFAULT_ROWS = 10
How = Literal["mapped", "spelling", "parts", "content", "custom", "ignored"]
HOW = (
    "Why: `mapped` by you, a known `spelling`, a known name in `parts`, the `content` of the cells. A `custom` column "
    "is kept under its own name, and an `ignored` one has the reasons of an earlier import."
)


class PreviewUpload(FileReading):
    """How to read the file, as in the job that imports it."""

    rows: Annotated[
        int | None,
        Field(ge=1, le=50, description="The number of rows to show. The default is 10."),
        BeforeValidator(whole),
    ] = None
    on_known: OnKnownField = model.OnKnown.FILL


class UploadPreviewColumn(Shape):
    """A column of the file, and what an import makes of it."""

    name: str
    samples: Annotated[list[str], Field(description="The first different cells that are not empty, up to three.")]
    field: Annotated[str | None, Field(description="The field of a person that the column feeds.", examples=["email"])]
    how: Annotated[How, Field(description=HOW)]
    alternatives: Annotated[list[str], Field(description="Other fields that you could map the column to.")]


class UploadPreviewIdentity(Shape):
    """The strongest identity of a person, by which an import finds them again."""

    field: Literal["linkedinUrl", "email", "providerId"]
    value: str


class UploadPreviewNote(Shape):
    """A value that is not kept as it was written, or the reason why the row would be rejected."""

    code: Annotated[str, Field(examples=["INVALID_EMAIL"])]
    message: str


class UploadPreviewRow(Shape):
    """A row of the file as an import understands it. `prospect` is null if the row would be rejected."""

    line: Annotated[int | None, Field(description="The first line of the row in the file, or its row in the sheet.")]
    prospect: ProspectFields | None
    identity: UploadPreviewIdentity | None
    notes: list[UploadPreviewNote]


class UploadPreviewEstimate(Shape):
    """The result that an import of the first 10,000 rows would have now: read = created + matched + rejected."""

    read: Annotated[int, Field(description="The rows on which the estimate is based.")]
    created: int
    matched: Annotated[int, Field(description="People who are known already.")]
    rejected: int
    skipped: Annotated[int, Field(description="Rows that are not people: repeated headers and footers.")]
    noted: Annotated[int, Field(description="Rows that would be imported with a note.")]
    differing: Annotated[int, Field(description="Known people who have other values in the file.")]
    suppressed: Annotated[int, Field(description="Suppressed people, who are among the rejected ones.")]
    notes: Annotated[
        dict[str, int],
        Field(description="Code → number of rows with it, also of rejected rows.", examples=[{"INVALID_EMAIL": 2}]),
    ]


class UploadPreview(Shape):
    """The result that an import of the file would have."""

    format: Annotated[str, Field(description="csv, xlsx, xlsb, xls, ods or vcard.", examples=["xlsx"])]
    sheets: Annotated[list[str], Field(description="The sheets of a workbook, hidden ones too.")]
    sheet: Annotated[str | None, Field(description="The sheet that is read.")]
    encoding: str | None
    delimiter: str | None
    header_line: Annotated[int | None, Field(description="Null if the file has no header.")]
    row_count: Annotated[int | None, Field(description="Null if the file is longer than the rows that were read.")]
    columns: list[UploadPreviewColumn]
    rows: list[UploadPreviewRow]
    estimate: UploadPreviewEstimate


class UploadPreviewSuccessResponse(Success[UploadPreview]):
    """The result that an import of the file would have."""


UploadIdInPath = Annotated[Id, Path(alias="uploadId", description="The `uploadId` that POST …/uploads returned.")]


@needs(previews.foresee_import)
async def preview_upload(request: Request, upload_id: UploadIdInPath, body: PreviewUpload | None) -> Response:
    """Shows what an import would make of an upload, and writes nothing: the columns and their use, the first rows as
    prospects, and an estimate from the first 10,000 rows and the people known. Send the same `mapping`, `sheet` and so
    on as to the job."""
    wanted = body or PreviewUpload()
    db, who = database(request), caller(request)
    upload = await uploads.find_upload(db, who.account_group_id, upload_id)
    if upload is None:
        raise NotFound("upload", upload_id)
    file = replace(wanted.file(upload_id), default_encoding=upload.charset)
    await load_file_readers()
    from leadyard.http.v1.file_preview import look_at_upload

    found = await look_at_upload(db, who, file, size_bytes=upload.size_bytes)
    rows = wanted.rows or _DEFAULT_ROWS
    foreseen = await run(request, previews.foresee_import, batches=found.batches, on_known=wanted.on_known, rows=rows)
    return respond(request, _shown(found, foreseen))


def _shown(found: model.FilePreview, foreseen: model.ForeseenImport) -> Shown:
    data = UploadPreview.of(
        found,
        sheets=list(found.sheets),
        columns=[
            UploadPreviewColumn.of(column, samples=list(column.samples), alternatives=list(column.alternatives))
            for column in found.columns
        ],
        rows=list(map(_row, foreseen.rows)),
        estimate=UploadPreviewEstimate.of(foreseen.estimate),
    )
    return Shown(UploadPreviewSuccessResponse, data)


def _row(row: model.PreviewRow) -> UploadPreviewRow:
    return UploadPreviewRow.of(
        line=row.line,
        prospect=ProspectFields.holding(profile_values(row.prospect)) if row.prospect else None,
        identity=_identity(row.prospect),
        notes=list(map(UploadPreviewNote.of, row.notes)),
    )


_FIELD_OF_KIND = {"linkedin": "linkedinUrl", "email": "email", "provider_id": "providerId"}


def _identity(profile: model.Profile | None) -> UploadPreviewIdentity | None:
    key = identity_key(profile) if profile else None
    if profile is None or key is None:
        return None
    kind, value = key
    shown = profile.linkedin_url if kind == "linkedin" else value
    return UploadPreviewIdentity.of(field=_FIELD_OF_KIND[kind], value=shown)
