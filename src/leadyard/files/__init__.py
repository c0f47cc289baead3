"""Files: from bytes to lines, rows, columns and profiles, and back."""
