"""Answers requests row by row: a row that cannot be answered gets a problem, and disturbs no other row.

What a graph cannot do is fail for one row only: an operation that raises ends the whole request. So bad rows are found
before the endpoint's function runs, neutral ones run in their places, and their answers are blanked behind it. All
of it is a few operations a tensor, without branches, which would cost more than they save.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.contract.tensor_names import LENGTHS, PROBLEM, STATE
from rnnapps.export.outputs import require_servable
from rnnapps.export.row_rules import inside, per_row
from rnnapps.types import NamedTensors, Size, Tensor

__all__ = ["NO_ANSWER", "row_by_row"]

NO_ANSWER = "no answer: the result holds values that are no finite numbers"
"""The problem of a row whose values are allowed one by one, but lead beyond what floats can hold."""


class _Found(NamedTuple):
    """What is known of the rows of a request before the function runs.

    Attributes:
        worst: int32 `(batch,)`, the place in `problems` of the first rule that each row breaks; 0 for none.
        problems: what may be said of a row: nothing, that it has no answer, then each rule, the last one first.
        refused: bool `(batch,)`, whether it breaks any.
    """

    worst: Tensor
    problems: tuple[str, ...]
    refused: Tensor


def row_by_row(name: str, endpoint: Endpoint) -> Endpoint:
    """The endpoint with its rules before its function, and with the output `problem`, string `(batch,)`.

    Args:
        name: of the signature.
        endpoint: its function sees rows that keep the rules, at least one of them, at least `least_steps` long.

    Raises:
        ExportError: while the endpoint is run or traced, if its outputs cannot be told row by row.
    """

    def answer(**inputs: Tensor) -> dict[str, Tensor]:
        found = _look(endpoint, inputs)
        ready = _ready(endpoint, inputs, found.refused)
        outputs = endpoint.function(**ready)
        require_servable(name, outputs, batch=next(iter(ready.values())).shape[0])
        return _told(outputs, found)

    return replace(endpoint, function=answer)


def _look(endpoint: Endpoint, inputs: NamedTensors) -> _Found:
    """Tries the endpoint's rules, and whether floats are finite where none of the rules says so."""
    bounded = {*endpoint.missing, *(rule.bounds for rule in endpoint.rules)}
    floats = [name for name, value in inputs.items() if value.dtype.is_floating and name not in bounded]
    rules = (*endpoint.rules, *_fitting(endpoint))
    said = [rule.problem for rule in rules]
    broken = [rule.broken(inputs) for rule in rules]
    # Stacking demands that all inputs have the same number of rows: what does not remains an error of the request.
    if len(said) + len(floats) < 2:  # there is something to stack
        said.append("")
        broken.append(tf.zeros(tf.shape(next(iter(inputs.values())))[:1], tf.bool))
    tables = [tf.stack(broken)] if broken else []
    if floats:
        tables.append(~_finite([_total(endpoint, inputs, name) for name in floats]))
        said += [f"{name} holds values that are no finite numbers, or too large" for name in floats]
    problems = ("", NO_ANSWER, *reversed(said))
    places = np.arange(len(problems) - 1, 1, -1, dtype=np.int32)[:, None]
    table = tf.concat(tables, axis=0) if len(tables) > 1 else tables[0]
    worst = tf.reduce_max(tf.cast(table, tf.int32) * places, axis=0)
    return _Found(worst, problems, worst > 0)


def _total(endpoint: Endpoint, inputs: NamedTensors, name: str) -> Tensor:
    """The sum of a row's values `(batch,)`: one that is not finite makes it so too."""
    values = inputs[name]
    if _is_long(endpoint, name) and LENGTHS in inputs:
        values = tf.where(inside(values, inputs[LENGTHS]), values, tf.zeros([], values.dtype))
    return per_row(values, tf.reduce_sum)


def _finite(totals: Sequence[Tensor]) -> Tensor:
    """Whether sums, each `(batch,)`, are finite, bool `(sums, batch)`; asked once for all that are of one type."""
    if len({total.dtype for total in totals}) == 1:
        return tf.math.is_finite(tf.stack(totals))
    return tf.stack([tf.math.is_finite(total) for total in totals])


def _all_finite(totals: Sequence[Tensor]) -> Tensor:
    """Whether all sums of a row are finite, bool `(batch,)`."""
    return tf.math.is_finite(totals[0]) if len(totals) == 1 else tf.reduce_all(_finite(totals), axis=0)


def _is_long(endpoint: Endpoint, name: str) -> bool:
    """Whether rows of an input are of variable length."""
    return None in endpoint.input_signature[name].shape.as_list()[1:]


