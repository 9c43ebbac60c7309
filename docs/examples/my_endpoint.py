"""A network that reads sequences of any length, and the endpoint that serves it.

A batching server pads shorter sequences to the longest of a batch: `SequenceMask` keeps the padding out of the answer.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps import Recurrent, cells
from rnnapps.contract.endpoint import Endpoint
from rnnapps.export.row_rules import lengths_fit
from rnnapps.layers import SequenceMask

SENSORS, CLASSES, MOST_ROWS = 3, 4, 1_000


def network() -> keras.Model:
    """Rows of sensors `(batch, time, 3)` and their lengths `(batch,)` -> probabilities of the classes `(batch, 4)`."""
    rows = keras.Input((None, SENSORS), name="rows")
    lengths = keras.Input((), dtype="int32", name="lengths")
    mask = SequenceMask()(rows, lengths)
    last = Recurrent(cells.GRU(8))(rows, mask=mask)
    classes = keras.layers.Dense(CLASSES, activation="softmax")(last)
    return keras.Model({"rows": rows, "lengths": lengths}, {"probabilities": classes})


def endpoint(model: keras.Model) -> Endpoint:
    """What a server runs: named inputs to named outputs, five examples of them, the batch first everywhere."""

    def classify(rows: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = model({"rows": rows, "lengths": lengths}, training=False)["probabilities"]
        return {"probabilities": probabilities, "label": tf.argmax(probabilities, axis=1, output_type=tf.int32)}

    signature = {
        "rows": tf.TensorSpec((None, None, SENSORS), tf.float32),
        "lengths": tf.TensorSpec((None,), tf.int32),
    }
    rows = np.linspace(-1, 1, 5 * 6 * SENSORS, dtype=np.float32).reshape(5, 6, SENSORS)
    examples = {"rows": rows, "lengths": np.array([6, 1, 3, 6, 2], np.int32)}
    return Endpoint(
        classify,
        signature,
        examples,
        rules=(lengths_fit("rows", least=1, most=MOST_ROWS),),
        most_steps={"rows": MOST_ROWS},
        summary="Rows of sensors in, classes out.",
        meanings={
            "rows": "measurements (batch, time, sensors), in the units of training",
            "probabilities": "of each class (batch, classes)",
            "label": "the likeliest class (batch,)",
        },
    )
