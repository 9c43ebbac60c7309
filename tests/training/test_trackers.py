"""What MLflow and Weights & Biases are told: by stand-ins that keep it, and by the packages where there are any."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError
from rnnapps.training.run import RunFolder
from rnnapps.training.trackers import Trackers

ROWS = [
    {"step": 20, "elapsed_seconds": 1.5, "validation_nats": 2.0, "loss": 2.5},
    {"step": 40, "elapsed_seconds": 3.0, "validation_nats": 1.0, "loss": None},
]
SETTINGS = {"pipeline": "toy", "model.units": 8, "training.track": ["wandb"]}


class Service:
    """A stand-in for wandb that keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[dict[str, Any]] = []
        self.told: list[tuple[str, int, dict[str, float]]] = []
        self.broken = False

    def init(self, **given: Any) -> SimpleNamespace:
        self.begun.append(given)
        name = given["id"] or "first"
        return SimpleNamespace(id=name, log=lambda row, step: self._log(name, row, step), finish=lambda: None)

    def _log(self, name: str, row: dict[str, float], step: int) -> None:
        if self.broken:
            raise ConnectionError("no route\nto host")
        self.told.append((name, step, row))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "mine")
    folder.create()
    folder.config_path.write_text("pipeline: toy\nmodel:\n  units: 8\ntraining:\n  track: [wandb]\n", encoding="utf-8")
    return folder


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    monkeypatch.setitem(sys.modules, "wandb", service)
    return service


def test_each_evaluation_is_told_and_a_resumed_run_goes_on(run: RunFolder, service: Service) -> None:
    for row in ROWS:  # a process each
        trackers = Trackers(run, ["wandb"])
        trackers.write(row)
        trackers.close()
    assert service.told == [
        ("first", 20, {"elapsed_seconds": 1.5, "validation_nats": 2.0, "loss": 2.5}),
        ("first", 40, {"elapsed_seconds": 3.0, "validation_nats": 1.0}),
    ]
    assert [given["id"] for given in service.begun] == [None, "first"]
    assert service.begun[0]["config"] == SETTINGS
    assert (service.begun[0]["project"], service.begun[0]["name"]) == ("rnnapps-toy", "mine")


def test_a_service_that_fails_is_told_once_and_ends_nothing(
    run: RunFolder, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    trackers = Trackers(run, ["wandb"])
    service.broken = True
    for row in ROWS:
        trackers.write(row)
    trackers.close()
    assert capsys.readouterr().err == "note: wandb is not told of this run any more: no route to host\n"


def test_a_missing_package_is_told_before_training(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ConfigError, match=r"mlflow is not installed; pip install 'rnnapps\[track\]'"):
        Trackers(run, ["mlflow"])


def test_only_known_services() -> None:
    assert TrainingConfig(track=("mlflow", "wandb")).track == ("mlflow", "wandb")
    with pytest.raises(ConfigError, match=r"training\.track must be some of mlflow, wandb"):
        TrainingConfig(track=("comet",))


def test_mlflow_keeps_settings_and_figures(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="pip install 'rnnapps[track]'")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((run.path / "mlruns").as_uri())
    for row in ROWS:
        trackers = Trackers(run, ["mlflow"])
        trackers.write(row)
        trackers.close()
    client = mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("toy").experiment_id])
    assert found.data.params == {name: str(value) for name, value in SETTINGS.items()}
    history = client.get_metric_history(found.info.run_id, "validation_nats")
    assert [(metric.step, metric.value) for metric in history] == [(20, 2.0), (40, 1.0)]
    assert (found.info.run_name, found.info.status) == ("mine", "FINISHED")


def test_wandb_writes_offline(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="pip install 'rnnapps[track]'")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    trackers = Trackers(run, ["wandb"])
    trackers.write(ROWS[0])
    trackers.close()
    name = json.loads((run.path / "trackers.json").read_bytes())["wandb"]
    (written,) = (run.path / "wandb").glob(f"offline-run-*-{name}/*.wandb")
    assert written.stat().st_size > 0
