"""A loop over time steps that carries states and stacks what each step yields."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.types import Size, Tensor, Tensors

__all__ = ["end", "length", "loop", "step_by_step"]

Body = Callable[[Tensor, Tensors, Tensors], tuple[Tensors, Tensors]]

_STEP_BY_STEP = contextvars.ContextVar("step_by_step", default=False)


@contextlib.contextmanager
def step_by_step() -> Iterator[None]:
    """Within it loops are written out: for forward mode, which TensorFlow takes through a loop of its graphs wrongly.

    Measured: what the body captures with a tangent fails, and the gradient of a tangent differs, in silence.
    """
    token = _STEP_BY_STEP.set(True)
    try:
        yield
    finally:
        _STEP_BY_STEP.reset(token)


def length(sequence: Tensor) -> Size:
    """The size of the leading dimension: an int where it is static, else a scalar tensor."""
    return tf.shape(sequence)[0] if sequence.shape[0] is None else sequence.shape[0]


def loop(
    body: Body,
    steps: Size,
    states: Tensors,
    reads: Sequence[Tensor] = (),
    *,
    backwards: bool,
    keep_history: bool = False,
    yields: Sequence[tf.TensorSpec] | None = None,
) -> tuple[Tensors, Tensors, Tensors]:
    """Runs `body(t, states, now) -> (new states, yields)` for every t.

    Args:
        body: one step; pure. `now` is the entry of each of `reads` at t.
        steps: number of steps, an int or a scalar tensor.
        states: initial states.
        reads: sequences `(steps, ...)` of which each step needs one entry, `now`. The loop carries it: where XLA fuses
            cutting it out of the sequence with the arithmetic, it computes one number after the other. (Measured: a
            GRU's forward loop takes half the time, backward loops gain nothing.)
        backwards: t runs from the last step to 0.
        keep_history: also stack the states.
        yields: shapes and types of what a step yields. By default the body is traced once more to see, and what it
            yields twice is stacked once.

    Returns:
        The final states; with `keep_history` each state before, between and after all steps, `(steps + 1, ...)` in
        the order of t, else an empty list; and each yield, `(steps, ...)` in the order of t.

    Raises:
        ConfigError: a number of steps that varies, `step_by_step`.
    """
    if _STEP_BY_STEP.get() and not isinstance(steps, int):
        raise ConfigError(
            "forward mode: inside tf.function it needs a fixed number of time steps, got one that varies; fix the "
            'length of the sequences, or call the layer outside of tf.function, with kernel="reference"'
        )
    if isinstance(steps, int) and steps and (steps == 1 or in_portable_graph() or _STEP_BY_STEP.get()):
        return _written_out(body, steps, states, reads, backwards=backwards)
    first = [end(sequence, last=backwards) for sequence in reads]
    specs, slots = _probed(body, states, first) if yields is None else (list(yields), list(range(len(yields))))
    plan = _Loop(body, steps, backwards, keep_history, specs, slots)
    final, histories, stacked = plan.run(states, reads, first)
    return final, histories, [stacked[slot] for slot in slots]


def _written_out(
    body: Body, steps: int, states: Tensors, reads: Sequence[Tensor], *, backwards: bool
) -> tuple[Tensors, Tensors, Tensors]:
    """What `loop` returns, without a loop in the graph."""
    history, yields = [list(states)], []
    for t in reversed(range(steps)) if backwards else range(steps):
        states, yielded = body(tf.constant(t), states, [sequence[t] for sequence in reads])
        history.append(list(states))
        yields.append(yielded)
    order = -1 if backwards else 1
    histories, stacked = ([tf.stack(part[::order]) for part in zip(*parts, strict=True)] for parts in (history, yields))
    return list(states), histories, stacked


@dataclass(frozen=True, eq=False)
class _Loop:
    """What is decided before a loop runs; fields beside those described here are the arguments of `loop`.

    Attributes:
        specs: shape of each distinct tensor that a step yields.
        slots: for each yield, its place in `specs`.
    """

    body: Body
    steps: Size
    backwards: bool
    keep_history: bool
    specs: list[tf.TensorSpec]
    slots: list[int]

    def run(self, states: Tensors, reads: Sequence[Tensor], first: Tensors) -> tuple[Tensors, Tensors, Tensors]:
        """Returns the final states, their histories, and the distinct yields, each stacked; `first` begins `reads`."""
        steps, backwards = self.steps, self.backwards
        # A history holds the initial state too, on the side where the loop begins: entry t is the state before step t,
        # or, if t falls, the one after it.
        kept, begin = (states if self.keep_history else []), (steps if backwards else 0)
        histories = [_array(state, steps + 1).write(begin, state) for state in kept]
        arrays = [self._empty(spec, states) for spec in self.specs]

        def iterate(i: Tensor, *carried: Tensors) -> tuple[Tensor | Tensors, ...]:
            states, now, histories, arrays = carried
            t = steps - 1 - i if backwards else i
            new, yields = self.body(t, states, now)
            for state, before in zip(new, states, strict=True):
                state.set_shape(before.shape)
            histories = [h.write(t if backwards else t + 1, s) for h, s in zip(histories, new, strict=False)]
            arrays = [a.write(t, yields[self.slots.index(n)]) for n, a in enumerate(arrays)]
            # Held within the sequence: the last step reads an entry, too, though none follows that would use it.
            following = tf.maximum(t - 1, 0) if backwards else tf.minimum(t + 1, steps - 1)
            return i + 1, new, [sequence[following] for sequence in reads], histories, arrays

        bound = steps if isinstance(steps, int) else None
        start = (tf.constant(0), list(states), list(first), histories, arrays)
        _, final, _, histories, arrays = tf.while_loop(
            lambda i, *_: i < steps, iterate, start, maximum_iterations=bound
        )
        stacked = [a.stack() for a in arrays]
        return final, [h.stack() for h in histories], stacked if bound is not None else [s[:steps] for s in stacked]

    def _empty(self, spec: tf.TensorSpec, states: Tensors) -> tf.TensorArray:
        """An empty array for one of the yields."""
        if isinstance(self.steps, int):
            return _array(spec, self.steps)
        # An array in which nothing was ever written cannot be stacked while a size of its entries is unknown: it holds
        # one entry at least, cut off again where there is no step.
        sizes = [tf.shape(states[0])[0] if size is None else size for size in spec.shape]
        return _array(spec, tf.maximum(self.steps, 1)).write(0, tf.zeros(sizes, spec.dtype))


def end(sequence: Tensor, *, last: bool = False) -> Tensor:
    """The last or the first entry of a sequence, zeros of an empty one."""
    entries = sequence[-1:] if last else sequence[:1]
    # A sum over at most one entry: indexing would fail where there is none.
    return (tf.reduce_any if entries.dtype == tf.bool else tf.reduce_sum)(entries, axis=0)


def _probed(body: Body, states: Tensors, now: Tensors) -> tuple[list[tf.TensorSpec], list[int]]:
    """Shapes of the distinct tensors a step yields, and which of them each yield is.

    A cell that adds its projected and its recurrent input has one gradient for both: it is stacked once.
    """
    specs: list[tf.TensorSpec] = []
    slots: list[int] = []

    def probe() -> None:
        distinct: Tensors = []
        for tensor in body(tf.constant(0), states, now)[1]:
            known = [n for n, other in enumerate(distinct) if other is tensor]
            if not known:
                distinct.append(tensor)
                specs.append(tf.TensorSpec(tensor.shape, tensor.dtype))
            slots.append(known[0] if known else len(distinct) - 1)

    # Traced and thrown away: a loop's arrays must have their shapes before its body is traced.
    tf.function(probe, autograph=False).get_concrete_function()
    return specs, slots


def _array(like: Tensor | tf.TensorSpec, size: Size) -> tf.TensorArray:
    """An empty array for `size` entries of the shape and type of `like`."""
    return tf.TensorArray(like.dtype, size=size, element_shape=like.shape, clear_after_read=False)
