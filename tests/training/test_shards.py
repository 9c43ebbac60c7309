"""A batch shared by several workers: their rows, losses, random draws and updates are those of one."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.objective import Objective
from rnnapps.errors import ConfigError, WorkerLost
from rnnapps.layers.dropout import Dropout
from rnnapps.training.joint_moments import joint_moments
from rnnapps.training.shards import SHARE, sharded_batches
from rnnapps.training.signals import StopNow
from rnnapps.training.trainer import TrainingModel
from rnnapps.training.workers import JointWorkers, Workers
from tests.training import tiny

CONFIG = dataclasses.replace(tiny.CONFIG, compile="graph", optimizer="sgd", warmup_steps=0, clip_norm=0.1)


def masked_loss(outputs: Any, batch: Any) -> Any:
    valid = tf.cast(batch["targets"] > 0, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["targets"], outputs["logits"])
    return tf.reduce_sum(losses * valid) / tf.maximum(tf.reduce_sum(valid), 1.0)


def masked(network: keras.Model) -> Objective:
    """0 is padding, of which some rows have more than others."""
    terms = lambda batch: tf.math.count_nonzero(batch["targets"])  # noqa: E731
    return dataclasses.replace(tiny.objective(network), loss=masked_loss, terms=terms)


def test_parts_are_the_rows_of_the_batch_and_shares_those_of_its_terms() -> None:
    objective = masked(tiny.build_bigram())
    whole = next(iter(objective.batches(3)))
    parts = [next(iter(sharded_batches(objective, index=index, count=2)(3))) for index in range(2)]
    np.testing.assert_array_equal(np.concatenate([part["targets"] for part in parts]), whole["targets"])
    np.testing.assert_array_equal(
        np.concatenate([part["inputs"]["tokens"] for part in parts]), whole["inputs"]["tokens"]
    )
    assert [bool(part["reset"]) for part in parts] == [bool(whole["reset"])] * 2
    counts = [np.count_nonzero(part["targets"]) for part in parts]
    assert counts[0] != counts[1]
    np.testing.assert_allclose([part[SHARE] for part in parts], np.array(counts) / sum(counts), rtol=1e-6)


def test_rows_that_cannot_be_shared_evenly_are_refused() -> None:
    with pytest.raises(ConfigError, match="batch_size 4 cannot be shared evenly by 3 workers; take 3 or 6"):
        sharded_batches(tiny.objective(tiny.build_bigram()), index=0, count=3)
    with pytest.raises(ConfigError, match="batch_size 4 cannot be shared evenly by 8 workers; take 8"):
        sharded_batches(tiny.objective(tiny.build_bigram()), index=0, count=8)


def test_tensors_without_the_rows_of_the_batch_are_refused() -> None:
    def with_table(start: int) -> tf.data.Dataset:
        return tiny.batches(5, start).map(lambda batch: {**batch, "table": tf.zeros((3, 4))})

    objective = dataclasses.replace(tiny.objective(tiny.build_bigram()), batches=with_table)
    with pytest.raises(
        ConfigError, match=r"table of the batches has the shape \(3, 4\), but what workers share must be"
    ):
        sharded_batches(objective, index=0, count=2)


class InThreads(Workers):
    """Two workers in two threads of one process."""

    def __init__(self, index: int, barrier: threading.Barrier, slots: dict[int, Any]) -> None:
        self.index, self.count, self.barrier, self.slots = index, 2, barrier, slots

    def sum(self, vector: Any) -> Any:
        self.slots[self.index] = vector
        self.barrier.wait(60)
        total = self.slots[0] + self.slots[1]
        self.barrier.wait(60)
        return total


def by_two(work: Callable[[Workers], Any]) -> list[Any]:
    """What two workers have done, eagerly: a graph would have no threads left for one that waits."""
    barrier, slots = threading.Barrier(2), {}
    tf.config.run_functions_eagerly(True)
    try:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda index: work(InThreads(index, barrier, slots)), range(2)))
    finally:
        tf.config.run_functions_eagerly(False)


def network_with_dropout() -> keras.Model:
    """As `tiny.build_network`, with the package's own dropout, whose masks know their part of the batch."""
    keras.utils.set_random_seed(1)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    state = keras.Input((tiny.UNITS,), name="state")
    embedded = Dropout(0.3, name="dropout")(keras.layers.Embedding(tiny.VOCABULARY, tiny.UNITS)(tokens))
    recurrent = keras.layers.SimpleRNN(tiny.UNITS, return_sequences=True, return_state=True)
    outputs, last = recurrent(embedded, initial_state=state)
    logits = keras.layers.Dense(tiny.VOCABULARY, name="logits")(outputs)
    return keras.Model({"tokens": tokens, "states": [state]}, {"logits": logits, "states": [last]})


