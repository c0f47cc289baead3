"""Lets a search of Hypothesis try the same examples beside any other tests."""

from __future__ import annotations

from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants


def leave_out_constants_of_modules() -> None:
    """Makes Hypothesis use none of the constants that it finds in the project's modules.

    It looks into each module that is loaded. So with `derandomize`, too, the examples of a test depend on the tests
    that run before it in the same process. Hypothesis has no setting for that. `tests/house/test_same_examples.py`
    fails if this function loses its effect.
    """
    empty = Constants()
    providers._get_local_constants = lambda: empty
