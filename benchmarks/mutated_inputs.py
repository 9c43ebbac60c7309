"""What is said of mutated input files: the sources of all pipelines, each time with one file changed in one way.

Each case reads a source of a pipeline, one file of which was cut, doubled, recoded, or had bits, parts, numbers or
separators changed, and learns its preprocessing. That must end in preprocessing of finite numbers, or in one line that
says what is wrong: a RnnappsError. Any other exception, an end of the process, more than 10 s or more than 1 GB is a
fault. Cases run in a process of their own, with a cache of its own; case N of a seed is the same every time.

Examples:
  python -m benchmarks.mutated_inputs                                  all seven, 1,000 cases each
  python -m benchmarks.mutated_inputs forecasting --cases 5000 --seed 3
  python -m benchmarks.mutated_inputs music_generation --only 713      one case, with its traceback
  python -m benchmarks.mutated_inputs table:feather table:excel        tables of other formats, read as series
  python -m benchmarks.mutated_inputs media:tmx media:captions         texts, pairs, recordings... as others have them
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import yaml

from benchmarks.media_sources import MEDIA
from benchmarks.memory_peak import peak, reset_peak
from benchmarks.mutations import MUTATIONS
from benchmarks.small_sources import SOURCES
from benchmarks.table_sources import TABLES
from rnnapps.errors import RnnappsError

__all__ = ["Case", "cases_of"]

LONGEST_SECONDS, MOST_BYTES = 10.0, 1 << 30
TABLE, OTHER_MEDIA = "table:", "media:"
GOOD = ("read", "refused")
ENDED = "the process ended"
NOT_FINITE = re.compile(r"\b(NaN|-?Infinity)\b")


@dataclasses.dataclass
class Case:
    """One mutated file.

    Attributes:
        number: of the case.
        mutation: name of what was done.
        file: name of the file.
        outcome: "read", "refused", or what went wrong.
        said: the line, or the last of the traceback.
        seconds: how long it took.
        bytes: the most memory it took, beyond what the process held before.
    """

    number: int
    mutation: str
    file: str
    outcome: str
    said: str = ""
    seconds: float = 0.0
    bytes: int = 0


def cases_of(pipeline: str, folder: Path, numbers: Sequence[int], *, seed: int) -> Iterator[Case]:
    """Reads the mutated sources of a pipeline.

    Args:
        pipeline: its name; or `table:` or `media:` and a format.
        folder: an empty one.
        numbers: of the cases.
        seed: of all of them.
    """
    read = _reader(pipeline, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if (whole_outcome := _outcome(read)) != ("read", ""):  # and libraries are loaded, which takes long
        raise RuntimeError(f"{pipeline}: the source itself is not read: {whole_outcome}")
    for number in numbers:
        draw = np.random.default_rng([seed, number])
        path, name = files[draw.integers(len(files))], str(draw.choice(list(MUTATIONS)))
        whole = path.read_bytes()
        path.write_bytes(MUTATIONS[name](draw, whole))
        held, began = reset_peak(), time.perf_counter()
        outcome, said = _outcome(read)
        taken, more = time.perf_counter() - began, peak() - held
        path.write_bytes(whole)
        if taken > LONGEST_SECONDS:
            outcome = "took long"
        elif more > MOST_BYTES:
            outcome = "took memory"
        yield Case(number, name, path.name, outcome, said, taken, more)


def _reader(name: str, folder: Path) -> Callable[[], str]:
    """Writes a source into a folder, and reads it."""
    if name.startswith(OTHER_MEDIA):
        return MEDIA[name.removeprefix(OTHER_MEDIA)](folder)
    return _table_reader(name, folder) if name.startswith(TABLE) else _task_reader(name, folder)


def _task_reader(pipeline: str, folder: Path) -> Callable[[], str]:
    """Reads the source of a pipeline and learns its preprocessing, of which the numbers are returned."""
    from rnnapps.verbs.configure import configure
    from rnnapps.verbs.pipelines import find_pipeline

    task, flags = find_pipeline(pipeline), SOURCES[pipeline](folder)
    settings = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
    config = configure(task, {}, {name: yaml.safe_load(value) for name, value in settings.items()})

    def read() -> str:
        splits = task.examples(config)
        splits.digest()
        fitted = task.fit_preprocessor(config, splits)
        with tempfile.TemporaryDirectory() as saved:
            fitted.save(Path(saved))
            return " ".join(path.read_text("utf-8", "replace") for path in Path(saved).rglob("*.json"))

    return read


def _table_reader(name: str, folder: Path) -> Callable[[], str]:
    """Reads a table of a format, of which infinite values and times out of their order are returned."""
    from rnnapps.data.series.config import SeriesDataConfig
    from rnnapps.data.series.reading import read_series

    form = name.removeprefix(TABLE)
    memory = 0 if form.startswith("large") else SeriesDataConfig.memory_megabytes
    config = SeriesDataConfig(source=str(TABLES[form](folder)), memory_megabytes=memory)

    def read() -> str:
        bad = 0
        for series in read_series(config):
            bad += int(np.isinf(series.values).sum())
            bad += 0 if series.times is None else int((np.diff(series.times).astype(np.int64) <= 0).sum())
        return "Infinity" if bad else ""

    return read


def _outcome(read: Callable[[], str]) -> tuple[str, str]:
    """Reads a source: what became of it, and what was said."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            text = read()
        except RnnappsError as error:
            said = str(error)
            return ("refused" if said and "\n" not in said and said.isprintable() else "no line"), said[:300]
        except Exception as error:
            return type(error).__name__, "".join(traceback.format_exception(error))[-1_500:]
    return ("not finite" if NOT_FINITE.search(text) else "read"), ""


