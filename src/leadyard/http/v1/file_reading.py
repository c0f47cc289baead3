"""How to read an uploaded file: the part that the bodies of a job and of a preview have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from leadyard import model
from leadyard.http.answer.envelope import RequestBody

ColumnName = Annotated[str, StringConstraints(max_length=1_000)]


class FileReading(RequestBody):
    """How to read the file. The service finds out each part that you leave out."""

    mapping: Annotated[
        dict[str, ColumnName | Annotated[list[ColumnName], Field(min_length=1, max_length=100)]] | None,
        Field(
            max_length=300,
            description="Field of a prospect → column of the file, or columns in order: in each row, the first cell "
            "that can be used is the value. It overrides the detected columns.",
            examples=[{"email": ["Work Email", "Home Email"]}],
        ),
    ] = None
    identity_column: Annotated[
        str | None,
        StringConstraints(max_length=1_000),
        Field(description="The column that identifies a person without an e-mail or a LinkedIn profile."),
    ] = None
    sheet: Annotated[
        str | None,
        StringConstraints(max_length=300),
        Field(description="The sheet of a workbook. The default is the first visible one with a header and rows."),
    ] = None
    encoding: Annotated[
        str | None,
        StringConstraints(max_length=40),
        Field(description="The encoding, if it is not UTF-8, for example `cp1252`."),
    ] = None
    delimiter: Annotated[
        str | None, StringConstraints(min_length=1, max_length=1), Field(description="Detected if omitted.")
    ] = None

    def file(self, upload_id: str) -> model.UploadedCsv:
        """Returns the upload and how to read it."""
        return model.UploadedCsv(
            upload_id=upload_id,
            mapping={
                field: columns if isinstance(columns, str) else tuple(columns)
                for field, columns in (self.mapping or {}).items()
            },
            identity_column=self.identity_column,
            sheet=self.sheet,
            encoding=self.encoding,
            delimiter=self.delimiter,
        )