def test_two_workers_make_the_update_of_one() -> None:
    """Weighted by counts, dropout drawn for the whole batch, clipped after the sum, states of the own rows."""
    networks = [network_with_dropout() for _ in range(3)]
    objective = masked(networks[2])
    streams = [sharded_batches(objective, index=index, count=2)(0) for index in range(2)] + [objective.batches(0)]
    batches = [list(stream.take(2)) for stream in streams]

    def updated(workers: Workers, number: int) -> TrainingModel:
        spec = streams[number].element_spec
        model = TrainingModel(networks[number], masked_loss, CONFIG, spec, workers=workers)
        for batch in batches[number]:
            model.train_step(batch)
        return model

    alone, models = updated(Workers(), 2), by_two(lambda workers: updated(workers, workers.index))
    assert float(alone.last_norm) > CONFIG.clip_norm  # or clipping would not be tried
    np.testing.assert_allclose(models[0].last_loss, alone.last_loss, rtol=1e-6)
    np.testing.assert_allclose(models[0].last_norm, alone.last_norm, rtol=1e-5)
    for own, other, expected in zip(*(model.network.weights for model in (*models, alone)), strict=True):
        np.testing.assert_array_equal(own, other)
        np.testing.assert_allclose(own, expected, atol=1e-7)
    states = np.concatenate([model.carried[0].numpy() for model in models])
    np.testing.assert_allclose(states, alone.carried[0].numpy(), atol=1e-6)


def test_batch_normalisation_takes_the_moments_of_all_rows() -> None:
    """Outputs, moving statistics and gradients of two parts, against one layer that sees the whole batch."""
    values = np.random.default_rng(3).normal(size=(8, 5, 3)).astype(np.float32) * [1, 2, 3] + [4, 0, -1]
    inputs, wanted = tf.constant(values, tf.float32), tf.constant(values[..., ::-1] ** 2, tf.float32)
    source = keras.Input((5, 3))
    models = [keras.Model(source, keras.layers.BatchNormalization(momentum=0.7)(source)) for _ in range(3)]

    def seen(model: keras.Model, rows: slice) -> tuple[Any, Any]:
        own = inputs[rows]
        with tf.GradientTape() as tape:
            tape.watch(own)
            outputs = model(own, training=True)
            loss = tf.reduce_sum(outputs * wanted[rows])
        return outputs, tape.gradient(loss, own)

    def joint(workers: Workers) -> tuple[Any, Any]:
        with joint_moments(models[workers.index], workers):
            return seen(models[workers.index], slice(4 * workers.index, 4 * workers.index + 4))

    outputs, gradient = seen(models[2], slice(0, 8))
    parts = by_two(joint)
    np.testing.assert_allclose(np.concatenate([part[0] for part in parts]), outputs, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([part[1] for part in parts]), gradient, atol=1e-4)
    for own, expected in zip(models[0].weights, models[2].weights, strict=True):
        np.testing.assert_allclose(own, expected, atol=1e-5)


def test_xla_and_joint_moments_are_refused_together() -> None:
    source = keras.Input((6,), dtype="int32", name="tokens")
    embedded = keras.layers.BatchNormalization(name="normal")(keras.layers.Embedding(7, 4)(source))
    network = keras.Model({"tokens": source}, {"logits": keras.layers.Dense(7)(embedded)})
    spec = tiny.batches(5, 0).element_spec
    config, waits = dataclasses.replace(CONFIG, compile="xla"), InThreads(0, threading.Barrier(1), {})
    with pytest.raises(ConfigError, match="compile xla: normal takes its mean and variance from the rows of all"):
        TrainingModel(network, tiny.loss, config, spec, workers=waits)
    assert not TrainingModel(network, tiny.loss, CONFIG, spec, workers=waits).compiles


class Said(JointWorkers):
    """Two workers in one process, one after the other: what the first says the second hears."""

    def __init__(self, index: int, words: list[Any]) -> None:
        self.index, self.count, self.words = index, 2, words

    def _sum_of_words(self, vector: Any) -> Any:
        if self.chief:
            self.words.append(vector)
            return vector
        assert not np.any(vector)
        return self.words.pop(0)


def test_what_the_chief_finds_all_know() -> None:
    words: list[Any] = []
    chief, other = Said(0, words), Said(1, words)
    assert chief.by_chief(lambda: {"step": 3, "name": "é"}) == {"step": 3, "name": "é"}
    assert other.by_chief(lambda: pytest.fail("called by another than the chief")) == {"step": 3, "name": "é"}
    with pytest.raises(StopNow):
        chief.by_chief(lambda: (_ for _ in ()).throw(StopNow()))
    with pytest.raises(StopNow):
        other.by_chief(dict)
    with pytest.raises(ConfigError, match="the disk"):
        chief.by_chief(lambda: (_ for _ in ()).throw(ConfigError("the disk is full")))
    with pytest.raises(WorkerLost, match="worker 0 of 2 has ended: the disk is full"):
        other.by_chief(dict)


def test_variables_take_the_bits_of_the_chief() -> None:
    words: list[Any] = []
    values = [np.array([[-0.0, np.nan, 1e-45]], np.float32), np.array([True, False, True]), np.array(2**31, np.uint32)]
    his = [keras.Variable(value, dtype=value.dtype.name) for value in values]
    own = [keras.Variable(np.zeros_like(value), dtype=value.dtype.name) for value in values]
    Said(0, words).share(his)
    Said(1, words).share(own)
    for value, variable in zip(values, own, strict=True):
        assert variable.numpy().tobytes() == value.tobytes()


def test_a_lost_worker_is_one_line() -> None:
    with (
        pytest.raises(
            WorkerLost, match=r"worker 1 of 2: another worker has ended .*UnavailableError.*; start all of them"
        ) as caught,
        Said(1, []).together(),
    ):
        raise tf.errors.UnavailableError(None, None, "Socket\nclosed")
    assert "\n" not in str(caught.value)
