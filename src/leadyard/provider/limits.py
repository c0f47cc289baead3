"""Limits of the protocol of the prospect provider, for those who need no client."""

from __future__ import annotations

MAX_CURSOR_LENGTH = 400
