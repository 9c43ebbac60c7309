"""What the checks of served rows cost: requests to exports of before there were any, and of now, in one process.

Each is called in turn through TensorFlow's C API, and medians are compared, of the time that passes and of the
processor's. Both answer the same request, where both know its inputs: good rows of which no value is missing.

Examples:
  python -m benchmarks.check_costs --to /tmp/costs
  python -m benchmarks.check_costs --to /tmp/costs --threads 1 --tasks music_generation --signatures step --rows 8
"""

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.export.arrays import Arrays, load_arrays
from rnnapps.export.c_api import Library, Session
from rnnapps.export.protos import shadow_tensorflow
from rnnapps.export.rules import serving_graph

ROOT = Path(__file__).parents[1]
BEFORE = "964a007"
"""The last commit of 24 November 2026, before served rows were checked."""

TASKS = {
    "text_generation": ("serving_default", "step", "tensors"),
    "video_recognition": ("animation", "serving_default", "step", "tensors"),
    "music_generation": ("continuation", "step"),
    "anomaly_detection": ("serving_default", "step"),
}
STEPS = {"music_generation": 200}
"""Of training, a few where nothing depends on what was learned; hardly trained, music strikes half of all keys."""

FEW_STEPS = 4
NETWORK_ALONE = {"text_generation": ("--model.blend", "none")}
RENAMED = {"length": "steps"}
PLAIN: Mapping[str, Any] = {"top_k": 0, "top_p": 1.0, "temperature": 1.0, "stop": b"", "steps": 20}
"""What is asked for where a signature knows it."""

WISHES = {"music_generation": {"": PLAIN, ", top_p .95": {**PLAIN, "top_p": 0.95}}}
"""What else is asked for: the way that drawing takes depends on it."""

TIMES = ("rows", "frames", "seconds", "tokens")
LARGEST = 1e29  # beyond it a value is missing
WARM_UPS, ROUNDS, ROUND_SECONDS, MOST_CALLS = 5, 3, 2.0, 2000

Call = Callable[[], tuple[float, float]]
"""Runs a request; returns the seconds that passed, and those of the processor."""

Times = list[tuple[float, float]]
"""Of each contestant."""


