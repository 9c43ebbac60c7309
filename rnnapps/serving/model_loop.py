"""The inside of a model's process: loads one version as TensorFlow Serving would, then answers frame by frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rnnapps.errors import ExportError
from rnnapps.export.c_api import Library, RuntimeFailure
from rnnapps.export.graph import read_saved_model
from rnnapps.export.loaded_model import LoadedModel
from rnnapps.export.manifest import EXTRA
from rnnapps.export.protos import shadow_tensorflow
from rnnapps.export.rules import serving_graph
from rnnapps.export.safety import require_safe_graph
from rnnapps.export.warmup import WARMUP_FILE, read_requests
from rnnapps.serving.frames import HEADER_BYTES, body_bytes, decode, encode
from rnnapps.serving.widths import learn_widths

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

    from rnnapps.serving.job import Job

__all__ = ["serve_model"]

Say = Callable[[dict[str, Any]], None]


def serve_model(job: Job, questions: BinaryIO, answers: BinaryIO, confinement: str) -> None:
    """Loads the model, says `ready` or `refused`, and answers until `questions` end.

    Args:
        job: what to serve.
        questions: frames {"id", "signature", "inputs"}.
        answers: frames {"id", "outputs"} or {"id", "error", "code"}, in the order in which they are done.
        confinement: what is in force, for the log.
    """
    lock = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        frame = memoryview(encode(message))
        with lock:
            while frame:
                frame = frame[answers.write(frame) or 0 :]

    shadow_tensorflow()
    try:
        model = _load(job, say, confinement)
    except ExportError as error:
        say({"event": "refused", "error": str(error)})
        return
    with ThreadPoolExecutor(job.threads) as pool:
        while len(header := questions.read(HEADER_BYTES)) == HEADER_BYTES:
            pool.submit(_answer, model, decode(questions.read(body_bytes(header))), say)


def _load(job: Job, say: Say, confinement: str) -> LoadedModel:
    """Loads the model, once its graph is known to do nothing but compute, and runs its warm-up requests."""
    started, folder = time.monotonic(), Path(job.folder)
    saved_model = read_saved_model(folder)
    require_safe_graph(folder, saved_model, frozenset(job.allow))
    graph = serving_graph(saved_model)
    if graph is None:
        raise ExportError(f"{folder}: no graph is tagged 'serve'; export the model again")
    try:
        model = LoadedModel(Library(), folder, graph)
    except ExportError as error:
        raise ExportError(f"{folder}: cannot be loaded ({error}); `rnnapps verify` tells more") from error
    warmed = _warm_up(model, folder)
    widths = learn_widths(model, folder, graph) if job.learn else {}
    seconds = time.monotonic() - started
    say(
        {
            "event": "ready",
            "signatures": _signature_map(graph),
            "widths": widths,
            "warmup_requests": warmed,
            "seconds": seconds,
            "confinement": confinement,
        }
    )
    return model


def _warm_up(model: LoadedModel, folder: Path) -> int:
    """Runs the requests that are stored for it; returns how many there are."""
    path, count = folder / EXTRA / WARMUP_FILE, 0
    if not path.is_file():
        return 0
    for count, (signature, inputs) in enumerate(read_requests(path), 1):
        try:
            model.run(signature, inputs)
        except ExportError as error:
            raise ExportError(f"{path}: record {count}, signature {signature!r}: {error}; export it again") from error
    return count


def _signature_map(graph: MetaGraphDef) -> bytes:
    """The signatures as the server's clients may ask for them: a serialised SignatureDefMap."""
    from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

    result = SignatureDefMap()
    for name, signature in graph.signature_def.items():
        if not name.startswith("__"):
            result.signature_def[name].CopyFrom(signature)
    content: bytes = result.SerializeToString()
    return content


def _answer(model: LoadedModel, question: dict[str, Any], say: Say) -> None:
    """Runs one request; whatever goes wrong is its answer."""
    number = question["id"]
    try:
        say({"id": number, "outputs": model.run(question["signature"], question["inputs"])})
    except RuntimeFailure as error:
        say({"id": number, "error": str(error), "code": error.code})
    except MemoryError:
        say({"id": number, "error": "needs more memory than a model may use; ask for less", "code": 8})
    except Exception as error:  # a thread of the pool would keep it to itself
        say({"id": number, "error": f"{type(error).__name__}: {error}", "code": 13})
