"""What an export may do, decided before anything of it is loaded: an allow-list over the whole SavedModel.

A graph is a program of whoever wrote it. Loading it runs its initialiser, and restores what it says from where it says;
so every node of the graph and of its function library counts, whether a signature needs it or not, and so do the parts
around them (assets, collections, devices, options of calls, the object graph). Read the protocol buffers only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.errors import ExportError
from rnnapps.export.allowed import OLDEST_GRAPH, added_attributes, core, pure, used
from rnnapps.export.checks import Check, check
from rnnapps.export.graph import nodes_of, operations_of, read_saved_model
from rnnapps.export.node_options import option_failures
from rnnapps.export.restoring import file_failures

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

__all__ = ["check_safety", "operations_of_graph", "require_safe", "require_safe_graph"]

_MAIN = "saved_model_main_op"
_OBJECTS = frozenset({"user_object", "variable", "bare_concrete_function", "function", "constant", "resource"})
_REGISTERED = frozenset({"", "tf.StaticHashTable", "tf.TrackableConstant"})
_USER_OBJECTS = re.compile(r"_generic_user_object|signature_map|trackable_(list|dict|tuple)_wrapper")
_OLDEST = "2.19"


def check_safety(saved_model: SavedModel, allow: Set[str] = frozenset()) -> list[Check]:
    """Judges a whole SavedModel.

    Args:
        saved_model: the parsed file.
        allow: operations beside those of our own exports; only ones that do nothing but compute are let through.
    """
    kinds = operations_of(saved_model)
    return [
        check("one graph", _shape_failures(saved_model), "its signatures, functions and variables, and nothing else"),
        check(
            "allow-list",
            [line for graph in saved_model.meta_graphs for line in _graph_failures(graph, allow)],
            f"{len(kinds)} kinds of operations in graph, functions and initialiser, all of them allowed",
        ),
        check(
            "older servers",
            [line for graph in saved_model.meta_graphs for line in _server_failures(graph)],
            f"TensorFlow Serving {_OLDEST} and later have every operation and attribute",
        ),
    ]


def require_safe(folder: Path, allow: Set[str] = frozenset()) -> None:
    """Reads the SavedModel in a folder, and refuses what `check_safety` does; call it before TensorFlow loads one.

    Raises:
        ExportError: it cannot be read, or a check failed.
    """
    require_safe_graph(folder, read_saved_model(folder), allow)


def require_safe_graph(folder: Path, saved_model: SavedModel, allow: Set[str] = frozenset()) -> None:
    """Refuses what `check_safety` does, in the name of the folder that it was read from; raises ExportError."""
    for item in check_safety(saved_model, allow):
        if not item.passed:
            first = item.detail.splitlines()[0]
            raise ExportError(f"{folder}: is not loaded, for it fails the check {item.name!r}: {first}")


def _shape_failures(saved_model: SavedModel) -> Iterator[str]:
    """Parts beside the one graph that our exports have."""
    tags = [sorted(graph.meta_info_def.tags) for graph in saved_model.meta_graphs]
    if saved_model.saved_model_schema_version != 1 or tags != [["serve"]]:
        yield f"expected one graph tagged 'serve', found {len(tags)} with the tags {tags}; export the model again"
    for graph in saved_model.meta_graphs:
        if graph.asset_file_def:
            yield "names asset files, which are read from paths; put the data into the graph"
        for name, collection in graph.collection_def.items():
            if name != _MAIN or collection.WhichOneof("kind") != "node_list":
                yield f"collection {name!r}: none but the initialiser is expected; export the model again"
        yield from _object_failures(graph)
        yield from _name_failures(graph)


def _object_failures(graph: MetaGraphDef) -> Iterator[str]:
    """Objects that Python's loader would revive by code of its own."""
    for number, item in enumerate(graph.object_graph_def.nodes):
        kind = item.WhichOneof("kind")
        unknown = kind == "user_object" and not _USER_OBJECTS.fullmatch(item.user_object.identifier)
        if kind not in _OBJECTS or unknown or item.registered_name not in _REGISTERED or item.registered_saver:
            what = item.registered_name or item.registered_saver or item.user_object.identifier or kind
            yield f"object {number}: {what} is none that our exports hold; export the model again"


def _name_failures(graph: MetaGraphDef) -> Iterator[str]:
    """Names that could mean two things, or nothing: each reader of the graph might take them differently."""
    definition = graph.graph_def
    functions = [function.signature.name for function in definition.library.function]
    for what, names in (("node", [node.name for node in definition.node]), ("function", functions)):
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{what} {name!r}: there are {count} of this name; export the model again"
    for name in sorted(set(functions) & set(core())):
        yield f"function {name!r}: is called like an operation; export the model again"
    if definition.library.gradient or definition.library.registered_gradients:
        yield "functions have gradients, which nothing that is served needs; export the model again"


def _graph_failures(graph: MetaGraphDef, allow: Set[str]) -> Iterator[str]:
    """Operations that may not be, files that are touched but to restore variables, and options of nodes."""
    definition = graph.graph_def
    own = {function.signature.name for function in definition.library.function}
    allowed = used() | (allow & pure()) | own
    for operation, count in sorted(Counter(node.op for node in nodes_of(definition)).items()):
        if operation not in allowed:
            yield _refusal(operation, count)
    yield from file_failures(graph)
    yield from option_failures(definition)


def _refusal(operation: str, count: int) -> str:
    """Why an operation is refused, and what can be done about it."""
    times = f"operation {operation} ({count} times)" if count > 1 else f"operation {operation}"
    if operation in pure():
        return f"{times} is in none of our exports; if you trust whoever made this one: --allow {operation}"
    if operation in core():
        return f"{times} may do more than compute; do not use this export, or write it without this operation"
    return f"{times} is not in TensorFlow core; no stock server can load it"


def _server_failures(graph: MetaGraphDef) -> Iterator[str]:
    """What servers in use do not know yet."""
    consumer = graph.graph_def.versions.min_consumer
    if consumer > OLDEST_GRAPH:
        yield f"asks for a reader of graphs of version {consumer}; TensorFlow {_OLDEST} reads {OLDEST_GRAPH}"
    later = {operation for operation in operations_of_graph(graph) if _since(operation) != _OLDEST}
    for operation in sorted(later):
        yield f"operation {operation} came with TensorFlow {_since(operation)}; servers of {_OLDEST} lack it"
    for node in nodes_of(graph.graph_def):
        for name in node.attr:
            version = added_attributes().get((node.op, name))
            if version:
                yield f"{node.name}: attribute {name} of {node.op} came with TensorFlow {version}"


def operations_of_graph(graph: MetaGraphDef) -> set[str]:
    """Names of the operations of TensorFlow in one graph and its functions."""
    return {node.op for node in nodes_of(graph.graph_def)} & set(core())


def _since(operation: str) -> str:
    return core()[operation].since
