"""The processing of a request: route, parameters, body, idempotency."""
