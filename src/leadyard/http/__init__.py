"""ROOM 1, the door for programs: bytes to values and back. No SQL, no transaction, no rule."""
