"""A small character-like task on a stock Keras SimpleRNN with carried state and dropout, for tests of the loop."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.errors import RnnappsError
from rnnapps.training.loop import train
from rnnapps.training.run import RunFolder
from rnnapps.training.workers import join_workers

LOG = "stderr.txt"
VOCABULARY, UNITS, BATCH, WINDOW = 7, 8, 4, 6
CONFIG = TrainingConfig(
    steps=40,
    evaluate_every=10,
    batch_size=BATCH,
    window_steps=WINDOW,
    learning_rate=0.02,
    warmup_steps=5,
    tensorboard=False,
)


def build_network(*, dropout: float = 0.2, seed: int = 1) -> keras.Model:
    keras.utils.set_random_seed(seed)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    state = keras.Input((UNITS,), name="state")
    embedded = keras.layers.Embedding(VOCABULARY, UNITS, name="embedding")(tokens)
    dropped = keras.layers.Dropout(dropout, name="dropout")(embedded)
    recurrent = keras.layers.SimpleRNN(UNITS, return_sequences=True, return_state=True, name="recurrent")
    outputs, last = recurrent(dropped, initial_state=state)
    logits = keras.layers.Dense(VOCABULARY, name="logits", dtype="float32")(outputs)
    return keras.Model({"tokens": tokens, "states": [state]}, {"logits": logits, "states": [last]})


def build_bigram() -> keras.Model:
    """The next token from the present one alone, all that the task needs; without states, and quick to trace."""
    keras.utils.set_random_seed(1)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embedded = keras.layers.Embedding(VOCABULARY, UNITS, name="embedding")(tokens)
    dropped = keras.layers.Dropout(0.1, name="dropout")(embedded)
    return keras.Model({"tokens": tokens}, {"logits": keras.layers.Dense(VOCABULARY, name="logits")(dropped)})


def loss(outputs: Any, batch: Any) -> Any:
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=batch["targets"], logits=outputs["logits"])
    )


def batches(seed: int, first: int) -> tf.data.Dataset:
    """Each token is the one before plus one or two; the state starts afresh every tenth step."""

    def make(step: tf.Tensor) -> dict[str, Any]:
        jumps = tf.random.stateless_uniform((BATCH, WINDOW + 1), [seed, step], 1, 3, tf.int32)
        tokens = tf.cumsum(jumps, axis=1) % VOCABULARY
        return {"inputs": {"tokens": tokens[:, :-1]}, "targets": tokens[:, 1:], "reset": step % 10 == 0}

    return tf.data.Dataset.range(first, np.iinfo(np.int64).max).map(make)


def objective(network: keras.Model, *, seed: int = 5) -> Objective:
    held_out = next(iter(batches(seed + 1, 0)))

    def validate() -> dict[str, float]:
        states = {"states": [tf.zeros((BATCH, UNITS))]} if "states" in network.input else {}
        outputs = network({**held_out["inputs"], **states}, training=False)
        return {"validation_nats_per_token": float(loss(outputs, held_out))}

    return Objective(
        loss=loss,
        batches=lambda first: batches(seed, first),
        validate=validate,
        metric="validation_nats_per_token",
        samples=lambda: [f"{float(tf.reduce_sum(network.trainable_variables[0].value)):.9f}"],
    )


def main(folder: str, slow_saves: float = 0.0, pause: float = 0.0, config: TrainingConfig = CONFIG) -> None:
    """Trains in a process of its own, as the command line would; what it prints is appended to `LOG`.

    Args:
        folder: the run folder.
        slow_saves: seconds that each fsync and rename of a save takes longer, so that kills hit them.
        pause: seconds that each validation takes longer.
        config: how to train.
    """
    Path(folder).mkdir(exist_ok=True)
    sys.stderr = open(Path(folder) / LOG, "a", buffering=1)  # noqa: SIM115  (for the life of the process)
    for name in ("fsync", "replace"):
        setattr(os, name, _slowly(getattr(os, name), slow_saves))
    workers = join_workers(config)
    network = build_network()
    task = objective(network)
    validate = _slowly(task.validate, pause)
    task = Objective(task.loss, task.batches, validate, task.metric, task.samples)
    try:
        train(
            RunFolder(Path(folder)),
            network,
            task,
            config,
            seed=5,
            fingerprint={},
            resume_command="train again",
            workers=workers,
        )
    except RnnappsError as error:
        print(error, file=sys.stderr, flush=True)
        sys.exit(error.exit_code)


def _slowly(function: Any, seconds: float) -> Any:
    def slow(*arguments: Any) -> Any:
        time.sleep(seconds)
        return function(*arguments)

    return slow
