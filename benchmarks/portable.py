"""Trained models in other runtimes: what of a model can be had there, how large, how exact, how fast.

Examples:
  python -m benchmarks.portable                                     all models of rnnapps-models
  python -m benchmarks.portable zoo:text runs/spotter --calls 700   some of them, and a run of one's own
  python -m benchmarks.portable zoo:machine_faults --rows 2000      more held-out rows for the loss of 8 bits

Each file is compared with the Keras model before it is counted (`export --portable` does the same); times are medians
of one row a call, the contestants taking turns: TensorFlow, ONNX Runtime and LiteRT called from Python with one thread
each, C from C.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.portable_files import KINDS, PortableFile, medians, written
from benchmarks.report import Report, machine, table, write
from benchmarks.timing import say

if TYPE_CHECKING:
    from rnnapps.portable.static import StaticGraph
    from rnnapps.types import Arrays

__all__ = ["main"]

PACKAGES = ("tensorflow", "onnxruntime", "tf2onnx", "ai-edge-litert")
TENSORFLOW = "TensorFlow"


@dataclass
class Measured:
    """One signature of a model.

    Attributes:
        model: its name.
        signature: the name of the signature.
        files: kind -> file.
        refused: kind -> why it cannot be had.
        seconds: kind, or TensorFlow, -> a call.
    """

    model: str
    signature: str
    files: dict[str, PortableFile]
    refused: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="zoo:NAME, a run or an export; all of the package")
    parser.add_argument("--calls", type=int, default=350, help="calls of each file; of C ten times as many")
    parser.add_argument("--rows", type=int, default=500, help="held-out rows, steps or examples; 0 for no loss")
    parser.add_argument("--to", type=Path, metavar="PATH", help="write PATH.md and PATH.json")
    options = parser.parse_args()
    from rnnapps.zoo import PREFIX, catalogue

    where = machine({})
    where["versions"] |= {name: importlib.metadata.version(name) for name in PACKAGES} | {"cc": _compiler()}
    measured: list[Measured] = []
    losses: list[list[str]] = []
    for name in options.models or [PREFIX + own for own in catalogue()]:
        with tempfile.TemporaryDirectory() as folder:
            found, loss = _model(name, Path(folder), options)
            measured += found
            losses += loss
        text = write(_reports(measured, losses), where, options.to)
    print(text)


def _model(name: str, folder: Path, options: argparse.Namespace) -> tuple[list[Measured], list[list[str]]]:
    """All signatures of a model, and what its 8-bit steps lose."""
    import rnnapps
    from rnnapps.contract.fitted import Fitted
    from rnnapps.portable.write import leaving, next_graph

    model = rnnapps.load(name)
    short = name.rpartition("/")[2].removeprefix("zoo:")
    endpoints = model.pipeline.portable_endpoints(Fitted(model.config, model.preprocessor, model.network))
    exported = model.path if (model.path / "saved_model.pb").is_file() else model.export(folder / "exported")
    measured: list[Measured] = []
    graphs: dict[str, StaticGraph] = {}
    for signature, endpoint in leaving(endpoints).items():
        say(f"{short}: {signature}")
        graphs[signature] = static = next_graph(signature, endpoint, None, graphs)
        files, refused = written(static, folder / signature, "model")
        own = Measured(short, signature, files, refused)
        served = _served(exported, signature, endpoints[signature])
        own.seconds = _seconds(own, static, served, options.calls)
        measured.append(own)
    if not options.rows:
        return measured, []
    streamed = {own.signature: own.files for own in measured if own.signature != "tensors"}
    graphs = {signature: graphs[signature] for signature in streamed}
    if graphs and endpoints["step"].begins:  # other sizes than those that files have by themselves
        graphs, streamed = _shorter(endpoints, folder / "streams")
    return measured, _losses(model, short, graphs, streamed, rows=options.rows) if graphs else []


def _shorter(
    endpoints: Mapping[str, Any], folder: Path
) -> tuple[dict[str, StaticGraph], dict[str, dict[str, PortableFile]]]:
    """The signatures of a stream, and their files, with `PLACES` of what it begins with."""
    from benchmarks.portable_quality import PLACES
    from rnnapps.portable.write import leaving, next_graph

    graphs: dict[str, StaticGraph] = {}
    for signature, endpoint in leaving(endpoints).items():
        if signature != "tensors":
            graphs[signature] = next_graph(signature, endpoint, PLACES, graphs)
    return graphs, {name: written(static, folder / name, "model")[0] for name, static in graphs.items()}


def _served(folder: Path, signature: str, endpoint: Any) -> Callable[[], object]:
    """A call of the SavedModel with the first example of the signature, as the other runtimes get it: one row."""
    from rnnapps.export.inference import load_for_inference

    model = load_for_inference(folder)
    inputs = {name: array[:1] for name, array in endpoint.examples.items()}
    return lambda: model.run(signature, inputs)


def _seconds(own: Measured, static: StaticGraph, served: Callable[[], object], calls: int) -> dict[str, float]:
    """Of TensorFlow and of each file."""
    inputs = static.cases[0].inputs
    from_python = {kind: file for kind, file in own.files.items() if not kind.startswith("C")}
    runs = {TENSORFLOW: served} | {kind: _call(file, inputs) for kind, file in from_python.items()}
    seconds = medians(runs, calls)
    native = {kind: file.seconds(static, calls) for kind, file in own.files.items()}
    return seconds | {kind: value for kind, value in native.items() if value is not None}


def _call(file: PortableFile, inputs: Arrays) -> Callable[[], object]:
    return lambda: file.run(inputs)


def _losses(
    model: Any,
    short: str,
    graphs: Mapping[str, StaticGraph],
    files: Mapping[str, Mapping[str, PortableFile]],
    *,
    rows: int,
) -> list[list[str]]:
    """The metric of a task through the graph of its step as it is, through C, and through files of 8-bit weights."""
    from benchmarks.portable_quality import QUALITY, Stream

    runs = {TENSORFLOW: {name: _in_tensorflow(static) for name, static in graphs.items()}}
    for kind in _STREAMED:
        if all(kind in own for own in files.values()):
            runs[kind] = {name: own[kind].run for name, own in files.items()}
    found = {}
    for kind, own in runs.items():
        say(f"{short}: {kind}")
        streams = {name: Stream(run, graphs[name]) for name, run in own.items()}
        metric, found[kind] = QUALITY[model.pipeline.name](model, streams, rows)
    return [[short, metric, *(f"{found[kind]:.4g}" if kind in found else "" for kind in (TENSORFLOW, *_STREAMED))]]


_STREAMED = ("C", "LiteRT int8", "C int8")


def _in_tensorflow(static: StaticGraph) -> Callable[[Arrays], Mapping[str, Any]]:
    """The graph in a session of TensorFlow."""
    import tensorflow as tf

    session = tf.compat.v1.Session(graph=static.graph)
    run = session.make_callable(list(static.outputs.values()), list(static.inputs.values()))

    def call(inputs: Arrays) -> Mapping[str, Any]:
        kinds = {name: tensor.dtype.as_numpy_dtype for name, tensor in static.inputs.items()}
        answers = run(*(inputs[name].astype(kind, copy=False) for name, kind in kinds.items()))
        return dict(zip(static.outputs, answers, strict=True))

    return call


def _reports(measured: list[Measured], losses: list[list[str]]) -> list[Report]:
    """The tables."""
    kinds = list(KINDS)
    sizes = [[own.model, own.signature, *(_size(own, kind) for kind in kinds)] for own in measured]
    times = [
        [own.model, own.signature, f"{own.seconds[TENSORFLOW] * 1e3:.3g}", *(_time(own, kind) for kind in kinds)]
        for own in measured
    ]
    why = [f"- {own.model}, {own.signature}, {kind}: {line}" for own in measured for kind, line in own.refused.items()]
    reports = [
        Report("Size in kB, and largest difference from Keras", table(["model", "signature", *kinds], sizes)),
        Report(
            "Milliseconds a call of one row, and how many times faster than TensorFlow",
            table(["model", "signature", TENSORFLOW, *kinds], times),
        ),
    ]
    if losses:
        header = ["model", "metric of held-out data", TENSORFLOW, *_STREAMED]
        reports.append(Report("What 8-bit weights of `step` cost", table(header, losses)))
    return [*reports, Report("What cannot be had", "\n".join(why) or "Nothing.")]


def _size(own: Measured, kind: str) -> str:
    return f"{own.files[kind].bytes / 1024:.1f}, {own.files[kind].difference:.0e}" if kind in own.files else ""


def _time(own: Measured, kind: str) -> str:
    if kind not in own.seconds:
        return ""
    return f"{own.seconds[kind] * 1e3:.3g} ({own.seconds[TENSORFLOW] / own.seconds[kind]:.3g}x)"


def _compiler() -> str:
    """The C compiler's own line."""
    told = subprocess.run(["cc", "-dumpfullversion"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "none"


if __name__ == "__main__":
    main()
