"""Two classical tasks that need memory, and a small training run on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.cells import GRU, LSTM, Cell
from rnnapps.layers import Recurrent

__all__ = ["adding_batch", "copying_batch", "train"]

Batch = Callable[[np.random.Generator, int], tuple[Any, Any]]


def adding_batch(steps: int) -> Batch:
    """The adding problem, Hochreiter & Schmidhuber 1997: the sum of the two marked of many uniform numbers.

    One number of each half is marked. Answering 1 always gives a mean squared error of 1/6 = 0.167.
    """

    def batch(rng: np.random.Generator, size: int) -> tuple[Any, Any]:
        values, marks, rows = rng.random((size, steps)), np.zeros((size, steps)), np.arange(size)
        marks[rows, rng.integers(0, steps // 2, size)] = 1
        marks[rows, rng.integers(steps // 2, steps, size)] = 1
        return np.stack([values, marks], -1).astype("float32"), (values * marks).sum(1).astype("float32")

    return batch


def copying_batch(gap: int, *, symbols: int = 4, length: int = 3) -> Batch:
    """The copying task, Arjovsky et al. 2016 (arXiv:1511.06464): repeat a few symbols after a gap of blanks.

    Inputs are one-hot symbols, blank and the mark that asks; targets are the symbols at the last `length` steps.
    Guessing gives a cross-entropy of ln(symbols).
    """

    def batch(rng: np.random.Generator, size: int) -> tuple[Any, Any]:
        wanted = rng.integers(0, symbols, (size, length))
        tokens = np.full((size, length + gap + length), symbols)
        tokens[:, :length], tokens[:, -length] = wanted, symbols + 1
        return np.eye(symbols + 2, dtype="float32")[tokens], wanted.astype("int32")

    return batch


def train(
    cells: list[Cell],
    batch: Batch,
    *,
    outputs: int,
    updates: int,
    learning_rate: float = 0.01,
    rows: int = 32,
    span: int = 0,
    seed: int = 1,
) -> float:
    """Trains stacked cells with Adam, gradients clipped to norm 1, and returns the loss on 256 new rows.

    Args:
        cells: the cells, the first layer first.
        batch: makes (inputs `(rows, time, features)`, targets); real targets `(rows,)` are answered by the last
            step with a squared error, integer targets `(rows, length)` by the last steps with a cross-entropy.
        outputs: number of outputs of a step.
        updates: number of training steps.
        learning_rate: the peak of a rate that falls to zero along a cosine.
        rows: rows of a training batch.
        span: start the gates so that they remember up to so many steps; 0 leaves the cell's own initial values.
        seed: of the initial weights and the training batches.
    """
    keras.utils.set_random_seed(seed)
    rng, test = np.random.default_rng(seed), batch(np.random.default_rng(1000), 256)
    model = keras.Sequential([*(Recurrent(cell, return_sequences=True) for cell in cells), keras.layers.Dense(outputs)])
    model.build((rows, *test[0].shape[1:]))
    if span:
        for cell in cells:
            _start_gates_slow(cell, span, rng)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, updates), clipnorm=1.0)
    optimizer.build(model.trainable_variables)

    def loss(inputs: Any, targets: Any) -> Any:
        results = model(inputs, training=True)
        if targets.dtype == tf.float32:
            return tf.reduce_mean((results[:, -1, 0] - targets) ** 2)
        last = results[:, -targets.shape[1] :]
        return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(targets, last, from_logits=True))

    @tf.function(jit_compile=True, autograph=False)
    def update(inputs: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(inputs, targets)
        optimizer.apply_gradients(
            zip(tape.gradient(value, model.trainable_variables), model.trainable_variables, strict=True)
        )

    for _ in range(updates):
        update(*(tf.constant(array) for array in batch(rng, rows)))
    return float(loss(*(tf.constant(array) for array in test)))


def _start_gates_slow(cell: Cell, span: int, rng: np.random.Generator) -> None:
    """Chrono initialisation, Tallec & Ollivier 2018 (arXiv:1804.11188): the gates' time scales span 1 to `span`."""
    bias, units = cell.bias.numpy(), cell.output_size
    slow = np.log(rng.uniform(1, span - 1, units))
    if isinstance(cell, LSTM):
        bias[: 2 * units] = np.concatenate([-slow, slow])
    elif isinstance(cell, GRU):
        bias[0, :units] = slow
    else:
        bias[:units] = -slow
    cell.bias.assign(bias)
