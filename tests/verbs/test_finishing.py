"""After the last update: means of states, and models trained anew on all rows; resumed runs end the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnapps
from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError
from rnnapps.training.checkpoint import checkpoint_steps, read_checkpoint
from rnnapps.training.run import RunFolder
from rnnapps.training.session import Session
from rnnapps.training.state import TrainState, read_weights
from tests.cli.tiny_pipeline import TINY
from tests.tasks.command import skip_report
from tests.verbs.joined import SETTINGS, Joined, fit
from tests.verbs.tiny import install

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)
    install(monkeypatch)


class Best4(Joined):
    """Of the states of steps 2, 4 and 6 that of step 4 validates best, then that of step 2."""

    best = 4


class Best6(Joined):
    """The later, the better."""

    best = 6


def states(folder: Path) -> dict[int, list[Array]]:
    """The network's weights at each step whose state is kept."""
    run = RunFolder(folder)
    found = {step: read_checkpoint(run.state_dir, step)[0] for step in checkpoint_steps(run.state_dir)}
    return {step: [own for key, own in arrays.items() if key.startswith("network/")] for step, arrays in found.items()}


def final(folder: Path) -> list[Array]:
    """What a reader of the run finds."""
    return list(read_weights(RunFolder(folder))[1].values())


def same(ours: list[Array], theirs: list[Array]) -> bool:
    return all(np.array_equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


def test_states_to_be_averaged_are_kept_beside_the_newest_and_the_best() -> None:
    state = TrainState()
    for step, value in enumerate([5.0, 3.0, 4.0, 1.0, 2.0], start=1):
        state.step = step
        state.record(value, kept=2)
    assert state.kept == [(4, 1.0), (5, 2.0)]
    for step, value in enumerate([5.0, 3.0, 4.0], start=6):
        state.step = step
        state.record(value, kept=3, averaged="last")
    assert [step for step, _ in state.kept] == [6, 7, 8]
    state.step = 9
    state.record(9.0, kept=2, higher_is_better=True)
    assert state.kept == [(9, 9.0), (6, 5.0)]
    state.record(8.0)
    assert state.kept == []


@pytest.mark.parametrize("averaged, steps", [("best", [4, 2]), pytest.param("last", [4, 6], marks=pytest.mark.slow)])
def test_the_mean_of_states_is_kept_where_it_is_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, averaged: str, steps: list[int]
) -> None:
    values = iter([2.0, 1.0, 3.0, 0.5])
    monkeypatch.setattr(Best4, "objective", _validated(values))
    model = fit(tmp_path, Best4(), average_states=2, averaged=averaged)
    kept = states(tmp_path)
    expected = [
        np.mean([own.astype(float) for own in each], axis=0) for each in zip(*(kept[s] for s in steps), strict=True)
    ]
    for mine, theirs in zip(final(tmp_path), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    for mine, own in zip(final(tmp_path), model.network.weights, strict=True):
        np.testing.assert_array_equal(mine, np.asarray(own))
    loaded = rnnapps.verbs.start.Model(Best4(), rnnapps.verbs.opening.open_model(Best4(), tmp_path, model.config))
    assert loaded.predict("a") == model.predict("a")


@pytest.mark.slow
def test_the_best_state_stays_where_the_mean_is_no_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Best4, "objective", _validated(iter([2.0, 1.0, 3.0, 1.0])))
    model = fit(tmp_path, Best4(), average_states=3)
    assert same(final(tmp_path), states(tmp_path)[4])
    assert same([np.asarray(own) for own in model.network.weights], final(tmp_path))


