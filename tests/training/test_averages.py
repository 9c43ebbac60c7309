"""Averages of weights: what they are, that they are what is judged and kept, and that training goes on without them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.errors import ConfigError, TrainingDiverged
from rnnapps.training.averages import WeightAverages
from rnnapps.training.checkpoint import checkpoint_steps, read_checkpoint
from rnnapps.training.loop import train
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.training import tiny

CONFIG = dataclasses.replace(tiny.CONFIG, compile="graph", schedule="constant", average_decay=0.9)
METRIC = "validation_nats_per_token"


def fit(folder: Path, config: TrainingConfig = CONFIG, **changes: Any) -> keras.Model:
    network = tiny.build_bigram()
    objective = dataclasses.replace(tiny.objective(network), **changes)
    train(RunFolder(folder), network, objective, config, seed=5, fingerprint={}, progress=False)
    return network


def test_averages_by_hand() -> None:
    """The share that stays is 2/11, 3/12, and then the decay itself."""
    weight = keras.Variable([2.0], name="weight")
    averages = WeightAverages([weight], 0.3)
    average = 2.0
    for update, (value, stays) in enumerate(((1.5, 2 / 11), (1.0, 3 / 12), (0.5, 0.3)), start=1):
        weight.assign([value])
        averages.update(update)
        average = stays * average + (1 - stays) * value
        with averages.shown():
            assert float(weight[0]) == pytest.approx(average, rel=1e-6)
            assert float(averages.trained[0][0]) == value
        assert float(weight[0]) == value


def test_without_a_decay_nothing_is_kept() -> None:
    weight = keras.Variable([2.0], name="weight")
    averages = WeightAverages([weight], 0.0)
    averages.update(3)
    with averages.shown():
        assert (float(weight[0]), averages.trained) == (2.0, [])


def test_weights_come_back_when_looking_at_averages_fails() -> None:
    weight = keras.Variable([2.0], name="weight")
    averages = WeightAverages([weight], 0.5)
    weight.assign([4.0])
    with pytest.raises(ZeroDivisionError), averages.shown():
        assert float(weight[0]) == 2.0
        raise ZeroDivisionError
    assert float(weight[0]) == 4.0


def test_what_is_judged_is_what_is_kept(tmp_path: Path) -> None:
    """The metric of the best state is that of the weights that a reader of the run finds, and not of the trained."""
    fit(tmp_path)
    run = RunFolder(tmp_path)
    step, weights = read_weights(run)
    fresh = tiny.build_bigram()
    for weight in fresh.weights:
        weight.assign(weights[weight.path])
    (row,) = (row for row in run.read_metrics() if row["step"] == step)
    assert tiny.objective(fresh).validate()[METRIC] == pytest.approx(row[METRIC], abs=1e-6)
    arrays, _ = read_checkpoint(run.state_dir, step)
    trained = [array for key, array in arrays.items() if key.startswith("trained/")]
    assert len(trained) == len(fresh.trainable_weights)
    assert all((mine != weight.numpy()).any() for mine, weight in zip(trained, fresh.trainable_weights, strict=True))


def test_training_itself_is_that_without_averages(tmp_path: Path) -> None:
    averaged = fit(tmp_path / "averaged")
    plain = fit(tmp_path / "plain", dataclasses.replace(CONFIG, average_decay=0.0))
    for mine, theirs in zip(averaged.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_a_resumed_run_ends_like_one_left_alone(tmp_path: Path) -> None:
    fit(tmp_path / "resumed", dataclasses.replace(CONFIG, steps=25))
    fit(tmp_path / "resumed")
    fit(tmp_path / "straight")
    ends = []
    for name in ("resumed", "straight"):
        folder = RunFolder(tmp_path / name).state_dir
        arrays, _ = read_checkpoint(folder, checkpoint_steps(folder)[-1])
        ends.append({key.rsplit("/", key.count("/") - 1)[0]: array for key, array in arrays.items()})
    assert ends[0].keys() == ends[1].keys()  # group and number: within one process Keras numbers the names anew
    for key, array in ends[0].items():
        np.testing.assert_array_equal(array, ends[1][key], key)


def test_a_run_keeps_its_decay(tmp_path: Path) -> None:
    """One of before there were averages is one without."""
    short = dataclasses.replace(CONFIG, steps=1, average_decay=0.0)
    fit(tmp_path, short)
    with pytest.raises(ConfigError, match=r"trained with average_decay = 0\.0, now it is 0\.9"):
        fit(tmp_path, dataclasses.replace(short, average_decay=0.9))


def test_a_loss_that_is_no_number_goes_back_to_trained_weights(tmp_path: Path) -> None:
    """The run is resumed from the state before, as if nothing had happened."""
    network = tiny.build_bigram()
    objective = tiny.objective(network)

    def poisoned(first: int) -> tf.data.Dataset:
        return objective.batches(first).enumerate(first).map(_with_weight)

    def loss(outputs: Any, batch: Any) -> Any:
        return tiny.loss(outputs, batch) * tf.cast(batch["weight"], tf.float32)

    bad: Objective = dataclasses.replace(objective, batches=poisoned, loss=loss)
    with pytest.raises(TrainingDiverged, match="the weights of step 20 are restored"):
        train(RunFolder(tmp_path / "a"), network, bad, CONFIG, seed=5, fingerprint={}, progress=False)
    fit(tmp_path / "b", dataclasses.replace(CONFIG, steps=20))
    arrays, _ = read_checkpoint(RunFolder(tmp_path / "b").state_dir, 20)
    trained = [array for key, array in arrays.items() if key.startswith("trained/")]
    for mine, array in zip(network.trainable_weights, trained, strict=True):
        np.testing.assert_array_equal(mine.numpy(), array)


def _with_weight(step: tf.Tensor, batch: dict[str, Any]) -> dict[str, Any]:
    return {**batch, "weight": tf.where(step == 24, np.nan, 1.0)}
