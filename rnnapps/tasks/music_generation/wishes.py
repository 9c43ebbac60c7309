"""What a request to a music model may ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.contract.tensor_names import STEPS
from rnnapps.export.row_rules import between
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["DEFAULTS", "PLACES", "ROWS", "drawing", "wishes", "written"]

ROWS, PLACES = 5, 6
"""Of examples."""

DEFAULTS = {"temperature": 1.0, "top_p": 0.95, "seed": 0, "steps": 64, "midi_bytes": ""}


def written(name: str) -> str:
    """The output that goes on from an input."""
    return f"written_{name}"


def wishes(count: str = "", most: int = 0) -> tuple[RowRule, ...]:
    """What must hold of how, and how much, is to be written.

    Args:
        count: name of the input that says how much, if there is one.
        most: the most of it.
    """

    def outside(inputs: NamedTensors) -> Tensor:
        top_p = inputs["top_p"]
        return ~((top_p > 0) & (top_p <= 1))

    how_much = (between(count, 1, most),) if count else ()
    return (
        *how_much,
        between("temperature", 0),
        RowRule("top_p must be above 0 and at most 1", outside, bounds="top_p"),
    )


def drawing(endpoint: Endpoint, *, most: int = 0) -> Endpoint:
    """An endpoint whose function also takes how to draw: `temperature`, `top_p` and `seed` of each row.

    Args:
        endpoint: the rest of it, with `ROWS` examples.
        most: the most steps that may be asked for, where `steps` of each row says how many; 0 where nothing does.
    """
    kinds = {"temperature": tf.float32, "top_p": tf.float32, "seed": tf.int64}
    examples: dict[str, Array] = {
        "temperature": np.array([1.0, 0.0, 0.8, 1.0, 0.5], np.float32),
        "top_p": np.array([1.0, 1.0, 0.9, 0.95, 1.0], np.float32),
        "seed": np.array([1, 2, 3, 2**40, -5], np.int64),
    }
    neutral: dict[str, float] = {"temperature": 1.0, "top_p": 1.0}
    if most:
        kinds = {STEPS: tf.int32} | kinds
        examples = {STEPS: np.array([4, 1, 9, 2, 5], np.int32)} | examples
        neutral[STEPS] = 1
    return replace(
        endpoint,
        input_signature=endpoint.input_signature | {name: tf.TensorSpec((None,), kind) for name, kind in kinds.items()},
        examples=endpoint.examples | examples,
        rules=(*wishes(STEPS if most else "", most), *endpoint.rules),
        neutral=neutral,
        defaults=DEFAULTS,
    )
