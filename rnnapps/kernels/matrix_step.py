"""One step of a matrix memory, the recurrence of linear attention and of the delta rule.

With S the memory of one head, q, k and v the query, key and value of the step, a its decay and b its writing strength:

    S_t = a_t * S_{t-1} + k_t w_t'         w_t = v_t                                  (linear attention)
                                           w_t = b_t (v_t - (a_t * S_{t-1})' k_t)     (delta rule)
    S_t = a_t * S_{t-1} - (e_t * r_t) (S_{t-1}' r_t)' + k_t v_t'                      (generalised delta rule)
    y_t = S_t' q_t

where a scales the rows of S, all alike or each by its own, and r is a removal key that need not be the key k, with a
rate e for each row. An exponential input gate exp(i_t) before k_t w_t' would
overflow: the memory is kept divided by exp(m_t), m_t = max(log a_t + m_{t-1}, i_t), as in Beck et al. 2024
(arXiv:2405.04517, equation 15).
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.kernels.step import wide
from rnnapps.types import Nest, Tensor

__all__ = ["CLOSED", "MatrixInputs", "advanced", "is_given", "matrix_step", "stabilized", "widened"]

CLOSED = -1e30
"""Logarithm of an input gate that lets nothing in; finite, so that no gradient is 0 * inf."""


class MatrixInputs(NamedTuple):
    """What a matrix memory reads in each step; what a cell does without is `()`.

    Attributes:
        q: queries `(..., heads, key_size)`.
        k: keys `(..., heads, key_size)`.
        v: values `(..., heads, value_size)`.
        log_decay: logarithms of the decays, at most 0: one a head `(..., heads, 1)`, or one a row of its memory
            `(..., heads, key_size)`.
        beta: writing strengths of the delta rule `(..., heads)`.
        log_input: logarithms of exponential input gates `(..., heads)`; only with one decay a head, and without beta.
        rest: anything else that `MatrixLinearCell.read` needs, `(..., any)`.
        removal: removal keys of the generalised delta rule `(..., heads, key_size)`; without beta and log_input.
        rate: how much of what is found under the removal key each row loses `(..., heads, key_size)`.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    log_decay: Tensor
    beta: Nest = ()
    log_input: Nest = ()
    rest: Nest = ()
    removal: Nest = ()
    rate: Nest = ()


def matrix_step(inputs: MatrixInputs, memory: Tensor, log_scale: Nest = ()) -> tuple[Tensor, Tensor, Nest]:
    """One step.

    Args:
        inputs: those of the step.
        memory: S before it `(..., heads, key_size, value_size)`.
        log_scale: m before it `(..., heads)`, or `()` without `inputs.log_input`.

    Returns:
        What is read, y `(..., heads, value_size)`, and the new memory and m, in float32 or better.
    """
    inputs, memory = widened(inputs), tf.cast(memory, wide(memory.dtype))
    if is_given(inputs.log_input):
        before = tf.cast(log_scale, memory.dtype)
        log_scale = tf.maximum(inputs.log_decay[..., 0] + before, inputs.log_input)
        inputs = stabilized(inputs, before, log_scale)
    decayed, written = tf.exp(inputs.log_decay)[..., None] * memory, inputs.v
    if is_given(inputs.removal):
        removed = advanced(memory, inputs.removal)
        decayed -= (inputs.rate * inputs.removal)[..., None] * removed[..., None, :]
    if is_given(inputs.beta):
        written = inputs.beta[..., None] * (written - advanced(decayed, inputs.k))
    memory = decayed + inputs.k[..., None] * written[..., None, :]
    return advanced(memory, inputs.q), memory, log_scale


def stabilized(inputs: MatrixInputs, before: Tensor, after: Tensor) -> MatrixInputs:
    """The inputs of a memory divided by exp(m): its decay and its keys take the change of m, and the gate goes.

    Args:
        inputs: of one step or of several.
        before: m before each step `(..., heads)`.
        after: m after each step `(..., heads)`.
    """
    decay = inputs.log_decay + (before - after)[..., None]
    keys = inputs.k * tf.exp(inputs.log_input - after)[..., None]
    return inputs._replace(log_decay=decay, k=keys, log_input=())


def advanced(memory: Tensor, keys: Tensor) -> Tensor:
    """S' k: `(..., key_size, value_size)` read by `(..., key_size)` -> `(..., value_size)`."""
    return tf.matmul(keys[..., None, :], memory)[..., 0, :]


def widened(inputs: MatrixInputs) -> MatrixInputs:
    """The inputs, but for what is only read, in float32 or better."""
    numbers: MatrixInputs = tf.nest.map_structure(
        lambda tensor: tf.cast(tensor, wide(tensor.dtype)), inputs._replace(rest=())
    )
    return numbers._replace(rest=inputs.rest)


def is_given(part: Nest) -> bool:
    """Whether a cell has an optional part."""
    return not isinstance(part, tuple)
