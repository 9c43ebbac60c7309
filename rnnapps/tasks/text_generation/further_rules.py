"""Rules of drawing that the signature `write` knows beside those of `serving_default`."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from rnnapps.tasks.text_generation.predict_options import MOST_REPEATED

__all__ = ["FURTHER", "FurtherRule"]


class FurtherRule(NamedTuple):
    """A further rule of drawing: its type, what it may be from and to, what it is by default, and examples."""

    kind: Any
    least: float
    most: float
    default: float
    meaning: str
    examples: list[float]


FURTHER = {
    "min_p": FurtherRule(
        tf.float32, 0, 1, 0.0, "the least share of the likeliest token's probability (batch,)", [0, 0.1, 0, 0.05, 0.02]
    ),
    "repetition_penalty": FurtherRule(
        tf.float32, 1, 10, 1.0, "multiplies the logarithm of what was written lately (batch,)", [1, 1.2, 2, 1, 1.1]
    ),
    "no_repeat": FurtherRule(
        tf.int32, 0, MOST_REPEATED, 0, "no sequence of so many tokens twice; 0 for any (batch,)", [0, 3, 0, 1, 2]
    ),
}
