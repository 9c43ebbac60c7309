"""The process that loads and runs an export the way a server does: no Python TensorFlow.

`python -m rnnapps.export.runner JOB.json` runs a job (`rnnapps/export/isolated.py` writes it) and appends one JSON line
to the job's event file after each part, so that the parts before a crash are known.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays, load_arrays, save_arrays
from rnnapps.export.c_api import Library, Session
from rnnapps.export.protos import shadow_tensorflow
from rnnapps.export.rules import check_graph, serving_graph
from rnnapps.export.warmup import WARMUP_FILE, read_requests

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

__all__ = ["main"]

Emit = Callable[..., None]


class _Model:
    """A loaded export and the tensor names of its signatures."""

    def __init__(self, library: Library, folder: Path, meta_graph: MetaGraphDef) -> None:
        self._session = Session(library, folder)
        self._signatures = meta_graph.signature_def

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Runs one signature on arrays by input name."""
        if signature not in self._signatures:
            raise ExportError(f"there is no signature {signature!r}")
        definition = self._signatures[signature]
        if set(inputs) != set(definition.inputs):
            raise ExportError(f"expected the inputs {sorted(definition.inputs)}, found {sorted(inputs)}")
        feeds = {definition.inputs[name].name: value for name, value in inputs.items()}
        return self._session.run(feeds, {name: tensor.name for name, tensor in definition.outputs.items()})


def main(job_path: Path) -> None:
    """Runs the job in that file."""
    job = json.loads(job_path.read_text(encoding="utf-8"))
    folder = Path(job["folder"])
    with open(job["events"], "a", encoding="utf-8") as events:

        def emit(**event: Any) -> None:
            events.write(json.dumps(event) + "\n")
            events.flush()

        model = _load(folder, emit)
        if model is not None:
            _run_all(model, job["runs"], emit)
            _replay(model, folder, emit)
        emit(event="end")


def _load(folder: Path, emit: Emit) -> _Model | None:
    """Checks the static rules, then loads the model; returns None when it cannot be loaded."""
    saved_model = shadow_tensorflow().SavedModel()
    try:
        saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
        meta_graph = serving_graph(saved_model)
    except (OSError, DecodeError) as error:
        meta_graph = None
        emit(event="load", error=f"{folder / 'saved_model.pb'}: cannot be read ({error}); export the model again")
    else:
        if meta_graph is None:
            emit(
                event="load",
                error=f"{folder / 'saved_model.pb'}: holds no graph tagged 'serve'; export the model again",
            )
    if meta_graph is None:
        return None
    library = Library()
    for item in check_graph(meta_graph, _known_operations(library)):
        emit(event="check", name=item.name, passed=item.passed, detail=item.detail)
    try:
        model = _Model(library, folder, meta_graph)
    except ExportError as error:
        emit(event="load", error=f"the C API refuses to load the model: {error}")
        return None
    names = [name for name in meta_graph.signature_def if not name.startswith("__")]
    emit(event="load", error="", signatures=sorted(names))
    return model


def _known_operations(library: Library) -> frozenset[str]:
    """Names of the operations of TensorFlow core."""
    from tensorflow.core.framework import op_def_pb2

    operations = op_def_pb2.OpList()
    operations.ParseFromString(library.operations())
    return frozenset(operation.name for operation in operations.op)


def _run_all(model: _Model, runs: list[dict[str, str]], emit: Emit) -> None:
    """Runs every request of the job; the event before each tells which one a crash ended."""
    for position, run in enumerate(runs):
        emit(event="start", run=position)
        try:
            save_arrays(Path(run["outputs"]), model.run(run["signature"], load_arrays(Path(run["inputs"]))))
            emit(event="run", run=position, error="")
        except ExportError as error:
            emit(event="run", run=position, error=str(error))


def _replay(model: _Model, folder: Path, emit: Emit) -> None:
    """Runs every request of the warm-up file."""
    failures, count = [], 0
    try:
        for count, (signature, inputs) in enumerate(read_requests(folder / "assets.extra" / WARMUP_FILE), 1):
            try:
                model.run(signature, inputs)
            except ExportError as error:
                failures.append(f"record {count}, signature {signature!r}: {error}; a failing record stops the server")
    except ExportError as error:
        failures.append(str(error))
    emit(event="warmup", failures=failures, count=count)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(Path(sys.argv[1]))
