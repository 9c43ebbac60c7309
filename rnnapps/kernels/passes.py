"""The forward and the backward loop over all time steps of a sequence.

With p_t the projected input of a step, r_t = recur(h_{t-1}) and s_t = update(p_t, r_t, s_{t-1}), where h is the first
of the states s, and J' the transposed Jacobian (d_ is the gradient of the loss):

    d_s_t      += d_output_t                             into the first state only
    d_s_{t-1}   = (J' of update by s_{t-1}) d_s_t  +  (J' of recur) d_r_t          the second into the first state only
    d_p_t, d_r_t = (J' of update by p_t and by r_t) d_s_t
    d_weights   = sum over t of (J' of update by weights) d_s_t  +  (J' of recur by weights) d_r_t

Only the first three need the loop. The sums of the last are products over all steps and rows, after it; but for the
vectors (biases, gains) among the weights of `update`, which are small enough for the loop to carry their sums.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.kernels.loop import end, length, loop
from rnnapps.kernels.step import Step, turned
from rnnapps.types import Tensor, Tensors

__all__ = ["PassInputs", "Passes", "Saved"]


class PassInputs(NamedTuple):
    """What a pass runs on.

    Attributes:
        xs: projected inputs, each `(time, batch, any)`.
        mask: bool `(time, batch)` or None; False carries the states through.
        start: initial states, each `(batch, size)`.
        weights: values of `cell.weights`.
    """

    xs: Tensors
    mask: Tensor | None
    start: Tensors
    weights: Tensors


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


class Passes:
    """Forward and backward pass; sequences are time-major `(time, batch, any)`.

    Args:
        step: the cell as pure functions.
        reverse: run from the last step to the first.
        compiled: make each loop an XLA program of its own. The products over all time steps stay outside: TensorFlow's
            own are faster for large matrices.
    """

    def __init__(self, step: Step, *, reverse: bool, compiled: bool) -> None:
        self.step, self.reverse, self.compiled = step, reverse, compiled

    def outputs(self, inputs: PassInputs) -> tuple[Tensor, Tensors]:
        """Returns the outputs `(time, batch, size)` and the final states, and keeps nothing."""

        def body(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            new = self._advanced(inputs, now, states, self.step.recur(states[0], inputs.weights))
            return new, new[:1]

        final, _, (outputs,) = loop(
            body,
            length(inputs.xs[0]),
            inputs.start,
            _with_mask(inputs),
            backwards=self.reverse,
            compiled=self.compiled,
        )
        return outputs, final

    def forward(self, inputs: PassInputs) -> tuple[Tensor, Tensors, Saved]:
        """Returns the outputs `(time, batch, size)`, the final states and what the backward pass needs."""
        summed = self._sums_inputs(inputs)

        def body(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            recurrents = self.step.recur(states[0], inputs.weights)
            new = self._advanced(inputs, now, states, recurrents)
            return new, [now[0] + recurrents[0]] if summed else recurrents

        final, histories, recurrents = loop(
            body,
            length(inputs.xs[0]),
            inputs.start,
            _with_mask(inputs),
            backwards=self.reverse,
            keep_history=True,
            compiled=self.compiled,
        )
        # The outputs are the first state after each step: no second copy of them is kept.
        outputs = histories[0][:-1] if self.reverse else histories[0][1:]
        return outputs, final, Saved(histories, recurrents, summed)

    def _advanced(self, inputs: PassInputs, now: Tensors, states: Tensors, recurrents: Tensors) -> Tensors:
        """The states after a step; `now` holds its projected inputs, and last its mask if it is masked."""
        masked = inputs.mask is not None
        xs, mask = (now[:-1], now[-1]) if masked else (now, None)
        new = self.step.update(xs, recurrents, states, inputs.weights)
        return _where(mask, new, states) if masked else new

    def backward(
        self, inputs: PassInputs, saved: Saved, d_outputs: Tensor, d_final: Tensors
    ) -> tuple[Tensors, Tensors, Tensors]:
        """Returns the gradients of xs, of the initial states and of the weights.

        Args:
            inputs: those of `forward`.
            saved: what it returned for this purpose.
            d_outputs: gradient of the outputs `(time, batch, size)`.
            d_final: gradients of the final states, each `(batch, size)`.
        """
        xs, weights = inputs.xs, inputs.weights
        previous, recurrents = self._previous(saved.histories), saved.recurrents
        vectors, matrices = self.step.update_weights(weights)
        d_start, d_vectors, yields = self._backward_loop(
            inputs, saved, previous=previous, d_outputs=d_outputs, d_final=d_final
        )
        d_xs, rest = yields[: len(xs)], yields[len(xs) :]
        d_recurrents, d_new = rest[: len(recurrents)], rest[len(recurrents) :]
        d_weights = self.step.recur_weight_gradients(_rows(previous)[0], weights, _rows(d_recurrents))
        for n, total in zip(vectors, d_vectors, strict=True):
            d_weights[n] += tf.cast(total, d_weights[n].dtype)
        if matrices:
            flat = (_rows(_zeros_like(xs) if saved.summed else xs), _rows(recurrents), _rows(previous))
            more = self.step.update_gradient(*flat, weights, d_new=_rows(d_new), wanted=matrices)[3]
            for n, gradient in zip(matrices, more, strict=True):
                d_weights[n] += gradient
        return d_xs, d_start, d_weights

    def _backward_loop(
        self, inputs: PassInputs, saved: Saved, *, previous: Tensors, d_outputs: Tensor, d_final: Tensors
    ) -> tuple[Tensors, Tensors, Tensors]:
        """Walks from the end of the sequence to its beginning.

        Arguments as in `backward`; `previous` are the states before each step, each `(time, batch, size)`.

        Returns:
            The gradients of the initial states; those of the vectors among the weights of `update`; and, each
            `(time, batch, any)`, the gradients of all xs, then of all recurrents, then, if matrices need them later,
            of the new states.
        """
        xs, mask, start, weights = inputs
        recurrents = saved.recurrents
        vectors, matrices = self.step.update_weights(weights)
        rows = start[0].shape[0]
        stored = turned(weights, rows)

        def body(t: Tensor, carried: Tensors, _: Tensors) -> tuple[Tensors, Tensors]:
            d_states, sums = carried[: len(start)], carried[len(start) :]
            recurrent, states = _at(t, recurrents), _at(t, previous)
            # Where only x + r counts, it stands in `recurrents` and 0 may stand for x.
            x = _zeros_like(recurrent) if saved.summed else _at(t, xs)
            d_states = [d_states[0] + d_outputs[t], *d_states[1:]]
            # A masked row has s_t = s_{t-1}: its gradient goes around the step, and 0 goes through it.
            d_new = d_states if mask is None else _where(mask[t], d_states, _zeros_like(d_states))
            d_xs, d_recurrents, d_previous, d_vectors = self.step.update_gradient(
                x, recurrent, states, weights, d_new=d_new, wanted=vectors
            )
            d_previous[0] += self.step.recur_gradient(states[0], turned(stored, rows), d_recurrents)
            if mask is not None:
                d_carried = _where(mask[t], _zeros_like(d_states), d_states)
                d_previous = _add(d_previous, d_carried)
            sums = _add(sums, [tf.cast(d, tf.float32) for d in d_vectors])
            return [*d_previous, *sums], [*d_xs, *d_recurrents, *(d_new if matrices else [])]

        zeros = [tf.zeros(weights[n].shape) for n in vectors]
        carried, _, yields = loop(
            body, length(xs[0]), [*d_final, *zeros], backwards=not self.reverse, compiled=self.compiled
        )
        return carried[: len(start)], carried[len(start) :], yields

    def _sums_inputs(self, inputs: PassInputs) -> bool:
        """Whether `update` depends on the sum of the projected and the recurrent input only, as the LSTM's does.

        Then that sum is all the backward pass needs of the two. It is so if both have the same gradient; and they
        have, if the tape returns one and the same tensor for both.
        """
        xs, _, start, weights = inputs
        same: list[bool] = []

        def probe() -> None:
            now, recurrents = [end(x) for x in xs], self.step.recur(start[0], weights)
            d_xs, d_recurrents, _, _ = self.step.update_gradient(
                now, recurrents, start, weights, d_new=start, wanted=[]
            )
            same.append(len(d_xs) == len(d_recurrents) == 1 and d_xs[0] is d_recurrents[0])

        tf.function(probe, autograph=False).get_concrete_function()
        return same[0]

    def _previous(self, histories: Tensors) -> Tensors:
        """The states before each step `(time, batch, size)`, of histories that hold the initial states too."""
        return [h[1:] if self.reverse else h[:-1] for h in histories]


def _where(mask: Tensor, tensors: Tensors, otherwise: Tensors) -> Tensors:
    """Row-wise choice by a bool mask `(batch,)`."""
    return [tf.where(mask[:, None], a, b) for a, b in zip(tensors, otherwise, strict=True)]


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
    """Joins time and batch: each `(time, batch, size)` -> `(time * batch, size)`."""
    return [tf.reshape(sequence, [-1, sequence.shape[-1]]) for sequence in sequences]
