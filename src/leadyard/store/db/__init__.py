"""The only place that knows how SQLite and PostgreSQL differ."""

from leadyard.store.db.database import Database, Row, Transaction
from leadyard.store.db.failures import COMMIT_UNKNOWN
from leadyard.store.db.opening import open_database
from leadyard.store.db.procedure import Procedure, RunStep, Undone
from leadyard.store.db.statement import NewRows, Statement, as_document, from_document

__all__ = [
    "COMMIT_UNKNOWN",
    "Database",
    "NewRows",
    "Procedure",
    "Row",
    "RunStep",
    "Statement",
    "Transaction",
    "Undone",
    "as_document",
    "from_document",
    "open_database",
]
