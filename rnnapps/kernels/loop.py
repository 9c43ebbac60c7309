"""A loop over time steps that carries states and stacks what each step yields."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

__all__ = ["length", "loop"]

Tensors = list[Any]
Body = Callable[[Any, Tensors], tuple[Tensors, Tensors]]


def length(sequence: Any) -> Any:
    """The size of the leading dimension: an int where it is static, else a scalar tensor."""
    return tf.shape(sequence)[0] if sequence.shape[0] is None else sequence.shape[0]


def loop(
    body: Body, steps: Any, states: Tensors, *, backwards: bool, keep_history: bool = False, compiled: bool = False
) -> tuple[Tensors, Tensors, Tensors]:
    """Runs `body(t, states) -> (new states, yields)` for every t.

    Args:
        body: one step; pure.
        steps: number of steps, an int or a scalar tensor.
        states: initial states.
        backwards: t runs from the last step to 0.
        keep_history: also stack the states.
        compiled: make the loop an XLA program of its own (needs static shapes). What the body uses of its
            surroundings becomes an argument of that program.

    Returns:
        The final states; with `keep_history` each state before, between and after all steps, `(steps + 1, ...)` in
        the order of t, else an empty list; and each yield, `(steps, ...)` in the order of t.
    """
    specs, slots = _yields(body, states)
    run = functools.partial(_loop, body, steps, states, backwards, keep_history, specs, slots)
    final, histories, stacked = tf.function(run, jit_compile=True, autograph=False)() if compiled else run()
    return final, histories, [stacked[slot] for slot in slots]


def _loop(
    body: Body,
    steps: Any,
    states: Tensors,
    backwards: bool,
    keep_history: bool,
    specs: list[tf.TensorSpec],
    slots: list[int],
) -> tuple[Tensors, Tensors, Tensors]:
    kept, first = (states if keep_history else []), (steps if backwards else 0)
    histories = [_array(state, steps + 1).write(first, state) for state in kept]
    arrays = [_array(spec, steps) for spec in specs]

    def iterate(i: Any, states: Tensors, histories: Tensors, arrays: Tensors) -> tuple[Any, ...]:
        t = steps - 1 - i if backwards else i
        new, yields = body(t, states)
        for state, before in zip(new, states, strict=True):
            state.set_shape(before.shape)
        histories = [h.write(t if backwards else t + 1, s) for h, s in zip(histories, new, strict=False)]
        arrays = [a.write(t, yields[slots.index(n)]) for n, a in enumerate(arrays)]
        return i + 1, new, histories, arrays

    bound = steps if isinstance(steps, int) else None
    start = (tf.constant(0), list(states), histories, arrays)
    _, final, histories, arrays = tf.while_loop(lambda i, *_: i < steps, iterate, start, maximum_iterations=bound)
    return final, [h.stack() for h in histories], [a.stack() for a in arrays]


def _yields(body: Body, states: Tensors) -> tuple[list[tf.TensorSpec], list[int]]:
    """Shapes of the distinct tensors a step yields, and which of them each yield is.

    A cell that adds its projected and its recurrent input has one gradient for both: it is stacked once.
    """
    specs: list[tf.TensorSpec] = []
    slots: list[int] = []

    def probe() -> None:
        distinct: Tensors = []
        for tensor in body(tf.constant(0), states)[1]:
            known = [n for n, other in enumerate(distinct) if other is tensor]
            if not known:
                distinct.append(tensor)
                specs.append(tf.TensorSpec(tensor.shape, tensor.dtype))
            slots.append(known[0] if known else len(distinct) - 1)

    tf.function(probe, autograph=False).get_concrete_function()
    return specs, slots


def _array(like: Any, size: Any) -> tf.TensorArray:
    return tf.TensorArray(like.dtype, size=size, element_shape=like.shape, clear_after_read=False)
