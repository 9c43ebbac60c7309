"""What decays leave of the steps of a chunk; `chunkwise` has the equations."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["FORBIDDEN", "Decays", "causal", "turned"]

FORBIDDEN = -1e30
"""Logarithm of what a later step gives to an earlier one."""


class Decays:
    """What is left of steps of a chunk at later ones; g are the sums of the logarithms of the decays from its begin.

    If not `bounded` a difference is taken before the exponential, which then is at most 1: nothing overflows, whatever
    the decay.

    Args:
        log_decay: logarithms of the decays `(..., width, 1 or size)`.
        bounded: whether their sum over a chunk is small enough to take exp(g_i - g_j) apart, into factors of i and j.

    Attributes:
        from_begin: what is left at each step of the memory before the chunk, exp(g), of the same shape.
        to_end: what is left of each step behind the chunk, of the same shape.
        factors: what is left of the memory behind the chunk `(..., 1 or size, 1)`.
    """

    def __init__(self, log_decay: Tensor, *, bounded: bool) -> None:
        self._log_decay, self._sums = log_decay, tf.cumsum(log_decay, axis=-2)
        total = self._sums[..., -1, :][..., None, :]  # of one row, whatever the width
        self.from_begin, self.to_end = tf.exp(self._sums), tf.exp(total - self._sums)
        self.factors = turned(tf.exp(total))
        self._one_a_head, self._bounded = log_decay.shape[-1] == 1, bounded
        if bounded:
            self._half = tf.exp(self._sums - total / 2)
        else:
            self._between = self._between_steps()

    def _between_steps(self) -> Tensor:
        """exp(g_i - g_j) for each pair of steps `(..., width, width)`, with sizes one behind; 0 where j is later."""
        if self._one_a_head:
            return tf.exp(tf.where(causal(self._sums), self._sums - turned(self._sums), FORBIDDEN))
        differences = self._sums[..., :, None, :] - self._sums[..., None, :, :]
        return tf.exp(tf.where(causal(self._sums)[..., None], differences, FORBIDDEN))

    def from_begin_to_before(self) -> Tensor:
        """What is left of the memory before the chunk when a step begins, its own decay still to come."""
        return tf.exp(self._sums - self._log_decay)

    def products(self, later: Tensor, earlier: Tensor) -> Tensor:
        """Sum over d of x_i[d] y_j[d] exp(g_i[d] - g_j[d]): `(..., width, size)` twice -> `(..., width, width)`.

        It is 0 above the diagonal.
        """
        if self._bounded:
            every = tf.matmul(later * self._half, earlier / self._half, transpose_b=True)
            return tf.where(causal(self._sums), every, tf.zeros_like(every))
        if self._one_a_head:
            return self._between * tf.matmul(later, earlier, transpose_b=True)
        weighted = self._between * later[..., :, None, :] * earlier[..., None, :, :]
        return tf.reduce_sum(weighted, axis=-1)

    def products_before(self, later: Tensor, earlier: Tensor) -> Tensor:
        """The same with what was left when the later step began, exp(g_{i-1} - g_j); 0 on the diagonal too."""
        # What a step finds when it begins is what a look at the end of the step before it would find.
        sides = [[0, 0]] * (later.shape.rank - 2)
        moved = tf.pad(later[..., 1:, :], [*sides, [0, 1], [0, 0]])
        return tf.pad(self.products(moved, earlier)[..., :-1, :], [*sides, [1, 0], [0, 0]])


def causal(decay: Tensor) -> Tensor:
    """Bool `(width, width)`: whether column j is no later than row i."""
    steps = tf.range(tf.shape(decay)[-2])
    return steps[:, None] >= steps[None, :]


def turned(matrices: Tensor) -> Tensor:
    """Rows for columns."""
    return tf.linalg.matrix_transpose(matrices)
