"""One cell learns one probe, from several seeds: the network is compiled once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell
from rnnapps.certificates.probes import Probe
from rnnapps.certificates.subjects import READOUT_UNITS, Certified, parameters_of, units_within
from rnnapps.layers import Recurrent
from rnnapps.types import Array, Tensor

__all__ = ["Trial", "trials"]

ROWS, VALIDATED_ROWS, TESTED_ROWS = 32, 64, 256
LEARNING_RATE = 0.01
EVERY, GOOD_ENOUGH, IN_A_ROW = 50, 0.98, 2
"""Validation after so many updates; training ends when so good a score came so many times in a row."""


@dataclass(frozen=True)
class Trial:
    """What came of one seed.

    Attributes:
        seed: of weights and training data.
        units: of the cell.
        parameters: of the cell and of the readout's hidden layer.
        measure: share of right answers, or mean squared error where the answer is a number; of the gradient, what is
            left of its norm.
        score: 0 to 1, see `Probe`.
        updates: training steps that it took.
        seconds: time that it took, compilation of the first seed among it.
    """

    seed: int
    units: int
    parameters: int
    measure: float
    score: float
    updates: int
    seconds: float


def trials(subject: Certified, probe: Probe, *, parameters: int, seeds: Iterable[int]) -> Iterator[Trial]:
    """Trains from each seed, and yields each result as it comes.

    Args:
        subject: the cell.
        probe: what it learns.
        parameters: the most that the cell and the readout's hidden layer may have.
        seeds: of weights and training data. Validation and test data are the same for all.
    """
    features = probe.draw(np.random.default_rng(0), 1, probe.steps)[0].shape[-1]
    units = units_within(subject.make, features, parameters)
    begun, network = time.perf_counter(), _Network(subject.make(units), probe, features)
    for seed in seeds:
        updates = network.train(_weights(subject.make(units), probe, features, seed), seed)
        measure = network.measured(np.random.default_rng(TEST_SEED), TESTED_ROWS, probe.tested)
        seconds, begun = time.perf_counter() - begun, time.perf_counter()
        yield Trial(seed, units, network.parameters, measure, probe.score(measure), updates, seconds)


TEST_SEED, VALIDATION_SEED = 1_000_003, 1_000_033


def _model(cell: Cell, probe: Probe, features: int) -> keras.Model:
    """The cell, and a readout with one hidden layer: what the state holds can be told from it."""
    model = keras.Sequential(
        [
            Recurrent(cell, return_sequences=True),
            keras.layers.Dense(READOUT_UNITS, activation="gelu"),
            keras.layers.Dense(probe.outputs),
        ]
    )
    model.build((None, None, features))
    return model


def _weights(cell: Cell, probe: Probe, features: int, seed: int) -> list[Array]:
    """Initial values of all weights."""
    keras.utils.set_random_seed(seed)
    values: list[Array] = _model(cell, probe, features).get_weights()
    return values


class _Network:
    """A network, the programs that train and measure it, and its optimizer.

    Args:
        cell: a new cell.
        probe: what it learns.
        features: of the inputs.
    """

    def __init__(self, cell: Cell, probe: Probe, features: int) -> None:
        self._probe, self._model = probe, _model(cell, probe, features)
        self.parameters = parameters_of(cell, features)
        rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, probe.updates, alpha=0.1)
        self._optimizer = keras.optimizers.Adam(rate, clipnorm=1.0)
        self._optimizer.build(self._model.trainable_variables)
        self._fresh = [variable.numpy() for variable in self._optimizer.variables]
        self._update = tf.function(self._updated, jit_compile=True, autograph=False)
        self._answers = tf.function(
            lambda inputs: self._model(inputs, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec((None, None, features))],
        )

    def train(self, weights: list[Array], seed: int) -> int:
        """Trains from these weights, until it is good enough or the updates are used up; returns their number."""
        self._model.set_weights(weights)
        for variable, value in zip(self._optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        random, good = np.random.default_rng(seed), 0
        for update in range(1, self._probe.updates + 1):
            steps = self._probe.steps_at(update - 1)
            self._update(*map(tf.constant, self._probe.draw(random, ROWS, steps)))
            if update % EVERY == 0:
                validation = np.random.default_rng(VALIDATION_SEED)
                measure = self.measured(validation, VALIDATED_ROWS, self._probe.validated)
                good = good + 1 if self._probe.score(measure) >= GOOD_ENOUGH else 0
                if good == IN_A_ROW:
                    return update
        return self._probe.updates

    def _updated(self, inputs: Tensor, targets: Tensor) -> None:
        """One update."""
        with tf.GradientTape() as tape:
            answers = self._model(inputs, training=True)
            loss = (
                tf.reduce_mean((answers[:, -1, 0] - targets) ** 2) if self._probe.is_number else _nats(answers, targets)
            )
        variables = self._model.trainable_variables
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def measured(self, random: np.random.Generator, rows: int, steps: int) -> float:
        """Share of right answers, or mean squared error, on new rows."""
        inputs, targets = self._probe.draw(random, rows, steps)
        answers = np.asarray(self._answers(tf.constant(inputs)))
        if self._probe.is_number:
            return float(np.mean((answers[:, -1, 0] - targets) ** 2))
        answers, targets = answers[:, self._probe.scored_from :], targets[:, self._probe.scored_from :]
        return float(np.mean((answers.argmax(axis=-1) == targets)[targets >= 0]))


def _nats(answers: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the answers that are asked for."""
    asked = tf.cast(targets >= 0, answers.dtype)
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), answers)
    return tf.reduce_sum(nats * asked) / tf.reduce_sum(asked)
