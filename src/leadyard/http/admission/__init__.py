"""Admission of requests: keys, client addresses, rate limits."""
