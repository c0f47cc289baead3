"""The commands for operators. Contains no SQL, no transactions, no business rules."""