@pytest.mark.slow
def test_training_that_goes_on_does_so_from_its_own_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was averaged in between ends bit for bit like one that was not."""
    for name in ("straight", "resumed"):
        monkeypatch.setattr(Best6, "objective", _validated(iter([4.0, 3.0, 2.0, 1.0, 0.9, 0.8, 0.7])))
        if name == "resumed":
            fit(tmp_path / name, Best6(), average_states=2, steps=4)
            assert (tmp_path / name / "final").is_dir()
        fit(tmp_path / name, Best6(), average_states=2)
    straight, resumed = tmp_path / "straight", tmp_path / "resumed"
    assert same(states(straight)[6], states(resumed)[6])
    assert same(final(straight), final(resumed))
    assert not same(final(straight), states(straight)[6])


def test_a_refit_learns_from_all_rows_for_the_updates_of_the_best_step(tmp_path: Path) -> None:
    model = fit(tmp_path / "refit", Best4(), refit=True)

    class Whole(Joined):
        """Trained on what the refit learns from, and no further."""

        def examples(self, config: Any, given: Any = None) -> Any:
            return self.with_validation(super().examples(config, given))

    whole = fit(tmp_path / "whole", Whole(), steps=4)
    assert same(final(tmp_path / "refit"), [np.asarray(own) for own in model.network.weights])
    assert same(final(tmp_path / "refit"), states(tmp_path / "whole")[4])
    assert not same(final(tmp_path / "refit"), states(tmp_path / "refit")[4])
    assert model.config == dataclasses.replace(whole.config, training=model.config.training)
    assert dataclasses.replace(model.config.training, refit=False, steps=4) == whole.config.training


@pytest.mark.slow
def test_a_refit_keeps_what_was_calibrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    class Calibrated(Joined):
        """A bias of the logits that no training changes, and validation sets."""

        def build_model(self, config: Any, preprocessor: Any) -> Any:
            network = super().build_model(config, preprocessor)
            network.get_layer("logits").bias.trainable = False
            return network

        def objective(self, fitted: Any, splits: Any) -> Any:
            own, bias = super().objective(fitted, splits), fitted.network.get_layer("logits").bias
            if len(splits.letters) > 3:  # of the refit: nothing is held out
                return own

            def validate() -> dict[str, float]:
                bias.assign_add(keras.ops.ones_like(bias))
                return own.validate()

            return dataclasses.replace(own, validate=validate)

    model = fit(tmp_path, Calibrated(), refit=True, evaluate_every=6)
    assert np.asarray(model.network.get_layer("logits").bias).tolist() == [1.0, 1.0, 1.0]
    assert not same(final(tmp_path), states(tmp_path)[6])


@pytest.mark.slow
@pytest.mark.parametrize("save", [1, 4, 5, 6])
def test_a_refit_that_was_ended_at_any_save_is_made_as_if_it_had_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: int
) -> None:
    """The process ends before the n-th save of a state: in the run itself, at its end, or in the refit."""
    fit(tmp_path / "straight", Joined(), refit=True)
    saves = 0

    def ending(session: Session) -> None:
        nonlocal saves
        saves += 1
        if saves == save:
            raise KeyboardInterrupt
        saved(session)

    saved = Session.save
    with monkeypatch.context() as patch:
        patch.setattr(Session, "save", ending)
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path / "ended", Joined(), refit=True)
    fit(tmp_path / "ended", Joined(), refit=True)
    assert same(final(tmp_path / "ended"), final(tmp_path / "straight"))
    before = (tmp_path / "ended" / "final").stat().st_mtime_ns
    fit(tmp_path / "ended", Joined(), refit=True)
    assert (tmp_path / "ended" / "final").stat().st_mtime_ns == before


def test_what_cannot_be_refitted_is_refused_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"training.refit: tiny cannot learn from its validation rows too"):
        fit(tmp_path / "run", TINY, refit=True)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match=r"average_states 2 would change nothing: training.refit trains anew"):
        fit(tmp_path / "run", Joined(), refit=True, average_states=2)
    with pytest.raises(ConfigError, match=r"averaged last would change nothing: needs training.average_states"):
        fit(tmp_path / "run", Joined(), averaged="last")
    with pytest.raises(ConfigError, match=r"training.average_states must be 0, or from 2 to 50, not 1"):
        TrainingConfig(average_states=1)


def test_training_and_validation_examples_are_joined_where_they_are_lists() -> None:
    from rnnapps.tasks.translation.data.pairs import PairSplits
    from rnnapps.tasks.translation.pipeline import PIPELINE

    fields = {"source": "x", "read": 2, "dropped": {}, "test": None}
    splits = PairSplits(**{**fields, "train": [1, 2], "validation": (3,)})  # type: ignore[arg-type]
    whole = PIPELINE.with_validation(splits)
    assert whole is not None and list(whole.train) == [1, 2, 3] and list(whole.validation) == [3]


def test_validation_rows_are_given_back_to_their_series() -> None:
    from rnnapps.data.series.config import SeriesDataConfig
    from rnnapps.data.series.given_series import given_series
    from rnnapps.data.series.series import SeriesPart, SplitSeries

    first, second, other = given_series([np.arange(9.0)] * 3, SeriesDataConfig())
    parts = SplitSeries(
        [SeriesPart(first, 0, 5), SeriesPart(second, 0, 4)],
        [SeriesPart(first, 5, 7), SeriesPart(other, 2, 6)],
        [SeriesPart(first, 7, 9)],
    )
    whole = parts.with_validation()
    assert [(part.series.name, part.start, part.stop) for part in whole.train] == [
        (first.name, 0, 7),
        (second.name, 0, 4),
        (other.name, 2, 6),
    ]
    assert whole.validation == parts.validation and whole.test == parts.test


SERIES = {
    "forecasting": {"units": 4, "history_steps": 12, "horizon_steps": 3, "calendar": "none"},
    "anomaly_detection": {"units": 4},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SERIES)
def test_detectors_and_forecasters_are_refitted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are trained are others than those of the best state, and what was calibrated is its own."""
    monkeypatch.undo()
    skip_report(monkeypatch)
    rows = 50 + 10 * np.sin(np.arange(400)[:, None] / 3 + [0, 1]) + np.random.default_rng(0).normal(size=(400, 2))
    settings = {**SETTINGS, "steps": 4, "batch_size": 8, "tensorboard": False}
    model = rnnapps.train(name, rows, run=tmp_path, model=SERIES[name], refit=True, **settings)
    run = RunFolder(tmp_path)
    best, _ = read_weights(run)
    known = {key.split("/", 2)[2]: own for key, own in read_checkpoint(run.state_dir, best)[0].items()}
    same_as_best = {weight.path: np.array_equal(weight, known[weight.path]) for weight in model.network.weights}
    trained = {weight.path for weight in model.network.trainable_variables}
    assert all(same for path, same in same_as_best.items() if path not in trained)
    assert not all(same_as_best[path] for path in trained)
    assert all(np.isfinite(value) for value in model.evaluate().metrics.values())


def _validated(values: Any) -> Any:
    """An objective whose validation gives these values, one after the other."""

    def objective(pipeline: Joined, fitted: Any, splits: Any) -> Any:
        own = TINY.objective(fitted, splits)
        return dataclasses.replace(own, validate=lambda: {own.metric: next(values)})

    return objective
