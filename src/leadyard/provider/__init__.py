"""The client of the prospect provider, and the shapes of its answers."""
