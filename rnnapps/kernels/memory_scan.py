"""The recurrence S_t = A_t S_{t-1} + U_t of matrices, A_t a matrix or what scales the rows of S, with its gradient."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.kernels.loop import length, loop
from rnnapps.kernels.sealed import Sealed
from rnnapps.types import Tensor, Tensors

__all__ = ["memory_scan"]


def memory_scan(carry: Tensor, update: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Solves S_t = A_t S_{t-1} + U_t for all t.

    Args:
        carry: A, matrices `(steps, ..., rows, rows)`, or factors of the rows `(steps, ..., rows or 1, 1)`.
        update: U `(steps, ..., rows, columns)`.
        start: S before the first step `(..., rows, columns)`.

    Returns:
        S before each step `(steps, ..., rows, columns)`, and after the last `(..., rows, columns)`.
    """
    # Factors that one number holds for all rows of a matrix of one row are both: one times one is the same either way.
    scales = carry.shape[-1] == 1
    solve, solve_back = Sealed(_forwards(scales), compiled=False), Sealed(_backwards(scales), compiled=False)

    @tf.custom_gradient
    def solution(carry: Tensor, update: Tensor, start: Tensor) -> tuple[Tensors, Callable[..., Tensors]]:
        before, final = solve(carry, update, start)

        # With D_t all that reaches S_t: D_{t-1} = d_{t-1} + A_t' D_t, dL/dU_t = D_t, dL/dA_t = D_t S_{t-1}'.
        def gradient(d_before: Tensor, d_final: Tensor) -> Tensors:
            d_update, d_start = solve_back(carry, d_before, d_final)
            if not scales:
                return [tf.matmul(d_update, before, transpose_b=True), d_update, d_start]
            d_carry = tf.reduce_sum(d_update * before, axis=-1, keepdims=True)
            if carry.shape[-2] == 1 and update.shape[-2] != 1:
                d_carry = tf.reduce_sum(d_carry, axis=-2, keepdims=True)
            return [d_carry, d_update, d_start]

        return [before, final], gradient

    before, final = solution(carry, update, start)
    return before, final


def _forwards(scales: bool) -> Callable[[Tensor, Tensor, Tensor], Tensors]:
    """(A, U, start) -> S before each step, and after the last."""

    def solve(carry: Tensor, update: Tensor, start: Tensor) -> Tensors:
        def body(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            kept = now[0] * states[0] if scales else tf.matmul(now[0], states[0])
            return [kept + now[1]], [states[0]]

        spec = tf.TensorSpec(start.shape, start.dtype)
        final, _, before = loop(body, length(update), [start], [carry, update], backwards=False, yields=[spec])
        return [before[0], final[0]]

    return solve


def _backwards(scales: bool) -> Callable[[Tensor, Tensor, Tensor], Tensors]:
    """(A, gradients of S before each step, of S after the last) -> those of S after each step, and of the start."""

    def solve(carry: Tensor, d_before: Tensor, d_final: Tensor) -> Tensors:
        def body(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            back = now[0] * states[0] if scales else tf.matmul(now[0], states[0], transpose_a=True)
            return [now[1] + back], [states[0]]

        spec = tf.TensorSpec(d_final.shape, d_final.dtype)
        d_start, _, d_update = loop(body, length(d_before), [d_final], [carry, d_before], backwards=True, yields=[spec])
        return [d_update[0], d_start[0]]

    return solve
