"""Services that keep the figures of many runs: MLflow and Weights & Biases, each where `training.track` names it.

Where they keep them is said as their own documentation says (`MLFLOW_TRACKING_URI`, `WANDB_MODE=offline`...). A service
that fails ends no training: it is told once, and left alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rnnapps.atomic import write_atomically
from rnnapps.config import dotted
from rnnapps.errors import ConfigError
from rnnapps.training.run import RunFolder

__all__ = ["Trackers"]

KEPT = "trackers.json"
"""File of the run folder with the name that each service has given the run, so that a resumed one goes on there."""


class _Tracker(Protocol):
    """One run at a service."""

    name: str

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Keeps the figures of a step."""

    def close(self) -> None:
        """Says that the run has ended for now."""


class Trackers:
    """All that are told of a run.

    Args:
        run: the run.
        names: of the services.

    Raises:
        ConfigError: the package of a service is not installed.
    """

    def __init__(self, run: RunFolder, names: Sequence[str]) -> None:
        self._open: list[_Tracker] = []
        for name in names:
            try:
                self._open.append(_KINDS[name](run, _settings(run), run.path / KEPT))
            except ModuleNotFoundError as error:
                message = f"training.track {name}: {error.name} is not installed; pip install 'rnnapps[track]'"
                raise ConfigError(message) from error
            except Exception as error:
                _tell(name, error)

    def write(self, row: Mapping[str, Any]) -> None:
        """Tells all of a row of metrics.jsonl."""
        figures = {
            name: float(value) for name, value in row.items() if name != "step" and isinstance(value, int | float)
        }
        for tracker in list(self._open):
            self._try(tracker, lambda own: own.write(row["step"], figures))

    def close(self) -> None:
        """Ends all."""
        for tracker in list(self._open):
            self._try(tracker, lambda own: own.close())

    def _try(self, tracker: _Tracker, act: Callable[[_Tracker], None]) -> None:
        try:
            act(tracker)
        except Exception as error:
            self._open.remove(tracker)
            _tell(tracker.name, error)


class _Mlflow:
    """A run of the experiment that is called as the pipeline."""

    name = "mlflow"

    def __init__(self, run: RunFolder, settings: Mapping[str, Any], kept: Path) -> None:
        import mlflow
        from mlflow.entities import Param

        self._client = mlflow.MlflowClient()
        known = _kept(kept).get(self.name)
        if known is not None:
            self._id = known
            self._client.update_run(known, status="RUNNING")
            return
        pipeline = str(settings["pipeline"])
        found = self._client.get_experiment_by_name(pipeline)
        experiment = self._client.create_experiment(pipeline) if found is None else found.experiment_id
        self._id = self._client.create_run(experiment, run_name=run.path.name).info.run_id
        self._client.log_batch(self._id, params=[Param(name, str(value)[:500]) for name, value in settings.items()])
        _keep(kept, self.name, self._id)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._id, metrics=[Metric(name, value, now, step) for name, value in figures.items()])

    def close(self) -> None:
        self._client.set_terminated(self._id)


class _Wandb:
    """A run of the project `rnnapps-<pipeline>`."""

    name = "wandb"

    def __init__(self, run: RunFolder, settings: Mapping[str, Any], kept: Path) -> None:
        import wandb

        known = _kept(kept).get(self.name)
        self._run = wandb.init(
            project=f"rnnapps-{settings['pipeline']}",
            name=run.path.name,
            id=known,
            resume="allow",
            dir=str(run.path),
            config=dict(settings),
        )
        if known is None:
            _keep(kept, self.name, self._run.id)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=step)

    def close(self) -> None:
        self._run.finish()


_KINDS: Mapping[str, Callable[[RunFolder, Mapping[str, Any], Path], _Tracker]] = {"mlflow": _Mlflow, "wandb": _Wandb}


def _settings(run: RunFolder) -> dict[str, Any]:
    """The settings of the run by dotted key, and its pipeline."""
    return {"pipeline": "rnnapps", **dotted(run.read_config())}


def _kept(path: Path) -> dict[str, str]:
    """The names that services have given the run; none where the file cannot be read."""
    try:
        return {str(name): str(value) for name, value in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _keep(path: Path, name: str, value: str) -> None:
    write_atomically(path, json.dumps({**_kept(path), name: value}).encode())


def _tell(name: str, error: Exception) -> None:
    reason = " ".join(str(error).split()) or type(error).__name__
    print(f"note: {name} is not told of this run any more: {reason}", file=sys.stderr)
