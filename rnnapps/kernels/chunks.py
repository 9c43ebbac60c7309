"""What happens inside the chunks of a sequence: products over all their steps, for all chunks at once.

Tensors are `(chunks, batch, heads, width, size)`: the steps of a chunk are the rows of its matrices. `chunkwise` has
the equations.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.kernels.loop import length, loop
from rnnapps.kernels.matrix_step import CLOSED, MatrixInputs, is_given, stabilized
from rnnapps.kernels.memory_scan import memory_scan
from rnnapps.types import Nest, Size, Tensor

__all__ = ["inside_chunks", "read_chunks", "scale_chunks"]

WIDTH, WIDTH_OF_ROWS = 64, 16
"""Steps of a chunk with one decay a head, and with one a row, whose products are no matrix products."""
FORBIDDEN = -1e30
"""Logarithm of what a later step gives to an earlier one."""


def inside_chunks(inputs: MatrixInputs, *, reverse: bool) -> tuple[MatrixInputs, Callable[[Tensor], Tensor]]:
    """Cuts sequences into chunks of equal width; steps added at the end leave the memory as it is.

    Args:
        inputs: `(time, batch, heads, ...)`.
        reverse: take the steps from the last to the first.

    Returns:
        The chunks, and a function that makes chunks `(chunks, batch, heads, width, size)` a sequence
        `(time, batch, heads, size)` again.
    """
    steps = length(inputs.q)
    width = WIDTH if inputs.log_decay.shape[-1] == 1 else WIDTH_OF_ROWS
    count = _at_least_1(-(-steps // width))
    width = _at_least_1(-(-steps // count))
    missing = count * width - steps

    def cut(sequence: Nest, filling: float = 0.0) -> Nest:
        if not is_given(sequence):
            return sequence
        wide = sequence if sequence.shape.rank == 4 else sequence[..., None]
        running = tf.reverse(wide, axis=[0]) if reverse else wide
        padded = tf.pad(running, [[0, missing], [0, 0], [0, 0], [0, 0]], constant_values=filling)
        chunks = tf.transpose(tf.reshape(padded, [count, width, *_rest(wide)]), [0, 2, 3, 1, 4])
        return chunks if sequence.shape.rank == 4 else chunks[..., 0]

    def join(chunks: Tensor) -> Tensor:
        sequence = tf.reshape(
            tf.transpose(chunks, [0, 3, 1, 2, 4]), [count * width, *_rest(inputs.q)[:2], chunks.shape[-1]]
        )
        return tf.reverse(sequence[:steps], axis=[0]) if reverse else sequence[:steps]

    parts = {name: cut(sequence) for name, sequence in inputs._asdict().items() if name != "log_input"}
    return MatrixInputs(**parts, log_input=cut(inputs.log_input, CLOSED)), join


def scale_chunks(inputs: MatrixInputs, before: Tensor) -> tuple[MatrixInputs, Tensor]:
    """Stabilises exponential input gates.

    Args:
        inputs: chunks.
        before: m before the first step `(batch, heads)`.

    Returns:
        Stabilised inputs, and m after each step `(chunks, batch, heads, width)`.
    """
    decay = tf.cumsum(inputs.log_decay, axis=-2)
    reached = tf.where(_earlier(decay), decay - _turned(decay), FORBIDDEN) + inputs.log_input[..., None, :]
    own, decay = tf.reduce_max(reached, axis=-1), decay[..., 0]

    def body(_: Tensor, states: list[Tensor], now: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        return [tf.maximum(states[0] + now[0], now[1])], [states[0]]

    spec = tf.TensorSpec(before.shape, before.dtype)
    ends = [decay[..., -1], own[..., -1]]
    starts = loop(body, length(decay), [before], ends, backwards=False, yields=[spec])[2][0][..., None]
    after = tf.maximum(starts + decay, own)
    return stabilized(inputs, tf.concat([starts, after[..., :-1]], axis=-1), after), after


def read_chunks(inputs: MatrixInputs, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Runs a memory `(batch, heads, key_size, value_size)` through all chunks.

    Returns:
        What is read, `(chunks, batch, heads, width, value_size)`, and the final memory.
    """
    q, k, v, decay = inputs.q, inputs.k, inputs.v, tf.cumsum(inputs.log_decay, axis=-2)
    total = decay[..., -1, :][..., None, :]  # of one row, whatever the width
    products = _DecayedProducts(decay)
    own, to_end, from_begin = products(q, k), k * tf.exp(total - decay), tf.exp(decay)
    factors = _turned(tf.exp(total))
    if not is_given(inputs.beta):
        before, final = memory_scan(factors, tf.matmul(to_end, v, transpose_a=True), memory)
        return tf.matmul(q * from_begin, before) + tf.matmul(own, v), final
    beta = inputs.beta[..., None]
    system = tf.linalg.set_diag(beta * products(k, k), tf.ones_like(beta[..., 0]))
    right = tf.concat([beta * v, beta * from_begin * k], axis=-1)
    x, z = tf.split(tf.linalg.triangular_solve(system, right), [v.shape[-1], k.shape[-1]], axis=-1)
    carry = tf.eye(k.shape[-1], dtype=k.dtype) * factors - tf.matmul(to_end, z, transpose_a=True)
    before, final = memory_scan(carry, tf.matmul(to_end, x, transpose_a=True), memory)
    return tf.matmul(q * from_begin, before) + tf.matmul(own, x - tf.matmul(z, before)), final


class _DecayedProducts:
    """Products of later with earlier steps, what decays in between: sum over d of x_i[d] y_j[d] exp(g_i[d] - g_j[d]).

    The difference is taken before the exponential, which then is at most 1: nothing overflows, whatever the decay.

    Args:
        decay: g, sums of the logarithms of the decays `(..., width, 1 or size)`.
    """

    def __init__(self, decay: Tensor) -> None:
        self._one_a_head = decay.shape[-1] == 1
        if self._one_a_head:
            self._factors = tf.exp(tf.where(_earlier(decay), decay - _turned(decay), FORBIDDEN))
        else:
            differences = decay[..., :, None, :] - decay[..., None, :, :]
            self._factors = tf.exp(tf.where(_earlier(decay)[..., None], differences, FORBIDDEN))

    def __call__(self, later: Tensor, earlier: Tensor) -> Tensor:
        """`(..., width, size)` twice -> `(..., width, width)`, 0 above the diagonal."""
        if self._one_a_head:
            return self._factors * tf.matmul(later, earlier, transpose_b=True)
        weighted = self._factors * later[..., :, None, :] * earlier[..., None, :, :]
        return tf.reduce_sum(weighted, axis=-1)


def _earlier(decay: Tensor) -> Tensor:
    """Bool `(width, width)`: whether column j is no later than row i."""
    steps = tf.range(tf.shape(decay)[-2])
    return steps[:, None] >= steps[None, :]


def _turned(matrices: Tensor) -> Tensor:
    """Rows for columns."""
    return tf.linalg.matrix_transpose(matrices)


def _at_least_1(number: Size) -> Size:
    """An int where it is static."""
    return max(number, 1) if isinstance(number, int) else tf.maximum(number, 1)


def _rest(sequence: Tensor) -> list[Size]:
    """All sizes but the first; static where known."""
    dynamic = tf.shape(sequence)
    return [dynamic[n] if size is None else size for n, size in enumerate(sequence.shape)][1:]
