"""Text generation from Python: texts and prompts in, continuations out; the same as by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnnapps
from rnnapps.errors import ConfigError, DataError, RnnappsError
from rnnapps.tasks.text_generation.continuation import Continuation
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.text import joined, read_splits
from rnnapps.tasks.text_generation.pipeline import Config
from tests.tasks.command import skip_report
from tests.tasks.cuts import interrupted
from tests.tasks.text_generation.small import SETTINGS, answer, succeed, weights_at, write_words

SMALL: dict[str, Any] = {
    "model": {"units": 32, "embedding_units": 16},
    "batch_size": 16,
    "window_steps": 32,
    "warmup_steps": 10,
    "learning_rate": 0.02,
    "tensorboard": False,
    "compile": "graph",
    "steps": 40,
    "evaluate_every": 40,
}
"""What `small.SETTINGS` says, for enough steps that a prompt matters."""


@pytest.fixture(autouse=True)
def no_report(without_report: None) -> None:
    """Reports are tested with the command line."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_words(tmp_path_factory.mktemp("python") / "words.txt", 1200)


@pytest.fixture(scope="module")
def model(file: Path) -> Iterator[rnnapps.Model[Config, Any, Any]]:
    """Trained from memory."""
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        yield rnnapps.train("text_generation", [file.read_text("utf-8")], run=file.parent / "memory", **SMALL)


def test_texts_in_memory_train_as_their_file_does(model: rnnapps.Model, file: Path, tmp_path: Path) -> None:
    flags = ("--training.compile=graph", "--training.steps=40", "--training.evaluate_every=40")
    succeed("train", "--run", tmp_path / "run", "--data.source", file, *SETTINGS, *flags)
    ours, theirs = weights_at(model.path, 40), weights_at(tmp_path / "run", 40)
    assert ours.keys() == theirs.keys() and all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)
    assert model.config.data.source == "memory"


def test_predictions_are_those_of_the_command_line(model: rnnapps.Model, capsys: pytest.CaptureFixture[str]) -> None:
    result = model.predict("zoo ", length=40, temperature=1.0, seed=5)
    assert isinstance(result, Continuation) and result.prompt == "zoo " and len(result.text) == 40
    flags = ("--prompt", "zoo ", "--length", 40, "--temperature", 1.0, "--seed", 5)
    assert answer(capsys, "predict", "--run", model.path, *flags)["results"] == [str(result)]
    assert answer(capsys, "predict", "--run", model.path, *flags, "--samples", 3)["results"] == [
        str(each) for each in model.predict("zoo ", length=40, temperature=1.0, seed=5, samples=3)
    ]


