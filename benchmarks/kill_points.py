"""Kills -9 of every pipeline at its write events: train, evaluate and export, each resumed until it ends.

A process is killed just before its n-th write (a file opened for writing, renamed, synchronised or removed, a folder
made), with n growing from process to process, so that data preparation, caches, the run folder, states, metrics, report
and export are all met. Afterwards weights and metrics must be those of a run that was left alone, nothing half-written
may be left, and the export must verify.

Examples:
  python -m benchmarks.kill_points                                 all seven, 20 kills each
  python -m benchmarks.kill_points forecasting --kills 40 --to kills
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.small_sources import SOURCES

__all__ = ["KillReport", "kill_pipeline"]

ROOT = Path(__file__).parents[1]
QUICK = (
    "--training.steps=6",
    "--training.evaluate_every=2",
    "--training.warmup_steps=1",
    "--training.tensorboard=false",
)
KILLED = -9
SHARES = {"train": 0.6, "evaluate": 0.1, "export": 0.3}
"""Of the kills."""

COUNTED = """
import atexit, builtins, os, signal, sys
last, events, log = int(sys.argv.pop(1)), 0, sys.argv.pop(1)
def count(*_):
    global events
    events += 1
    if events == last:
        os.kill(os.getpid(), signal.SIGKILL)
def counted(function):
    def call(*arguments, **named):
        count()
        return function(*arguments, **named)
    return call
for name in ("replace", "rename", "fsync", "unlink", "mkdir"):
    setattr(os, name, counted(getattr(os, name)))
opened = builtins.open
def open_counted(file, mode="r", *arguments, **named):
    if set(mode) & set("wax+"):
        count()
    return opened(file, mode, *arguments, **named)
builtins.open = open_counted
atexit.register(lambda: opened(log, "w").write(str(events)))
import io
io.open = open_counted
from rnnapps.cli.main import main
sys.exit(main())
"""


@dataclass
class KillReport:
    """What came of the kills of a pipeline.

    Attributes:
        pipeline: its name.
        kills: verb -> processes killed.
        events: verb -> write events of a process that was left alone.
        faults: what was not as it should be, a line each; none is the aim.
    """

    pipeline: str
    kills: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def kill_pipeline(name: str, folder: Path, *, kills: int) -> KillReport:
    """Kills a pipeline's verbs, and looks at what is left.

    Args:
        name: the pipeline.
        folder: an empty folder.
        kills: processes to kill, of all verbs together.
    """
    flags, report = [*SOURCES[name](folder), *QUICK], KillReport(name)
    for verb, argv in _commands(name, folder / "whole", flags):
        report.events[verb] = _events(argv, folder / "whole.cache")
    for verb, argv in _commands(name, folder / "killed", flags):
        wanted = max(1, round(kills * SHARES[verb]))
        report.kills[verb] = 0
        for event in np.unique(np.linspace(1, report.events[verb], wanted).astype(int)).tolist():
            code = _run(argv, folder / "killed.cache", event).returncode
            report.kills[verb] += code == KILLED
            if code not in (0, KILLED):
                report.faults.append(f"{verb} killed before write {event}: exit code {code}")
        done = _run(argv, folder / "killed.cache", 0)
        if done.returncode:
            report.faults.append(f"{verb} does not get through: {done.stderr.strip().splitlines()[-1:]}")
    report.faults += _differences(folder / "whole", folder / "killed")
    report.faults += _left(folder / "killed")
    report.faults += _left_in_cache(folder / "killed.cache")
    return report


def _commands(name: str, folder: Path, flags: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    run = str(folder / "run")
    yield "train", [name, "train", "--run", run, *flags]
    yield "evaluate", [name, "evaluate", "--run", run]
    yield "export", [name, "export", "--run", run, "--to", str(folder / "models")]


def _events(argv: Sequence[str], cache: Path) -> int:
    """Write events of a command that is left alone."""
    done = _run(argv, cache, 0)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)} fails: {done.stderr[-500:]}")
    return int((cache / "events").read_text())


def _run(argv: Sequence[str], cache: Path, event: int) -> subprocess.CompletedProcess[str]:
    """Runs a command that is killed before an event; 0 kills it never."""
    cache.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"RNNAPPS_CACHE": str(cache / "rnnapps"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", COUNTED, str(event), str(cache / "events"), *argv]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _differences(whole: Path, killed: Path) -> Iterator[str]:
    """Weights, metrics and learned preprocessing that are not those of the run that was left alone."""
    states = [sorted((folder / "run" / "state").glob("step-*.npz")) for folder in (whole, killed)]
    if [path.name for path in states[0]] != [path.name for path in states[1]]:  # names hold the sum of the content
        yield f"states: {[path.name for path in states[1]]}, expected {[path.name for path in states[0]]}"
    metrics = [_metrics(folder / "run" / "metrics.jsonl") for folder in (whole, killed)]
    if metrics[0] != metrics[1]:
        yield "metrics.jsonl has other rows"
    learned = whole / "run" / "preprocessing"
    for path in sorted(path for path in learned.rglob("*") if path.is_file()):
        name = path.relative_to(learned)
        if path.read_bytes() != (killed / "run" / "preprocessing" / name).read_bytes():
            yield f"preprocessing/{name} is another"


def _metrics(path: Path) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in row.items() if name != "elapsed_seconds"} for row in rows]


def _left(folder: Path) -> Iterator[str]:
    """What is half-written, or an export that is not whole."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix == ".tmp"]
    names += [path.name for path in folder.glob(".models.*")]
    versions = sorted(path.name for path in (folder / "models").iterdir())
    for version in versions:
        command = [sys.executable, "-m", "rnnapps", "verify", str(folder / "models" / version)]
        if subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode:
            names.append(f"version {version} does not verify")
    if names:
        yield f"left behind: {', '.join(names)}"


def _left_in_cache(cache: Path) -> Iterator[str]:
    names = [path.name for path in cache.rglob("*") if path.name.startswith(".") or path.suffix == ".tmp"]
    if names:
        yield f"left in the cache: {', '.join(names)}"


def main() -> None:
    """The command."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("pipelines", nargs="*", choices=SOURCES, default=list(SOURCES), help="all seven by default")
    made.add_argument("--kills", type=int, default=20, help="processes to kill of each (default 20)")
    made.add_argument("--to", type=Path, metavar="PATH", help="write PATH.json")
    options = made.parse_args()
    reports = []
    for name in options.pipelines:
        with tempfile.TemporaryDirectory() as folder:
            report = kill_pipeline(name, Path(folder), kills=options.kills)
        reports.append(vars(report))
        print(json.dumps(reports[-1]), flush=True)
    if options.to:
        options.to.with_suffix(".json").write_text(json.dumps(reports, indent=1), encoding="utf-8")
    sys.exit(any(report["faults"] for report in reports))


if __name__ == "__main__":
    main()
