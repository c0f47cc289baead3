"""Background work: jobs, housekeeping, last use of keys. Contains no SQL, no transactions, no business rules."""
