"""Static rules: what the graph of an export may contain so that TensorFlow Serving can run it anywhere.

The rules read the protocol buffers only; nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnapps.export.checks import Check, check
from rnnapps.export.dtypes import DT_INVALID, DT_STRING, SERVABLE_TYPES, TYPE_NAMES
from rnnapps.export.graph import reach

if TYPE_CHECKING:
    from tensorflow.core.framework.attr_value_pb2 import AttrValue
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef, TensorInfo
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

__all__ = ["check_graph", "serving_graph"]


@dataclass(frozen=True)
class _Node:
    """One operation, where it stands, and the signatures whose result it computes."""

    operation: str
    place: str
    signatures: tuple[str, ...]
    compiled: bool


# Pattern of an operation -> why it may not be in an export, and the remedy.
_FORBIDDEN = {
    r"(Eager)?PyFunc(Stateless)?": "runs Python, which a server has not; write it with TensorFlow operations",
    r"_?Xla\w*|TPU\w*": "needs the XLA compiler, which the server does not link; trace the model without jit_compile",
    r"\w*Cudnn\w*": "runs on one vendor's GPU only; build the model with rnnapps layers, which never choose cuDNN",
    r"Nccl\w*|Collective\w*": "needs a training cluster; export a model without a distribution strategy",
}
# The same, for operations that count only where a signature reaches them (saving and restoring needs some of them).
_FORBIDDEN_IN_SIGNATURES = {
    r"Random\w*|TruncatedNormal|Multinomial|ParameterizedTruncatedNormal|Stateful\w*Normal\w*|StatefulUniform\w*"
    r"|StatefulRandom\w*|StatefulBinomial|Rng\w+|NonDeterministicInts": (
        "draws random numbers that no request can repeat; take a `seed` input and use tf.random.stateless_*"
    ),
    r"Assign\w*|ResourceApply\w*|ResourceScatter\w*|Scatter(Add|Sub|Update|Mul|Div|Min|Max)": (
        "changes a variable that all clients share; make the state an input and an output"
    ),
    r"ReadFile|WriteFile|MatchingFiles|Save\w*|Restore\w*": "touches files of the server; put the data into the graph",
    r"LookupTableInsert\w*|MutableHashTable\w*|MutableDenseHashTable\w*": (
        "changes a table that all clients share; use a constant table"
    ),
}


def serving_graph(saved_model: SavedModel) -> MetaGraphDef | None:
    """Returns the MetaGraphDef tagged `serve`, or None."""
    return next((graph for graph in saved_model.meta_graphs if "serve" in graph.meta_info_def.tags), None)


def check_graph(meta_graph: MetaGraphDef, known_operations: frozenset[str]) -> list[Check]:
    """Runs all static rules.

    Args:
        meta_graph: the MetaGraphDef tagged `serve`.
        known_operations: names of the operations of TensorFlow core.
    """
    signatures = {name: value for name, value in meta_graph.signature_def.items() if not name.startswith("__")}
    nodes = list(_nodes(meta_graph, signatures))
    known = known_operations | {function.signature.name for function in meta_graph.graph_def.library.function}
    tensors = sum(len(value.inputs) + len(value.outputs) for value in signatures.values())
    return [
        check("signatures", _signature_failures(signatures), f"{', '.join(sorted(signatures))}: {tensors} tensors"),
        check("operations", _operation_failures(nodes, known), f"{len(nodes)} operations, all of TensorFlow core"),
        check("no compiled part", _compiled_failures(nodes), "the graph needs no compiler"),
    ]


def _signature_failures(signatures: dict[str, SignatureDef]) -> Iterator[str]:
    """What a server could not offer: no default, nothing in or out, tensors that no request can hold."""
    if "serving_default" not in signatures:
        yield "there is no signature 'serving_default'; a server runs it when a request names none"
    for name, signature in sorted(signatures.items()):
        if not signature.inputs or not signature.outputs:
            yield f"signature {name!r}: has no inputs or no outputs"
        for kind, tensors in (("input", signature.inputs), ("output", signature.outputs)):
            for tensor_name, information in sorted(tensors.items()):
                problem = _tensor_problem(tensor_name, information)
                if problem:
                    yield f"signature {name!r}, {kind} {tensor_name!r}: {problem}"


def _tensor_problem(name: str, information: TensorInfo) -> str:
    """Why this tensor cannot be a part of a request or an answer, or nothing."""
    shape = information.tensor_shape
    if information.WhichOneof("encoding") != "name" or information.dtype == DT_INVALID:
        return "is ragged or sparse; return a dense tensor (ragged.to_tensor()) and its lengths"
    if information.dtype not in SERVABLE_TYPES:
        name_of_type = TYPE_NAMES.get(information.dtype, f"type {information.dtype}")
        return f"is {name_of_type}, which has no JSON form; cast it to float32, int32, int64, bool or string"
    if shape.unknown_rank:
        return "has an unknown number of dimensions; call set_shape on it"
    if not shape.dim:
        return "is a scalar; every input and output leads with the batch dimension"
    if shape.dim[0].size != -1:
        return f"has a fixed first dimension of {shape.dim[0].size}; it must be the batch dimension, of any size"
    if name.endswith("_bytes") and information.dtype != DT_STRING:
        return "ends in '_bytes' but is not a string tensor; only binary strings carry that ending"
    return ""


def _operation_failures(nodes: list[_Node], known: frozenset[str] | set[str]) -> Iterator[str]:
    """Operations that no server has, or that none should run."""
    for node in nodes:
        for pattern, reason in _FORBIDDEN.items():
            if re.fullmatch(pattern, node.operation):
                yield f"{_where(node)}: operation {node.operation} {reason}"
        if node.signatures:
            for pattern, reason in _FORBIDDEN_IN_SIGNATURES.items():
                if re.fullmatch(pattern, node.operation):
                    yield f"{_where(node)}: operation {node.operation} {reason}"
        if node.operation not in known:
            yield f"{_where(node)}: operation {node.operation} is not in TensorFlow core; no stock server can load it"


def _compiled_failures(nodes: list[_Node]) -> Iterator[str]:
    """Operations and functions that ask to be compiled."""
    for node in nodes:
        if node.compiled:
            yield f"{_where(node)}: is compiled by XLA, which a server lacks; trace it without jit_compile"


def _where(node: _Node) -> str:
    """The signatures and the place of an operation, as an error names them."""
    signatures = ", ".join(repr(name) for name in node.signatures)
    return (f"signature {signatures}" if signatures else "graph") + (f" at {node.place}" if node.place else "")


def _nodes(meta_graph: MetaGraphDef, signatures: dict[str, SignatureDef]) -> Iterator[_Node]:
    """All operations of the graph and its functions, with the signatures that reach them."""
    graph = meta_graph.graph_def
    reached = {
        name: reach(graph, [information.name for information in signature.outputs.values()])
        for name, signature in sorted(signatures.items())
    }
    for node in graph.node:
        names = tuple(name for name, found in reached.items() if node.name in found.nodes)
        yield _Node(node.op, node.name, names, _compiled(node.attr))
    for function in graph.library.function:
        names = tuple(name for name, found in reached.items() if function.signature.name in found.functions)
        if _compiled(function.attr):
            yield _Node("NoOp", f"function {function.signature.name}", names, True)
        for node in function.node_def:
            yield _Node(node.op, node.name, names, _compiled(node.attr))


def _compiled(attributes: Mapping[str, AttrValue]) -> bool:
    """True when an attribute asks for compilation; reading a missing key of a protobuf map would add it."""
    return any(key in attributes and attributes[key].b for key in ("_XlaMustCompile", "_XlaCompile"))
