"""The process that loads and runs an export the way a server does: no Python TensorFlow.

`rnnapps/export/isolated.py` writes the job, `rnnapps/export/confined.py` confines the process. One JSON line is
appended to the job's event file after each part, so that the parts before a crash are known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.errors import ExportError
from rnnapps.export.allowed import core
from rnnapps.export.arrays import load_arrays, save_arrays
from rnnapps.export.artefact import WEIGHTS
from rnnapps.export.c_api import Library
from rnnapps.export.checks import Check, check
from rnnapps.export.contents import fingerprint_check, weight_failures
from rnnapps.export.graph import read_saved_model
from rnnapps.export.loaded_model import LoadedModel
from rnnapps.export.manifest import EXTRA
from rnnapps.export.protos import shadow_tensorflow
from rnnapps.export.rules import check_graph, serving_graph
from rnnapps.export.safety import check_safety
from rnnapps.export.warmup import WARMUP_FILE, read_requests

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

__all__ = ["main"]

Emit = Callable[..., None]


def main(job_path: Path) -> None:
    """Runs the job in that file."""
    job = json.loads(job_path.read_text(encoding="utf-8"))
    folder = Path(job["folder"])
    with open(job["events"], "a", encoding="utf-8") as events:

        def emit(**event: Any) -> None:
            events.write(json.dumps(event) + "\n")
            events.flush()

        model = _load(folder, job, emit)
        if model is not None:
            _compare_weights(model, folder, emit)
            _run_all(model, job["runs"], emit)
            _replay(model, folder, emit)
        emit(event="end")


def _load(folder: Path, job: Mapping[str, Any], emit: Emit) -> LoadedModel | None:
    """Loads the model if it passes every static check; returns None if it does not, or cannot be loaded."""
    shadow_tensorflow()
    try:
        checks, meta_graph = _static_checks(folder, frozenset(job["allow"]))
        for item in checks:
            emit(event="check", name=item.name, passed=item.passed, detail=item.detail)
        failed = job["failed"] + [item.name for item in checks if not item.passed]
        if failed or meta_graph is None:
            raise ExportError(f"not loaded and not run, for it fails {', '.join(failed)}")
        library = Library()
        try:
            model = LoadedModel(library, folder, meta_graph)
        except ExportError as error:
            raise ExportError(f"the C API refuses to load the model: {error}") from error
    except ExportError as error:
        emit(event="load", error=str(error))
        return None
    names = [name for name in meta_graph.signature_def if not name.startswith("__")]
    emit(event="load", error="", signatures=sorted(names))
    return model


def _static_checks(folder: Path, allow: Set[str]) -> tuple[list[Check], MetaGraphDef | None]:
    """What can be said of the graph without running any of it, and the graph to load."""
    saved_model = read_saved_model(folder)
    meta_graph = serving_graph(saved_model)
    checks = [*check_safety(saved_model, allow), fingerprint_check(folder)]
    if meta_graph is not None:
        checks = [*check_graph(meta_graph, frozenset(core())), *checks]
    return checks, meta_graph


def _compare_weights(model: LoadedModel, folder: Path, emit: Emit) -> None:
    """Compares the weights that fine-tuning starts from with those that are served."""
    try:
        weights = load_arrays(folder / EXTRA / WEIGHTS)
        failures = list(weight_failures(weights, model.variables(set(weights))))
    except ExportError as error:
        weights, failures = {}, [str(error)]
    item = check("weights", failures, f"{len(weights)} arrays, those of the graph bit for bit")
    emit(event="check", name=item.name, passed=item.passed, detail=item.detail)


def _run_all(model: LoadedModel, runs: list[dict[str, str]], emit: Emit) -> None:
    """Runs every request of the job; the event before each tells which one a crash ended."""
    for position, run in enumerate(runs):
        emit(event="start", run=position)
        try:
            save_arrays(Path(run["outputs"]), model.run(run["signature"], load_arrays(Path(run["inputs"]))))
            emit(event="run", run=position, error="")
        except ExportError as error:
            emit(event="run", run=position, error=str(error))


def _replay(model: LoadedModel, folder: Path, emit: Emit) -> None:
    """Runs every request of the warm-up file."""
    failures, count = [], 0
    try:
        for count, (signature, inputs) in enumerate(read_requests(folder / EXTRA / WARMUP_FILE), 1):
            try:
                model.run(signature, inputs)
            except ExportError as error:
                failures.append(f"record {count}, signature {signature!r}: {error}; a failing record stops the server")
    except ExportError as error:
        failures.append(str(error))
    emit(event="warmup", failures=failures, count=count)
