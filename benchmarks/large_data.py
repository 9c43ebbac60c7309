"""Data larger than memory: how much memory they take, and how fast they are read, beside data kept in memory.

Examples:
  python -m benchmarks.large_data --text-gb 10 --audio-hours 100 --rows 100000000 --ways disk   the full figures
  python -m benchmarks.large_data --text-gb 0.1 --audio-hours 1 --rows 1000000      does everything work?
  python -m benchmarks.large_data --text-gb 1 --audio-hours 0 --rows 0              text alone

Each way runs in a process of its own; `--ways disk` leaves out memory, which the full sizes do not fit into. `ready` is
the time to the first batch, with an empty cache and, `again`, with a filled one; `batches/s` is measured over the 300
that follow; memory is the most that the process ever held beside pages of files, which the system takes back when it
needs them, and what it held before anything was read. Everything is written below --folder, and removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

BATCHES = 300
WAYS = {"in memory": 1_000_000, "on disk": 50}
"""What `data.memory_megabytes` is."""

MODELS: dict[str, dict[str, Any]] = {
    "text_generation": {"blend": "none"},
    "speech_recognition": {},
    "forecasting": {"history_steps": 60, "horizon_steps": 10},
}
"""Further settings of the models whose batches are made; batches of a blended text model need n-grams first."""

WORDS, BLOCKS = 50_000, 20


def write_text(path: Path, gigabytes: float) -> None:
    """A text of words as often as in language, by Zipf's law, with a line end behind every tenth."""
    draw = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxzäöüéèß"))
    words = ["".join(draw.choice(letters, 1 + number % 9)) for number in range(WORDS)]
    chances = 1 / np.arange(1, WORDS + 1)
    blocks = []
    for _ in range(BLOCKS):
        rows = draw.choice(WORDS, 500_000, p=chances / chances.sum()).reshape(-1, 10)
        blocks.append("".join(" ".join(words[number] for number in row) + ".\n" for row in rows.tolist()))
    with open(path, "w", encoding="utf-8") as file:
        while file.tell() < gigabytes * 1e9:
            file.write(blocks[draw.integers(BLOCKS)])


def write_recordings(folder: Path, hours: float) -> None:
    """Recordings of noise, ten seconds each, with a manifest."""
    from rnnapps.tasks.speech_recognition.data.utterance import wav_bytes

    draw, rows = np.random.default_rng(0), ["audio,transcript"]
    noise = draw.normal(0, 2000, 16_000 * 60).astype(np.int16)
    for number in range(round(hours * 360)):
        start = int(draw.integers(0, len(noise) - 160_000))
        (folder / f"{number}.wav").write_bytes(wav_bytes(noise[start : start + 160_000], 16_000))
        rows.append(f"{number}.wav,word {number % 97}")
    (folder / "all.csv").write_text("\n".join(rows) + "\n")


def write_rows(path: Path, rows: int) -> None:
    """A CSV file of three sensors, a row a second."""
    import pyarrow
    from pyarrow import csv

    draw, begin = np.random.default_rng(0), np.datetime64("2015-01-01T00:00:00")
    with open(path, "wb") as file:
        for start in range(0, rows, 1_000_000):
            seconds = np.arange(start, min(rows, start + 1_000_000))
            waves = np.sin(seconds[:, None] / [600, 3600, 86_400]) + 0.1 * draw.normal(size=(len(seconds), 3))
            columns = dict(zip("abc", waves.round(4).T, strict=True))
            table = pyarrow.table({"time": begin + seconds.astype("timedelta64[s]"), **columns})
            csv.write_csv(table, file, csv.WriteOptions(include_header=not start))


def read(task: str, source: str, megabytes: int) -> dict[str, float]:
    """Makes the batches of a source, and measures it."""
    before, begun = _own_megabytes(), time.perf_counter()
    with _Watch() as memory:
        iterator = iter(_batches(task, source, megabytes))
        next(iterator)
        ready = time.perf_counter() - begun
        for _ in range(BATCHES):
            next(iterator)
        took = time.perf_counter() - begun - ready
    found = {"ready s": ready, "batches s": took, "batches/s": BATCHES / took}
    return {**found, "memory MB": memory.most, "before MB": before}


