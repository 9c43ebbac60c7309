"""The mask of padded sequences."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.layers import SequenceMask

LENGTHS = [2, 0, 4, 1]
BY_HAND = [
    [True, True, False, False],
    [False, False, False, False],
    [True, True, True, True],
    [True, False, False, False],
]


@pytest.mark.parametrize("kind", [np.int32, np.uint8, np.float32])
@pytest.mark.parametrize("further", [(), (3,), (2, 2, 1)])
def test_true_before_each_rows_end(kind: type, further: tuple[int, ...]) -> None:
    sequences = np.ones((4, 4, *further), kind)
    mask = SequenceMask()(sequences, np.array(LENGTHS, np.int32))
    assert mask.dtype == tf.bool
    assert mask.numpy().tolist() == BY_HAND


def test_steps_that_a_graph_does_not_know() -> None:
    layer = SequenceMask()

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)])
    def mask(sequences: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        return layer(sequences, lengths)

    assert mask(tf.zeros((4, 4), tf.int32), tf.constant(LENGTHS)).numpy().tolist() == BY_HAND
    wider = mask(tf.zeros((4, 6), tf.int32), tf.constant(LENGTHS)).numpy()
    assert wider.tolist() == [[*row, False, False] for row in BY_HAND]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_in_a_network_that_is_saved_and_loaded(policy: str, tmp_path: Path) -> None:
    sequences, lengths = keras.Input((None, 3), name="sequences"), keras.Input((), dtype="int32", name="lengths")
    mask = SequenceMask(name="valid", dtype=policy)(sequences, lengths)
    assert (mask.shape, mask.dtype) == ((None, None), "bool")
    network = keras.Model({"sequences": sequences, "lengths": lengths}, mask)
    assert network.weights == []
    network.save(tmp_path / "network.keras")
    inputs = {"sequences": np.zeros((4, 4, 3), np.float32), "lengths": np.array(LENGTHS, np.int32)}
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert loaded(inputs).numpy().tolist() == BY_HAND
