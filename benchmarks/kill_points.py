"""Kills -9 of every pipeline at its writes: train, evaluate and export, each given again until it ends.

A process is killed just before it reads a file of its source, or before one of its writes: a file opened for writing,
renamed, synchronised or removed, a folder made. Each verb's kills are spread over the places it writes to (caches of
prepared data, preprocessing, states, report, export, the rest of the run), and there from the first write to the last.
A training that goes on writes less than one from its beginning; where it ends before the write that is asked for, it is
compared, and begun anew for that kill.
Commands are forks of one process, which has loaded the libraries; each runs the command line's `main` on its arguments.
Weights and metrics must be those of a run that was left alone, nothing half-written may be left, and exports verify.

Examples:
  python -m benchmarks.kill_points                                 all seven, 24 kills each
  python -m benchmarks.kill_points forecasting --kills 40 --to kills
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.counted_writes import KILLED, PLACES, CountedCommand, load_libraries
from benchmarks.small_sources import SOURCES

__all__ = ["KillReport", "kill_moments", "kill_pipeline"]

ROOT = Path(__file__).parents[1]
QUICK = (
    "--training.steps=6",
    "--training.evaluate_every=2",
    "--training.warmup_steps=1",
    "--training.tensorboard=false",
)
SHARES = {"train": 0.6, "evaluate": 0.15, "export": 0.25}
"""Of the kills."""


@dataclass
class KillReport:
    """What came of the kills of a pipeline.

    Attributes:
        pipeline: its name.
        kills: verb -> place -> processes killed.
        writes: verb -> place -> writes of a process that was left alone.
        faults: what was not as it should be, a line each; none is the aim.
    """

    pipeline: str
    kills: dict[str, dict[str, int]] = field(default_factory=dict)
    writes: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def kill_pipeline(name: str, folder: Path, *, kills: int) -> KillReport:
    """Kills a pipeline's verbs, and looks at what is left.

    Args:
        name: the pipeline.
        folder: an empty folder.
        kills: processes to kill, of all verbs together.
    """
    (sources := folder / "sources").mkdir()
    flags, report = [*SOURCES[name](sources), *QUICK], KillReport(name)
    whole, killed = folder / "whole", folder / "killed"
    for verb, argv in _commands(name, whole, flags):
        report.writes[verb] = CountedCommand(argv, sources, folder / "whole.cache").writes()
    for verb, argv in _commands(name, killed, flags):
        command, struck = CountedCommand(argv, sources, folder / "killed.cache"), Counter[str]()
        for place, number in kill_moments(report.writes[verb], round(kills * SHARES[verb])):
            code = command.run(place, number)
            if code == 0 and verb == "train":
                report.faults += _differences(whole, killed)
                shutil.rmtree(killed)
                shutil.rmtree(folder / "killed.cache")
                code = command.run(place, number)
            struck[place] += code == KILLED
            if code != KILLED:
                report.faults.append(f"{verb} to be killed before write {number} of {place}: exit code {code}")
        report.kills[verb] = struck
        if command.run():
            report.faults.append(f"{verb} does not get through: {command.said().strip().splitlines()[-1:]}")
    report.faults += [*_differences(whole, killed), *_left(killed), *_left_in_cache(folder / "killed.cache")]
    return report


def kill_moments(writes: Counter[str], kills: int) -> list[tuple[str, int]]:
    """Writes to kill before, as (place, number among its writes): places in turn, each from its first to its last.

    Args:
        writes: place -> writes of a process.
        kills: how many; fewer where there are not so many writes.
    """
    wanted = Counter[str]()
    for _ in range(min(kills, writes.total())):
        wanted[min((place for place in PLACES if wanted[place] < writes[place]), key=wanted.__getitem__)] += 1
    return [
        (place, number)
        for place in PLACES
        for number in np.linspace(1, writes[place], wanted[place]).round().astype(int).tolist()
    ]


def _commands(name: str, folder: Path, flags: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    run = str(folder / "run")
    yield "train", [name, "train", "--run", run, *flags]
    yield "evaluate", [name, "evaluate", "--run", run]
    yield "export", [name, "export", "--run", run, "--to", str(folder / "models")]


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
    made.add_argument("--kills", type=int, default=24, help="processes to kill of each (default 24)")
    made.add_argument("--to", type=Path, metavar="PATH", help="write PATH.json")
    options = made.parse_args()
    reports = []
    load_libraries()
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
