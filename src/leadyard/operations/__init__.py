"""ROOM 2: what the service does. One public function is one transaction: checks, change and record inside it."""
