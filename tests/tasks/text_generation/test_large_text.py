"""Texts that are larger than memory may be: everything made of them is that of the same texts in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.data.text.stored_ids import StoredIds
from rnnapps.errors import DataError
from rnnapps.tasks.text_generation.data import on_disk, text_parts
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.text import joined, read_splits
from rnnapps.tasks.text_generation.held_text import naive_scores
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.tasks.text_generation.pipeline import PIPELINE, Config
from rnnapps.tasks.text_generation.tokens import stretches
from tests.tasks.text_generation.small import SETTINGS, succeed, untrained, weights_at, write_words

MEMORY, DISK = {"memory_megabytes": 500}, {"memory_megabytes": 0}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(on_disk, "LONG_FILE", 3_000)


@pytest.fixture(params=["file", "folder", "lines"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A long file; a folder of long and short ones; JSON lines."""
    if request.param == "file":
        return str(write_words(tmp_path / "a.txt", 2500))
    if request.param == "folder":
        folder = tmp_path / "texts"
        folder.mkdir()
        for number in range(40):
            write_words(folder / f"{number:02}.txt", 700 if number % 19 == 3 else 15, seed=number)
        (folder / "empty.txt").write_text("")
        (folder / "05.txt").write_text("\n\n a line \n\n\n\n")
        return str(folder)
    texts = [write_words(tmp_path / "x", count, seed=count).read_text() + "\n" for count in range(1, 70)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(tmp_path / "a.jsonl")


def both(source: str, **settings: Any) -> list[Any]:
    """The splits in memory and on disk."""
    return [read_splits(TextDataConfig(source, **settings, **where)) for where in (MEMORY, DISK)]


def test_the_splits_are_the_same(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    memory, disk = both(source, test_fraction=0.07, validation_fraction=0.15)
    assert isinstance(disk.train, StoredText) and "are read from the cache folder, not kept in memory" in (
        capsys.readouterr().err
    )
    for part in ("train", "validation", "test"):
        assert joined(getattr(disk, part)) == joined(getattr(memory, part)), part
    assert [text.decode() for text in memory.train.as_numpy_iterator()] == [str(piece) for piece in disk.train]
    assert disk.digest() == memory.digest() != both(source)[1].digest()
    assert joined(disk.train, most=9) == joined(memory.train)[-9:]


@pytest.mark.parametrize("tokens", ["characters", "subwords"])
def test_batches_and_models_are_the_same_bit_for_bit(tokens: str, tmp_path: Path, monkeypatch: Any) -> None:
    for name, size in (("SHORTEST", 64), ("MOSTLY", 90), ("LONGEST", 300)):
        monkeypatch.setattr(stretches, name, size)
    source = str(write_words(tmp_path / "a.txt", 4000))
    fitted, batches = [], []
    for where in (MEMORY, DISK):
        settings = TextDataConfig(source, tokens=tokens, vocabulary=90, **where)  # type: ignore[arg-type]
        config = Config(settings)
        splits = PIPELINE.examples(config)
        model = untrained(config, splits)
        objective = PIPELINE.objective(model, splits)
        fitted.append(model.preprocessor)
        batches.append([batch for batch, _ in zip(objective.batches(3).as_numpy_iterator(), range(3), strict=False)])
        if where is DISK:
            assert isinstance(model.preprocessor.vocabulary.encode_stored(splits.train), StoredIds)
    assert fitted[0].vocabulary.texts == fitted[1].vocabulary.texts
    assert (fitted[0].grams is None) == (tokens == "subwords")
    if fitted[0].grams is not None:
        np.testing.assert_array_equal(fitted[0].grams.counts, fitted[1].grams.counts)
    for first, second in zip(*batches, strict=True):
        np.testing.assert_array_equal(first["inputs"]["tokens"], second["inputs"]["tokens"])
        np.testing.assert_array_equal(first["targets"], second["targets"])
        assert first["reset"] == second["reset"]


def test_baselines_are_the_same(source: str) -> None:
    scores = []
    for splits in both(source):
        vocabulary = PIPELINE.fit_preprocessor(
            Config(TextDataConfig(source), TextModelConfig(blend="none")), splits
        ).vocabulary
        scores.append(naive_scores(vocabulary, splits.train, splits.validation))
    assert scores[0].keys() == scores[1].keys() and len(scores[0]) == 2
    for name, score in scores[0].items():
        np.testing.assert_array_equal(score.losses, scores[1][name].losses)


def test_records_that_cannot_be_read_are_told_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text('{"text": "some words"}\n' * 300 + "{no record\n")
    for _ in range(2):
        splits = read_splits(TextDataConfig(str(source), **DISK))
        assert [bad.problem.split(":")[0] for bad in splits.skipped] == ["line 301 is no JSON"]
        assert "1 of 301 documents cannot be read" in capsys.readouterr().err
    with pytest.raises(DataError, match="line 301 is no JSON"):
        read_splits(TextDataConfig(str(source), on_bad="refuse", **DISK))


def test_a_look_at_a_text_on_disk(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, disk = (PIPELINE.look(Config(TextDataConfig(source, **where))) for where in (MEMORY, DISK))
    assert disk.facts.pop("looked at, of training").endswith("evenly spread; and all for copies and characters")
    assert (disk.facts, disk.parts, disk.counts) == (memory.facts, memory.parts, memory.counts)


def test_lines_of_held_out_text_that_training_knows_are_found(tmp_path: Path) -> None:
    line = "a line that is long enough not to be there twice by chance"
    write_words(tmp_path / "a.txt", 500)
    text = (tmp_path / "a.txt").read_text()
    (tmp_path / "a.txt").write_text(f"{text}\n{line}\n{text}{text}\n{line}\n")
    told = [own.text for own in PIPELINE.look(Config(TextDataConfig(str(tmp_path / "a.txt"), **DISK))).cautions]
    assert any("1 of 2 validation lines of 40 characters and more are in training too" in own for own in told), told


def test_no_more_is_held_out_of_a_long_text_than_can_be_scored(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_parts, "MOST_HELD_OUT", 500)
    for splits in both(source, validation_fraction=0.5):
        assert 300 <= len(joined(splits.validation)) <= 700


@pytest.mark.slow
@pytest.mark.usefixtures("without_report")
def test_a_run_may_move_its_text_to_disk_and_goes_on_bit_for_bit(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = (*SETTINGS, "--training.compile=graph", "--training.schedule=constant", "--training.evaluate_every=2")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder, steps, megabytes in ((whole, 4, 500), (parts, 2, 500), (parts, 4, 0)):
        flags = (*quick, "--training.steps", steps, "--data.memory_megabytes", megabytes)
        succeed("train", "--run", folder, "--data.source", text, *flags)
    told = capsys.readouterr().err
    assert "data.memory_megabytes changes from 500 to 0" in told and "resuming at step 2" in told
    left, right = weights_at(whole, 4), weights_at(parts, 4)
    assert all(left[name].tobytes() == right[name].tobytes() for name in left | right)
