"""The record of changes. Every operation that adds or removes memberships does it through `members.py`, and records it
with `recording.py`, in one transaction. `imports.py` records the batches of an import as one change."""
