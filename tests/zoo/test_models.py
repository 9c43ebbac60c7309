"""The trained models that come with the project: small, whole, and of use without training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import rnnapps
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.verbs.pipelines import pipeline_entries
from rnnapps.zoo import all_unpacked, catalogue, unpacked
from tests.tasks.text_generation.small import complaint

MODELS = yaml.safe_load((Path(__file__).parents[2] / "models" / "models.yaml").read_text())


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path_factory.getbasetemp() / "models"))


def test_there_is_a_model_for_every_task_and_none_is_large() -> None:
    models = catalogue()
    assert {model.pipeline for model in models.values()} == set(pipeline_entries())
    assert max(model.bytes for model in models.values()) <= 2e6 and sum(m.bytes for m in models.values()) <= 10e6
    assert {name: (m.pipeline, m.summary, m.licence) for name, m in models.items()} == {
        name: (entry["pipeline"], entry["summary"], entry["licence"]) for name, entry in MODELS.items()
    }


def test_a_forecast_without_training() -> None:
    model = rnnapps.load("zoo:sun_air_sea")
    assert model.pipeline.name == "forecasting" and str(model.path) == str(unpacked("sun_air_sea"))


def test_the_list_and_a_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rnnapps_main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["name"] for entry in listed} == set(catalogue())
    assert rnnapps_main(["models"]) == 0
    assert "zoo:sun_air_sea" in capsys.readouterr().out
    assert rnnapps_main(["models", "sun_air_sea", "--to", str(tmp_path / "mine")]) == 0
    assert (tmp_path / "mine" / "1" / "saved_model.pb").is_file()
    capsys.readouterr()
    assert rnnapps_main(["models", "sun_air_sea", "--to", str(tmp_path / "mine")]) == 2
    assert "exists already; name another folder" in capsys.readouterr().err
    assert rnnapps_main(["models", "sun", "--to", str(tmp_path / "other")]) == 2
    assert "no trained model is called 'sun'; there are " in capsys.readouterr().err


def test_a_model_is_not_trained_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, "train", "--run", "zoo:text")
    assert "--run zoo:text: train writes there, and this model is to be read only; name a new folder" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_verifies(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert rnnapps_main(["verify", str(all_unpacked() / name)]) == 0, capsys.readouterr().out