def _ready(endpoint: Endpoint, inputs: NamedTensors, refused: Tensor) -> dict[str, Tensor]:
    """Inputs that the function can bear: neutral rows for refused ones, and one such row where there is none at all."""
    first = _Paddings(refused, [1])
    good = tf.pad(~refused, first.of_rank(1))
    read = {name: _cut(values, endpoint.most_steps.get(name)) for name, values in inputs.items()}
    together = _together(endpoint)
    width = tf.reduce_max(tf.stack([tf.shape(read[name])[1] for name in together])) if len(together) > 1 else None
    ready = {}
    for name, values in read.items():
        shape = endpoint.input_signature[name].shape
        if _is_long(endpoint, name):
            least: list[Size] = [1, *(endpoint.least_steps if size is None else 0 for size in shape.as_list()[1:])]
            if width is not None and name in together:
                least[1] = tf.maximum(least[1], width)
            padding = _Paddings(values, least).of_rank(len(shape))
        else:
            padding = first.of_rank(len(shape))
        padded = tf.pad(values, padding, constant_values=_zero(values.dtype))
        ready[name] = _shaped(_kept(good, padded, _neutral(endpoint, name)), shape)
    return ready


def _fitting(endpoint: Endpoint) -> list[RowRule]:
    """Where several inputs have the places of the same rows, all must have as many as are counted."""
    names = _together(endpoint)
    return [
        RowRule(f"{LENGTHS} must be at most the length of {name}", _shorter(name)) for name in names[len(names) == 1 :]
    ]


def _shorter(name: str) -> Callable[[NamedTensors], Tensor]:
    """Which rows have fewer places in an input than their lengths say."""
    return lambda inputs: inputs[LENGTHS] > tf.shape(inputs[name])[1]


def _cut(values: Tensor, most: int | None) -> Tensor:
    """The places that are read, of `(batch, places, ...)`."""
    return values if most is None else values[:, :most]


def _together(endpoint: Endpoint) -> list[str]:
    """Inputs whose places are those of the same rows, and are counted by the same lengths."""
    if LENGTHS not in endpoint.input_signature:
        return []
    shapes = {name: spec.shape.as_list() for name, spec in endpoint.input_signature.items()}
    return [name for name, shape in shapes.items() if shape[1:2] == [None] and not name.startswith(STATE)]


class _Paddings:
    """What is added behind the ends of a tensor's dimensions.

    Args:
        values: the tensor.
        least: the least size of each dimension.
    """

    def __init__(self, values: Tensor, least: Sequence[Size]) -> None:
        fixed = all(isinstance(size, int) for size in least)
        self._added = tf.maximum((np.array(least, np.int32) if fixed else tf.stack(least)) - tf.shape(values), 0)
        self._known: dict[int, Tensor] = {}

    def of_rank(self, rank: int) -> Tensor:
        """Int32 `(rank, 2)` for `tf.pad`; dimensions behind those of the tensor stay as they are."""
        if rank not in self._known:
            pairs = tf.stack([tf.zeros_like(self._added), self._added], axis=1)
            more = rank - self._added.shape[0]
            self._known[rank] = tf.concat([pairs, np.zeros((more, 2), np.int32)], axis=0) if more else pairs
        return self._known[rank]


def _neutral(endpoint: Endpoint, name: str) -> object:
    """The value of a neutral row's places, None for zeros."""
    return endpoint.neutral.get(name, endpoint.least_steps if name.endswith(LENGTHS) else None)


def _told(outputs: NamedTensors, found: _Found) -> dict[str, Tensor]:
    """The outputs with the problem of each row, and blank where there is one."""
    values = {name: value for name, value in outputs.items() if name != PROBLEM}
    floats = [per_row(value, tf.reduce_sum) for value in values.values() if value.dtype.is_floating]
    worst = found.worst
    if floats:
        # That a row has no answer comes last: it is place 1 of the problems, and every rule that is broken a later one.
        worst = tf.maximum(worst, tf.cast(~_all_finite(floats), tf.int32))
    problem, answered = tf.gather(tf.constant(found.problems), worst), tf.equal(worst, 0)
    own = outputs.get(PROBLEM)
    if own is not None:
        silent = tf.equal(own, "")
        problem, answered = tf.where(found.refused | silent, problem, own), answered & silent
    rows = tf.size(answered)  # of none, one ran
    told = {name: _shaped(_kept(answered, value[:rows]), value.shape) for name, value in values.items()}
    return {**told, PROBLEM: problem}


def _kept(which: Tensor, values: Tensor, other: object = None) -> Tensor:
    """Values `(batch, ...)` in those rows, bool `(batch,)`, and another value, by default zero, in the rest."""
    if other is None:
        # The older form of `tf.where` chooses whole rows; the newer one takes several times as long to broadcast them.
        return tf.raw_ops.Select(condition=which, x=values, y=tf.zeros_like(values))
    return tf.where(tf.reshape(which, [-1, *[1] * (len(values.shape) - 1)]), values, tf.constant(other, values.dtype))


def _shaped(values: Tensor, shape: tf.TensorShape) -> Tensor:
    """The values, which a graph then knows to have this shape but for the batch."""
    values.set_shape([None, *shape[1:]])
    return values


def _zero(dtype: tf.DType) -> object:
    """The neutral value of a type."""
    return "" if dtype == tf.string else dtype.as_numpy_dtype(0)
