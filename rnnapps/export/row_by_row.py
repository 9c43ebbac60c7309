"""Answers requests row by row: a row that cannot be answered gets a problem, and disturbs no other row.

What a graph cannot do is fail for one row only: an operation that raises ends the whole request. So bad rows are found
before the endpoint's function runs, neutral ones run in their places, and their answers are blanked behind it. All
of it is a few operations a tensor, without branches, which would cost more than they save.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.tensor_names import LENGTHS, PROBLEM
from rnnapps.export.outputs import require_servable
from rnnapps.export.row_rules import inside, per_row
from rnnapps.types import NamedTensors, Tensor

__all__ = ["NO_ANSWER", "row_by_row"]

NO_ANSWER = "no answer: the result holds values that are no finite numbers"
"""The problem of a row whose values are allowed one by one, but lead beyond what floats can hold."""


class _Found(NamedTuple):
    """What is known of the rows of a request before the function runs.

    Attributes:
        broken: bool `(rules, batch)`, what each row breaks; the first is a rule that none does.
        problems: what each rule says.
        refused: bool `(batch,)`, whether a row breaks any.
    """

    broken: Tensor
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
    none = tf.zeros(tf.shape(next(iter(inputs.values())))[:1], tf.bool)
    # Stacking demands that all inputs have the same number of rows: what does not remains an error of the request.
    broken = tf.stack([none, *(rule.broken(inputs) for rule in endpoint.rules)])
    if floats:
        broken = tf.concat([broken, ~_finite([_total(endpoint, inputs, name) for name in floats])], axis=0)
    said = (f"{name} holds values that are no finite numbers, or too large" for name in floats)
    return _Found(broken, ("", *(rule.problem for rule in endpoint.rules), *said), tf.reduce_any(broken, axis=0))


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


def _is_long(endpoint: Endpoint, name: str) -> bool:
    """Whether rows of an input are of variable length."""
    return None in endpoint.input_signature[name].shape.as_list()[1:]


def _ready(endpoint: Endpoint, inputs: NamedTensors, refused: Tensor) -> dict[str, Tensor]:
    """Inputs that the function can bear: neutral rows for refused ones, and one such row where there is none at all."""
    empty = tf.cast(tf.equal(tf.size(refused), 0), tf.int32)
    bad = _Rows(tf.pad(refused, [[0, empty]], constant_values=True))
    first = tf.reshape(tf.stack([0, empty]), (1, 2))
    # Padding of tensors of one rank is the same but where they have rows of variable length.
    paddings = {rank: tf.concat([first, np.zeros((rank - 1, 2), np.int32)], axis=0) for rank in _ranks(inputs)}
    ready = {}
    for name, values in inputs.items():
        shape = endpoint.input_signature[name].shape
        if name in endpoint.most_steps:
            values = values[:, : endpoint.most_steps[name]]
        padding = paddings[len(shape)]
        if _is_long(endpoint, name):
            padding = tf.concat([first, _missing(values, shape, endpoint.least_steps)], axis=0)
        padded = tf.pad(values, padding, constant_values=_zero(values.dtype))
        ready[name] = _shaped(bad.choose(_neutral(endpoint, name, values.dtype), padded), shape)
    return ready


def _ranks(inputs: NamedTensors) -> set[int]:
    """Numbers of dimensions that there are."""
    return {len(values.shape) for values in inputs.values()}


def _missing(values: Tensor, shape: tf.TensorShape, least: int) -> Tensor:
    """Padding of the dimensions behind the batch, int32 `(dimensions, 2)`: those of variable size grow to `least`."""
    sizes = tf.shape(values)[1:]
    variable = np.array([known is None for known in shape.as_list()[1:]], np.int32)
    added = tf.maximum(least - sizes, 0) * variable
    return tf.stack([tf.zeros_like(added), added], axis=1)


def _neutral(endpoint: Endpoint, name: str, dtype: tf.DType) -> Tensor:
    """The value of a neutral row's places."""
    default = endpoint.least_steps if name.endswith(LENGTHS) else _zero(dtype)
    return tf.constant(np.asarray(endpoint.neutral.get(name, default)), dtype)


def _told(outputs: NamedTensors, found: _Found) -> dict[str, Tensor]:
    """The outputs with the problem of each row, and blank where there is one."""
    values = {name: value for name, value in outputs.items() if name != PROBLEM}
    good = ~found.refused
    floats = [per_row(value, tf.reduce_sum) for value in values.values() if value.dtype.is_floating]
    if floats:
        good &= tf.reduce_all(_finite(floats), axis=0)
    own = outputs.get(PROBLEM)
    answered = good if own is None else good & tf.equal(own, "")
    # The first rule that a row breaks is told; that it has no answer comes last.
    broken = tf.concat([found.broken, ~good[None]], axis=0)
    problem = tf.gather(tf.constant([*found.problems, NO_ANSWER]), tf.argmax(tf.cast(broken, tf.int32), axis=0))
    if own is not None:
        problem = tf.where(found.refused | tf.equal(own, ""), problem, own)
    # Where there are no rows, one of none is broadcast with the one that ran: none.
    rows = _Rows(answered)
    blank = {name: tf.constant(_zero(value.dtype), value.dtype) for name, value in values.items()}
    told = {name: _shaped(rows.choose(value, blank[name]), value.shape) for name, value in values.items()}
    return {**told, PROBLEM: problem}


class _Rows:
    """Some rows of a batch.

    Args:
        which: bool `(batch,)`.
    """

    def __init__(self, which: Tensor) -> None:
        self._beside = {1: which}

    def choose(self, values: Tensor, others: Tensor) -> Tensor:
        """Values in these rows, others in the rest, `(batch, ...)`; one of them may be a single value."""
        rank = max(len(values.shape), len(others.shape))
        if rank not in self._beside:
            self._beside[rank] = tf.reshape(self._beside[1], [-1, *[1] * (rank - 1)])
        return tf.where(self._beside[rank], values, others)


def _shaped(values: Tensor, shape: tf.TensorShape) -> Tensor:
    """The values, which a graph then knows to have this shape but for the batch."""
    values.set_shape([None, *shape[1:]])
    return values


def _zero(dtype: tf.DType) -> object:
    """The neutral value of a type."""
    return "" if dtype == tf.string else dtype.as_numpy_dtype(0)
