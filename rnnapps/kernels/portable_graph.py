"""Graphs that leave TensorFlow: runtimes that know no loops of its own, and no sizes that depend on values."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

__all__ = ["in_native_graph", "in_portable_graph", "portable_graph"]

_TRACED = contextvars.ContextVar("portable_graph", default=False)
_NATIVE = contextvars.ContextVar("native_graph", default=False)


@contextlib.contextmanager
def portable_graph(*, native: bool = False) -> Iterator[None]:
    """Within it a graph of fixed shapes is traced for other runtimes.

    Loops over a known number of steps are then written out step by step (converters have turned some loops round, in
    silence), and what depends on values does so without changing the size of anything.

    Args:
        native: layers of cells that the runtime knows are single operations of it.
    """
    tokens = _TRACED.set(True), _NATIVE.set(native)
    try:
        yield
    finally:
        _TRACED.reset(tokens[0])
        _NATIVE.reset(tokens[1])


def in_portable_graph() -> bool:
    """Whether the graph being traced is for other runtimes."""
    return _TRACED.get()


def in_native_graph() -> bool:
    """Whether layers of cells that the runtime knows are to be single operations."""
    return _NATIVE.get()
