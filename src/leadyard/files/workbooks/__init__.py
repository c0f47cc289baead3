"""Workbooks of Excel and OpenDocument as streams of rows, with bounded memory and time for any input."""
