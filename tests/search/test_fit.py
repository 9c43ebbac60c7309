"""From data to a model that serves: what is settled, how time is cut, what is refused."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import yaml

from rnnapps.cli.main import main
from rnnapps.contract.data_report import DataReport, Suggestion
from rnnapps.contract.evaluation import Evaluation, Verdict
from rnnapps.contract.recognised import Recognised
from rnnapps.errors import ConfigError
from rnnapps.search.cut import cut_to_time, settled_steps
from rnnapps.search.fit import Fit, starting_configuration
from rnnapps.verbs.configure import configure
from rnnapps.verbs.pipelines import PIPELINE_GROUP
from tests.cli.tiny_pipeline import TINY, Config, Tiny

CONFIG: Config = configure(TINY, {}, {"steps": 900, "evaluate_every": 100, "warmup_steps": 90})


ENDLESS = 1_000_000
"""Updates for which no machine has time."""
NO_END = f"training.steps {ENDLESS}: there is no end of letters"


class Fitting(Tiny):
    """The tiny pipeline, which knows its data by their name, and would have a larger window for them."""

    def recognise(self, source: str) -> Recognised | None:
        return Recognised("letters in a circle", settings={"data.test": "abc"}) if source == "abc" else None

    def look(self, config: Config, given: Any = None) -> DataReport:
        suggestions = [
            Suggestion("training.window_steps", 16, "letters are few"),
            Suggestion("training.steps", ENDLESS, "there is no end of letters"),
            Suggestion("model.units", -3, "never"),
        ]
        return dataclasses.replace(DataReport.of_splits(self.examples(config)), suggestions=suggestions)


FITTING = Fitting()


@pytest.mark.parametrize(
    ("seconds", "steps", "every", "warmup"),
    [
        (1000.0, 900, 100, 90),  # there is time for all of it
        (105.0, 414, 46, 41),  # 0.8 x 105 - 1 seconds are 415 steps of 0.2; nine evaluations, each after 46
        (2.0, 9, 1, 0),  # no less than one step an evaluation
    ],
)
def test_a_training_is_cut_to_the_time(seconds: float, steps: int, every: int, warmup: int) -> None:
    cut = cut_to_time(CONFIG, seconds, first=1.0, step=0.2).training
    assert (cut.steps, cut.evaluate_every, cut.warmup_steps) == (steps, every, warmup)
    assert dataclasses.replace(cut, steps=900, evaluate_every=100, warmup_steps=90) == CONFIG.training


def test_a_training_that_is_rarely_evaluated_has_three_rungs_at_least() -> None:
    rare = configure(TINY, {}, {"steps": 900, "evaluate_every": 900})
    cut = cut_to_time(rare, 1e6, first=1.0, step=0.01).training
    assert (cut.steps, cut.evaluate_every) == (900, 300)


@pytest.mark.parametrize(
    ("seconds", "searching", "steps", "said"),
    [
        (1000.0, True, 900, []),
        (300.0, True, 468, ["training.steps 468 instead of 900: a step takes 0.2 s here"]),  # four tenths of the time
        (200.0, True, 792, ["one training takes all", "training.steps 792"]),  # which would be a third of the steps
        (300.0, False, 900, []),
    ],
)
def test_a_search_is_made_where_its_trainings_learn_enough(
    seconds: float, searching: bool, steps: int, said: list[str]
) -> None:
    cut, told = settled_steps(CONFIG, seconds, first=1.0, step=0.2, searching=searching)
    assert cut.training.steps == steps
    assert len(told) == len(said) and all(line.startswith(start) for line, start in zip(told, said, strict=True))


def test_what_is_recognised_and_suggested_is_settled_and_told() -> None:
    config, told = starting_configuration(FITTING, "abc", Recognised("letters", settings={"data.test": "abc"}))
    assert (config.data.source, config.data.test, config.training.window_steps) == ("abc", "abc", 16)
    assert config.model.units == 8  # what cannot be set is left out
    assert told == ["data.test abc: letters", "training.window_steps 16: letters are few", NO_END]


def outcome(name: str) -> Fit:
    verdict = Verdict(name, "so it is", "loss", 1.0)  # type: ignore[arg-type]
    evaluation = Evaluation({"loss": 1.0}, {}, 5, "test", verdict=verdict)
    report = DataReport.of_splits(TINY.examples(CONFIG))
    return Fit(Path("f"), "tiny", "letters", {}, report, [], None, Path("f/run"), evaluation, None)


def test_where_a_baseline_wins_nothing_is_exported() -> None:
    assert outcome("worse").is_refused
    assert not outcome("level").is_refused
    assert not outcome("better").is_refused


def test_flags_that_are_wrong_end_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(tmp_path / "none.csv")]) == 2
    assert "none.csv: does not exist; name a file or a folder of data" in capsys.readouterr().err
    assert main(["fit", str(tmp_path), "--minutes", "soon"]) == 2
    assert "--minutes must be a number above 0, not 'soon'" in capsys.readouterr().err
    assert main(["fit", str(tmp_path), "--task", "forcasting"]) == 2
    assert "did you mean 'forecasting'" in capsys.readouterr().err


def answer(capsys: pytest.CaptureFixture[str], *flags: str) -> Mapping[str, Any]:
    assert main(["fit", "abc", "--minutes", "0.5", "--json", *flags]) == 0
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data of the tiny pipeline, the only one that is installed."""
    entry = EntryPoint(Fitting.name, "tests.search.test_fit:FITTING", PIPELINE_GROUP)
    monkeypatch.setattr("rnnapps.verbs.pipelines.entry_points", lambda group: [entry])
    monkeypatch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: tmp_path / "report.html")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abc").write_text("the name of the source says all")
    return tmp_path


@pytest.mark.slow
def test_data_become_a_model_that_serves(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna", reason="the extra `tune` is not installed")
    made = answer(capsys)
    assert (made["task"], made["why"], made["folder"]) == ("tiny", "letters in a circle", "fits/abc")
    assert made["evaluation"]["split"] == "test"
    best = yaml.safe_load((place / "fits/abc/search/best.yaml").read_text())
    assert best["training"]["window_steps"] == 16
    assert best["training"]["steps"] < ENDLESS
    assert (place / made["export"] / "saved_model.pb").is_file()
    page = (place / made["page"]).read_text()
    for line in ("letters in a circle", "serve it:", made["evaluation"]["verdict"]["sentence"][:30]):
        assert line in page
    again = answer(capsys)
    assert again["export"] == made["export"]
    assert again["search"]["configurations"] == made["search"]["configurations"]
    assert main(["fit", "abc", "--to", "fits/abc", "--minutes", "0.5"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("task: tiny, for the data are letters in a circle\n")
    assert "search on: rnnapps tiny tune --search fits/abc/search" in printed


@pytest.mark.slow
def test_without_optuna_one_training_takes_the_time(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    made = answer(capsys)
    assert made["search"] is None
    assert made["run"] == "fits/abc/run"
    assert (place / made["export"] / "saved_model.pb").is_file()


def test_a_folder_of_other_data_is_left_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place / "fits" / "abc"
    folder.mkdir(parents=True)
    (folder / "fit.json").write_text(json.dumps({"task": "tiny", "source": "other", "minutes": 1, "told": []}))
    assert main(["fit", "abc"]) == 2
    assert "fits/abc: was begun for tiny of other; name another folder with --to" in capsys.readouterr().err
    for damaged in ("{", "{}", "[]"):
        (folder / "fit.json").write_text(damaged)
        assert main(["fit", "abc"]) == 2
        assert "fits/abc/fit.json: cannot be read" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        configure(TINY, {}, {"no": 1})
