"""Announces to the other parts of this process that an operation has committed, so that they need not look for it."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str], None]
"""Takes the id of the account group. It must return at once and raise nothing."""

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Calls the listener after each commit of a writing operation in this process."""
    _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """Ends `listen`."""
    if listener in _listeners:
        _listeners.remove(listener)


def announce(account_group_id: str) -> None:
    """Calls the listeners. Only a hint: a process that ends before this has committed nevertheless."""
    for listener in _listeners:
        listener(account_group_id)
