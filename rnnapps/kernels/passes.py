"""The forward and the backward loop over all time steps of a sequence."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from rnnapps.kernels.loop import length, loop
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

        def body(t: Any, states: Tensors) -> tuple[Tensors, Tensors]:
            new = self._advanced(t, xs, mask, states, self.step.recur(states[0], weights), weights)
            return new, new[:1]

        final, _, (outputs,) = loop(body, length(xs[0]), start, backwards=self.reverse, compiled=self.compiled)
        return outputs, final

    def forward(self, xs: Tensors, mask: Any, start: Tensors, weights: Tensors) -> tuple[Any, Tensors, tuple[Any, ...]]:
        """Returns the outputs, the final states and what the backward pass needs.

        Args:
            xs: projected inputs.
            mask: bool `(time, batch)` or None; False carries the states through.
            start: initial states, each `(batch, size)`.
            weights: values of `cell.weights`.
        """

        def body(t: Any, states: Tensors) -> tuple[Tensors, Tensors]:
            recurrents = self.step.recur(states[0], weights)
            return self._advanced(t, xs, mask, states, recurrents, weights), recurrents

        final, histories, recurrents = loop(
            body, length(xs[0]), start, backwards=self.reverse, keep_history=True, compiled=self.compiled
        )
        outputs = histories[0][:-1] if self.reverse else histories[0][1:]
        return outputs, final, (histories, recurrents)

    def _advanced(
        self, t: Any, xs: Tensors, mask: Any, states: Tensors, recurrents: Tensors, weights: Tensors
    ) -> Tensors:
        """The states after step t."""
        new = self.step.update(_at(t, xs), recurrents, states, weights)
        return new if mask is None else _where(mask[t], new, states)

    def backward(
        self,
        xs: Tensors,
        mask: Any,
        start: Tensors,
        weights: Tensors,
        saved: tuple[Tensors, Tensors],
        d_outputs: Any,
        d_final: Tensors,
    ) -> tuple[Tensors, Tensors, Tensors]:
        """Returns the gradients of xs, of the initial states and of the weights.

        The first four arguments are those of `forward`, `saved` is what it returned for this purpose, and `d_outputs`
        and `d_final` are the gradients of its results.
        """
        previous, recurrents = self._previous(saved[0]), saved[1]
        vectors, matrices = self.step.update_weights(weights)
        rows = start[0].shape[0]
        stored = turned(weights, rows)

        def body(t: Any, carried: Tensors) -> tuple[Tensors, Tensors]:
            d_states, sums = carried[: len(start)], carried[len(start) :]
            d_states = [d_states[0] + d_outputs[t], *d_states[1:]]
            d_new = d_states if mask is None else _where(mask[t], d_states, _zeros_like(d_states))
            states = _at(t, previous)
            d_xs, d_recurrents, d_previous, d_vectors = self.step.update_gradient(
                _at(t, xs), _at(t, recurrents), states, weights, d_new, vectors
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
            flat = (_rows(xs), _rows(recurrents), _rows(previous))
            more = self.step.update_gradient(*flat, weights, _rows(d_new), matrices)[3]
            for n, gradient in zip(matrices, more, strict=True):
                d_weights[n] += gradient
        return d_xs, carried[: len(start)], d_weights

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


def _at(t: Any, sequences: Tensors) -> Tensors:
    """One time step of each sequence."""
    return [sequence[t] for sequence in sequences]


def _rows(sequences: Tensors) -> Tensors:
    """Joins time and batch: each `(time, batch, size)` -> `(time * batch, size)`."""
    return [tf.reshape(sequence, [-1, sequence.shape[-1]]) for sequence in sequences]
