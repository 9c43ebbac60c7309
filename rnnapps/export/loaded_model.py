"""An export that TensorFlow's C API has loaded, as a server does: signatures by name, no Python TensorFlow."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays
from rnnapps.export.c_api import Library, Session
from rnnapps.export.contents import variable_readers

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

__all__ = ["LoadedModel"]


class LoadedModel:
    """A loaded export and the tensor names of its signatures.

    Args:
        library: the shared libraries.
        folder: the SavedModel.
        meta_graph: its graph, as read from the folder.

    Raises:
        ExportError: the loader refuses the model.
    """

    def __init__(self, library: Library, folder: Path, meta_graph: MetaGraphDef) -> None:
        self._session = Session(library, folder)
        self._signatures = meta_graph.signature_def
        self._readers = variable_readers(meta_graph.graph_def)

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Runs one signature on arrays by input name.

        Raises:
            ExportError: the signature or an input is unknown or missing; of TensorFlow's errors, the subclass
                `RuntimeFailure`.
        """
        if signature not in self._signatures:
            raise ExportError(f"there is no signature {signature!r}")
        definition = self._signatures[signature]
        if set(inputs) != set(definition.inputs):
            raise ExportError(f"expected the inputs {sorted(definition.inputs)}, found {sorted(inputs)}")
        feeds = {definition.inputs[name].name: value for name, value in inputs.items()}
        return self._session.run(feeds, {name: tensor.name for name, tensor in definition.outputs.items()})

    def variables(self, names: Set[str]) -> Arrays:
        """Values of those variables of the graph that are named."""
        return self._session.run({}, {name: self._readers[name] for name in sorted(names & set(self._readers))})
