"""A prospect provider that serves the people of a CSV file, for development and tests, and as an example to copy."""
