"""What is known of the rows of a request before anything runs: the rules that each breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.contract.tensor_names import LENGTHS, STATE
from rnnapps.export.row_rules import inside, per_row
from rnnapps.types import NamedTensors, Tensor

__all__ = ["NO_ANSWER", "Found", "all_finite", "is_long", "look", "none_broken", "together"]

NO_ANSWER = "no answer: the result holds values that are no finite numbers"
"""The problem of a row whose values are allowed one by one, but lead beyond what floats can hold."""


@dataclass(frozen=True)
class Found:
    """Which rules the rows of a request break.

    Attributes:
        table: bool `(rules, batch)`, True where a row breaks a rule.
        problems: what may be said of a row: nothing, that it has no answer, then each rule, the last one first.
    """

    table: Tensor
    problems: tuple[str, ...]

    def worst(self) -> Tensor:
        """Int32 `(batch,)`, the place in `problems` of the first rule that each row breaks; 0 for none."""
        places = np.arange(len(self.problems) - 1, 1, -1, dtype=np.int32)[:, None]
        return tf.reduce_max(tf.cast(self.table, tf.int32) * places, axis=0)

    def all_good(self) -> Tensor:
        """Whether there are rows and none breaks a rule, a bool scalar."""
        return (tf.size(self.table) > 0) & ~tf.reduce_any(self.table)


def look(endpoint: Endpoint, inputs: NamedTensors) -> Found:
    """Tries the endpoint's rules, and whether floats are finite where none of the rules says so."""
    rules, floats = _rules(endpoint), _unbounded(endpoint, inputs)
    said, broken = [rule.problem for rule in rules], [rule.broken(inputs) for rule in rules]
    # Stacking demands that all inputs have the same number of rows: what does not remains an error of the request.
    if len(said) + len(floats) < 2:  # there is something to stack
        said.append("")
        broken.append(_unbroken(inputs))
    tables = [tf.stack(broken)] if broken else []
    if floats:
        tables.append(~_finite([_total(endpoint, inputs, name) for name in floats]))
        said += [f"{name} holds values that are no finite numbers, or too large" for name in floats]
    problems = ("", NO_ANSWER, *reversed(said))
    return Found(tf.concat(tables, axis=0) if len(tables) > 1 else tables[0], problems)


def none_broken(endpoint: Endpoint, inputs: NamedTensors) -> Tensor:
    """Whether `look` will find nothing, a bool scalar, asked for in fewer operations.

    False may also mean that finite numbers of several inputs have no finite sum; True means that all is well.
    """
    broken = [rule.broken(inputs) for rule in _rules(endpoint)]
    totals: dict[tf.DType, list[Tensor]] = {}
    for name in _unbounded(endpoint, inputs):
        totals.setdefault(inputs[name].dtype, []).append(_total(endpoint, inputs, name))
    broken += [~tf.math.is_finite(tf.add_n(sums)) for sums in totals.values()]
    if len(broken) < 2:
        broken.append(_unbroken(inputs))
    return ~tf.reduce_any(tf.stack(broken))


def _rules(endpoint: Endpoint) -> tuple[RowRule, ...]:
    """All that must hold of a row, but for floats that must be finite."""
    return (*endpoint.rules, *_fitting(endpoint))


def _unbounded(endpoint: Endpoint, inputs: NamedTensors) -> list[str]:
    """The float inputs of which no rule says what they may be."""
    bounded = {*endpoint.missing, *(rule.bounds for rule in endpoint.rules)}
    return [name for name, value in inputs.items() if value.dtype.is_floating and name not in bounded]


def _unbroken(inputs: NamedTensors) -> Tensor:
    """A rule that no row breaks, bool `(batch,)`."""
    return tf.zeros(tf.shape(next(iter(inputs.values())))[:1], tf.bool)


def _total(endpoint: Endpoint, inputs: NamedTensors, name: str) -> Tensor:
    """The sum of a row's values `(batch,)`: one that is not finite makes it so too."""
    values = inputs[name]
    if is_long(endpoint, name) and LENGTHS in inputs:
        values = tf.where(inside(values, inputs[LENGTHS]), values, tf.zeros([], values.dtype))
    return per_row(values, tf.reduce_sum)


def _finite(totals: Sequence[Tensor]) -> Tensor:
    """Whether sums, each `(batch,)`, are finite, bool `(sums, batch)`; asked once for all that are of one type."""
    if len({total.dtype for total in totals}) == 1:
        return tf.math.is_finite(tf.stack(totals))
    return tf.stack([tf.math.is_finite(total) for total in totals])


def all_finite(totals: Sequence[Tensor]) -> Tensor:
    """Whether all sums of a row are finite, bool `(batch,)`."""
    return tf.math.is_finite(totals[0]) if len(totals) == 1 else tf.reduce_all(_finite(totals), axis=0)


def is_long(endpoint: Endpoint, name: str) -> bool:
    """Whether rows of an input are of variable length."""
    return None in endpoint.input_signature[name].shape.as_list()[1:]


def _fitting(endpoint: Endpoint) -> list[RowRule]:
    """Where several inputs have the places of the same rows, all must have as many as are counted."""
    names = together(endpoint)
    return [
        RowRule(f"{LENGTHS} must be at most the length of {name}", _shorter(name)) for name in names[len(names) == 1 :]
    ]


def _shorter(name: str) -> Callable[[NamedTensors], Tensor]:
    """Which rows have fewer places in an input than their lengths say."""
    return lambda inputs: inputs[LENGTHS] > tf.shape(inputs[name])[1]


def together(endpoint: Endpoint) -> list[str]:
    """Inputs whose places are those of the same rows, and are counted by the same lengths."""
    if LENGTHS not in endpoint.input_signature:
        return []
    shapes = {name: spec.shape.as_list() for name, spec in endpoint.input_signature.items()}
    return [name for name, shape in shapes.items() if shape[1:2] == [None] and not name.startswith(STATE)]
