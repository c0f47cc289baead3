"""ROOM 1, the door for operators. No SQL, no transaction, no rule."""
