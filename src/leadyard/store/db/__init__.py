"""The only place that depends on the differences between SQLite and PostgreSQL."""

from leadyard.store.db.failures import COMMIT_UNKNOWN
from leadyard.store.db.opening import open_database
from leadyard.store.db.procedure import Procedure, RunStep, StepResult, Undone
from leadyard.store.db.statement import NewRows, Row, Statement, as_document, as_texts, from_document

__all__ = [
    "COMMIT_UNKNOWN",
    "NewRows",
    "Procedure",
    "Row",
    "RunStep",
    "Statement",
    "StepResult",
    "Undone",
    "as_document",
    "as_texts",
    "from_document",
    "open_database",
]
