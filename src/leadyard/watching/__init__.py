"""Metrics for Prometheus and spans for OpenTelemetry. Both are off by default.

Any package may call these functions. Neither library is imported before its part is switched on, so that the commands
start fast. Until then, a call only checks a global.
"""
