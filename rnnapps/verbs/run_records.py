"""What run folders tell of themselves, so that runs can be listed and compared without opening a model."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.config import dotted
from rnnapps.contract.evaluation import Evaluation
from rnnapps.errors import CheckpointError
from rnnapps.verbs.runs import read_evaluation

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["RunRecord", "by_pipeline", "differing_settings", "find_runs", "names_of", "read_record"]

DEEPEST = 4
"""Levels of folders below a given one in which runs are looked for."""


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder tells of it.

    Attributes:
        path: of the folder.
        pipeline: name of its pipeline.
        settings: dotted key -> value.
        rows: of metrics.jsonl, one for each evaluation in the course of training.
        evaluation: the last result of `evaluate`, or of the end of `train`; None where there is none.
        training: whether a process trains into it now.
        written: when its settings or metrics were last written, in local time.
    """

    path: Path
    pipeline: str
    settings: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    evaluation: Evaluation | None
    training: bool
    written: datetime.datetime

    @property
    def step(self) -> int:
        """The last step that was evaluated."""
        return self.rows[-1]["step"] if self.rows else 0

    @property
    def steps(self) -> int:
        """How many steps the training has in all."""
        return int(self.settings.get("training.steps", 0))

    @property
    def seconds(self) -> float | None:
        """How long it trained; None where that is not recorded."""
        return self.rows[-1].get("elapsed_seconds") if self.rows else None

    @property
    def score(self) -> tuple[str, float | None, str]:
        """Name, value and split of the metric that decides; without an evaluation, the first of the last validation."""
        evaluation, prefix = self.evaluation, "validation_"
        if evaluation is not None and evaluation.metrics:
            name = evaluation.verdict.metric if evaluation.verdict else next(iter(evaluation.metrics))
            return name, evaluation.metrics.get(name), evaluation.split
        row = self.rows[-1] if self.rows else {}
        found = next((name for name in row if name.startswith(prefix)), None)
        return (found.removeprefix(prefix), row[found], "validation") if found else ("", None, "")

    @property
    def baseline(self) -> tuple[str | None, float | None, str | None]:
        """Name and value of the best baseline, and how the run does beside it; None where there is no verdict."""
        verdict = self.evaluation.verdict if self.evaluation else None
        return (verdict.baseline, verdict.baseline_value, verdict.outcome) if verdict else (None, None, None)

    def as_dict(self) -> dict[str, Any]:
        """What `rnnapps runs --json` prints of it."""
        metric, value, split = self.score
        baseline, baseline_value, outcome = self.baseline
        return {
            "run": str(self.path),
            "pipeline": self.pipeline,
            "step": self.step,
            "steps": self.steps,
            "training": self.training,
            "seconds": self.seconds,
            "metric": metric,
            "value": value,
            "split": split,
            "baseline": baseline,
            "baseline_value": baseline_value,
            "outcome": outcome,
            "written": self.written.isoformat(timespec="seconds"),
            "settings": dict(self.settings),
        }


def find_runs(folders: Sequence[Path]) -> list[Path]:
    """The run folders among the given ones and below them, in the order of their names, each once.

    Raises:
        CheckpointError: a folder does not exist, cannot be looked into, or holds no run.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        if not folder.is_dir():
            raise CheckpointError(f"{folder}: no such folder; runs are made by `rnnapps PIPELINE train`")
        try:
            below = dict.fromkeys(_runs_below(folder))
        except OSError as error:
            raise CheckpointError(f"{error.filename}: cannot be looked into ({error.strerror}); name runs") from error
        if not below:
            raise CheckpointError(f"{folder}: holds no run, which is a folder with a config.yaml that `train` wrote")
        found |= below
    return list(found)


def read_record(path: Path) -> RunRecord:
    """What a run tells of itself.

    Raises:
        CheckpointError: one of its files is damaged.
    """
    from rnnapps.training.run import RunFolder

    folder = RunFolder(path)
    config = folder.read_config()
    pipeline = config.pop("pipeline", None)
    if not isinstance(pipeline, str):
        raise CheckpointError(f"{folder.config_path}: does not say of which pipeline it is; restore the file")
    return RunRecord(
        path=path,
        pipeline=pipeline,
        settings=dotted(config),
        rows=folder.read_metrics(),
        evaluation=read_evaluation(folder),
        training=folder.in_use(),
        written=_written(folder),
    )


def by_pipeline(records: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
    """The runs of each pipeline, by its name in the order of the alphabet."""
    groups: dict[str, list[RunRecord]] = {name: [] for name in sorted(record.pipeline for record in records)}
    for record in records:
        groups[record.pipeline].append(record)
    return groups


def names_of(records: Sequence[RunRecord]) -> list[str]:
    """The names of the folders; the whole paths where two have one name."""
    names = [record.path.name for record in records]
    return names if len(set(names)) == len(names) else [str(record.path) for record in records]


def differing_settings(records: Sequence[RunRecord]) -> list[tuple[str | None, ...]]:
    """(dotted key, its value in each run as it is written, None for none) of settings that are not the same in all."""
    keys = dict.fromkeys(key for record in records for key in record.settings)
    values = {key: [record.settings.get(key) for record in records] for key in keys}
    return [
        (key, *(None if value is None else str(value) for value in own))
        for key, own in values.items()
        if any(value != own[0] for value in own)
    ]


def _runs_below(folder: Path, depth: int = 0) -> Iterator[Path]:
    """A run holds no other runs; links are not followed, and hidden folders not entered."""
    if (folder / "config.yaml").is_file() and (folder / "state").is_dir():
        yield folder
    elif depth < DEEPEST:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        for name in names:
            if not name.startswith("."):
                yield from _runs_below(folder / name, depth + 1)


def _written(folder: RunFolder) -> datetime.datetime:
    times = [path.stat().st_mtime for path in (folder.config_path, folder.metrics_path) if path.exists()]
    return datetime.datetime.fromtimestamp(max(times)).astimezone()
