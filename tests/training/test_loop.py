"""The loop: it learns, guards against NaN, stops early, keeps the best, and fails in one clear line."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.errors import CheckpointError, ConfigError, TrainingDiverged
from rnnapps.training.checkpoint import checkpoint_steps, read_checkpoint
from rnnapps.training.loop import train
from rnnapps.training.pause import Pause
from rnnapps.training.progress import BarDisplay, LineDisplay, describe, make_display
from rnnapps.training.run import RunFolder
from rnnapps.training.state import load_weights, read_weights, restore_best
from tests.training import tiny

GRAPH = dataclasses.replace(tiny.CONFIG, compile="graph")
METRIC = "validation_nats_per_token"


def fit(folder: Path, config: TrainingConfig = GRAPH, **changes: Any) -> tuple[keras.Model, dict[str, Any]]:
    network = tiny.build_bigram()
    objective = dataclasses.replace(tiny.objective(network), **changes)
    return network, train(RunFolder(folder), network, objective, config, seed=5, fingerprint={}, progress=False)


def bits(folder: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """All that the last state holds, and the metrics without times."""
    run = RunFolder(folder)
    arrays, _ = read_checkpoint(run.state_dir, checkpoint_steps(run.state_dir)[-1])
    rows = [{name: row[name] for name in row if name != "elapsed_seconds"} for row in run.read_metrics()]
    # Keras counts models and optimizers of a process in the paths of their variables; group and position say which.
    return {"/".join(key.split("/")[:2]): array.tobytes() for key, array in arrays.items()}, rows


def rested(folder: Path, pause: Pause) -> dict[str, Any]:
    network = tiny.build_bigram()
    task = tiny.objective(network)
    return train(RunFolder(folder), network, task, GRAPH, seed=5, fingerprint={}, progress=False, pause=pause)


def scripted(values: list[float]) -> Callable[[], dict[str, float]]:
    """A validation that returns given values one after the other."""
    remaining = iter(values)
    return lambda: {METRIC: next(remaining)}


def poisoned(at: int) -> Callable[[int], tf.data.Dataset]:
    """Batches whose weight, which multiplies the loss, is NaN at one step (from 0) and 1 elsewhere."""

    def weigh(step: tf.Tensor, batch: dict[str, Any]) -> dict[str, Any]:
        return {**batch, "weight": tf.where(step == at, np.nan, 1.0)}

    return lambda first: tf.data.Dataset.zip(tf.data.Dataset.range(first, 10**9), tiny.batches(5, first)).map(weigh)


def weighted_loss(outputs: Any, batch: Any) -> Any:
    return tiny.loss(outputs, batch) * tf.cast(batch["weight"], tf.float32)


def test_learns_the_task_to_its_entropy(tmp_path: Path) -> None:
    """Every token leaves two equally likely successors: ln 2 = 0.693 nats; guessing costs ln 7 = 1.946."""
    config = dataclasses.replace(GRAPH, steps=300, evaluate_every=150, learning_rate=0.03)
    _, summary = fit(tmp_path, config)
    assert 0.6 < summary[METRIC] < 0.85
    rows = RunFolder(tmp_path).read_metrics()
    assert [row["step"] for row in rows] == [150, 300]
    assert 0 < rows[0]["elapsed_seconds"] < rows[1]["elapsed_seconds"] == pytest.approx(summary["elapsed_seconds"], 0.2)
    assert rows[1]["learning_rate"] == pytest.approx(0.03 * 1 / 295, rel=1e-3)


def test_nan_is_stopped_with_its_step_and_the_last_good_state(tmp_path: Path) -> None:
    network = tiny.build_bigram()
    objective = dataclasses.replace(tiny.objective(network), loss=weighted_loss, batches=poisoned(16))
    run = RunFolder(tmp_path)
    with pytest.raises(TrainingDiverged, match=r"step 17: .* weights of step 10 .*learning_rate \(now 0\.02\)") as info:
        train(run, network, objective, GRAPH, seed=5, fingerprint={}, progress=False)
    assert "clip_norm" in str(info.value)
    assert "\n" not in str(info.value)
    assert checkpoint_steps(run.state_dir)[-1] == 10
    held = {weight.path: weight.numpy() for weight in network.weights}
    step, stored = read_weights(run, "last")
    assert step == 10
    for path, value in held.items():
        np.testing.assert_array_equal(value, stored[path])
    cured = dataclasses.replace(objective, batches=poisoned(-1))
    lower = dataclasses.replace(GRAPH, learning_rate=0.01)
    summary = train(run, network, cured, lower, seed=5, fingerprint={}, progress=False)
    assert summary["step"] == 40


def test_validation_that_is_not_finite_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(TrainingDiverged, match="step 20: validation_nats_per_token is nan; the weights of step 10"):
        fit(tmp_path, validate=scripted([1.0, float("nan")]))
    assert checkpoint_steps(tmp_path / "state") == [0, 10]


def test_patience_stops_and_the_best_is_kept(tmp_path: Path) -> None:
    config = dataclasses.replace(GRAPH, steps=100, patience=3)
    network, summary = fit(tmp_path, config, validate=scripted([2.0, 1.0, 1.5, 1.2, 1.1]))
    run = RunFolder(tmp_path)
    assert summary == {**summary, "step": 50, "best_step": 20, METRIC: 1.0, "stopped": "patience"}
    assert checkpoint_steps(run.state_dir) == [20, 40, 50]
    at_20 = dict(zip((w.path for w in network.weights), (w.numpy() for w in fit_until_20(tmp_path)), strict=True))
    assert restore_best(run, network) == 20
    for weight in network.weights:
        np.testing.assert_array_equal(weight.numpy(), at_20[weight.path])
    assert load_weights(run, network, which="last") == 50
    assert any((weight.numpy() != at_20[weight.path]).any() for weight in network.weights)
    _, again = fit(tmp_path, config, validate=scripted([]))  # nothing left to do: not one evaluation
    assert again["step"] == 50


def test_the_highest_value_is_the_best_where_higher_is_better(tmp_path: Path) -> None:
    config = dataclasses.replace(GRAPH, steps=100, patience=3)
    _, summary = fit(tmp_path, config, validate=scripted([1.0, 3.0, 2.0, 2.5, 0.5]), higher_is_better=True)
    assert summary == {**summary, "step": 50, "best_step": 20, METRIC: 3.0, "stopped": "patience"}


def fit_until_20(tmp_path: Path) -> list[Any]:
    """Weights after the first 20 of 100 steps: a second run, stopped by its patience at step 20."""
    config = dataclasses.replace(GRAPH, steps=100, patience=1)
    network, _ = fit(tmp_path / "other", config, validate=scripted([1.0, 2.0]))
    return list(network.weights)


def test_more_steps_go_on_from_the_end(tmp_path: Path) -> None:
    constant = dataclasses.replace(GRAPH, schedule="constant", steps=25)
    fit(tmp_path / "a", constant)
    longer = dataclasses.replace(constant, steps=40)
    resumed, summary = fit(tmp_path / "a", longer)
    assert [row["step"] for row in RunFolder(tmp_path / "a").read_metrics()] == [10, 20, 25, 30, 40]
    straight, expected = fit(tmp_path / "b", longer)
    assert summary[METRIC] == expected[METRIC]
    for mine, theirs in zip(resumed.weights, straight.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 6}, r"trained with seed = 5, now it is 6"),
        ({"fingerprint": {"data": "b"}}, r"trained with data = 'a', now it is 'b'"),
        ({"fingerprint": {"data": "b"}, "when_changed": {"data": "new data"}}, r"new data$"),
        ({"config": dataclasses.replace(GRAPH, optimizer="sgd")}, r"trained with optimizer = 'adam', now it is 'sgd'"),
    ],
)
def test_resuming_something_else_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    network = tiny.build_bigram()
    arguments: dict[str, Any] = {"config": dataclasses.replace(GRAPH, steps=1), "seed": 5, "fingerprint": {"data": "a"}}
    run, objective = RunFolder(tmp_path), tiny.objective(network)
    train(run, network, objective, progress=False, **arguments)
    with pytest.raises(ConfigError, match=message):
        train(run, network, objective, progress=False, **{**arguments, **changes})


def test_state_of_another_network_is_refused(tmp_path: Path) -> None:
    fit(tmp_path, dataclasses.replace(GRAPH, steps=1))
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="other")], name="sequential")
    with pytest.raises(
        CheckpointError, match=r"does not fit this model: for sequential/other/kernel float32 \[3, 2\] it holds emb"
    ):
        load_weights(RunFolder(tmp_path), other, which="last")


def test_weights_of_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no saved state"):
        load_weights(RunFolder(tmp_path), tiny.build_bigram())


def test_full_disk_while_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny.build_bigram()
    objective = tiny.objective(network)

    def validate() -> dict[str, float]:
        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", fail)
        return {METRIC: 1.0}

    run, failing = RunFolder(tmp_path), dataclasses.replace(objective, validate=validate)
    with pytest.raises(CheckpointError, match="No space left on device"):
        train(run, network, failing, GRAPH, seed=5, fingerprint={}, progress=False)
    monkeypatch.undo()
    summary = train(run, network, objective, GRAPH, seed=5, fingerprint={}, progress=False)
    undisturbed = fit(tmp_path / "undisturbed")[1]
    assert summary[METRIC] == undisturbed[METRIC]


def test_finite_stream_is_a_clear_error(tmp_path: Path) -> None:
    with (
        pytest.warns(UserWarning, match="ran out of data"),
        pytest.raises(ValueError, match="ended before step 4"),
    ):
        fit(tmp_path, batches=lambda first: tiny.batches(5, first).take(3))


def test_tensorboard_events_hold_the_metrics(tmp_path: Path) -> None:
    fit(tmp_path, dataclasses.replace(GRAPH, steps=10, tensorboard=True))
    (file,) = (tmp_path / "tensorboard").iterdir()
    events = [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]
    values = {value.tag: float(tf.make_ndarray(value.tensor)) for event in events for value in event.summary.value}
    row = RunFolder(tmp_path).read_metrics()[0]
    assert values == pytest.approx({name: value for name, value in row.items() if name != "step"}, rel=1e-6)


def test_samples_of_each_evaluation(tmp_path: Path) -> None:
    fit(tmp_path, dataclasses.replace(GRAPH, steps=20), samples=lambda: ["one", "two"])
    expected = [{"step": 10, "samples": ["one", "two"]}, {"step": 20, "samples": ["one", "two"]}]
    assert RunFolder(tmp_path).read_samples() == expected


def test_progress_lines() -> None:
    row = {"step": 20, "elapsed_seconds": 1.25, METRIC: 1.23456, "loss": 2.0, "note": None}
    line = describe(row, 40, best=True)
    assert line == "step 20/40  1.2 s  validation_nats_per_token 1.235  loss 2  best"
    stream = io.StringIO()
    display = make_display(True, stream)
    assert isinstance(display, LineDisplay)
    with display:
        display.start(0, 40)
        display.update(3, 1.5)
        display.note(line)
    assert stream.getvalue() == line + "\n"


def test_progress_bar_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    display = make_display(True, stream)
    assert isinstance(display, BarDisplay)
    with display:
        display.start(0, 40)
        display.update(3, 1.5)
        display.note("resuming [bold]literally[/bold]")
    assert "resuming [bold]literally[/bold]" in stream.getvalue()
    assert "3/40" in stream.getvalue()
    assert "loss 1.5000" in stream.getvalue()


def test_objective_without_states_trains(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,), name="x")
    network = keras.Model({"x": inputs}, {"y": keras.layers.Dense(1, name="y")(inputs)})
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")
    batch = {"inputs": {"x": x}, "targets": y, "reset": False}

    def loss(outputs: Any, batch: Any) -> Any:
        return tf.reduce_mean(tf.square(outputs["y"] - batch["targets"]))

    objective = Objective(
        loss=loss,
        batches=lambda first: tf.data.Dataset.from_tensors(batch).repeat(),
        validate=lambda: {"mse": float(loss(network({"x": x}), batch))},
        metric="mse",
    )
    config = dataclasses.replace(GRAPH, steps=200, evaluate_every=100, learning_rate=0.1)
    summary = train(RunFolder(tmp_path), network, objective, config, seed=0, fingerprint={}, progress=False)
    assert summary["mse"] < 1e-3


def test_a_training_that_rests_at_steps_ends_with_the_same_bits(tmp_path: Path) -> None:
    fit(tmp_path / "whole")
    pieces = [rested(tmp_path / "rested", Pause(step)) for step in (10, 30, None)]
    assert [(piece["step"], piece["stopped"]) for piece in pieces] == [(10, "pause"), (30, "pause"), (40, "steps")]
    assert bits(tmp_path / "rested") == bits(tmp_path / "whole")


def test_a_training_that_rests_between_evaluations_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(tmp_path / "whole")
    asked = iter([*[False] * 17, *[True] * 9])
    with monkeypatch.context() as patch:
        patch.setattr(Pause, "is_due", lambda pause: next(asked))
        first = rested(tmp_path / "rested", Pause())
    assert first["stopped"] == "pause"
    assert 10 < first["step"] < 20
    assert [row["step"] for row in RunFolder(tmp_path / "rested").read_metrics()] == [10]
    assert rested(tmp_path / "rested", Pause())["stopped"] == "steps"
    assert bits(tmp_path / "rested") == bits(tmp_path / "whole")


def test_a_pause_that_is_over_trains_nothing(tmp_path: Path) -> None:
    assert rested(tmp_path, Pause(deadline=0.0))["step"] == 0
    assert RunFolder(tmp_path).read_metrics() == []
