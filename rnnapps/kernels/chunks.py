"""What happens inside the chunks of a sequence: products over all their steps, for all chunks at once.

Tensors are `(chunks, batch, heads, width, size)`: the steps of a chunk are the rows of its matrices. `chunkwise` has
the equations.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.kernels.decays import FORBIDDEN, Decays, causal, turned
from rnnapps.kernels.loop import length, loop
from rnnapps.kernels.matrix_step import CLOSED, MatrixInputs, is_given, stabilized
from rnnapps.kernels.memory_scan import memory_scan
from rnnapps.types import Nest, Size, Tensor, Tensors

__all__ = ["chunk_width", "inside_chunks", "read_chunks", "scale_chunks"]

WIDTH, WIDTH_OF_ROWS = 64, 16
"""Steps of a chunk with one decay a head, and with one a row, whose products are no matrix products."""
SPAN = 40.0
"""Over as many decays, as logarithms, factors for either end may be taken apart: exp(20) is far from what overflows."""


def chunk_width(inputs: MatrixInputs, least: float | None) -> tuple[int, bool]:
    """Steps of a chunk, and whether rows that decay by themselves decay so little in it that matrix products do.

    Args:
        inputs: any.
        least: below all logarithms of the decays, None where nothing is.
    """
    if inputs.log_decay.shape[-1] == 1:
        return WIDTH, False
    fitting = 0 if least is None else min(WIDTH, int(SPAN / -least))
    return (fitting, True) if fitting >= WIDTH_OF_ROWS else (WIDTH_OF_ROWS, False)


def inside_chunks(
    inputs: MatrixInputs, width: int, *, reverse: bool
) -> tuple[MatrixInputs, Callable[[Tensor], Tensor]]:
    """Cuts sequences into chunks of equal width; steps added at the end leave the memory as it is.

    Args:
        inputs: `(time, batch, heads, ...)`.
        width: the most steps of a chunk.
        reverse: take the steps from the last to the first.

    Returns:
        The chunks, and a function that makes chunks `(chunks, batch, heads, width, size)` a sequence
        `(time, batch, heads, size)` again.
    """
    steps = length(inputs.q)
    count = _at_least_1(-(-steps // width))
    even = _at_least_1(-(-steps // count))
    missing = count * even - steps

    def cut(sequence: Nest, filling: float = 0.0) -> Nest:
        if not is_given(sequence):
            return sequence
        wide = sequence if sequence.shape.rank == 4 else sequence[..., None]
        running = tf.reverse(wide, axis=[0]) if reverse else wide
        padded = tf.pad(running, [[0, missing], [0, 0], [0, 0], [0, 0]], constant_values=filling)
        chunks = tf.transpose(tf.reshape(padded, [count, even, *_rest(wide)]), [0, 2, 3, 1, 4])
        return chunks if sequence.shape.rank == 4 else chunks[..., 0]

    def join(chunks: Tensor) -> Tensor:
        sequence = tf.reshape(
            tf.transpose(chunks, [0, 3, 1, 2, 4]), [count * even, *_rest(inputs.q)[:2], chunks.shape[-1]]
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
    reached = tf.where(causal(decay), decay - turned(decay), FORBIDDEN) + inputs.log_input[..., None, :]
    own, decay = tf.reduce_max(reached, axis=-1), decay[..., 0]

    def body(_: Tensor, states: list[Tensor], now: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        return [tf.maximum(states[0] + now[0], now[1])], [states[0]]

    spec = tf.TensorSpec(before.shape, before.dtype)
    ends = [decay[..., -1], own[..., -1]]
    starts = loop(body, length(decay), [before], ends, backwards=False, yields=[spec])[2][0][..., None]
    after = tf.maximum(starts + decay, own)
    return stabilized(inputs, tf.concat([starts, after[..., :-1]], axis=-1), after), after


def read_chunks(inputs: MatrixInputs, memory: Tensor, *, bounded: bool = False) -> tuple[Tensor, Tensor]:
    """Runs a memory `(batch, heads, key_size, value_size)` through all chunks.

    Args:
        inputs: chunks.
        memory: before the first.
        bounded: see `chunk_width`.

    Returns:
        What is read, `(chunks, batch, heads, width, value_size)`, and the final memory.
    """
    decays = Decays(inputs.log_decay, bounded=bounded)
    if is_given(inputs.removal):
        return _removing(inputs, decays, memory)
    if is_given(inputs.beta):
        return _correcting(inputs, decays, memory)
    q, k, v = inputs[:3]
    own, to_end = decays.products(q, k), k * decays.to_end
    before, final = memory_scan(decays.factors, tf.matmul(to_end, v, transpose_a=True), memory)
    return tf.matmul(q * decays.from_begin, before) + tf.matmul(own, v), final


def _correcting(inputs: MatrixInputs, decays: Decays, memory: Tensor) -> tuple[Tensor, Tensor]:
    """`read_chunks` by the delta rule: W = X - Z S is what is written."""
    q, k, v, beta = *inputs[:3], inputs.beta[..., None]
    own, to_end = decays.products(q, k), k * decays.to_end
    x, z = _solved(beta * decays.products(k, k), beta * v, beta * decays.from_begin * k)
    carry = _diagonal(decays.factors, k) - tf.matmul(to_end, z, transpose_a=True)
    before, final = memory_scan(carry, tf.matmul(to_end, x, transpose_a=True), memory)
    return tf.matmul(q * decays.from_begin, before) + tf.matmul(own, x - tf.matmul(z, before)), final


def _removing(inputs: MatrixInputs, decays: Decays, memory: Tensor) -> tuple[Tensor, Tensor]:
    """`read_chunks` by the generalised delta rule: U = X + Z S is what the removal keys find."""
    q, k, v, removal = *inputs[:3], inputs.removal
    erased = inputs.rate * removal
    written, taken = k * decays.to_end, erased * decays.to_end
    found = tf.matmul(decays.products_before(removal, k), v)
    x, z = _solved(decays.products_before(removal, erased), found, decays.from_begin_to_before() * removal)
    carry = _diagonal(decays.factors, k) - tf.matmul(taken, z, transpose_a=True)
    update = tf.matmul(written, v, transpose_a=True) - tf.matmul(taken, x, transpose_a=True)
    before, final = memory_scan(carry, update, memory)
    removed = tf.matmul(decays.products(q, erased), x + tf.matmul(z, before))
    return tf.matmul(q * decays.from_begin, before) + tf.matmul(decays.products(q, k), v) - removed, final


def _solved(below: Tensor, *right: Tensor) -> Tensors:
    """Solves (I + what stands below the diagonal of the matrices) Y = each of the right sides `(..., width, size)`."""
    system = tf.linalg.set_diag(below, tf.ones_like(below[..., 0]))
    solution = tf.linalg.triangular_solve(system, tf.concat(right, axis=-1))
    return list(tf.split(solution, [part.shape[-1] for part in right], axis=-1))


def _diagonal(factors: Tensor, keys: Tensor) -> Tensor:
    """Factors of rows `(..., key_size or 1, 1)` as matrices `(..., key_size, key_size)`."""
    return tf.eye(keys.shape[-1], dtype=keys.dtype) * factors


def _at_least_1(number: Size) -> Size:
    """An int where it is static."""
    return max(number, 1) if isinstance(number, int) else tf.maximum(number, 1)


def _rest(sequence: Tensor) -> list[Size]:
    """All sizes but the first; static where known."""
    dynamic = tf.shape(sequence)
    return [dynamic[n] if size is None else size for n, size in enumerate(sequence.shape)][1:]
