"""The linear recurrence h_t = a_t * h_{t-1} + b_t over a whole sequence, in parallel over time or step by step.

The parallel form is the scan of Blelloch 1990 ("Prefix sums and their applications") in its blocked form, with the
associative operator of Martin & Cundy 2018 (arXiv:1709.04057, section 2.2): for two cores, blocks of sqrt(time) steps
beat the logarithmic tree, which reads and writes the whole tensors at each of its levels. The gradient is the same
recurrence, run backwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.kernels.loop import end, length, loop
from rnnapps.kernels.sealed import Sealed
from rnnapps.types import Tensor, Tensors

__all__ = ["Form", "linear_scan"]

Form = Literal["parallel", "sequential"]


def linear_scan(
    a: Tensor, b: Tensor, start: Tensor, *, mask: Tensor | None = None, reverse: bool = False, form: Form = "sequential"
) -> tuple[Tensor, Tensor]:
    """Solves h_t = a_t * h_{t-1} + b_t for all t.

    Args:
        a: factors `(time, batch, size)`.
        b: summands `(time, batch, size)`.
        start: the state before the first step `(batch, size)`.
        mask: bool `(time, batch)`, True where a step is valid; a masked step carries the state through.
        reverse: run from the last step to the first.
        form: "parallel" takes about 2 sqrt(time) larger steps and needs a static number of them, "sequential" takes
            `time` small steps.

    Returns:
        All states `(time, batch, size)` and the final state `(batch, size)`.

    Raises:
        ConfigError: the parallel form was asked for a number of steps that varies.
    """
    if form == "parallel" and a.shape[0] is None:
        raise ConfigError('kernel: "parallel" needs a fixed number of time steps, got one that varies; use "auto"')
    if mask is not None:
        a = tf.where(mask[..., None], a, tf.ones_like(a))
        b = tf.where(mask[..., None], b, tf.zeros_like(b))
    states = _solution(reverse, form)(a, b, start)
    if a.shape[0]:
        return states, states[0 if reverse else -1]
    # There may be no step, and the start is the last state.
    ends = [states[:1], start[None]] if reverse else [start[None], states[-1:]]
    return states, tf.concat(ends, axis=0)[0 if reverse else -1]


def _solution(reverse: bool, form: Form) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The differentiable solution (a, b, start) -> states."""
    steps = _parallel if form == "parallel" else _sequential
    solve = Sealed(partial(steps, reverse=reverse), compiled=False)
    solve_back = Sealed(partial(steps, reverse=not reverse), compiled=False)

    @tf.custom_gradient
    def solution(a: Tensor, b: Tensor, start: Tensor) -> tuple[Tensor, Callable[..., tuple[Tensor, ...]]]:
        states = solve(a, b, start)

        # With d the gradient of h_t and D_t all that reaches it, D_t = d_t + a_{t+1} D_{t+1}: the recurrence from the
        # other end, each factor taken from the step behind. The last step's factor meets a state of zeros, so any
        # will do: the first stands there. Then dL/db_t = D_t, dL/da_t = D_t h_{t-1}, and dL/dh_0 = a_1 D_1.
        def gradient(d_states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            d_states, last = tf.ensure_shape(d_states, states.shape), tf.zeros_like(start)
            d_b = solve_back(_neighbours(a, end(a), not reverse), d_states, last)
            d_start = end(d_b, last=reverse) * end(a, last=reverse)
            return d_b * _neighbours(states, start, reverse), d_b, d_start

        return states, gradient

    differentiable: Callable[[Tensor, Tensor, Tensor], Tensor] = solution
    return differentiable


def _neighbours(sequence: Tensor, edge: Tensor, reverse: bool) -> Tensor:
    """Each step's predecessor in running order; `edge` before the first."""
    edges = edge[None][: length(sequence)]  # none where there is no step
    parts = [sequence[1:], edges] if reverse else [edges, sequence[:-1]]
    return tf.concat(parts, axis=0)


def _sequential(a: Tensor, b: Tensor, start: Tensor, *, reverse: bool) -> Tensor:
    """All states `(time, batch, size)`, one step after the other."""

    def body(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
        new = now[0] * states[0] + now[1]
        return [new], [new]

    spec = tf.TensorSpec(start.shape, start.dtype)
    return loop(body, length(a), [start], [a, b], backwards=reverse, yields=[spec])[2][0]


def _parallel(a: Tensor, b: Tensor, start: Tensor, *, reverse: bool) -> Tensor:
    """Cuts time into about sqrt(time) parts, all solved side by side, then joins them: 2 sqrt(time) steps in a row."""
    steps, size = a.shape[0], tf.shape(start)
    width = math.isqrt(steps - 1) + 1
    count = -(-steps // width)
    missing = count * width - steps
    padding = [[missing, 0] if reverse else [0, missing], [0, 0], [0, 0]]

    def cut(sequence: Tensor, filling: float) -> Tensor:
        padded = tf.pad(sequence, padding, constant_values=tf.cast(filling, sequence.dtype))
        parts = tf.reshape(padded, tf.concat([[count, width], size], axis=0))
        return tf.ensure_shape(tf.transpose(parts, [1, 0, 2, 3]), [width, count, *start.shape])

    # Padding changes no state, h -> 1 * h + 0, and stands where the recurrence ends. Entry i of `a_parts` are the i-th
    # steps of all parts: `(width, count, batch, size)`.
    a_parts, b_parts = cut(a, 1.0), cut(b, 0.0)

    def compose(_: Tensor, map_so_far: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
        new = list(_compose(tuple(map_so_far), tuple(now)))
        return new, new

    # 1. Within all parts at once: the map from the state before the part to the state after each of its steps,
    # `(width, count, batch, size)`; the final ones are the maps of whole parts, `(count, batch, size)`.
    identity = [tf.ones_like(a_parts[0]), tf.zeros_like(b_parts[0])]
    (a_all, b_all), _, (a_within, b_within) = loop(compose, width, identity, [a_parts, b_parts], backwards=reverse)

    def join(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
        return [now[0] * states[0] + now[1]], [states[0]]

    # 2. From part to part: the state before each, `(count, batch, size)`.
    before = loop(join, count, [start], [a_all, b_all], backwards=reverse)[2][0]
    # 3. Every step at once, then time in one piece again: `(count, width, ...)` -> `(count * width, batch, size)`.
    solved = tf.transpose(a_within * before + b_within, [1, 0, 2, 3])
    solved = tf.reshape(solved, tf.concat([[count * width], size], axis=0))
    return tf.ensure_shape(solved[missing:] if reverse else solved[:steps], a.shape)


def _compose(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The map h -> a2 * (a1 * h + b1) + b2 of two steps in a row."""
    (a1, b1), (a2, b2) = first, second
    return a1 * a2, a2 * b1 + b2
