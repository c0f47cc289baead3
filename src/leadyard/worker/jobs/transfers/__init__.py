"""Transfers, and undos of large changes: one change of any size, made completely or not at all."""
