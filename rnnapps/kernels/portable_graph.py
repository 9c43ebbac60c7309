"""Graphs that leave TensorFlow: runtimes that know no loops of its own, and no sizes that depend on values."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["PortableGraph", "becomes_native", "in_portable_graph", "portable_graph"]


@dataclass
class PortableGraph:
    """A graph that is being traced for other runtimes.

    Attributes:
        native: whether layers of cells that the runtime knows are single operations of it.
        has_native_form: whether there was any such layer.
    """

    native: bool = False
    has_native_form: bool = False


_TRACED: contextvars.ContextVar[PortableGraph | None] = contextvars.ContextVar("portable_graph", default=None)


@contextlib.contextmanager
def portable_graph(*, native: bool = False) -> Iterator[PortableGraph]:
    """Within it a graph of fixed shapes is traced for other runtimes.

    Loops over a known number of steps are then written out step by step (converters have turned some loops round, in
    silence), and what depends on values does so without changing the size of anything.

    Args:
        native: layers of cells that the runtime knows are single operations of it.
    """
    graph = PortableGraph(native)
    token = _TRACED.set(graph)
    try:
        yield graph
    finally:
        _TRACED.reset(token)


def in_portable_graph() -> bool:
    """Whether the graph being traced is for other runtimes."""
    return _TRACED.get() is not None


def becomes_native() -> bool:
    """Whether the layer that asks, of a cell that runtimes know, is to be a single operation; its graph notes it."""
    graph = _TRACED.get()
    if graph is None:
        return False
    graph.has_native_form = True
    return graph.native
