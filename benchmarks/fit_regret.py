"""What `rnnapps fit` costs beside the best configuration made by hand: the same data, the same test examples.

Examples:
  python -m benchmarks.fit_regret --data ../shared/data --folder regret                 all eight, in some two hours
  python -m benchmarks.fit_regret --data ../shared/data --folder regret --only chorales --minutes 5

`fit` begins with the shipped configuration `demo` and searches; "by hand" is the configuration that this project ships
for these very data, trained once with its own steps, on the split and with the units of measurement that `fit` chose.
Regret is by how much the score of `fit` on test data is worse, as a share of the score by hand; below 0 it is better.
The same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import pydoc_data.topics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.pipeline_runs import run_command, run_verb
from benchmarks.worker import BenchmarkError

SCORED_BY = (
    "data.validation_from",
    "data.validation_until",
    "data.test_from",
    "data.until",
    "data.validation_fraction",
    "data.test_fraction",
    "data.groups",
    "data.hold_out",
    "data.join_minimum",
    "data.join_maximum",
    "data.unit",
    "data.steps_per_beat",
    "model.horizon_steps",
)
"""Settings that say what is scored: both sides have those that `fit` chose."""


@dataclass(frozen=True)
class Row:
    """Data, and the configuration that was made for them by hand.

    Attributes:
        task: name of the pipeline.
        source: file or folder below `--data`, or where Python keeps it.
        by_hand: a shipped configuration.
        more: further flags of the training by hand.
    """

    task: str
    source: str
    by_hand: str
    more: Sequence[str] = ()


NAB = "anomaly/nab/data/realKnownCause"

ROWS = {
    "Shakespeare": Row("text_generation", "text/tinyshakespeare.txt", "quick"),
    "spoken digits": Row("speech_recognition", "speech/fsdd", "fsdd"),
    "depth films": Row("video_recognition", "video/msr_action3d", "msr_action3d"),
    "chorales": Row("music_generation", "music/jsb_chorales", "jsb"),
    "electricity": Row("forecasting", "forecasting/etth1/ETTh1.csv", "etth1_24"),
    "taxis": Row("forecasting", f"{NAB}/nyc_taxi.csv", "demo", ["--model.history_steps=336"]),
    "processors": Row("forecasting", f"{NAB}/cpu_utilization_asg_misconfiguration.csv", "demo"),
    "help texts": Row("text_generation", pydoc_data.topics.__file__, "quick"),
}


def main() -> None:
    """The command."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    made.add_argument("--folder", type=Path, required=True, help="where everything is written")
    made.add_argument("--only", nargs="+", choices=tuple(ROWS), default=tuple(ROWS))
    made.add_argument("--minutes", type=float, default=10, help="what `fit` is given; 10")
    options = made.parse_args()
    data, folder = options.data.resolve(), options.folder.resolve()  # commands run in the folder of the project
    folder.mkdir(parents=True, exist_ok=True)
    print("| data | scored by | best baseline | by hand | min | `fit` | min | regret |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for name in options.only:
        row, place = ROWS[name], folder / name.replace(" ", "_")
        try:
            print(f"| {name} | {_cells(row, data / row.source, place, options.minutes)} |", flush=True)
        except BenchmarkError as error:
            print(f"| {name} | {str(error).strip().splitlines()[-1]} |" + " |" * 6, flush=True)


def _cells(row: Row, source: Path, place: Path, minutes: float) -> str:
    """The cells of a row behind its name."""
    fitted = _kept(place.with_suffix(".fit.json"), lambda: _fit(row, source, place / "fit", minutes))
    settings = yaml.safe_load((Path(fitted["run"]) / "config.yaml").read_text(encoding="utf-8"))
    by_hand = _kept(place.with_suffix(".hand.json"), lambda: _by_hand(row, source, place / "hand", settings))
    ours, theirs = fitted["verdict"], by_hand["verdict"]
    worse = (ours["model"] - theirs["model"]) * (-1 if ours["metric"] in _higher_is_better(row.task) else 1)
    values = (theirs["baseline_value"], theirs["model"], by_hand["minutes"], ours["model"], fitted["minutes"])
    shown = [f"{value:.4g}" if number not in (2, 4) else f"{value:.1f}" for number, value in enumerate(values)]
    return " | ".join([f"{ours['metric']}, {theirs['baseline']}", *shown, f"{worse / abs(theirs['model']):+.1%}"])


def _kept(path: Path, make: Any) -> dict[str, Any]:
    """What an earlier call found, or finds it."""
    if not path.exists():
        begun = time.perf_counter()
        found = make()
        path.write_text(json.dumps({**found, "minutes": (time.perf_counter() - begun) / 60}), encoding="utf-8")
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known


def _fit(row: Row, source: Path, folder: Path, minutes: float) -> dict[str, Any]:
    """What `rnnapps fit` made: the run and its verdict on test data."""
    flags = ["--task", row.task, "--minutes", str(minutes), "--to", str(folder), "--json"]
    said = json.loads(run_command(["fit", str(source), *flags]))
    return {"run": str(said["run"]), "verdict": said["evaluation"]["verdict"], "told": said["told"]}


def _by_hand(row: Row, source: Path, run: Path, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The verdict on a training by hand, of which the same examples are scored."""
    flags = [f"--config={row.by_hand}", f"--data.source={source}", *row.more]
    for name in SCORED_BY:
        section, field = name.split(".")
        if field in settings.get(section, {}):
            value = settings[section][field]
            flags.append(f"--{name}={value if isinstance(value, str) else json.dumps(value)}")
    run_verb(row.task, "train", [f"--run={run}", *flags, "--training.tensorboard=false"])
    scored = json.loads(run_verb(row.task, "evaluate", [f"--run={run}", "--json"]))
    return {"run": str(run), "verdict": scored["verdict"]}


def _higher_is_better(task: str) -> frozenset[str]:
    from rnnapps.verbs.pipelines import find_pipeline

    return find_pipeline(task).higher_is_better


if __name__ == "__main__":
    main()
