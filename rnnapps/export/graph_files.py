"""What a SavedModel has that its users are better off without: names of lost gradients, and marks of chance."""

from __future__ import annotations

import uuid
from pathlib import Path

from tensorflow.core.protobuf import fingerprint_pb2
from tensorflow.python.saved_model import fingerprinting_utils

from rnnapps.export.graph import FINGERPRINT, GRAPH, nodes_of, read_saved_model

__all__ = ["forget_chance", "forget_gradients"]

_ATTRIBUTE = "_gradient_op_type"


def forget_gradients(folder: Path) -> None:
    """Takes the names of custom gradients out of a SavedModel that was just written, and renews its fingerprint.

    The graph does not hold these gradients, and loading it warns of that. Without the names there is nothing to warn
    of: who differentiates through it gets the derivatives of the operations that are in it.

    Raises:
        ExportError: the graph cannot be read.
        OSError: it cannot be written.
    """
    saved_model = read_saved_model(folder)
    graphs = [meta_graph.graph_def for meta_graph in saved_model.meta_graphs]
    for node in (node for graph in graphs for node in nodes_of(graph)):
        node.attr.pop(_ATTRIBUTE, None)
    (folder / GRAPH).write_bytes(saved_model.SerializeToString(deterministic=True))
    fingerprinting_utils.write_fingerprint(str(folder))


def forget_chance(folder: Path) -> None:
    """Gives the fingerprint an identifier that follows from its sums, for builds that are to be the same again.

    Raises:
        OSError: it cannot be read or written.
    """
    path = folder / FINGERPRINT
    known = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    known.uuid = ""
    known.uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, known.SerializeToString(deterministic=True).hex()))
    path.write_bytes(known.SerializeToString(deterministic=True))