def test_prompts_of_a_batch_are_continued_as_each_is_alone(
    model: rnnapps.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = ["zoo ", "", "a much longer prompt, river ", "x"]
    asked: dict[str, Any] = {"length": 30, "temperature": 1.0, "samples": 2, "stop": "oo", "top_p": 0.9}
    alone = [each for prompt in prompts for each in model.predict(prompt, **asked)]
    assert [each.prompt for each in alone] == [prompt for prompt in prompts for _ in range(2)]
    assert len({each.text for each in alone}) > 4
    assert model.predict(prompts, **asked) == alone
    monkeypatch.setattr("rnnapps.tasks.text_generation.prompts.ROWS", 4)  # two prompts at once
    assert model.predict(np.array(prompts), **asked) == alone
    assert model.predict([], **asked) == []
    assert model.predict(pd.Series(["x"]), length=3) == [model.predict("x", length=3)]


def test_a_stream_says_what_predict_says(model: rnnapps.Model) -> None:
    pieces = list(model.stream("zoo", length=45, seed=2))
    assert pieces[0] == "zoo" and len(pieces) > 2
    assert "".join(pieces) == str(model.predict("zoo", length=45, seed=2))


@pytest.mark.slow
def test_an_export_writes_what_the_run_writes(model: rnnapps.Model, tmp_path: Path) -> None:
    exported = rnnapps.load(model.export(tmp_path / "words"))
    asked: dict[str, Any] = {"length": 30, "samples": 2}
    assert exported.predict(["zoo ", "x"], **asked) == model.predict(["zoo ", "x"], **asked)
    assert exported.card.startswith("# Text generation")


def test_scores_need_the_texts_again_after_loading(model: rnnapps.Model, file: Path) -> None:
    evaluation = model.evaluate()
    assert 0 < evaluation.metrics["nats_per_character"] < np.log(40)
    loaded = rnnapps.load(model.path)
    with pytest.raises(DataError, match=r"data\.source memory: the data of this run were given from Python"):
        loaded.evaluate()
    assert loaded.evaluate([file.read_text("utf-8")]).metrics == evaluation.metrics
    assert loaded.evaluate(data=file).metrics == evaluation.metrics


@pytest.mark.slow
def test_finetuning_on_other_texts(model: rnnapps.Model, tmp_path: Path) -> None:
    texts = ["Ångström and zoo. " * 90, "More of it: zoo, river. " * 60]
    tuned = model.finetune(texts, run=tmp_path / "tuned", steps=2, evaluate_every=2, batch_size=4)
    assert tuned.preprocessor.size > model.preprocessor.size
    assert tuned.config.model == model.config.model
    assert tuned.predict("Å", length=5).prompt == "Å"


@pytest.mark.parametrize("shape", [list, tuple, iter, pd.Series, lambda texts: np.array(texts, object)])
def test_texts_come_in_any_sequence(shape: Any) -> None:
    texts = ["one\r\ntwo\r", "\ufeffthree " * 3, ""]
    splits = read_splits(TextDataConfig(source="memory", validation_fraction=0.25, hold_out="end"), shape(texts))
    whole = "one\ntwo\n\nthree \ufeffthree \ufeffthree "
    assert joined(splits.train) + joined(splits.validation) == whole
    assert len(joined(splits.validation)) == len(whole) - int(0.75 * len(whole)) and splits.test is None


def test_texts_are_split_as_a_files_are(file: Path) -> None:
    for config in (TextDataConfig(str(file)), TextDataConfig(str(file), None, 0.2, 0.1)):
        ours = read_splits(config, [file.read_text("utf-8")])
        theirs = read_splits(config)
        assert ours.digest() == theirs.digest()
        assert (ours.test is None) == (theirs.test is None) == (config.test_fraction == 0)
        assert ours.test is None or theirs.test is None or joined(ours.test) == joined(theirs.test)


def test_splits_may_be_given_apart(file: Path) -> None:
    config = TextDataConfig("memory", test_fraction=0.5, hold_out="end")
    splits = read_splits(config, {"train": ["abcd", "efgh"], "validation": "val"})
    assert joined(splits.train) == "abcd\n" and joined(splits.validation) == "val"
    assert splits.test is not None and joined(splits.test) == "\nefgh"
    own = read_splits(config, {"train": "abcd", "validation": ["val"], "test": ["te", "st"]})
    assert own.test is not None and (joined(own.train), joined(own.test)) == ("abcd", "te\n\nst")
    from_file = read_splits(TextDataConfig("memory", test=str(file)), {"train": "abcd" * 5, "test": None})
    assert from_file.test is not None and joined(from_file.test) == file.read_text("utf-8")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["good", 3, "good"], "memory: train[1] is of type int; each must be a text (str)"),
        ([b"bytes"], "memory: train[0] is of type bytes"),
        (["a", float("nan")], "memory: train[1] is of type float"),
        (["a", "caf\udce9"], "memory: train[1] has '\\udce9' at index 3, which is no Unicode character"),
        (7, "memory: train is of type int; give a text or a list of texts"),
        (b"bytes", "memory: train is of type bytes"),
        ({"a": "b"}, "memory: train is of type dict"),
        (pd.DataFrame({"text": ["a"]}), "memory: train is of type DataFrame"),
        ({"train": ["abcd"], "validation": [None]}, "memory: validation[0] is of type NoneType"),
        ({"train": "abcd", "valid": "b"}, "memory: has the splits valid; name them train, validation, test"),
        ([], "memory: the training text has 0 characters, at least 2 are needed"),
        ({"train": "abcd", "validation": []}, "memory: the validation text has 0 characters"),
        ({"train": "abcdefghijklmnopqrst", "test": ""}, "memory: the test text has 0 characters"),
    ],
)
def test_wrong_texts_are_one_line(given: Any, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        read_splits(TextDataConfig("memory"), given)
    assert problem in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        (["a", 3], "inputs: prompt[1] is of type int; each must be a text (str)"),
        (3, "inputs: prompt is of type int; give a text or a list of texts"),
        (b"a", "inputs: prompt is of type bytes"),
        ("caf\udce9", "inputs: prompt has '\\udce9' at index 3, which is no Unicode character"),
    ],
)
def test_wrong_prompts_are_one_line(model: rnnapps.Model, inputs: Any, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        model.predict(inputs)
    assert problem in str(caught.value) and "\n" not in str(caught.value)


def test_a_stream_takes_one_prompt(model: rnnapps.Model) -> None:
    with pytest.raises(DataError, match="inputs: prompt is of type list; each must be a text"):
        next(model.stream(["a", "b"]))


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda model: model.predict("a", length=0), "length must be from 1 to 10,000, not 0"),
        (lambda model: model.predict("a", tempreature=1), "did you mean 'temperature'?"),
        (lambda model: model.predict("a", prompt="b"), "the input is given twice"),
        (lambda model: model.predict("a", stop="\udce9"), "stop must be Unicode text"),
    ],
)
def test_wrong_options_are_one_line(model: rnnapps.Model, call: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call(model)
    assert problem in str(caught.value)


def test_too_few_characters_begin_no_run(tmp_path: Path) -> None:
    with pytest.raises(RnnappsError, match="16 sequences of 32 steps need 513; use more data"):
        rnnapps.train("text_generation", ["a few words"], run=tmp_path / "run", **SMALL)
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_an_interrupted_stream_goes_on_from_its_state(model: rnnapps.Model, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"length": 45, "seed": 2}
    whole = list(model.stream("zoo", **asked))
    for after in range(len(whole) + 1):
        assert interrupted(model, "zoo", tmp_path / str(after), after=after, **asked) == whole
    with pytest.raises(RnnappsError, match="is the state of a stream with seed 2, not 3"):
        model.stream("zoo", state=tmp_path / "1", **{**asked, "seed": 3})
    with pytest.raises(RnnappsError, match="the state is that of a stream of another input"):
        list(model.stream("axe", state=tmp_path / "1", **asked))


def test_a_stream_writes_one_text(model: rnnapps.Model) -> None:
    with pytest.raises(ConfigError, match="stream has no option 'samples': it is one of predict"):
        model.stream("zoo", samples=3)
