"""Backpropagation through time that keeps the states of every k-th step only and recomputes the others.

Chen et al. 2016, arXiv:1604.06174: memory for the time of one more forward pass.
"""

from __future__ import annotations

import tensorflow as tf

from rnnapps.kernels.loop import length, loop
from rnnapps.kernels.passes import Passes, PassInputs
from rnnapps.kernels.step import numbers
from rnnapps.types import Size, Tensor, Tensors

__all__ = ["RecomputingPasses"]


class RecomputingPasses:
    """The passes of a sequence, cut into segments; used like `Passes`.

    Args:
        passes: the passes of one segment.
        every: steps per segment. The last segment is filled up with masked steps.
    """

    def __init__(self, passes: Passes, every: int) -> None:
        self.passes, self.every = passes, every

    def forward(self, inputs: PassInputs) -> tuple[Tensor, Tensors, Tensors]:
        """Returns the outputs, the final states and the states between segments, each `(segments + 1, batch, size)`."""
        xs, mask, start = inputs.xs, inputs.mask, inputs.start
        segments, masks = self._cut(xs, mask)

        def body(s: Tensor, states: Tensors, _now: Tensors) -> tuple[Tensors, Tensors]:
            # What `Passes.forward` would keep of the segment is dropped here: the backward pass makes it anew.
            segment = inputs._replace(xs=[x[s] for x in segments], mask=_at(masks, s), start=states)
            outputs, final, _ = self.passes.forward(segment)
            return final, [outputs]

        count = length(segments[0])
        final, between, (outputs,) = loop(body, count, start, backwards=self.passes.reverse, keep_history=True)
        return self._join(outputs, length(xs[0])), final, between

    def backward(
        self, inputs: PassInputs, saved: Tensors, d_outputs: Tensor, d_final: Tensors
    ) -> tuple[Tensors, Tensors, Tensors, Tensors]:
        """Returns what `Passes.backward` returns, and takes what it takes."""
        xs, mask, start, weights, constants = inputs.xs, inputs.mask, inputs.start, inputs.weights, inputs.constants
        (*segments, d_segments), masks = self._cut([*xs, d_outputs], mask)
        # The states before each segment, in running order: `(segments, batch, size)`.
        begins = [between[1:] if self.passes.reverse else between[:-1] for between in saved]

        def body(s: Tensor, carried: Tensors, _: Tensors) -> tuple[Tensors, Tensors]:
            d_states, sums = carried[: len(start)], carried[len(start) :]
            now, before = [x[s] for x in segments], [b[s] for b in begins]
            segment = inputs._replace(xs=now, mask=_at(masks, s), start=before)
            saved_of_segment = self.passes.forward(segment)[2]
            d_xs, d_begin, *more = self.passes.backward(segment, saved_of_segment, d_segments[s], d_states)
            return [*d_begin, *(a + b for a, b in zip(sums, [*more[0], *more[1]], strict=True))], d_xs

        summed = [*weights, *(constants[n] for n in numbers(constants))]
        carried = [*d_final, *(tf.zeros_like(tensor) for tensor in summed)]
        final, _, d_xs = loop(body, length(segments[0]), carried, backwards=not self.passes.reverse)
        d_start, d_weights = final[: len(start)], final[len(start) :][: len(weights)]
        d_constants = final[len(start) + len(weights) :]
        return [self._join(d, length(xs[0])) for d in d_xs], d_start, d_weights, d_constants

    def _cut(self, sequences: Tensors, mask: Tensor | None) -> tuple[Tensors, Tensor | None]:
        """`(time, batch, any)` -> `(segments, every, batch, any)`; the mask is False where steps were added."""
        steps, batch = length(sequences[0]), tf.shape(sequences[0])[1]
        missing = -steps % self.every
        if mask is None and not (isinstance(missing, int) and missing == 0):
            mask = tf.ones([steps, batch], tf.bool)
        parts = [self._segments(sequence, missing) for sequence in sequences]
        return parts, None if mask is None else self._segments(mask, missing)

    def _segments(self, sequence: Tensor, missing: Size) -> Tensor:
        """One sequence cut, zeros (for a mask: False) in the `missing` steps at its end."""
        padded = tf.pad(sequence, [[0, missing], *([[0, 0]] * (sequence.shape.rank - 1))])
        count = -1 if sequence.shape[0] is None else -(-sequence.shape[0] // self.every)
        return tf.reshape(padded, [count, self.every, *_rest(sequence)])

    def _join(self, segments: Tensor, steps: Size) -> Tensor:
        """`(segments, every, batch, any)` -> `(time, batch, any)`, without the steps that were added."""
        return tf.reshape(segments, [length(segments) * self.every, *_rest(segments[0])])[:steps]


def _rest(sequence: Tensor) -> list[Size]:
    """All sizes but the first; static where known."""
    dynamic = tf.shape(sequence)
    return [dynamic[n] if size is None else size for n, size in enumerate(sequence.shape)][1:]


def _at(masks: Tensor | None, s: Tensor) -> Tensor | None:
    """The mask of one segment, if there is one."""
    return None if masks is None else masks[s]
