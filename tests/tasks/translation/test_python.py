"""Translation from Python: pairs and sentences in, translations with scores out; the same as by the command line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import rnnapps
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.pairs import Pair
from rnnapps.tasks.translation.data.splits import read_pair_splits
from rnnapps.tasks.translation.pipeline import Config
from rnnapps.tasks.translation.translated import TranslatedSentence
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.tasks.command import skip_report
from tests.tasks.cuts import from_standard_input
from tests.tasks.translation.sentences import SETTINGS, answer, succeed, write_pairs

STEPS: dict[str, Any] = {"steps": 20, "evaluate_every": 20}
FLAGS = ("--training.steps=20", "--training.evaluate_every=20")


def of_python(flags: tuple[str, ...]) -> dict[str, Any]:
    """Flags as keyword arguments."""
    pairs = (flag.removeprefix("--").split("=") for flag in flags)
    return {name: yaml.safe_load(value) for name, value in pairs}


def texts_of(path: Path) -> list[tuple[str, str]]:
    lines = (line.split("\t") for line in path.read_text("utf-8").splitlines())
    return [(source, target) for source, target in lines]


@pytest.fixture(autouse=True)
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("python") / "toy.tsv", 120)


@pytest.fixture(scope="module")
def model(file: Path) -> Iterator[rnnapps.Model[Config, Any, Any]]:
    """Trained from memory."""
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        run = file.parent / "memory"
        yield rnnapps.train("translation", texts_of(file), run=run, **of_python(SETTINGS), **STEPS)


def bits(run: Path) -> dict[str, bytes]:
    return {path: array.tobytes() for path, array in read_weights(RunFolder(run), "last")[1].items()}


def test_pairs_in_memory_train_as_their_file_does(model: rnnapps.Model, file: Path, tmp_path: Path) -> None:
    succeed("train", "--run", tmp_path / "run", "--data.source", file, *SETTINGS, *FLAGS)
    assert bits(model.path) == bits(tmp_path / "run")
    assert model.config.data.source == "memory" and model.config.training.carry_state is False


def test_a_translation_has_its_score_and_alternatives_if_they_are_wanted(model: rnnapps.Model) -> None:
    best, result = model.predict("gol wif."), model.predict("gol wif.", n_best=2)
    assert isinstance(best, TranslatedSentence) and best.sentence == "gol wif." and best.alternatives == ()
    assert best.text == str(best) and best.score < 0
    first, second = result.alternatives
    assert (first.text, first.score) == (result.text, result.score) == (best.text, pytest.approx(best.score))
    assert first.score > second.score and second.text != first.text


def test_sentences_of_a_list_are_those_of_standard_input(
    model: rnnapps.Model, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = ["tep nar.", "", "kos kos kos mul."]
    results = model.predict(sentences)
    assert [each.sentence for each in results] == sentences and results[1].text == ""
    assert [each.text for each in model.predict(pd.Series(sentences))] == [each.text for each in results]
    assert model.predict([]) == []
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{sentence}\n" for sentence in sentences)))
    assert answer(capsys, "predict", "--run", model.path)["results"] == [each.text for each in results]


def test_a_stream_answers_each_sentence_as_it_comes(
    model: rnnapps.Model, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def coming() -> Iterator[str]:
        for sentence in ("mul tep.", "nar mul."):
            read.append(sentence)
            yield sentence

    stream = model.stream(coming())
    first = next(stream)
    assert read == ["mul tep."] and first.text == model.predict("mul tep.").text
    texts = [first.text, *(each.text for each in stream)]
    monkeypatch.setattr("sys.stdin", io.StringIO("mul tep.\nnar mul.\n"))
    capsys.readouterr()
    succeed("stream", "--run", model.path)
    assert capsys.readouterr().out == "".join(f"{text}\n" for text in texts)
    assert [each.text for each in model.stream("nar mul.")] == texts[1:]


def test_the_search_may_be_another(model: rnnapps.Model, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match=r"n_best must be from 1 to decoding\.beam_width \(5\), not 7"):
        model.predict("kos mul.", n_best=7)
    wide = model.predict("kos mul.", n_best=7, decoding={"beam_width": 7})
    assert len(wide.alternatives) == 7
    assert model.config.decoding.beam_width == 5
    flags = ("--sentence", "kos mul.", "--n_best", 7, "--decoding.beam_width", 7)
    (listed,) = answer(capsys, "predict", "--run", model.path, *flags)["results"]
    translations = [{"text": each.text, "score": each.score} for each in wide.alternatives]
    assert listed == {"sentence": "kos mul.", "translations": translations}


@pytest.mark.slow
def test_an_export_translates_as_the_run_does(model: rnnapps.Model, tmp_path: Path) -> None:
    exported = rnnapps.load(model.export(tmp_path / "toy"))
    sentences = ["kos mul.", "tep nar gol."]
    for ours, theirs in zip(exported.predict(sentences, n_best=2), model.predict(sentences, n_best=2), strict=True):
        assert (ours.sentence, ours.text) == (theirs.sentence, theirs.text)
        assert ours.score == pytest.approx(theirs.score, rel=1e-5)


@pytest.mark.slow
def test_scores_need_the_pairs_again_after_loading(model: rnnapps.Model, file: Path) -> None:
    narrow = model.evaluate(decoding={"beam_width": 1})  # settings of the search need no pairs again
    assert narrow.metrics["bleu"] == pytest.approx(float(narrow.diagnostics["greedy_bleu"]))
    assert not (model.path / "evaluation.json").exists()  # it is not the run's own
    loaded = rnnapps.load(model.path)
    with pytest.raises(DataError, match=r"data\.source memory: the data of this run were given from Python"):
        loaded.evaluate()
    assert loaded.evaluate(texts_of(file), decoding={"beam_width": 1}).metrics == narrow.metrics


@pytest.mark.slow
def test_finetuning_on_other_pairs(model: rnnapps.Model, tmp_path: Path) -> None:
    new = texts_of(write_pairs(tmp_path / "new.tsv", 100, seed=1, extra={"blip": "moon", "zorr": "über"}))
    tuned = model.finetune(new, run=tmp_path / "tuned", steps=2, evaluate_every=2)
    assert tuned.preprocessor.source.size == model.preprocessor.source.size + 2
    assert tuned.predict("blip.").sentence == "blip."


PAIRS = [(f"kos {n}", f"red {n}") for n in range(20)]


@pytest.mark.parametrize(
    "given",
    [
        PAIRS,
        tuple(map(list, PAIRS)),
        iter(PAIRS),
        np.array(PAIRS),
        pd.DataFrame(PAIRS, columns=["en", "de"]),
        [(f" {source}", f"{target}\n") for source, target in PAIRS],
    ],
    ids=["list", "lists", "iterator", "array", "frame", "white space around"],
)
def test_pairs_come_in_any_form(given: Any, tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS))
    ours, theirs = read_pair_splits(PairDataConfig("memory"), given), read_pair_splits(PairDataConfig(str(file)))
    assert (ours.train, ours.validation, ours.test) == (theirs.train, theirs.validation, theirs.test)
    assert ours.digest() == theirs.digest() and ours.source == "memory"


def test_splits_may_be_given_apart() -> None:
    frame = pd.DataFrame({"de": ["eins"], "en": ["one"]})
    splits = read_pair_splits(PairDataConfig("memory", reverse=True), {"train": PAIRS, "validation": frame})
    assert splits.validation == [Pair("one", "eins")]  # turned as those of files are
    assert splits.test is not None and len(splits.train) + len(splits.test) == 20 and len(splits.test) == 1
    own = read_pair_splits(PairDataConfig("memory"), {"train": PAIRS, "validation": PAIRS[:2], "test": PAIRS[2:3]})
    assert (len(own.train), len(own.validation), own.test) == (20, 2, [Pair(*PAIRS[2])])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([("a", "b"), ("c",)], "memory: train[1] is ('c',); give pairs (sentence, translation), or a frame of two"),
        ([("a", "b", "c")], "memory: train[0] is ('a', 'b', 'c')"),
        (["ab"], "memory: train[0] is 'ab'; give pairs"),
        ([3], "memory: train[0] is 3; give pairs"),
        ([{"de": "a", "en": "b"}], "memory: train[0] is {'de': 'a', 'en': 'b'}; give pairs"),
        ([("a", 3)], "memory: train[0][1] is of type int; each must be a text (str)"),
        ([("caf\udce9", "b")], "memory: train[0][0] has '\\udce9' at index 3, which is no Unicode character"),
        ([("a", "b"), (" ", "b")], "memory: train[1] has no sentence; give both sides, or remove the pair"),
        ([("a", "")], "memory: train[0] has no translation"),
        ([("a", "b" * 20_001)], "memory: train[0] has a translation of 20,001 characters; at most 20,000 are read"),
        (pd.DataFrame({"de": ["a"]}), "memory: train has the columns de; choose two: sentences and their translations"),
        (pd.DataFrame({"de": ["a"], "en": [np.nan]}), "memory: train[0][1] is of type float"),
        (7, "memory: train is of type int; give pairs"),
        ({"de": "en"}, "memory: train is of type dict; give pairs"),
        ([], "memory: train holds no sentence pair"),
        ({"train": PAIRS, "validation": []}, "memory: validation holds no sentence pair"),
        ([("a", "b")], "memory: has 1 different sentences; 2 are held out, none are left to learn"),
    ],
)
def test_wrong_pairs_are_one_line(given: Any, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        read_pair_splits(PairDataConfig("memory"), given)
    assert problem in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        (["a", 3], "inputs: sentence[1] is of type int; each must be a text (str)"),
        (3, "inputs: sentence is of type int; give a text or a list of texts"),
        (["a", "x" * 20_001], "inputs: sentence[1] has 20,001 characters; at most 20,000 are translated; cut it into"),
        ("\ud800", "inputs: sentence has '\\ud800' at index 0, which is no Unicode character"),
    ],
)
def test_wrong_sentences_are_one_line(model: rnnapps.Model, inputs: Any, problem: str) -> None:
    for call in (model.predict, lambda inputs: list(model.stream(inputs))):
        with pytest.raises(DataError) as caught:
            call(inputs)
        assert problem in str(caught.value) and "\n" not in str(caught.value)


def test_a_stream_heeds_how_many_translations_are_wanted(model: rnnapps.Model) -> None:
    (result,) = model.stream("kos mul.", n_best=2)
    assert len(result.alternatives) == 2
    with pytest.raises(ConfigError, match=r"n_best must be from 1 to decoding\.beam_width \(5\), not 9"):
        next(model.stream("kos mul.", n_best=9))


def test_a_stream_of_lines_goes_on_from_its_state(model: rnnapps.Model, tmp_path: Path) -> None:
    text = b"mul tep.\nnar mul.\nkos mul.\n"
    whole = from_standard_input(model, [text], None)
    for cut in (0, 4, 9, 10, len(text)):
        assert from_standard_input(model, [text[:cut], text[cut:]], tmp_path / str(cut)) == whole


def test_a_line_that_is_no_text_is_named_by_its_number(model: rnnapps.Model) -> None:
    with pytest.raises(DataError, match="standard input: line 3 is not UTF-8 text"):
        from_standard_input(model, [b"mul tep.\n\n\xff\nnar mul.\n"], None)
