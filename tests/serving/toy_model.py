"""A model of a dozen weights whose answers can be computed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.export.row_rules import is_text
from rnnapps.export.saved_model import export
from rnnapps.reports.model_card import ModelCard

ROWS = 5
STATES = 3


def export_toy(base: Path) -> Path:
    """Exports it as the next version of a folder."""
    inputs = keras.Input((2,), name="x")
    network = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    endpoints = {
        "serving_default": _upper(),
        "sums": _sums(),
        "running": _running(),
        "step": _step(),
        "words": _words(),
        "memorise": _memorise(),
        "recall": _recall(),
        "numbers": _numbers(),
    }
    return export(endpoints, network, None, base, config_yaml="", model_card=ModelCard("toy"))


def _upper() -> Endpoint:
    """One input, one output beside `problem`, and bytes."""

    def function(text: Any) -> dict[str, Any]:
        return {"upper": tf.strings.upper(text, "utf-8"), "wave_bytes": tf.strings.join([text, tf.constant(b"\xff")])}

    examples = np.array([b"a", b"", "ä".encode(), b"bc", b"hello"], dtype=object)
    return Endpoint(function, {"text": tf.TensorSpec((None,), tf.string)}, {"text": examples}, rules=(is_text("text"),))


def _masked(values: Any, lengths: Any) -> Any:
    return tf.where(tf.sequence_mask(lengths, tf.shape(values)[1]), values, 0.0)


def _sums() -> Endpoint:
    """Items of variable length to one number a row."""

    def function(values: Any, lengths: Any) -> dict[str, Any]:
        return {"sum": tf.reduce_sum(_masked(values, lengths), axis=1)}

    return Endpoint(function, *_items())


def _running() -> Endpoint:
    """Items of variable length to as many numbers."""

    def function(values: Any, lengths: Any) -> dict[str, Any]:
        return {"total": tf.cumsum(_masked(values, lengths), axis=1)}

    return Endpoint(function, *_items())


def _items() -> tuple[dict[str, Any], dict[str, Any]]:
    signature = {"values": tf.TensorSpec((None, None), tf.float32), "lengths": tf.TensorSpec((None,), tf.int32)}
    values = np.arange(ROWS * 4, dtype=np.float32).reshape(ROWS, 4)
    return signature, {"values": values, "lengths": np.array([1, 4, 2, 3, 4], np.int32)}


def _step() -> Endpoint:
    """A running sum over chunks, which remembers what it has seen."""

    def function(values: Any, lengths: Any, state_sum: Any) -> dict[str, Any]:
        total = state_sum[:, :1] + tf.cumsum(_masked(values, lengths), axis=1)
        after = state_sum + tf.reduce_sum(_masked(values, lengths), axis=1, keepdims=True)
        return {"total": total, "next_state_sum": after}

    signature, examples = _items()
    signature["state_sum"] = tf.TensorSpec((None, STATES), tf.float32)
    return Endpoint(function, signature, {**examples, "state_sum": np.zeros((ROWS, STATES), np.float32)})


def _memorise() -> Endpoint:
    """What `recall` begins with: states whose size depends on what was read."""

    def function(values: Any, lengths: Any) -> dict[str, Any]:
        return {"next_state_memory": _masked(values, lengths), "next_state_lengths": lengths}

    return Endpoint(function, *_items())


def _recall() -> Endpoint:
    """A sum over the memory, and a factor with a value where none is said."""

    def function(factor: Any, state_memory: Any, state_lengths: Any) -> dict[str, Any]:
        return {
            "sum": factor * tf.reduce_sum(state_memory, axis=1),
            "next_state_memory": tf.identity(state_memory),
            "next_state_lengths": tf.identity(state_lengths),
        }

    signature, examples = _items()
    renamed = {"state_memory": signature["values"], "state_lengths": signature["lengths"]}
    rows = {"state_memory": examples["values"], "state_lengths": examples["lengths"]}
    return Endpoint(
        function,
        {"factor": tf.TensorSpec((None,), tf.float32), **renamed},
        {"factor": np.ones(ROWS, np.float32), **rows},
        begins="memorise",
        defaults={"factor": 2.0},
    )


def _words() -> Endpoint:
    """As many words as the text has: a width that only the answer tells."""

    def function(text: Any) -> dict[str, Any]:
        words = tf.strings.split(text)
        return {"words": words.to_tensor(b""), "counts": tf.cast(words.row_lengths(), tf.int32)}

    examples = np.array([b"a b", b"c", b"d e f", b"g h", b"i"], dtype=object)
    return Endpoint(function, {"text": tf.TensorSpec((None,), tf.string)}, {"text": examples}, rules=(is_text("text"),))


def _numbers() -> Endpoint:
    """Every type of number that goes through JSON unchanged."""
    kinds = {"single": tf.float32, "double": tf.float64, "long": tf.int64, "short": tf.int32, "small": tf.uint8}
    kinds["truth"] = tf.bool

    def function(**inputs: Any) -> dict[str, Any]:
        return {f"{name}_again": tf.identity(value) for name, value in inputs.items()}

    examples = {name: np.ones(ROWS, kind.as_numpy_dtype) for name, kind in kinds.items()}
    return Endpoint(function, {name: tf.TensorSpec((None,), kind) for name, kind in kinds.items()}, examples)
