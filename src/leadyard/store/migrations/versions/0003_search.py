"""Searching leads: folded text, with an index of trigrams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadyard.folding import folded

revision = "0003"
down_revision = "0002"

_BATCH = 1_000
_READ = sa.text(
    """SELECT account_group_id, id, first_name, last_name, name, email, company_name, title FROM leads
    WHERE (account_group_id, id) > (:group, :id) ORDER BY account_group_id, id LIMIT :limit"""
)
_WRITE = sa.text(
    """UPDATE leads SET search_text = :search_text, company_folded = :company, title_folded = :title
    WHERE account_group_id = :group AND id = :id"""
)


def upgrade() -> None:
    for name in ("search_text", "company_folded", "title_folded"):
        op.add_column("leads", sa.Column(name, sa.Text(), server_default="", nullable=False))
    _fold_what_is_there()
    if op.get_bind().dialect.name == "postgresql":
        # A trusted extension: whoever owns the database may make it.
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.create_index(
            "leads_search_text_idx",
            "leads",
            ["search_text"],
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        )
    else:
        op.execute(
            """CREATE TABLE lead_search_keys (key INTEGER PRIMARY KEY, account_group_id TEXT NOT NULL,
            lead_id TEXT NOT NULL, UNIQUE (account_group_id, lead_id))"""
        )
        op.execute("CREATE VIRTUAL TABLE lead_search USING fts5(search_text, tokenize='trigram')")
        op.execute("INSERT INTO lead_search_keys (account_group_id, lead_id) SELECT account_group_id, id FROM leads")
        op.execute(
            """INSERT INTO lead_search (rowid, search_text) SELECT k.key, l.search_text FROM leads l
            JOIN lead_search_keys k ON k.account_group_id = l.account_group_id AND k.lead_id = l.id"""
        )


def _fold_what_is_there() -> None:
    """As store/leads.py writes it; batch by batch, so that memory does not grow with the table."""
    connection = op.get_bind()
    last = {"group": "", "id": ""}
    while rows := connection.execute(_READ, {**last, "limit": _BATCH}).all():
        for row in rows:
            name = " ".join(filter(None, (row.first_name, row.last_name)))
            company, title = folded(row.company_name or ""), folded(row.title or "")
            texts = (folded(name), folded(row.name or ""), folded(row.email or ""), company, title)
            last = {"group": row.account_group_id, "id": row.id}
            connection.execute(_WRITE, {**last, "search_text": "\n".join(texts), "company": company, "title": title})
