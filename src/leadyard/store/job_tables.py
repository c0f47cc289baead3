"""The tables of jobs. tables.py has the rules of all tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.types import Boolean

from leadyard.model import JOB_COUNTS, JobKind, JobStage
from leadyard.store.job_status import ACTIVE
from leadyard.store.table_parts import DOCUMENT, KEY, KEYS, NUMBER, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("account_group_id", NUMBER, ForeignKey("account_groups.id"), nullable=False),
    Column("id", KEY, nullable=False),
    Column("type", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=JobKind.PROSPECTING),
    Column("status", Text, nullable=False),
    # The one or two audiences that the job reserves (docs/decisions/0030).
    Column("audience_id", KEY, nullable=False),
    Column("second_audience_id", KEY),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # The input of the job, and the place where its next step begins: see job_sources.py and job_positions.py.
    Column("source", DOCUMENT, nullable=False, server_default="{}"),
    Column("position", DOCUMENT),
    Column("search_emails", Boolean, nullable=False, server_default=text("false")),
    Column("stage", Text, nullable=False, server_default="import"),
    *(Column(f"{stage}_progress", Double, nullable=False, server_default="0") for stage in JobStage),
    *(Column(f"{name}_count", BigInteger, nullable=False, server_default="0") for name in JOB_COUNTS),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("error_extra", DOCUMENT),
    # For kinds that make one change completely or not at all: the status that the job will have when it has taken back
    # what it applied, and its change. The lists of leads in the request stay here until the selection is made.
    Column("ends_as", Text),
    Column("change_id", KEY),
    Column("lead_ids", KEYS),
    Column("excluded_lead_ids", KEYS),
    Column("api_key_id", KEY),
    # No foreign key, because an upload is removed when no active job needs it, and the record of the job stays.
    Column("upload_id", KEY),
    # The lease uses the clock of the database. Its number rises with each claim, and is the reason to refuse a worker
    # that was away too long. The time is only the moment when others may try.
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("ready_at", BigInteger, nullable=False, server_default="0"),
    Column("failed_attempts", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("account_group_id", "id"),
    ForeignKeyConstraint(["account_group_id", "audience_id"], ["audiences.account_group_id", "audiences.id"]),
    ForeignKeyConstraint(
        ["account_group_id", "second_audience_id"],
        ["audiences.account_group_id", "audiences.id"],
        name="jobs_second_audience_id_audiences_fkey",
    ),
    CheckConstraint("second_audience_id <> audience_id", name="two_audiences"),
    CheckConstraint("status IN ('queued', 'running', 'completed', 'failed', 'cancelled')", name="status"),
    # An audience has at most one active job. The same small indexes answer whether it is being populated.
    Index(
        "jobs_populating_key",
        "account_group_id",
        "audience_id",
        unique=True,
        postgresql_where=text(ACTIVE),
        sqlite_where=text(ACTIVE),
    ),
    Index(
        "jobs_populating_second_key",
        "account_group_id",
        "second_audience_id",
        unique=True,
        # Empty as long as no job has two audiences, so a look-up in it costs almost nothing.
        postgresql_where=text(f"second_audience_id IS NOT NULL AND {ACTIVE}"),
        sqlite_where=text(f"second_audience_id IS NOT NULL AND {ACTIVE}"),
    ),
)

job_rejections = Table(
    "job_rejections",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("job_id", KEY, nullable=False),
    # Counts from 1 in the order of the source.
    Column("number", BigInteger, nullable=False),
    Column("line", BigInteger),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("cells", DOCUMENT, nullable=False),
    # A note is on a row that was imported. The count of the notes up to this row saves counting all of them.
    Column("is_note", Boolean, nullable=False, server_default=text("false")),
    Column("note_count", BigInteger, nullable=False, server_default="0"),
    # The lead of a note, which goes when the person is erased.
    Column("lead_id", KEY),
    PrimaryKeyConstraint("account_group_id", "job_id", "number"),
    Index(
        "job_rejections_lead_idx",
        "account_group_id",
        "lead_id",
        postgresql_where=text("lead_id IS NOT NULL"),
        sqlite_where=text("lead_id IS NOT NULL"),
    ),
    ForeignKeyConstraint(["account_group_id", "job_id"], ["jobs.account_group_id", "jobs.id"]),
)