class _Watch:
    """Looks at this process's memory twenty times a second."""

    def __init__(self) -> None:
        self.most, self.over = 0.0, threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Watch:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        while not self.over.wait(0.05):
            self.most = max(self.most, _own_megabytes())


def _own_megabytes() -> float:
    """Memory of this process that is no page of a file, which the system takes back when it likes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem"))) / 2**10


def _batches(task: str, source: str, megabytes: int) -> Any:
    """The training batches of a task, as a run has them."""
    import rnnapps.verbs.pipelines as pipelines
    from rnnapps.contract.fitted import Fitted
    from rnnapps.verbs.configure import configure

    pipeline = pipelines.find_pipeline(task)
    settings: dict[str, Any] = {"data": {"source": source, "memory_megabytes": megabytes}, "model": {"units": 16}}
    settings["model"] |= MODELS[task]
    config = configure(pipeline, {}, settings)
    splits = pipeline.examples(config)
    preprocessor = pipeline.fit_preprocessor(config, splits)
    fitted = Fitted(config, preprocessor, pipeline.build_model(config, preprocessor))
    return pipeline.objective(fitted, splits).batches(0)


def measured(task: str, source: Path, cache: Path, ways: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """The figures of each way, in a process of its own."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name, megabytes in (*WAYS.items(), ("on disk, again", WAYS["on disk"])):
        if name.split(",")[0].split()[1] not in ways:
            continue
        command = [sys.executable, "-m", "benchmarks.large_data", "--read", task, str(source), str(megabytes)]
        environment = {**os.environ, "RNNAPPS_CACHE": str(cache), "TF_CPP_MIN_LOG_LEVEL": "2"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        lines = done.stdout.strip().splitlines()
        problem = (done.stderr.strip().splitlines() or ["killed"])[-1]
        found.append((name, json.loads(lines[-1]) if done.returncode == 0 else {"problem": problem}))
        print(f"{task}, {name}: {found[-1][1]}", flush=True)
    return found


def main() -> None:
    """The command."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--text-gb", type=float, default=0.1)
    made.add_argument("--audio-hours", type=float, default=1)
    made.add_argument("--rows", type=int, default=1_000_000)
    made.add_argument("--ways", nargs="+", choices=("memory", "disk"), default=("memory", "disk"))
    made.add_argument("--folder", type=Path, default=None, help="where everything is written; the temporary folder")
    made.add_argument("--read", nargs=3, help=argparse.SUPPRESS)
    options = made.parse_args()
    if options.read:
        print(json.dumps(read(options.read[0], options.read[1], int(options.read[2]))))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        sources: list[tuple[str, float, Callable[[Path], Path]]] = [
            ("text_generation", options.text_gb, lambda place: _text(place, options.text_gb)),
            ("speech_recognition", options.audio_hours, lambda place: _recordings(place, options.audio_hours)),
            ("forecasting", options.rows, lambda place: _rows(place, options.rows)),
        ]
        for task, size, write in sources:
            if size:
                place = Path(folder, task)
                place.mkdir()
                table(task, size, measured(task, write(place), place / "cache", options.ways))
                shutil.rmtree(place)


def _text(place: Path, gigabytes: float) -> Path:
    write_text(place / "text.txt", gigabytes)
    return place / "text.txt"


def _rows(place: Path, rows: int) -> Path:
    write_rows(place / "rows.csv", rows)
    return place / "rows.csv"


def _recordings(place: Path, hours: float) -> Path:
    write_recordings(place, hours)
    return place / "all.csv"


def table(task: str, size: float, found: list[tuple[str, dict[str, Any]]]) -> None:
    """Prints the figures as Markdown."""
    columns = ("ready s", "batches/s", "memory MB", "before MB")
    print(f"\n{task}, {size:,}\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, figures in found:
        cells = [f"{figures[column]:,.1f}" for column in columns if column in figures] or [figures["problem"], *" " * 3]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
