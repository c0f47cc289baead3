"""Audiences, their leads, and the move between them."""
