"""ROOM 1, the door for time: what happens without anybody asking. No SQL, no transaction, no rule."""