def main() -> None:
    """Makes what is not there of both exports, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="folder of the exports, kept for the next call")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--signatures", nargs="+", help="of them; all by default")
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of each of the two pools")
    options = parser.parse_args()
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(options.threads)
    print(f"threads {options.threads}, load {os.getloadavg()[0]:.1f}\n", flush=True)
    print("| pipeline | signature | rows | before, ms | now, ms | ratio | processor, ratio |")
    print("|---|---|--:|--:|--:|--:|--:|", flush=True)
    protos, library = shadow_tensorflow(), Library()
    for task in options.tasks:
        both = [_export(options.to, task, old=old) for old in (True, False)]
        loaded = [TimedExport(folder, protos, library) for folder in both]
        for signature in options.signatures or TASKS[task]:
            for wish, asked in WISHES.get(task, {"": PLAIN}).items():
                for rows in options.rows:
                    times = _race(_calls(signature, rows, loaded, asked))
                    print(_line(task.replace("_", " "), f"`{signature}`{wish}", rows, times), flush=True)


class TimedExport:
    """The signatures of an export, and requests of theirs that can be repeated.

    Args:
        folder: of the version.
        protos: TensorFlow's messages.
        library: its C library.
    """

    def __init__(self, folder: Path, protos: Any, library: Library) -> None:
        saved_model = protos.SavedModel()
        saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
        graph = serving_graph(saved_model)
        if graph is None:
            raise SystemExit(f"{folder}: holds no graph to serve")
        self._definitions = graph.signature_def
        self._folder, self._session = folder, _Repeated(library, folder)

    def examples(self, signature: str) -> Arrays:
        """The stored request, of which each row is one step long where states are given."""
        arrays = load_arrays(self._folder / "assets.extra/expected" / f"{signature}.npz")
        inputs = {name[len("inputs/") :]: value for name, value in arrays.items() if name.startswith("inputs/")}
        if any(name.startswith("state_") for name in inputs):
            inputs |= {name: inputs[name][:, :1] for name in TIMES if name in inputs}
            inputs |= {name: np.ones_like(inputs[name]) for name in ("lengths",) if name in inputs}
        return inputs

    def call(self, signature: str, inputs: Arrays) -> Call:
        """A request to be repeated."""
        definition = self._definitions[signature]
        feeds = {definition.inputs[name].name: value for name, value in inputs.items()}
        return self._session.repeated(feeds, [tensor.name for tensor in definition.outputs.values()])


class _Repeated(Session):
    """A session that runs the same request again and again, without copying it anew."""

    def repeated(self, feeds: Arrays, fetches: list[str]) -> Call:
        inputs, outputs = self._outputs(list(feeds)), self._outputs(fetches)
        values = (ctypes.c_void_p * len(feeds))(*(self._library.to_tensor(value) for value in feeds.values()))
        results = (ctypes.c_void_p * len(fetches))()
        arguments = (inputs, values, len(feeds), outputs, results, len(fetches), None, 0, None)

        def call() -> tuple[float, float]:
            passed, used = time.perf_counter(), time.process_time()
            self._library.checked("TF_SessionRun", self._session, None, *arguments)
            passed, used = time.perf_counter() - passed, time.process_time() - used
            for result in results:
                self._library.call("TF_DeleteTensor", result)
            return passed, used

        return call


def _line(task: str, signature: str, rows: int, times: list[Times]) -> str:
    """A row of the table."""
    passed, used = np.median(times, axis=0).T
    numbers = [f"{seconds * 1e3:.2f}" for seconds in passed] + [f"{new / old:.2f}" for old, new in (passed, used)]
    return f"| {' | '.join([task, signature, str(rows), *numbers])} |"


def _calls(signature: str, rows: int, loaded: Sequence[TimedExport], asked: Mapping[str, Any]) -> list[Call]:
    """The same request to both exports."""
    requests = _requests(signature, rows, loaded, asked)
    return [own.call(signature, inputs) for own, inputs in zip(loaded, requests, strict=True)]


def _requests(signature: str, rows: int, loaded: Sequence[TimedExport], asked: Mapping[str, Any]) -> list[Arrays]:
    """The same request to both, as far as both know its inputs."""
    before, now = (own.examples(signature) for own in loaded)
    known = {RENAMED.get(name, name): name for name in before}
    for name, value in now.items():
        if name in asked:
            now[name] = np.full(value.shape, asked[name], value.dtype)
        elif name in known and before[known[name]].shape == value.shape and not name.startswith("state_"):
            now[name] = before[known[name]].astype(value.dtype)
        if name == "rows":
            now[name] = np.where(np.abs(now[name]) < LARGEST, now[name], 0)
    shared = {old: now[name].astype(before[old].dtype) for name, old in known.items() if name in now}
    before |= {old: value for old, value in shared.items() if value.shape == before[old].shape and old[:6] != "state_"}
    return [{name: np.concatenate([value] * rows)[:rows] for name, value in own.items()} for own in (before, now)]


def _race(calls: Sequence[Call]) -> list[Times]:
    """For each round the medians of each contestant's seconds, passed and used."""
    for call in calls:
        for _ in range(WARM_UPS):
            call()
    rounds = []
    for _ in range(ROUNDS):
        times: list[Times] = [[] for _ in calls]
        end = time.perf_counter() + ROUND_SECONDS
        while time.perf_counter() < end and len(times[0]) < MOST_CALLS:
            turns = list(enumerate(calls))
            for number, call in turns if len(times[0]) % 2 else reversed(turns):
                times[number].append(call())
        rounds.append([tuple(statistics.median(column) for column in zip(*own, strict=True)) for own in times])
    return rounds


def _export(folder: Path, task: str, *, old: bool) -> Path:
    """The export of a task by the code of before, or of now; trained for a few steps unless it is there."""
    to = folder.absolute() / ("before" if old else "now") / task
    if not to.is_dir():
        source = _source_of_before(folder.absolute()) if old else ROOT
        run = str(to.parent / "runs" / task)
        flags = () if old else ("--skip_evaluation", *NETWORK_ALONE.get(task, ()))
        steps = str(STEPS.get(task, FEW_STEPS))
        length = ("--training.steps", steps, "--training.evaluate_every", steps)
        _run(source, task, "train", "--run", run, *length, *flags)
        _run(source, task, "export", "--run", run, "--to", str(to))
    return max((path for path in to.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def _run(source: Path, task: str, verb: str, *flags: str) -> None:
    """A verb by the code of a folder."""
    command = [sys.executable, "-m", f"pipelines.{task}", verb, *flags]
    environment = os.environ | {"PYTHONPATH": str(source), "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, cwd=source, env=environment, check=True, stdout=subprocess.DEVNULL)


def _source_of_before(folder: Path) -> Path:
    """The code of before."""
    source = folder / "source"
    if not source.is_dir():
        packed = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(source, filter="data")
    return source


if __name__ == "__main__":
    main()
