from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnapps.cli.arguments import Arguments, parse_arguments
from rnnapps.errors import ConfigError
from rnnapps.export.manifest import Manifest, write_manifest
from rnnapps.verbs.settings import flatten
from tests.cli.toy_pipeline import Config, Predict, Toy


def parse(*argv: str) -> Arguments:
    return parse_arguments(Toy(), argv[0], argv[1:])


def failure(*argv: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(*argv)
    return str(caught.value)


def test_defaults_come_from_the_dataclasses() -> None:
    arguments = parse("train")
    assert arguments.config == Config()
    assert arguments.given == frozenset()
    assert arguments.options["run"] is None


def test_flags_override_files_and_files_override_each_other(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("pipeline: toy\nmodel:\n  cell: lstm\n  units: 8\ntraining:\n  learning_rate: 1e-3\n")
    second.write_text("model:\n  units: 16\ndata:\n  parts: [0.5, 0.5]\nseed: 4\n")
    arguments = parse("train", f"--config={first}", "--config", str(second), "--seed", "5", "--training.steps=7")
    config = arguments.config
    assert (config.model.cell, config.model.units, config.seed) == ("lstm", 16, 5)
    assert (config.training.learning_rate, config.training.steps, config.data.parts) == (0.001, 7, (0.5, 0.5))
    assert {"model.cell", "training.steps", "seed", "data.parts"} <= arguments.given


def test_an_existing_run_supplies_the_settings(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("pipeline: toy\nmodel: {cell: mgu}\ndata: {source: mine}\n")
    trained = parse("train", "--run", str(tmp_path), "--training.steps", "9")
    assert (trained.config.model.cell, trained.config.data.source, trained.config.training.steps) == ("mgu", "mine", 9)
    scored = parse("evaluate", "--run", str(tmp_path), "--data.test", "other", "--json")
    assert (scored.config.model.cell, scored.config.data.test, scored.options["json"]) == ("mgu", "other", True)
    assert scored.given == {"data.test"}


def test_finetuning_starts_from_the_settings_of_an_export(tmp_path: Path) -> None:
    for version, cell in ((9, "gru"), (10, "mgu")):
        extra = tmp_path / str(version) / "assets.extra"
        extra.mkdir(parents=True)
        (extra / "config.yaml").write_text(f"model: {{cell: {cell}}}\n")
        write_manifest(extra.parent, Manifest("toy", "", {}, {}))
    assert parse("finetune", "--from", str(tmp_path / "9")).config.model.cell == "gru"
    assert parse("finetune", "--from", str(tmp_path)).config.model.cell == "mgu"


@pytest.mark.parametrize("text", ["To be", "null", "123", "[a]", "{a: 1}", "1e3", "true", "a: b", "", "é\n", "- x"])
def test_text_options_arrive_unchanged(text: str) -> None:
    assert parse("predict", "--run", "r", f"--prompt={text}").predict == Predict(prompt=text)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("train", "--modle.cell", "lstm"), "unknown flag '--modle.cell'; did you mean '--model.cell'?"),
        (("train", "--model.cel=lstm"), "unknown flag '--model.cel'; did you mean '--model.cell'?"),
        (("train", "--cell", "lstm"), "unknown flag '--cell'; did you mean '--model.cell'?"),
        (("train", "--training.step", "5"), "unknown flag '--training.step'; did you mean '--training.steps'?"),
        (("predict", "--run", "r", "--promt", "a"), "unknown flag '--promt'; did you mean '--prompt'?"),
        (("evaluate", "--run", "r", "--model.cell", "mgu"), "evaluate does not take --model.cell"),
        (("train", "--model", "x.yaml"), "'--model' is a group of flags"),
        (("train", "lstm"), "unexpected 'lstm'"),
        (("train", "--training.steps", "many"), "--training.steps must be a whole number, not 'many'"),
        (("train", "--training.steps=1.5"), "--training.steps must be a whole number, not '1.5'"),
        (("train", "--model.residual", "perhaps"), "--model.residual must be true or false, not 'perhaps'"),
        (("train", "--training.optimizer", "adm"), "must be one of sgd, adam, adamw, rmsprop, not 'adm'"),
        (("train", "--data.parts", "half"), "--data.parts must be a list, each item a number, not 'half'"),
        (("train", "--model.dropout", "2"), "model.dropout must be at least 0 and below 1, not 2"),
        (("train", "--training.steps"), "expected one argument"),
        (("evaluate",), "evaluate needs --run (run folder)"),
        (("export", "--run", "r"), "export needs --to"),
        (("finetune", "--run", "r"), "finetune needs --from"),
    ],
)
def test_wrong_flags_end_in_one_line(argv: tuple[str, ...], message: str) -> None:
    text = failure(*argv)
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model:\n  cel: lstm\n", "line 2: unknown key 'model.cel'; did you mean 'model.cell'?"),
        ("cell: lstm\n", "line 1: unknown key 'cell'; did you mean 'model.cell'?"),
        ("model: 3\n", "line 1: model must hold `key: value` lines"),
        ("- model\n", "line 1: the file must hold `key: value` lines"),
        ("seed: 1\nseed: 2\n", "line 2: 'seed' occurs twice"),
        ("seed: 1\n\ntraining:\n  steps: many\n", "line 4: training.steps must be a whole number, not 'many'"),
        ("training: {optimizer: 5}\n", "line 1: training.optimizer must be one of sgd, adam, adamw, rmsprop, not '5'"),
        ("pipeline: other\n", "line 1: this is for the pipeline 'other', not 'toy'"),
        ("model: {cell: [\n", "not YAML"),
        ("seed: !!python/object/apply:os.getcwd []\n", "line 1: seed: what stands there is no value"),
        ("model:\n  units: 0\n", "model.units must be at least 1, not 0"),
    ],
)
def test_wrong_files_end_in_one_line_with_the_place(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(content)
    text = failure("train", "--config", str(path))
    assert message in text
    assert "\n" not in text


def test_unreadable_files_say_so(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "No such file" in failure("train", "--config", str(tmp_path / "missing.yaml"))
    assert "not UTF-8" in failure("train", "--config", str(binary))
    assert "Is a directory" in failure("train", "--config", str(tmp_path))


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    path: Any = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert parse("train", "--config", str(path)).config == Config()


def test_configurations_go_by_name_and_may_be_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnapps.tasks.text_generation.pipeline import PIPELINE
    from rnnapps.verbs.configure import read_configuration
    from rnnapps.verbs.pipelines import configurations

    monkeypatch.chdir(tmp_path)
    demo = read_configuration(PIPELINE, configurations(PIPELINE)["demo"])
    quick = read_configuration(PIPELINE, configurations(PIPELINE)["quick"])
    Path("mine.yaml").write_text("seed: 7\n")
    argv = ["--config", "quick", "--config=demo", "--config", "mine.yaml"]
    found = parse_arguments(PIPELINE, "train", argv)
    assert found.given == {*quick, *demo, "seed"}
    both = {**quick, **demo, "seed": 7}  # of several files the last counts
    assert {key: value for key, value in flatten(found.config).items() if key in both} == both
    assert parse_arguments(PIPELINE, "train", ["--config", "demo"]).given == set(demo)
