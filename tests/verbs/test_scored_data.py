"""What is scored, what the baselines learn from, and what is said of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from rnnapps.contract.pipeline import Pipeline
from rnnapps.tasks.text_generation.data.text import TextSplits, joined
from rnnapps.tasks.text_generation.pipeline import PIPELINE
from rnnapps.training.run import RunFolder
from rnnapps.verbs.configure import configure
from rnnapps.verbs.scored_data import examples_to_score
from tests.cli.tiny_pipeline import Circle

SAME = "the baselines learned from the same training data as the model."


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """The configuration of a model that was trained on one text; another text lies beside it."""
    (tmp_path / "own.txt").write_text("our words " * 20)
    (tmp_path / "other.txt").write_text("quite another text " * 20)
    return configure(PIPELINE, {}, {"data.source": str(tmp_path / "own.txt")})


@pytest.fixture
def run(own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Its run, of which nothing but the fingerprint of the data is asked for."""
    digest = PIPELINE.examples(own).digest()
    monkeypatch.setattr("rnnapps.verbs.scored_data.trained_digest", lambda folder: digest if folder else None)
    return RunFolder(tmp_path)


def changed(own: Any, **data: Any) -> Any:
    return dataclasses.replace(own, data=dataclasses.replace(own.data, **data))


def test_the_models_own_data_need_no_word(own: Any, run: RunFolder) -> None:
    splits, note = examples_to_score(PIPELINE, own, own, folder=run)
    assert note == "" and joined(splits.train).startswith("our words")
    assert examples_to_score(PIPELINE, own, own, folder=run, own_splits=splits).splits is splits


@pytest.mark.parametrize("exported", [False, True])
def test_another_source_is_told_and_baselines_know_what_the_model_knows(
    own: Any, run: RunFolder, tmp_path: Path, exported: bool
) -> None:
    other = str(tmp_path / "other.txt")
    folder = None if exported else run
    splits, note = examples_to_score(PIPELINE, own, changed(own, source=other), folder=folder)
    assert joined(splits.train).startswith("our words") and "words" in joined(splits.validation)
    assert "another" in joined(splits.test) and "words" not in joined(splits.test)
    expected = f"Scored on other data than the model's own (data.source {other}, not {tmp_path}/own.txt); {SAME}"
    assert note == expected


def test_another_test_leaves_the_training_data(own: Any, run: RunFolder, tmp_path: Path) -> None:
    splits, note = examples_to_score(PIPELINE, own, changed(own, test=str(tmp_path / "other.txt")), folder=run)
    assert joined(splits.train).startswith("our words") and "another" in joined(splits.test)
    assert f"(data.test {tmp_path}/other.txt, not None); {SAME}" in note


def test_data_from_python(own: Any, run: RunFolder, tmp_path: Path) -> None:
    memory = changed(own, source="memory")
    splits, note = examples_to_score(PIPELINE, own, memory, folder=run, given=["new words, " * 30])
    assert joined(splits.train).startswith("our words") and "new" in joined(splits.test)
    assert note == f"Scored on other data than the model's own; {SAME}"
    again = examples_to_score(PIPELINE, own, memory, folder=run, given=["our words " * 20])
    assert again.note == ""  # the same as it was trained on


def test_what_the_model_learned_from_may_be_gone(own: Any, run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "own.txt").unlink()
    splits, note = examples_to_score(PIPELINE, own, changed(own, source=str(tmp_path / "other.txt")), folder=run)
    assert joined(splits.train).startswith("quite")
    assert "baselines learned from the training part of these data, since those of the model cannot be read." in note


def test_a_source_that_was_written_anew_is_told(own: Any, run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("words of a later day " * 20)
    note = examples_to_score(PIPELINE, own, own, folder=run).note
    assert note == f"The data of this run (data.source {tmp_path}/own.txt) have changed since it was trained."


def test_mixing_takes_training_and_validation_of_the_model() -> None:
    own, other = TextSplits("a", "b", "c", "own"), TextSplits("d", "e", None, "other")  # type: ignore[arg-type]
    mixed = Pipeline.with_training_of(PIPELINE, other, own)
    assert mixed == TextSplits("a", "b", "e", "other")  # type: ignore[arg-type]
    assert Pipeline.with_training_of(PIPELINE, dataclasses.replace(other, test="f"), own).test == "f"
    assert Pipeline.with_training_of(PIPELINE, Circle("abc", "x"), Circle("def", "y")) is None
