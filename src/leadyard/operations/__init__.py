"""ROOM 2: the operations of the service. A public function is one transaction: checks, change and record inside it."""
