"""The verbs as methods: on a pipeline that really trains, from Python to the files and back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnapps
from rnnapps.cli.pipeline_cli import main
from rnnapps.errors import CheckpointError, ConfigError, DataError
from tests.cli.tiny_pipeline import TINY, Circle, Config, Tiny
from tests.tasks.command import skip_report
from tests.verbs.tiny import SHORT, TinyModel, install, weights


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is installed; reports, which take seconds, are left out."""
    install(monkeypatch)
    skip_report(monkeypatch)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyModel]:
    """Trained from memory."""
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        skip_report(patch)
        yield rnnapps.train("tiny", list("abc"), run=tmp_path_factory.mktemp("runs") / "memory", **SHORT)


@pytest.fixture(scope="module")
def sourced(model: TinyModel) -> TinyModel:
    """Trained from a source of the same data."""
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        return rnnapps.train(Tiny(), "abc", run=model.path.parent / "sourced", **SHORT)


def error(kind: type[Exception], call: Any) -> str:
    """The one line an error has to say."""
    with pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_training_from_memory_is_training_from_a_source(model: TinyModel, sourced: TinyModel) -> None:
    assert weights(model) == weights(sourced)
    assert (model.config.data.source, sourced.config.data.source) == ("memory", "abc")


def test_the_command_line_trains_the_same(sourced: TinyModel, tmp_path: Path) -> None:
    flags = [f"--training.{name}={value}" for name, value in SHORT.items()]
    assert main(TINY, ["train", "--run", str(tmp_path / "run"), "--data.source=abc", *flags]) == 0
    assert weights(rnnapps.load(tmp_path / "run")) == weights(sourced)


def test_a_model_shows_its_parts(model: TinyModel) -> None:
    assert isinstance(model.config, Config) and model.config.training.steps == 4
    assert model.preprocessor.letters == "abc"
    assert model.network.count_params() > 0
    assert repr(model) == f"<rnnapps.Model tiny of {model.path}>"
    for words in ("Says which letter comes next", "memory", "training steps", f"{model.network.count_params():,}"):
        assert words in model.card


def test_a_loaded_run_is_the_model(model: TinyModel) -> None:
    loaded = rnnapps.load(model.path)
    assert loaded.config == model.config
    for ours, theirs in zip(loaded.network.get_weights(), model.network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded.predict("b") == model.predict("b")


def test_one_input_has_one_result_and_several_have_several(model: TinyModel) -> None:
    assert isinstance(model.predict("a"), str)
    assert model.predict(["a"]) == [model.predict("a")]
    assert model.predict(["a", "c"], length=3) == [model.predict("a", length=3), model.predict("c", length=3)]
    assert model.predict() == [model.predict("a")]  # what the options name, as on the command line
    assert model.predict(prompt="c") == [model.predict("c")]


def test_predict_is_the_command_lines(model: TinyModel, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(TINY, ["predict", "--run", str(model.path), "--prompt", "b", "--length", "7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == [model.predict("b", length=7)]


def test_a_stream_joined_is_the_prediction(model: TinyModel) -> None:
    pieces = list(model.stream("b", length=6))
    assert len(pieces) == 6 and "".join(pieces) == model.predict("b", length=6)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"lenght": 3}, "tiny has no option 'lenght' of predict; did you mean 'length'?; there are prompt, length"),
        ({"length": "many"}, "given from Python: length must be a whole number, not 'many'"),
        ({"length": 1.5}, "length must be a whole number, not '1.5'"),
        ({"prompt": "a"}, "the input is given twice, as the first argument and as prompt="),
        ({"model": {"units": 3}}, "tiny has no option 'model' of predict"),
    ],
)
def test_wrong_options_are_one_line(model: TinyModel, options: dict[str, Any], problem: str) -> None:
    assert problem in error(ConfigError, lambda: model.predict("b", **options))
    streamed = error(ConfigError, lambda: model.stream("b", **options))  # at once, not with the first piece
    assert problem in streamed.replace("of stream", "of predict")


def test_options_are_of_any_type_that_is_theirs_in_substance(model: TinyModel) -> None:
    assert model.predict("b", length=np.int64(3)) == model.predict("b", length=3)
    for text in ("null", "123", "[a]", "{a: 1}", "true", "", "a: b"):
        from rnnapps.verbs.configure import read_options

        assert read_options(TINY, {"prompt": text}).prompt == text


def test_evaluate_needs_no_data_after_training_and_says_so_after_loading(model: TinyModel) -> None:
    evaluation = model.evaluate()
    assert evaluation.metrics["nats_per_letter"] > 0 and evaluation.split == "validation"
    assert "Results" in model.card and "nats_per_letter" in model.card.replace(" ", "_")
    loaded = rnnapps.load(model.path)
    line = error(DataError, loaded.evaluate)
    assert line.startswith("data.source memory: the data of this run were given from Python and are stored nowhere")
    assert loaded.evaluate(list("abc")).metrics == evaluation.metrics
    assert loaded.evaluate("abc").metrics == evaluation.metrics


def test_evaluate_keeps_only_what_is_the_runs_own(model: TinyModel) -> None:
    kept = model.path / "evaluation.json"
    model.evaluate()
    before = kept.read_bytes()
    assert model.evaluate(list("cab")).metrics["nats_per_letter"] > 0
    assert model.evaluate(data=list("abc"), **{"data.test": "bca"}).split == "test"
    assert kept.read_bytes() == before