def _child(pipeline: str, numbers: Sequence[int], seed: int) -> None:
    """Writes a case a line."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RNNAPPS_CACHE"] = f"{folder}/cache"
        (source := Path(folder, "source")).mkdir()
        for case in cases_of(pipeline, source, numbers, seed=seed):
            print(json.dumps(dataclasses.asdict(case)), flush=True)


def _run(pipeline: str, cases: int, seed: int) -> Iterator[Case]:
    """All cases, in as many processes as it takes."""
    first = 0
    while first < cases:
        command = [sys.executable, "-m", "benchmarks.mutated_inputs", pipeline, "--child", str(first)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        with subprocess.Popen(
            [*command, "--cases", str(cases), "--seed", str(seed)], stdout=subprocess.PIPE, env=environment, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield (case := Case(**json.loads(line)))
                first = case.number + 1
        if first < cases:
            yield Case(first, "", "", ENDED, f"exit code {process.returncode}")
            first += 1


def main() -> int:
    """The command; returns 1 if there was a fault."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [*SOURCES, *(TABLE + form for form in TABLES), *(OTHER_MEDIA + form for form in MEDIA)]
    made.add_argument("pipelines", nargs="*", choices=every, default=list(SOURCES), help="all seven by default")
    made.add_argument("--cases", type=int, default=1_000, help="of each pipeline (default 1,000)")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--only", type=int, help="print what became of this one case")
    made.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = made.parse_args()
    if options.only is not None:
        _child(options.pipelines[0], [options.only], options.seed)
        return 0
    if options.child is not None:
        _child(options.pipelines[0], range(options.child, options.cases), options.seed)
        return 0
    faults = 0
    for pipeline in options.pipelines:
        outcomes, slowest, most = collections.Counter[str](), 0.0, 0
        for case in _run(pipeline, options.cases, options.seed):
            outcomes[case.outcome] += 1
            slowest, most = max(slowest, case.seconds), max(most, case.bytes)
            if case.outcome not in GOOD:
                print(json.dumps(dataclasses.asdict(case)), flush=True)
        wrong = outcomes.total() - sum(outcomes[name] for name in GOOD)
        faults += wrong
        numbers = f"{outcomes.total():,} | {outcomes['read']:,} | {outcomes['refused']:,} | {wrong}"
        print(f"| {pipeline.replace('_', ' ')} | {numbers} | {slowest:.1f} | {most / 1e6:.0f} |", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
