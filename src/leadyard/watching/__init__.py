"""What an operator can watch from outside: metrics for Prometheus, spans for OpenTelemetry. Off unless asked for.

Any room may call these functions where something happens. Neither library is imported before its part is switched on,
for the commands should start fast; until then a call costs the look at a global.
"""
