"""The forward and the backward loop over all time steps of a sequence.

With p_t the projected input of a step, r_t = recur(h_{t-1}) and s_t = update(p_t, r_t, s_{t-1}), where h is the first
of the states s, and J' the transposed Jacobian (d_ is the gradient of the loss):

    d_s_t      += d_output_t                             into the first state only
    d_s_{t-1}   = (J' of update by s_{t-1}) d_s_t  +  (J' of recur) d_r_t          the second into the first state only
    d_p_t, d_r_t = (J' of update by p_t and by r_t) d_s_t
    d_weights   = sum over t of (J' of update by weights) d_s_t  +  (J' of recur by weights) d_r_t
    d_constants = sum over t of (J' of update by constants) d_s_t

Only the first three need the loop. The sums over weights are products over all steps and rows, after it; but for the
vectors (biases, gains) among the weights of `update`, which are small enough for the loop to carry their sums. It
carries those of the constants too, and with constants those of all weights of `update`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from rnnapps.kernels.loop import end, length, loop
from rnnapps.kernels.sealed import Sealed
from rnnapps.kernels.step import Step, beside, numbers, turned, wide
from rnnapps.types import Tensor, Tensors

__all__ = ["PassInputs", "Passes", "Saved"]


class PassInputs(NamedTuple):
    """What a pass runs on.

    Attributes:
        xs: projected inputs, each `(time, batch, any)`.
        mask: bool `(time, batch)` or None; False carries the states through.
        start: initial states, each `(batch, size)`.
        weights: values of `cell.weights`.
        kept: `(batch, size)`, what the output is multiplied by before `recur` reads it (dropout); None for 1.
        constants: what stays the same over the sequence, each `(batch, ...)`; some may be no numbers, such as masks.
    """

    xs: Tensors
    mask: Tensor | None
    start: Tensors
    weights: Tensors
    kept: Tensor | None = None
    constants: Sequence[Tensor] = ()


class Saved(NamedTuple):
    """What the forward pass keeps for the backward pass.

    Attributes:
        histories: the states before, between and after all steps, each `(time + 1, batch, size)`.
        recurrents: what `recur` made in each step, each `(time, batch, any)`; with `summed` the one is x + r.
        summed: whether `update` depends on the sum of its projected and its recurrent input only.
    """

    histories: Tensors
    recurrents: Tensors
    summed: bool


class _BackwardInputs(NamedTuple):
    """What the backward loop reads.

    Attributes:
        xs: projected inputs, or None where `recurrents` hold x + r.
        mask: as in `PassInputs`.
        weights: values of `cell.weights`.
        stored: the same, turned (see `turned`).
        previous: the states before each step, each `(time, batch, size)`.
        recurrents: as in `Saved`.
        d_outputs: gradient of the outputs `(time, batch, size)`.
        d_final: gradients of the final states, each `(batch, size)`.
        kept: as in `PassInputs`.
        constants: as in `PassInputs`.
    """

    xs: Tensors | None
    mask: Tensor | None
    weights: Tensors
    stored: Tensors
    previous: Tensors
    recurrents: Tensors
    d_outputs: Tensor
    d_final: Tensors
    kept: Tensor | None
    constants: Sequence[Tensor]


class Passes:
    """Forward and backward pass; sequences are time-major `(time, batch, any)`.

    Args:
        step: the cell as pure functions.
        reverse: run from the last step to the first.
        compiled: make each loop an XLA program of its own. The products over all time steps stay outside: TensorFlow's
            own are faster for large matrices.
    """

    def __init__(self, step: Step, *, reverse: bool, compiled: bool) -> None:
        self.step, self.reverse = step, reverse
        self._output_loop = Sealed(self._loop_of_outputs, compiled=compiled)
        self._forward_loop = Sealed(self._loop_forward, compiled=compiled)
        self._backward_loop = Sealed(self._loop_backward, compiled=compiled)
        self._sums: bool | None = None
        self._recurrent_specs: list[tf.TensorSpec] = []

    def outputs(self, inputs: PassInputs) -> tuple[Tensor, Tensors]:
        """Returns the outputs `(time, batch, size)` and the final states, and keeps nothing."""
        outputs, final = self._output_loop(inputs)
        return outputs, final

    def _loop_of_outputs(self, inputs: PassInputs) -> tuple[Tensor, Tensors]:
        """`outputs`, as a loop."""

        def body(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            new = self._advanced(inputs, now, states, self._recurrents(inputs, states))
            return new, new[:1]

        steps, reads = length(inputs.xs[0]), _with_mask(inputs)
        output = tf.TensorSpec(inputs.start[0].shape, inputs.start[0].dtype)
        final, _, (outputs,) = loop(body, steps, inputs.start, reads, backwards=self.reverse, yields=[output])
        return outputs, final

    def forward(self, inputs: PassInputs) -> tuple[Tensor, Tensors, Saved]:
        """Returns the outputs `(time, batch, size)`, the final states and what the backward pass needs."""
        summed = self._sums_inputs(inputs)
        final, histories, recurrents = self._forward_loop(inputs)
        # The outputs are the first state after each step: no second copy of them is kept.
        outputs = histories[0][:-1] if self.reverse else histories[0][1:]
        return outputs, final, Saved(histories, recurrents, summed)

    def _loop_forward(self, inputs: PassInputs) -> tuple[Tensors, Tensors, Tensors]:
        """The final states, and the histories and the recurrents of `Saved`."""
        summed = self._sums_inputs(inputs)

        def body(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            recurrents = self._recurrents(inputs, states)
            new = self._advanced(inputs, now, states, recurrents)
            return new, [now[0] + recurrents[0]] if summed else recurrents

        steps, reads = length(inputs.xs[0]), _with_mask(inputs)
        specs = self._recurrent_specs
        return loop(body, steps, inputs.start, reads, backwards=self.reverse, keep_history=True, yields=specs)

    def _recurrents(self, inputs: PassInputs, states: Tensors) -> Tensors:
        """What `recur` makes of the output before a step."""
        return self.step.recur(_thinned(states[0], inputs.kept), inputs.weights)

    def _advanced(self, inputs: PassInputs, now: Tensors, states: Tensors, recurrents: Tensors) -> Tensors:
        """The states after a step; `now` holds its projected inputs, and last its mask if it is masked."""
        masked = inputs.mask is not None
        xs, mask = (now[:-1], now[-1]) if masked else (now, None)
        new = self.step.update(xs, recurrents, states, inputs.weights, constants=inputs.constants)
        return _where(mask, new, states) if masked else new

    def backward(
        self, inputs: PassInputs, saved: Saved, d_outputs: Tensor, d_final: Tensors
    ) -> tuple[Tensors, Tensors, Tensors, Tensors]:
        """Returns the gradients of xs, of the initial states, of the weights and of the constants that are numbers.

        Args:
            inputs: those of `forward`.
            saved: what it returned for this purpose.
            d_outputs: gradient of the outputs `(time, batch, size)`.
            d_final: gradients of the final states, each `(batch, size)`.
        """
        weights, recurrents = inputs.weights, saved.recurrents
        previous = self._previous(saved.histories)
        # Where only x + r counts, it stands in `recurrents` and 0 may stand for x: xs need not be kept until here.
        xs = None if saved.summed else inputs.xs
        stored = turned(weights, inputs.start[0].shape[0])
        read = _BackwardInputs(
            xs,
            inputs.mask,
            weights,
            stored,
            previous,
            recurrents,
            d_outputs,
            d_final,
            inputs.kept,
            inputs.constants,
        )
        d_start, d_vectors, d_constants, d_xs, d_recurrents, d_new = self._backward_loop(read)
        outputs = _rows([_thinned(previous[0], inputs.kept)])[0]
        d_weights = self.step.recur_weight_gradients(outputs, weights, _rows(d_recurrents))
        vectors, matrices = self.step.update_weights(weights)
        for n, total in zip(vectors, d_vectors, strict=True):
            d_weights[n] += tf.cast(total, d_weights[n].dtype)
        if matrices:
            flat = (_rows(_zeros_like(recurrents) if xs is None else xs), _rows(recurrents), _rows(previous))
            more = self.step.update_gradient(*flat, weights, d_new=_rows(d_new), wanted=matrices)[3]
            for n, gradient in zip(matrices, more, strict=True):
                d_weights[n] += gradient
        return d_recurrents if saved.summed else d_xs, d_start, d_weights, d_constants

    def _loop_backward(self, inputs: _BackwardInputs) -> tuple[Tensors, ...]:
        """Walks from the end of the sequence to its beginning.

        Returns:
            The gradients of the initial states; those of the vectors among the weights of `update`; those of the
            constants; and, each `(time, batch, any)`, the gradients of all xs (none where x + r has one), of all
            recurrents, and, if matrices need them later, of the new states.
        """
        xs, mask, weights, stored, previous, recurrents, d_outputs, d_final, kept, constants = inputs
        vectors, matrices = self.step.update_weights(weights)
        rows, count = d_final[0].shape[0], len(d_final)
        summed = [*(weights[n] for n in vectors), *(constants[n] for n in numbers(constants))]

        def body(t: Tensor, carried: Tensors, _: Tensors) -> tuple[Tensors, Tensors]:
            d_states, sums = carried[:count], carried[count:]
            recurrent, states = _at(t, recurrents), _at(t, previous)
            x = _zeros_like(recurrent) if xs is None else _at(t, xs)
            d_states = [d_states[0] + d_outputs[t], *d_states[1:]]
            # A masked row has s_t = s_{t-1}: its gradient goes around the step, and 0 goes through it.
            d_new = d_states if mask is None else _where(mask[t], d_states, _zeros_like(d_states))
            d_xs, d_recurrents, d_previous, d_vectors, d_constants = self.step.update_gradient(
                x, recurrent, states, weights, d_new=d_new, wanted=vectors, constants=constants
            )
            d_read = self.step.recur_gradient(_thinned(states[0], kept), turned(stored, rows), d_recurrents)
            d_previous[0] += _thinned(d_read, kept)
            if mask is not None:
                d_carried = _where(mask[t], _zeros_like(d_states), d_states)
                d_previous = _add(d_previous, d_carried)
            more = [*d_vectors, *d_constants]
            sums = _add(sums, [tf.cast(d, total.dtype) for d, total in zip(more, sums, strict=True)])
            return [*d_previous, *sums], [*(d_xs if xs else []), *d_recurrents, *(d_new if matrices else [])]

        zeros = [tf.zeros_like(tensor, wide(tensor.dtype)) for tensor in summed]
        stacked = [*(xs or []), *recurrents, *(previous if matrices else [])]
        specs = [tf.TensorSpec(tensor.shape[1:], tensor.dtype) for tensor in stacked]
        begin, steps = [*d_final, *zeros], length(previous[0])
        carried, _, yields = loop(body, steps, begin, backwards=not self.reverse, yields=specs)
        d_xs, rest = yields[: len(xs or [])], yields[len(xs or []) :]
        d_start, sums = carried[:count], carried[count:]
        d_vectors, d_constants = sums[: len(vectors)], sums[len(vectors) :]
        d_constants = [tf.cast(d, like.dtype) for d, like in zip(d_constants, summed[len(vectors) :], strict=True)]
        return d_start, d_vectors, d_constants, d_xs, rest[: len(recurrents)], rest[len(recurrents) :]

    def _sums_inputs(self, inputs: PassInputs) -> bool:
        """Whether `update` depends on the sum of the projected and the recurrent input only, as the LSTM's does.

        Then that sum is all the backward pass needs of the two. It is so if both have the same gradient; and they
        have, if the tape returns one and the same tensor for both.
        """
        if self._sums is not None:
            return self._sums
        xs, start, weights = inputs.xs, inputs.start, inputs.weights
        same: list[bool] = []

        def probe() -> None:
            now, recurrents = [end(x) for x in xs], self.step.recur(start[0], weights)
            d_xs, d_recurrents, *_ = self.step.update_gradient(
                now, recurrents, start, weights, d_new=start, wanted=[], constants=inputs.constants
            )
            self._recurrent_specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in recurrents]
            same.append(len(d_xs) == len(d_recurrents) == 1 and d_xs[0] is d_recurrents[0])

        tf.function(probe, autograph=False).get_concrete_function()
        self._sums = same[0]
        return self._sums

    def _previous(self, histories: Tensors) -> Tensors:
        """The states before each step `(time, batch, size)`, of histories that hold the initial states too."""
        return [h[1:] if self.reverse else h[:-1] for h in histories]


def _where(mask: Tensor, tensors: Tensors, otherwise: Tensors) -> Tensors:
    """Row-wise choice by a bool mask `(batch,)`."""
    return [tf.where(beside(mask, a), a, b) for a, b in zip(tensors, otherwise, strict=True)]


def _thinned(output: Tensor, kept: Tensor | None) -> Tensor:
    """What `recur` reads of an output, or its gradient."""
    return output if kept is None else output * kept


def _add(some: Tensors, others: Tensors) -> Tensors:
    """The sums of pairs of tensors."""
    return [a + b for a, b in zip(some, others, strict=True)]


def _zeros_like(tensors: Tensors) -> Tensors:
    """As many tensors of the same shapes, all zeros."""
    return [tf.zeros_like(tensor) for tensor in tensors]


def _with_mask(inputs: PassInputs) -> Tensors:
    """What each forward step reads: the projected inputs and, if there is one, the mask behind them."""
    return list(inputs.xs) if inputs.mask is None else [*inputs.xs, inputs.mask]


def _at(t: Tensor, sequences: Tensors) -> Tensors:
    """One time step of each sequence."""
    return [sequence[t] for sequence in sequences]


def _rows(sequences: Tensors) -> Tensors:
    """Joins time and batch: each `(time, batch, ...)` -> `(time * batch, ...)`."""
    return [tf.reshape(sequence, [-1, *sequence.shape[2:]]) for sequence in sequences]
