"""A prospect provider that serves the people of a CSV file: for development, for tests, and to copy from."""
