"""Graphs that leave TensorFlow: runtimes that know no loops of its own, and no sizes that depend on values."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

__all__ = ["in_portable_graph", "portable_graph"]

_TRACED = contextvars.ContextVar("portable_graph", default=False)


@contextlib.contextmanager
def portable_graph() -> Iterator[None]:
    """Within it a graph of fixed shapes is traced for other runtimes.

    Loops over a known number of steps are then written out step by step (converters have turned some loops round, in
    silence), and what depends on values does so without changing the size of anything.
    """
    token = _TRACED.set(True)
    try:
        yield
    finally:
        _TRACED.reset(token)


def in_portable_graph() -> bool:
    """Whether the graph being traced is for other runtimes."""
    return _TRACED.get()
