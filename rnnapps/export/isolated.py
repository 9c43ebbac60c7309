"""Starts the process that runs an export without Python TensorFlow, and reads what it reports."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rnnapps
from rnnapps.export.arrays import Arrays, load_arrays, save_arrays
from rnnapps.export.artefact import WEIGHTS
from rnnapps.export.checks import Check
from rnnapps.export.confinement import Limits
from rnnapps.export.manifest import EXTRA
from rnnapps.export.warmup import WARMUP_FILE

__all__ = ["IsolatedResult", "Run", "child_environment", "run_isolated"]

_LOADED = ("saved_model.pb", "fingerprint.pb", "variables/*", f"{EXTRA}/{WARMUP_FILE}", f"{EXTRA}/{WEIGHTS}")
_MEMORY_BYTES = 4 * 1024**3  # beside four times the model
_FILE_BYTES = 1024**3
_PASSED_ON = re.compile(r"PATH|LANG|LC_\w+|TZ|(DY)?LD_\w+|OMP_\w+|MKL_\w+|ONEDNN_\w+|TF_\w+|VIRTUAL_ENV|PYTHONHOME")


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


def run_isolated(
    folder: Path,
    runs: Sequence[Run],
    *,
    timeout_seconds: float,
    allow: Set[str] = frozenset(),
    failed: Sequence[str] = (),
) -> IsolatedResult:
    """Checks, loads and runs the SavedModel in `folder` in a fresh process, on the CPU.

    It is loaded only if no check before has `failed`, and it passes the static checks, which `allow` can widen
    (`check_safety`). A crash or a time-out of that process ends up in the result; it never ends the caller.
    """
    with TemporaryDirectory(prefix="rnnapps-verify-") as temporary:
        scratch = Path(temporary).resolve()
        work, model = scratch / "work", scratch / "model"
        work.mkdir()
        # A copy: what was checked is what is loaded, whoever writes to the folder meanwhile.
        size = _copy(folder, model)
        events = work / "events.jsonl"
        events.touch()
        jobs = [(scratch / f"{number}.in.npz", work / f"{number}.out.npz") for number in range(len(runs))]
        for run, (inputs, _) in zip(runs, jobs, strict=True):
            save_arrays(inputs, run.inputs)
        limits = Limits(_MEMORY_BYTES + 4 * size, max(1, round(timeout_seconds * (os.cpu_count() or 1))), _FILE_BYTES)
        job = {
            "folder": str(model),
            "allow": sorted(allow),
            "failed": list(failed),
            "limits": vars(limits),
            "events": str(events),
            "runs": [
                {"signature": run.signature, "inputs": str(inputs), "outputs": str(outputs)}
                for run, (inputs, outputs) in zip(runs, jobs, strict=True)
            ],
        }
        (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
        ending = _start(scratch / "job.json", timeout_seconds)
        told = _content(events).replace(json.dumps(str(model))[1:-1], json.dumps(str(folder))[1:-1])
        return _read(told, ending, [outputs for _, outputs in jobs])


def child_environment(home: str) -> dict[str, str]:
    """Variables of a process that runs an export: few of this one's, and none that could hold a secret.

    Args:
        home: the folder that it may take for its own.
    """
    root = str(Path(rnnapps.__path__[0]).parent)
    return {
        **{name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)},
        "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",  # threads of before the confinement would be outside of it
        "HOME": home,
        "TMPDIR": home,
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def _copy(folder: Path, to: Path) -> int:
    """Copies what is loaded, links left out; returns its size in bytes."""
    size = 0
    for pattern in _LOADED:
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and not path.is_symlink():
                target = to / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                size += target.stat().st_size
    to.mkdir(exist_ok=True)
    return size


def _start(job: Path, timeout_seconds: float) -> str:
    """Runs the process; returns how it ended if not well."""
    work = str(job.parent / "work")
    environment = child_environment(work)
    command = [sys.executable, "-m", "rnnapps.export.confined", str(job)]
    with open(job.parent / "errors", "w+b") as errors:
        try:
            done = subprocess.run(
                command,
                cwd=work,
                env=environment,
                timeout=timeout_seconds,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"did not finish within {timeout_seconds:g} s"
        if done.returncode == 0:
            return ""
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
        lines = errors.read().decode(errors="replace").strip().splitlines()
    reason = f": {lines[-1][:300]}" if lines else ""
    if done.returncode < 0:
        return f"crashed with {signal.Signals(-done.returncode).name}{reason}"
    return f"ended with code {done.returncode}{reason}"


def _content(events: Path) -> str:
    """What the process reported, but for a line that it did not finish."""
    content = events.read_text(encoding="utf-8")
    return content[: content.rfind("\n") + 1]


def _read(events: str, ending: str, outputs: list[Path]) -> IsolatedResult:
    """What the events tell; `ending` says how the process ended if not well."""
    result = IsolatedResult(run_errors=["was not run"] * len(outputs))
    if ending:
        result.load_error = f"the process that loads it {ending}"
    for line in events.splitlines():
        _apply(json.loads(line), result, ending)
    result.outputs = [
        None if error else load_arrays(path, maximum_bytes=_FILE_BYTES)
        for error, path in zip(result.run_errors, outputs, strict=True)
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
