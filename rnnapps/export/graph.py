"""The graph of an export as protocol buffers: read without TensorFlow's runtime, walked along every edge."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from rnnapps.errors import ExportError

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

__all__ = [
    "FINGERPRINT",
    "GRAPH",
    "MAXIMUM_BYTES",
    "Reached",
    "called_functions",
    "nodes_of",
    "operations_of",
    "reach",
    "read_saved_model",
]

GRAPH, FINGERPRINT = "saved_model.pb", "fingerprint.pb"
_OTHER_GRAPHS = ("saved_model.cpb", "saved_model.pbtxt")
MAXIMUM_BYTES = 256 * 1024**2
"""Largest graph that is read: a hundred times ours, since weights stand in files of their own."""


@dataclass
class Reached:
    """What some results depend on.

    Attributes:
        nodes: names of nodes of the graph.
        functions: names of functions of its library.
    """

    nodes: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def read_saved_model(folder: Path) -> SavedModel:
    """Parses `saved_model.pb`; nothing in it is run.

    Raises:
        ExportError: the file is missing, too large or no SavedModel, or another graph stands beside it.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / GRAPH
    for name in _OTHER_GRAPHS:
        if os.path.lexists(folder / name):
            raise ExportError(f"{folder / name}: a second graph beside {GRAPH}; do not use this export")
    saved_model = saved_model_pb2.SavedModel()
    try:
        with open(path, "rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
        if len(content) > MAXIMUM_BYTES:
            raise ExportError(f"{path}: larger than {MAXIMUM_BYTES >> 20} MiB; export the model again")
        saved_model.ParseFromString(content)
    except (OSError, DecodeError) as error:
        raise ExportError(f"{path}: cannot be read ({error}); export the model again") from error
    return saved_model


def operations_of(saved_model: SavedModel) -> set[str]:
    """Names of all operations of all graphs, but for calls of their own functions."""
    graphs = [meta_graph.graph_def for meta_graph in saved_model.meta_graphs]
    own = {function.signature.name for graph in graphs for function in graph.library.function}
    return {node.op for graph in graphs for node in nodes_of(graph)} - own


def nodes_of(graph: GraphDef) -> Iterator[NodeDef]:
    """The nodes of the graph and of its functions."""
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def reach(graph: GraphDef, roots: Iterable[str], functions: Iterable[str] = ()) -> Reached:
    """Follows data and control inputs from nodes, and calls from functions.

    Args:
        graph: the graph.
        roots: names of nodes or of their tensors ("name:0").
        functions: names of functions to begin with.
    """
    library = {function.signature.name: function for function in graph.library.function}
    by_name = {node.name: node for node in graph.node}
    pending, calls = [_node(root) for root in roots], [name for name in functions if name in library]
    found = Reached()
    while pending:
        name = pending.pop()
        if name not in found.nodes and name in by_name:
            found.nodes.add(name)
            pending += [_node(source) for source in by_name[name].input]
            calls += called_functions(by_name[name], library)
    while calls:
        name = calls.pop()
        if name not in found.functions:
            found.functions.add(name)
            for node in library[name].node_def:
                calls += called_functions(node, library)
    return found


def called_functions(node: NodeDef, library: Mapping[str, FunctionDef]) -> list[str]:
    """Functions that a node calls, by operation name or by attribute (branches, loop bodies)."""
    names = [node.op]
    for value in node.attr.values():
        names += [value.func.name, *(function.name for function in value.list.func)]
    return [name for name in names if name in library]


def _node(tensor: str) -> str:
    """The node of a tensor or of a control input."""
    return tensor.lstrip("^").partition(":")[0]
