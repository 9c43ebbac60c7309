"""Custom gradients, which a saved graph names but does not hold.

Loading such a graph warns that its gradients are lost. Without the names there is nothing to warn of: a served graph
computes forward only, and who differentiates through it gets the derivatives of the operations that are in it.
"""

from __future__ import annotations

from pathlib import Path

from tensorflow.python.saved_model import fingerprinting_utils

from rnnapps.export.graph import GRAPH, nodes_of, read_saved_model

__all__ = ["forget_gradients"]

_ATTRIBUTE = "_gradient_op_type"


def forget_gradients(folder: Path) -> None:
    """Takes the names of custom gradients out of a SavedModel that was just written, and renews its fingerprint.

    Raises:
        ExportError: the graph cannot be read.
        OSError: it cannot be written.
    """
    saved_model = read_saved_model(folder)
    graphs = [meta_graph.graph_def for meta_graph in saved_model.meta_graphs]
    named = [node for graph in graphs for node in nodes_of(graph) if _ATTRIBUTE in node.attr]
    if not named:
        return
    for node in named:
        del node.attr[_ATTRIBUTE]
    (folder / GRAPH).write_bytes(saved_model.SerializeToString(deterministic=True))
    fingerprinting_utils.write_fingerprint(str(folder))
