"""Starts the process that runs an export without Python TensorFlow, and reads what it reports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rnnapps
from rnnapps.export.arrays import Arrays, load_arrays, save_arrays
from rnnapps.export.checks import Check

__all__ = ["IsolatedResult", "Run", "run_isolated"]


@dataclass(frozen=True)
class Run:
    """One request.

    Attributes:
        signature: its name.
        label: what a failure calls this request.
        inputs: input name -> array.
    """

    signature: str
    label: str
    inputs: Arrays


@dataclass
class IsolatedResult:
    """What the process reported.

    Attributes:
        checks: the static checks.
        loaded: whether the C API loaded the model.
        load_error: why not.
        signatures: names of the signatures in the graph.
        outputs: one entry a run: arrays by output name, or None where it failed.
        run_errors: one entry a run, empty where it succeeded.
        warmup_count: records of the warm-up file, -1 when it was not reached.
        warmup_failures: one line each.
    """

    checks: list[Check] = field(default_factory=list)
    loaded: bool = False
    load_error: str = "the process ended before it loaded the model"
    signatures: list[str] = field(default_factory=list)
    outputs: list[Arrays | None] = field(default_factory=list)
    run_errors: list[str] = field(default_factory=list)
    warmup_count: int = -1
    warmup_failures: list[str] = field(default_factory=list)


def run_isolated(folder: Path, runs: Sequence[Run], *, timeout_seconds: float) -> IsolatedResult:
    """Checks, loads and runs the SavedModel in `folder` in a fresh process, on the CPU.

    A crash or a time-out of that process ends up in the result; it never ends the caller.
    """
    with TemporaryDirectory(prefix="rnnapps-verify-") as temporary:
        scratch = Path(temporary)
        events = scratch / "events.jsonl"
        events.touch()
        jobs = [(scratch / f"{number}.in.npz", scratch / f"{number}.out.npz") for number in range(len(runs))]
        for run, (inputs, _) in zip(runs, jobs, strict=True):
            save_arrays(inputs, run.inputs)
        job = {
            "folder": str(folder.resolve()),
            "events": str(events),
            "runs": [
                {"signature": run.signature, "inputs": str(inputs), "outputs": str(outputs)}
                for run, (inputs, outputs) in zip(runs, jobs, strict=True)
            ],
        }
        (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
        ending = _start(scratch / "job.json", timeout_seconds)
        return _read(events, ending, [outputs for _, outputs in jobs])


def _start(job: Path, timeout_seconds: float) -> str:
    """Runs the process; returns how it ended if not well."""
    root = str(Path(rnnapps.__path__[0]).parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    command = [sys.executable, "-m", "rnnapps.export.runner", str(job)]
    try:
        done = subprocess.run(
            command,
            env=environment,
            timeout=timeout_seconds,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return f"did not finish within {timeout_seconds:g} s"
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    reason = f": {lines[-1][:300]}" if lines else ""
    if done.returncode < 0:
        return f"crashed with {signal.Signals(-done.returncode).name}{reason}"
    return f"ended with code {done.returncode}{reason}"


def _read(events: Path, ending: str, outputs: list[Path]) -> IsolatedResult:
    """What the events tell; `ending` says how the process ended if not well."""
    result = IsolatedResult(run_errors=["was not run"] * len(outputs))
    if ending:
        result.load_error = f"the process that loads it {ending}"
    for line in events.read_text(encoding="utf-8").splitlines():
        _apply(json.loads(line), result, ending)
    result.outputs = [
        None if error else load_arrays(path) for error, path in zip(result.run_errors, outputs, strict=True)
    ]
    return result


def _apply(event: dict[str, Any], result: IsolatedResult, ending: str) -> None:
    """Enters one event of the process into the result."""
    match event["event"]:
        case "check":
            result.checks.append(Check(event["name"], event["passed"], event["detail"]))
        case "load":
            result.loaded, result.load_error = not event["error"], event["error"]
            result.signatures = event.get("signatures", [])
        case "start":
            result.run_errors[event["run"]] = f"the process {ending or 'ended early'}"
        case "run":
            result.run_errors[event["run"]] = event["error"]
        case "warmup":
            result.warmup_count, result.warmup_failures = event["count"], event["failures"]
