"""Requests to the receivers of webhooks: the guard of addresses, the connection, the signature."""
