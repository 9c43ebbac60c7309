"""The usual rules of rows: numbers within bounds, lengths within the rows, ids within a vocabulary, short texts."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.contract.endpoint import RowRule
from rnnapps.types import NamedTensors, Tensor

__all__ = ["YEARS", "between", "ids_below", "inside", "is_text", "lengths_fit", "per_row", "text_within"]

YEARS = (-62_135_596_800, 253_402_300_799)
"""Unix seconds of the years 1 to 9999."""

_UTF8_BYTES = 4
"""The most bytes of a character."""


def between(name: str, low: float, high: float | None = None, *, lengths: str = "") -> RowRule:
    """An input lies from `low` to `high`, or is at least `low`; NaN and infinity are not.

    Args:
        name: of the input.
        low: the least value.
        high: the largest value; None for any that is finite.
        lengths: name of the lengths of the rows, behind which there may be anything; else all places count.
    """

    def broken(inputs: NamedTensors) -> Tensor:
        values = inputs[name]
        # NaN stays NaN, which is not equal to itself.
        kept = tf.clip_by_value(values, tf.cast(low, values.dtype), values.dtype.max if high is None else high)
        wrong = tf.not_equal(kept, values)
        return per_row(wrong & inside(values, inputs[lengths]) if lengths else wrong, tf.reduce_any)

    said = f"at least {low:,}" if high is None else _span(low, high)
    return RowRule(f"{name} must be {said}", broken, bounds=name, least=low, most=high)


def lengths_fit(rows: str, lengths: str = "lengths", *, least: int = 0, most: int | None = None) -> RowRule:
    """Lengths lie from `least` to the number of places that the rows have, of which `most` are allowed."""

    def broken(inputs: NamedTensors) -> Tensor:
        size = tf.shape(inputs[rows])[1]
        allowed = size if most is None else tf.minimum(size, most)
        return (inputs[lengths] < least) | (inputs[lengths] > allowed)

    bounds = f"at least {least:,}" if most is None else _span(least, most)
    return RowRule(f"{lengths} must be {bounds}, and at most the length of {rows}", broken)


def ids_below(name: str, size: int, lengths: str = "lengths") -> RowRule:
    """The ids of a row, as far as its length goes, lie from 0 to below `size`; what lies behind is padding."""
    return between(name, 0, size - 1, lengths=lengths)


def text_within(name: str, most: int) -> RowRule:
    """A text has at most so many characters; bytes that are no UTF-8 count as four to a character."""

    def broken(inputs: NamedTensors) -> Tensor:
        text = inputs[name]
        characters = tf.strings.length(text, unit="UTF8_CHAR")
        return (characters > most) | (tf.strings.length(text) > _UTF8_BYTES * most)

    return RowRule(f"{name} must have at most {most:,} characters", broken)


def is_text(name: str) -> RowRule:
    """A string is UTF-8."""

    def broken(inputs: NamedTensors) -> Tensor:
        mended = tf.strings.unicode_transcode(inputs[name], "UTF-8", "UTF-8", errors="replace")
        return tf.not_equal(mended, inputs[name])

    return RowRule(f"{name} must be UTF-8", broken)


def per_row(values: Tensor, reduce: Callable[..., Tensor]) -> Tensor:
    """Reduces `(batch, ...)` to `(batch,)`."""
    axes = list(range(1, len(values.shape)))
    return reduce(values, axis=axes) if axes else values


def inside(values: Tensor, lengths: Tensor) -> Tensor:
    """Which places of `(batch, time, ...)` count, bool `(batch, time, 1...)`."""
    counts = tf.sequence_mask(lengths, tf.shape(values)[1])
    for _ in values.shape[2:]:
        counts = counts[..., None]
    return counts


def _span(low: float, high: float) -> str:
    return f"from {low:,} to {high:,}"
