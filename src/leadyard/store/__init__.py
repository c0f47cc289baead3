"""All SQL, and nothing else. One statement per function; no business rules and no commits here."""
