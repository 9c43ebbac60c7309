"""Which files a SavedModel may touch: those of its own variables, while it is restored, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnnapps.export.allowed import FILE_OPERATIONS
from rnnapps.export.graph import called_functions, reach

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

__all__ = ["file_failures"]

_RESTORE = "RestoreV2"


def file_failures(meta_graph: MetaGraphDef) -> Iterator[str]:
    """Yields a line for every operation that could read or write a file, but where variables are saved and restored.

    A loader runs the operation that restores, with the name of the variables' files fed into it, and never the one that
    saves.
    """
    graph, saver = meta_graph.graph_def, meta_graph.saver_def
    run = reach(graph, _run_roots(meta_graph), meta_graph.object_graph_def.concrete_functions)
    saved = reach(graph, [saver.save_tensor_name])
    restored = reach(graph, [saver.restore_op_name])
    places = [
        (node, node.name in run.nodes, node.name in restored.nodes, node.name in saved.nodes) for node in graph.node
    ]
    for function in graph.library.function:
        name = function.signature.name
        reached = name in run.functions, name in restored.functions, name in saved.functions
        places += [(node, *reached) for node in function.node_def]
    for node, is_run, is_restored, is_saved in places:
        if node.op in FILE_OPERATIONS and (is_run or not (is_saved or is_restored)):
            yield f"{node.name}: operation {node.op} touches files of the server; only restoring variables may"
        elif node.op in FILE_OPERATIONS - {_RESTORE} and is_restored:
            yield f"{node.name}: operation {node.op} would run whenever the model is loaded; export the model again"
    yield from _prefix_failures(meta_graph, restored.nodes, restored.functions)


def _run_roots(meta_graph: MetaGraphDef) -> list[str]:
    """What a loader or a request runs: the outputs of all signatures, and the initialisers."""
    signatures = [tensor.name for item in meta_graph.signature_def.values() for tensor in item.outputs.values()]
    return signatures + [name for item in meta_graph.collection_def.values() for name in item.node_list.value]


def _prefix_failures(meta_graph: MetaGraphDef, nodes: set[str], functions: set[str]) -> Iterator[str]:
    """Restoring from files other than those that the loader names."""
    graph = meta_graph.graph_def
    named = meta_graph.saver_def.filename_tensor_name.partition(":")[0]
    library = {item.signature.name: item for item in graph.library.function}
    fed = [node.name for node in graph.node if node.name == named and node.op.startswith("Placeholder")]
    reading = {name for name in functions if any(node.op == _RESTORE for node in library[name].node_def)}
    for node in graph.node:
        calls = reading & set(called_functions(node, library)) if node.name in nodes else set()
        given = [source.partition(":")[0] for source in node.input[:1]]
        if (calls or (node.op == _RESTORE and node.name in nodes)) and (not fed or given != fed):
            yield f"{node.name}: restores from files that the loader does not name; export the model again"
    for name in sorted(reading):
        callers = [
            other
            for other in functions
            if any(name in called_functions(node, library) for node in library[other].node_def)
        ]
        if callers or not all(_from_argument(node, library[name]) for node in library[name].node_def):
            yield f"function {name}: restores from files that the loader does not name; export the model again"


def _from_argument(node: NodeDef, function: FunctionDef) -> bool:
    """Whether a node restores from the files that the first argument of its function names, or restores nothing."""
    arguments = [argument.name for argument in function.signature.input_arg[:1]]
    return node.op != _RESTORE or list(node.input[:1]) == arguments