def test_evaluate_reads_again_what_other_settings_of_the_data_name(
    sourced: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def examples(self: Tiny, config: Config, given: Any = None) -> Circle:
        read.append(config.data.source)
        return Circle("abc", config.data.source)

    monkeypatch.setattr(Tiny, "examples", examples)
    sourced.evaluate()
    assert read == []
    sourced.evaluate(**{"data.test": "ab"})
    assert read == ["abc"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"switches": ["tune"]}, "tiny has no switch 'tune' of evaluate; there are none"),
        ({"model": {"units": 9}}, "evaluate cannot change model, but settings of data"),
        ({"steps": 9}, "evaluate cannot change training"),
        ({"modle": {"units": 9}}, "tiny has no setting 'modle'"),
    ],
)
def test_what_evaluate_does_not_take(model: TinyModel, given: dict[str, Any], problem: str) -> None:
    assert problem in error(ConfigError, lambda: model.evaluate(**given))


def test_a_run_goes_on_when_its_data_are_given_again(model: TinyModel, tmp_path: Path) -> None:
    run = tmp_path / "run"
    rnnapps.train("tiny", list("abc"), run=run, **{**SHORT, "steps": 2})
    assert "give them again" in error(DataError, lambda: rnnapps.train("tiny", run=run, steps=4))
    line = error(ConfigError, lambda: rnnapps.train("tiny", list("acb"), run=run, steps=4))
    assert "the data of this run (data.source memory) have changed" in line
    assert weights(rnnapps.train("tiny", list("abc"), run=run, steps=4)) == weights(model)


def test_finetuning_grows_the_vocabulary_from_memory(model: TinyModel, tmp_path: Path) -> None:
    before = [array.copy() for array in model.network.get_weights()]
    tuned = model.finetune(list("abcd"), run=tmp_path / "tuned", freeze=["embedding"], steps=6)
    assert (tuned.preprocessor.letters, model.preprocessor.letters) == ("abcd", "abc")
    assert (tuned.config.training.steps, tuned.config.model) == (6, model.config.model)
    old, new = (each.network.get_layer("embedding").get_weights()[0] for each in (model, tuned))
    np.testing.assert_array_equal(new[:3], old)
    for now, then in zip(model.network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert json.loads((tuned.path / "finetune.json").read_text())["from"] == str(model.path)


def test_an_export_predicts_what_the_run_predicts(model: TinyModel, tmp_path: Path) -> None:
    version = model.export(tmp_path / "models", export={"warmup_requests": 1})
    assert version == tmp_path / "models" / "1"
    for folder in (version, tmp_path / "models"):
        exported = rnnapps.load(folder)
        assert exported.predict(["a", "b"]) == model.predict(["a", "b"])
    assert exported.config.export.warmup_requests == 1
    assert exported.evaluate(list("abc")).metrics == pytest.approx(model.evaluate().metrics, rel=1e-6)
    assert "export cannot change model" in error(ConfigError, lambda: model.export(tmp_path, model={"units": 3}))


def test_results_that_are_rows_come_as_a_frame(model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    @dataclasses.dataclass(frozen=True)
    class Row:
        step: int
        quantiles: dict[str, float]

        def columns(self) -> dict[str, float]:
            return {"step": self.step, **self.quantiles}

    rows = [Row(1, {"0.1": 2.0, "0.9": 3.0}), Row(2, {"0.1": 4.0, "0.9": 5.0})]
    monkeypatch.setattr(Tiny, "tabular", True)
    monkeypatch.setattr(Tiny, "predict", lambda *_: rows)
    frame = model.predict("a")
    assert frame.to_dict("list") == {"step": [1, 2], "0.1": [2.0, 4.0], "0.9": [3.0, 5.0]}


def test_a_run_has_a_name_of_its_own_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trained = rnnapps.train("tiny", list("abc"), **{**SHORT, "steps": 1, "model.cell": "mgu"})
    assert trained.path.parent == Path("runs/tiny") and trained.path.name.startswith("mgu-")
    assert rnnapps.load(trained.path).config.model.cell == "mgu"


def test_settings_of_a_file_come_below_those_of_python(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("pipeline: tiny\nmodel: {units: 3}\ntraining: {steps: 1, compile: graph}\nseed: 5\n")
    config = rnnapps.train("tiny", list("abc"), run=tmp_path / "run", config=file, model={"units": 4}).config
    assert (config.model.units, config.training.steps, config.seed) == (4, 1, 5)


@pytest.mark.parametrize(
    ("kind", "call", "problem"),
    [
        (ConfigError, lambda: rnnapps.train("tniy"), "no pipeline is called 'tniy'; did you mean 'tiny'?"),
        (ConfigError, lambda: rnnapps.train("tiny", unit=3), "tiny has no setting 'unit'; did you mean 'model.units'?"),
        (
            ConfigError,
            lambda: rnnapps.train("tiny", config="demo"),
            "--config demo: no such file, and no configuration",
        ),
        (ConfigError, lambda: rnnapps.train("tiny", data={"source": "abc", "shuffle": 1}), "no setting 'data.shuffle'"),
        (
            DataError,
            lambda: rnnapps.train("tiny", "one\ntwo\n"),
            "data: is a text of 8 characters, too long for the name",
        ),
        (CheckpointError, lambda: rnnapps.load("none"), "none: not a run folder (no such folder)"),
        (CheckpointError, lambda: rnnapps.load(os.curdir), ".: not a run folder"),
    ],
)
def test_wrong_calls_are_one_line(
    kind: type[Exception], call: Any, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert problem in error(kind, call)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_an_unknown_pipeline_is_one_line(model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnapps.verbs.pipelines.entry_points", lambda group: [])
    assert "no pipeline is called 'tiny'" in error(ConfigError, lambda: rnnapps.load(model.path))
