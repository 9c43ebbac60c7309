"""Answers requests row by row: a row that cannot be answered gets a problem, and disturbs no other row.

What a graph cannot do is fail for one row only: an operation that raises ends the whole request. So bad rows are found
before the endpoint's function runs, neutral ones run in their places, and their answers are blanked behind it. Where
all rows are good, which costs a few operations to know, tensors pass as they are.

Where an endpoint asks for it, rows of one step take a branch of their own, in which the function is traced for them.
Which copy of the function computes a row depends on the shape of the request alone, or on copies that do the same: no
row changes the way that others are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.export.outputs import require_servable
from rnnapps.export.ready_rows import (
    Zeros,
    are_ready,
    as_ready,
    have_one_step,
    kept,
    ready,
    ready_of_one_step,
    shaped,
)
from rnnapps.export.row_checks import NO_ANSWER, Found, all_finite, look, none_broken
from rnnapps.export.row_rules import per_row
from rnnapps.kernels.apart import apart
from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.types import NamedTensors, Tensor

__all__ = ["NO_ANSWER", "row_by_row"]


def row_by_row(name: str, endpoint: Endpoint) -> Endpoint:
    """The endpoint with its rules before its function, and with the output `problem`, string `(batch,)`.

    Args:
        name: of the signature.
        endpoint: its function sees rows that keep the rules, at least one of them, at least `least_steps` long.

    Raises:
        ExportError: while the endpoint is run or traced, if its outputs cannot be told row by row.
    """

    def run(inputs: NamedTensors) -> dict[str, Tensor]:
        outputs = endpoint.function(**inputs)
        require_servable(name, outputs, batch=next(iter(inputs.values())).shape[0])
        return outputs

    def answer(**inputs: Tensor) -> dict[str, Tensor]:
        if in_portable_graph():
            found = look(endpoint, inputs)
            return _told(run(ready(endpoint, inputs, found.worst() > 0)), found)
        if not endpoint.one_step:
            return of_many_steps(inputs)
        # Mostly rows of one step are good: all else is one operation of their graph, which is not run then.
        good = have_one_step(endpoint, inputs) & none_broken(endpoint, inputs)
        outputs: dict[str, Tensor] = tf.cond(good, lambda: of_good_step(inputs), apart(lambda: of_any(inputs)))
        return outputs

    def of_many_steps(inputs: NamedTensors) -> dict[str, Tensor]:
        found = look(endpoint, inputs)
        usual = found.all_good() & are_ready(endpoint, inputs)
        given = _if_not(usual, inputs, lambda: ready(endpoint, inputs, found.worst() > 0))
        return _answered(run(as_ready(endpoint, given)), found, usual)

    def of_good_step(inputs: NamedTensors) -> dict[str, Tensor]:
        return _of_good_rows(run(as_ready(endpoint, inputs, one_step=True)))

    def of_any(inputs: NamedTensors) -> dict[str, Tensor]:
        found = look(endpoint, inputs)

        def of_one_step() -> dict[str, Tensor]:
            return _told(run(ready_of_one_step(endpoint, inputs, found.worst() > 0)), found)

        def of_others() -> dict[str, Tensor]:
            return _told(run(ready(endpoint, inputs, found.worst() > 0)), found)

        outputs: dict[str, Tensor] = tf.cond(have_one_step(endpoint, inputs), of_one_step, of_others)
        return outputs

    return replace(endpoint, function=answer)


def _if_not(usual: Tensor, tensors: NamedTensors, others: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors where a bool scalar is True, else others of the same names and types."""
    chosen: dict[str, Tensor] = tf.cond(usual, lambda: dict(tensors), apart(others))
    return chosen


def _answered(outputs: NamedTensors, found: Found, usual: Tensor) -> dict[str, Tensor]:
    """`_told`, but for outputs of `usual` rows as they are where all is well with them."""
    own = outputs.get(PROBLEM)
    floats = _totals(outputs)
    if floats:
        usual &= tf.reduce_all(all_finite(floats))
    if own is not None:
        usual &= tf.reduce_all(tf.equal(own, ""))
    # A function can leave the problems to this one: then none is told.
    problems = tf.fill(tf.shape(found.table)[1:], "") if own is None else own
    told = _if_not(usual, {**outputs, PROBLEM: problems}, lambda: _told(outputs, found))
    return {name: shaped(value, outputs.get(name, problems).shape) for name, value in told.items()}


def _of_good_rows(outputs: NamedTensors) -> dict[str, Tensor]:
    """`_told` of rows that break no rule."""
    values = {name: value for name, value in outputs.items() if name != PROBLEM}
    own, floats, zeros = outputs.get(PROBLEM), _totals(values), Zeros()
    first = next(iter(values.values()))
    well = all_finite(floats) if floats else tf.ones(tf.shape(first)[:1], tf.bool)
    problem = tf.gather(tf.constant(["", NO_ANSWER]), tf.cast(~well, tf.int32))
    if own is not None:
        silent = tf.equal(own, "")
        problem, well = tf.where(silent, problem, own), well & silent
    return {**{name: shaped(kept(well, value, zeros), value.shape) for name, value in values.items()}, PROBLEM: problem}


def _told(outputs: NamedTensors, found: Found) -> dict[str, Tensor]:
    """The outputs with the problem of each row, and blank where there is one; of no rows, though one ran."""
    worst = found.worst()
    refused, rows, zeros = worst > 0, tf.size(worst), Zeros()
    values = {name: value[:rows] for name, value in outputs.items() if name != PROBLEM}
    floats = _totals(values)
    if floats:
        # That a row has no answer comes last: it is place 1 of the problems, and every rule that is broken a later one.
        worst = tf.maximum(worst, tf.cast(~all_finite(floats), tf.int32))
    problem, answered = tf.gather(tf.constant(found.problems), worst), tf.equal(worst, 0)
    own = outputs.get(PROBLEM)
    if own is not None:
        silent = tf.equal(own[:rows], "")
        problem, answered = tf.where(refused | silent, problem, own[:rows]), answered & silent
    told = {name: shaped(kept(answered, value, zeros), value.shape) for name, value in values.items()}
    return {**told, PROBLEM: problem}


def _totals(outputs: NamedTensors) -> list[Tensor]:
    """The sum of each row of the float outputs, each `(batch,)`: one value that is not finite makes it so too."""
    return [
        per_row(value, tf.reduce_sum) for name, value in outputs.items() if value.dtype.is_floating and name != PROBLEM
    ]
