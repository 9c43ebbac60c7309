"""Data and preprocessing: the same every time, and grown by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.vocabulary import VocabularyChange
from rnnapps.testing.pipelines.subject import QUICK, PipelineSubject, weights
from rnnapps.training.finetune import transfer
from rnnapps.types import Array
from rnnapps.verbs.configure import configure
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.look import look_at_data

__all__ = ["check_batches", "check_growth", "check_look", "check_preprocessor"]


def check_batches(subject: PipelineSubject) -> None:
    """Reading twice gives the same data, and the same step the same batch, wherever a stream of batches begins."""
    again = read_examples(subject.pipeline, subject.config)
    assert again.digest() == subject.splits.digest(), "reading the source twice gives different digests"
    objective = subject.pipeline.objective(subject.fitted, subject.splits)
    first = list(objective.batches(0).take(3).as_numpy_iterator())
    _require_same(first[2], next(iter(objective.batches(2).as_numpy_iterator())), "batch 2, where a stream begins")
    _require_same(first[0], next(iter(objective.batches(0).as_numpy_iterator())), "batch 0, read again")
    fresh = subject.pipeline.objective(subject.fitted, again)
    _require_same(first[1], list(fresh.batches(0).take(2).as_numpy_iterator())[1], "batch 1 of data read again")


def check_look(subject: PipelineSubject) -> None:
    """`data` says what was understood, as text, JSON and a page, without training and of what training reads."""
    report = look_at_data(subject.pipeline, subject.config)
    assert report.source == subject.splits.source, f"look() calls the data {report.source!r}, not as its splits do"
    names = [part.name for part in report.parts]
    assert names == [name for name in ("train", "validation", "test") if name in names], f"look() has the parts {names}"
    page = subject.folder / "data.html"
    code, printed, errors = subject.command("data", *subject.flags(), "--json", "--html", str(page))
    assert code == 0, f"data --json fails: {errors}"
    assert json.loads(printed) == {**json.loads(json.dumps(report.as_dict())), "html": str(page)}, "data says it twice"
    assert page.read_bytes().startswith(b"<!DOCTYPE html>"), "data --html writes no page"
    code, printed, errors = subject.command("data", *subject.flags())
    assert code == 0 and report.source in printed, f"data prints no text: {errors}"
    silent = [caution.text for caution in report.cautions if caution.text not in printed]
    assert not silent, f"data does not print its cautions: {silent}"


def check_preprocessor(subject: PipelineSubject) -> None:
    """A preprocessor that was saved and loaded writes the same files and makes the same batches."""
    pipeline, preprocessor = subject.pipeline, subject.fitted.preprocessor
    saved, again = subject.folder / "preprocessor", subject.folder / "preprocessor_again"
    for folder in (saved, again):
        folder.mkdir()
    preprocessor.save(saved)
    loaded = pipeline.load_preprocessor(saved)
    loaded.save(again)
    assert _contents(saved) == _contents(again), "a preprocessor that was saved and loaded saves other files"
    assert _contents(saved), "the preprocessor's save() writes nothing"
    first, second = (
        next(iter(pipeline.objective(Fitted(subject.config, found, subject.fitted.network), subject.splits).batches(1)))
        for found in (preprocessor, loaded)
    )
    _require_same(first, second, "a batch by a loaded preprocessor")


def check_growth(subject: PipelineSubject) -> None:
    """Fine-tuning on other data keeps every weight, and what a vocabulary indexes by its name."""
    pipeline = subject.pipeline
    config = configure(pipeline, {}, {**QUICK, **subject.settings, **subject.other})
    old = subject.fitted.preprocessor
    new = pipeline.grow_preprocessor(config, old, read_examples(pipeline, config))
    network = pipeline.build_model(config, new)
    source = weights(subject.fitted.network)
    changes = pipeline.vocabulary_changes(network, old, new)
    report = transfer(network, source, vocabularies=changes)
    assert not report.reset, f"fine-tuning loses weights: {dict(report.reset)}"
    grown = weights(network)
    indexed = {path: (change, axis) for change in changes for path, axis in change.axes.items()}
    for path, before in source.items():
        if path in indexed:
            change, axis = indexed[path]
            _require_known_rows(path, before, grown[path], change=change, axis=axis)
        elif path in report.loaded:
            assert np.array_equal(before, grown[path]), f"{path}: changes in fine-tuning before any update"


def _require_known_rows(path: str, before: Array, after: Array, *, change: VocabularyChange, axis: int) -> None:
    places = {name: place for place, name in enumerate(change.new)}
    shared = [(place, places[name]) for place, name in enumerate(change.old) if name in places]
    assert shared, f"{path}: its vocabulary shares no entry with the source's"
    assert after.shape[axis] == len(change.new), f"{path}: has {after.shape[axis]} entries for {len(change.new)} names"
    old, new = (np.array(column) for column in zip(*shared, strict=True))
    same = np.array_equal(np.take(before, old, axis), np.take(after, new, axis))
    assert same, f"{path}: known entries lose their weights in fine-tuning"


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def _require_same(expected: Any, found: Any, what: str) -> None:
    tf.nest.assert_same_structure(expected, found)
    for one, other in zip(tf.nest.flatten(expected), tf.nest.flatten(found), strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other)), f"{what}: differs; make it a function of step"
