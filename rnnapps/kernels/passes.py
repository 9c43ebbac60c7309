"""The forward and the backward loop over all time steps of a sequence."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from rnnapps.kernels.loop import end, length, loop
from rnnapps.kernels.step import Step, turned

__all__ = ["Passes"]

Tensors = list[Any]


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

    def outputs(self, xs: Tensors, mask: Any, start: Tensors, weights: Tensors) -> tuple[Any, Tensors]:
        """Returns the outputs and the final states, and keeps nothing; arguments as in `forward`."""

        def body(_: Any, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            new = self._advanced(now, mask is not None, states, self.step.recur(states[0], weights), weights)
            return new, new[:1]

        reads = _with_mask(xs, mask)
        final, _, (outputs,) = loop(body, length(xs[0]), start, reads, backwards=self.reverse, compiled=self.compiled)
        return outputs, final

    def forward(self, xs: Tensors, mask: Any, start: Tensors, weights: Tensors) -> tuple[Any, Tensors, tuple[Any, ...]]:
        """Returns the outputs, the final states and what the backward pass needs.

        Args:
            xs: projected inputs.
            mask: bool `(time, batch)` or None; False carries the states through.
            start: initial states, each `(batch, size)`.
            weights: values of `cell.weights`.
        """
        summed = self._sums_inputs(xs, start, weights)

        def body(_: Any, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
            recurrents = self.step.recur(states[0], weights)
            new = self._advanced(now, mask is not None, states, recurrents, weights)
            return new, [now[0] + recurrents[0]] if summed else recurrents

        reads = _with_mask(xs, mask)
        final, histories, recurrents = loop(
            body, length(xs[0]), start, reads, backwards=self.reverse, keep_history=True, compiled=self.compiled
        )
        outputs = histories[0][:-1] if self.reverse else histories[0][1:]
        return outputs, final, (histories, recurrents, summed)

    def _advanced(self, now: Tensors, masked: bool, states: Tensors, recurrents: Tensors, weights: Tensors) -> Tensors:
        """The states after a step; `now` holds its projected inputs, and last its mask if it is masked."""
        xs, mask = (now[:-1], now[-1]) if masked else (now, None)
        new = self.step.update(xs, recurrents, states, weights)
        return _where(mask, new, states) if masked else new

    def backward(
        self,
        xs: Tensors,
        mask: Any,
        start: Tensors,
        weights: Tensors,
        saved: tuple[Tensors, Tensors, bool],
        d_outputs: Any,
        d_final: Tensors,
    ) -> tuple[Tensors, Tensors, Tensors]:
        """Returns the gradients of xs, of the initial states and of the weights.

        The first four arguments are those of `forward`, `saved` is what it returned for this purpose, and `d_outputs`
        and `d_final` are the gradients of its results.
        """
        previous, recurrents, summed = self._previous(saved[0]), saved[1], saved[2]
        vectors, matrices = self.step.update_weights(weights)
        rows = start[0].shape[0]
        stored = turned(weights, rows)

        def body(t: Any, carried: Tensors, _: Tensors) -> tuple[Tensors, Tensors]:
            d_states, sums = carried[: len(start)], carried[len(start) :]
            recurrent, states = _at(t, recurrents), _at(t, previous)
            x = _zeros_like(recurrent) if summed else _at(t, xs)
            d_states = [d_states[0] + d_outputs[t], *d_states[1:]]
            d_new = d_states if mask is None else _where(mask[t], d_states, _zeros_like(d_states))
            d_xs, d_recurrents, d_previous, d_vectors = self.step.update_gradient(
                x, recurrent, states, weights, d_new, vectors
            )
            d_previous[0] += self.step.recur_gradient(states[0], turned(stored, rows), d_recurrents)
            if mask is not None:
                d_carried = _where(mask[t], _zeros_like(d_states), d_states)
                d_previous = _add(d_previous, d_carried)
            sums = _add(sums, [tf.cast(d, tf.float32) for d in d_vectors])
            return [*d_previous, *sums], [*d_xs, *d_recurrents, *(d_new if matrices else [])]

        zeros = [tf.zeros(weights[n].shape) for n in vectors]
        carried, _, stacked = loop(
            body, length(xs[0]), [*d_final, *zeros], backwards=not self.reverse, compiled=self.compiled
        )
        d_xs, rest = stacked[: len(xs)], stacked[len(xs) :]
        d_recurrents, d_new = rest[: len(recurrents)], rest[len(recurrents) :]
        d_weights = self.step.recur_weight_gradients(_rows(previous)[0], weights, _rows(d_recurrents))
        for n, total in zip(vectors, carried[len(start) :], strict=True):
            d_weights[n] += tf.cast(total, d_weights[n].dtype)
        if matrices:
            flat = (_rows(_zeros_like(xs) if summed else xs), _rows(recurrents), _rows(previous))
            more = self.step.update_gradient(*flat, weights, _rows(d_new), matrices)[3]
            for n, gradient in zip(matrices, more, strict=True):
                d_weights[n] += gradient
        return d_xs, carried[: len(start)], d_weights

    def _sums_inputs(self, xs: Tensors, start: Tensors, weights: Tensors) -> bool:
        """Whether `update` depends on the sum of the projected and the recurrent input only, as the LSTM's does.

        Then that sum is all the backward pass needs of the two. It is so if both have the same gradient; and they
        have, if the tape returns one and the same tensor for both.
        """
        same: list[bool] = []

        def probe() -> None:
            now, recurrents = [end(x) for x in xs], self.step.recur(start[0], weights)
            d_xs, d_recurrents, _, _ = self.step.update_gradient(now, recurrents, start, weights, start, [])
            same.append(len(d_xs) == len(d_recurrents) == 1 and d_xs[0] is d_recurrents[0])

        tf.function(probe, autograph=False).get_concrete_function()
        return same[0]

    def _previous(self, histories: Tensors) -> Tensors:
        """The states before each step, of histories that hold the initial states too."""
        return [h[1:] if self.reverse else h[:-1] for h in histories]


def _where(mask: Any, tensors: Tensors, otherwise: Tensors) -> Tensors:
    """Row-wise choice by a bool mask `(batch,)`."""
    return [tf.where(mask[:, None], a, b) for a, b in zip(tensors, otherwise, strict=True)]


def _add(some: Tensors, others: Tensors) -> Tensors:
    return [a + b for a, b in zip(some, others, strict=True)]


def _zeros_like(tensors: Tensors) -> Tensors:
    return [tf.zeros_like(tensor) for tensor in tensors]


def _with_mask(sequences: Tensors, mask: Any) -> Tensors:
    return list(sequences) if mask is None else [*sequences, mask]


def _at(t: Any, sequences: Tensors) -> Tensors:
    """One time step of each sequence."""
    return [sequence[t] for sequence in sequences]


def _rows(sequences: Tensors) -> Tensors:
    """Joins time and batch: each `(time, batch, size)` -> `(time * batch, size)`."""
    return [tf.reshape(sequence, [-1, sequence.shape[-1]]) for sequence in sequences]
