"""A newcomer's first hour: commands and minutes from a file to the first score, for five files of each field.

Each file goes through `data`, `train` (short) and `evaluate`, as somebody types them who has installed the package.

Examples:
  python -m benchmarks.newcomer                              all seven fields, small generated files
  python -m benchmarks.newcomer --only translation forecasting
  python -m benchmarks.newcomer --files mine.txt --steps 500   files of your own: a line each, PIPELINE FLAGS...
"""

from __future__ import annotations

import argparse
import json
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.newcomer_files import FORMS
from benchmarks.pipeline_runs import run_verb
from benchmarks.worker import BenchmarkError

COMMANDS = 3
"""`data`, `train` and `evaluate`."""


class File(NamedTuple):
    """A file of somebody.

    Attributes:
        pipeline: what reads it.
        name: what it is.
        data: the flags that name it.
        more: those of a small model.
    """

    pipeline: str
    name: str
    data: list[str]
    more: list[str]


def main() -> None:
    """The command."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--only", nargs="+", choices=tuple(FORMS), default=tuple(FORMS))
    made.add_argument("--files", type=Path, help="a list of files in place of the generated ones")
    made.add_argument("--most", type=int, default=5, help="files of each field")
    made.add_argument("--steps", type=int, default=60, help="steps of training")
    options = made.parse_args()
    print("| field | what somebody has | commands | to the first look, s | to the first score, min | score |")
    print("|---|---|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for file in _listed(options.files) if options.files else _generated(options.only, Path(folder), options.most):
            print(f"| {file.pipeline} | {file.name} | {_first_score(file, options.steps, Path(folder))} |", flush=True)


def _listed(path: Path) -> Iterator[File]:
    """The files of a list."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            pipeline, *flags = shlex.split(line)
            source = next((flag.partition("=")[2] for flag in flags if flag.startswith("--data.source=")), "built-in")
            yield File(pipeline, Path(source).name, [flag for flag in flags if flag.startswith("--data.")], flags)


def _generated(pipelines: list[str], folder: Path, most: int) -> Iterator[File]:
    """The generated files of each field."""
    for pipeline in pipelines:
        place = folder / pipeline
        place.mkdir()
        forms, more = FORMS[pipeline](place)
        for name, data in list(forms.items())[:most]:
            yield File(pipeline, name, data, more)


def _first_score(file: File, steps: int, folder: Path) -> str:
    """The cells of a row: commands, seconds to the first look, minutes to the first score, and that score."""
    begun, run = time.perf_counter(), Path(tempfile.mkdtemp(dir=folder)) / "run"
    length = [f"--training.steps={steps}", f"--training.evaluate_every={steps}", "--training.tensorboard=false"]
    try:
        run_verb(file.pipeline, "data", file.data)
        looked = time.perf_counter() - begun
        flags = dict.fromkeys([*file.data, *file.more, *length])
        run_verb(file.pipeline, "train", [f"--run={run}", *flags])
        scored = json.loads(run_verb(file.pipeline, "evaluate", [f"--run={run}", "--json"]))
    except BenchmarkError as error:
        return f"- | - | - | {str(error).strip().splitlines()[-1]}"
    name, value = next(iter(scored.items()))  # the metrics come first
    return f"{COMMANDS} | {looked:.0f} | {(time.perf_counter() - begun) / 60:.1f} | {name} {value:.3g}"


if __name__ == "__main__":
    main()
