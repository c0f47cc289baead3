"""The secret key of all services in tests and benchmarks. Without one a service stores neither webhooks nor
suppressions, and adds nobody to an account group that suppresses people."""

from __future__ import annotations

SECRET_KEY = "secret-key-of-the-tests-0123456789abcdefghi"
