"""Properties of a cell's three parts on their own."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.testing.subject import Subject
from rnnapps.types import Nest, Tensor

__all__ = ["check_call", "check_config", "check_declarations", "check_linear_recurrence", "check_rows", "check_weights"]


def check_declarations(subject: Subject) -> None:
    """State sizes, output size, zero states and the shapes of all parts fit together."""
    cell, problem = subject.cell, subject.problem(time=2)
    sizes = cell.state_size
    assert isinstance(sizes, list) and sizes and all(_is_size(size) for size in sizes), (
        f"{subject.name}: state_size is {sizes!r}; call declare_states(units, ...) in __init__"
    )
    assert cell.output_size == sizes[0], (
        f"{subject.name}: output_size is {cell.output_size} but the first state, the output, has {sizes[0]} units"
    )
    for state, shape in zip(cell.initial_states(3), cell.state_shapes, strict=True):
        assert tuple(state.shape) == (3, *shape), (
            f"{subject.name}: initial_states made {state.shape}, not (3, *{shape})"
        )
    projected = tf.nest.map_structure(lambda t: t[:, 0], cell.project_after(problem.inputs, problem.elapsed))
    constants = cell.fixed(problem.memory)
    new = cell.update(projected, cell.recur(problem.states[0]), problem.states, *constants)
    shapes = [tuple(state.shape) for state in new]
    assert shapes == [tuple(state.shape) for state in problem.states], (
        f"{subject.name}: update returned states of shapes {shapes}; expected one state for each of {sizes}, "
        "the output first"
    )
    for name, gate in cell.named_gates(projected, cell.recur(problem.states[0]), problem.states, *constants).items():
        assert gate.shape[0] == 4 and np.all(np.isfinite(gate)), (
            f"{subject.name}: gate {name!r} has shape {gate.shape} or is not finite; gates are (batch, any) of one step"
        )


def _is_size(size: object) -> bool:
    """Whether it is a positive int, or a tuple of such."""
    axes = size if isinstance(size, tuple) else (size,)
    return bool(axes) and all(isinstance(axis, int) and axis > 0 for axis in axes)


def check_linear_recurrence(subject: Subject) -> None:
    """`recur` is linear in the output, up to a constant; what is not belongs into `update`."""
    left, right = (subject.problem(time=1, batch=batch).states[0][:2] for batch in (4, 5))

    def parts(output: Tensor) -> dict[str, Tensor]:
        return {f"part {n} of recur": part for n, part in enumerate(tf.nest.flatten(subject.cell.recur(output)))}

    of_left, of_right, of_zero = parts(left), parts(right), parts(np.zeros_like(left))
    expected = {name: of_left[name] + of_right[name] - of_zero[name] for name in of_left}
    subject.compare(parts(left + right), expected, "recur must be linear in the output: move the rest into update")


def check_rows(subject: Subject) -> None:
    """Each batch row and each time step is computed on its own, whatever the leading dimensions."""
    cell, problem = subject.cell, subject.problem(time=3)

    def step(inputs: Tensor, states: Sequence[Tensor], elapsed: Tensor | None, memory: Nest) -> dict[str, Tensor]:
        projected = cell.project_after(inputs, elapsed)
        new = cell.update(projected, cell.recur(states[0]), states, *cell.fixed(memory))
        emitted = cell.emit(inputs, new[0])
        return {"emitted output": emitted} | {f"state {n}": state for n, state in enumerate(new)}

    def of_rows(part: Nest, rows: slice) -> Nest:
        return tf.nest.map_structure(lambda tensor: None if tensor is None else tensor[rows], part)

    gaps = None if problem.elapsed is None else problem.elapsed[:, 1]
    arguments = (problem.inputs[:, 1], problem.states, gaps, problem.memory)
    flat = step(*arguments)
    rows = [step(*of_rows(arguments, slice(n, n + 1))) for n in range(4)]
    joined = {name: np.concatenate([row[name] for row in rows]) for name in flat}
    subject.compare(flat, joined, "a row's result depends on other rows: reduce over the last axis only")
    if cell.takes_constants:  # which have the rows of the batch in front, and are read one step at a time
        return
    states = [np.repeat(state[:, None], 3, axis=1) for state in problem.states]
    repeated = step(problem.inputs, states, problem.elapsed, None)
    at_step = {name: value[:, 1] for name, value in repeated.items()}
    subject.compare(at_step, flat, "parts must take tensors (..., features) with any number of leading dimensions")


def check_call(subject: Subject) -> None:
    """`call` is Keras's step: the emitted output and the new states of the three parts."""
    cell, problem = subject.cell, subject.problem(time=1)
    inputs = problem.inputs[:, 0]
    gaps = None if problem.elapsed is None else problem.elapsed[:, 0]
    given = {} if gaps is None else {"elapsed": gaps}
    given |= {"constants": problem.memory} if cell.takes_constants else {}
    output, states = cell(inputs, [tf.constant(state) for state in problem.states], **given)
    constants = cell.fixed(problem.memory)
    new = cell.update(cell.project_after(inputs, gaps), cell.recur(problem.states[0]), problem.states, *constants)
    expected = {"output": cell.emit(inputs, new[0])} | {f"state {n}": state for n, state in enumerate(new)}
    actual = {"output": output} | {f"state {n}": state for n, state in enumerate(states)}
    subject.compare(actual, expected, "call must be made of project, recur, update and emit: do not override it")


def check_config(subject: Subject) -> None:
    """A copy made from the config has the same config and takes the weights."""
    config = subject.prototype.get_config()
    for name, parameter in inspect.signature(type(subject.prototype).__init__).parameters.items():
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        assert name == "self" or variadic or name in config, (
            f"{subject.name}: __init__ takes {name!r} but get_config does not return it; "
            "get_config must return every argument of __init__"
        )
    copy = type(subject.prototype).from_config(config)
    again = copy.get_config()
    for key in config.keys() | again.keys():
        assert config.get(key) == again.get(key), (
            f"{subject.name}: {key!r} is {config.get(key)!r} in get_config but {again.get(key)!r} in its copy; "
            "get_config must return every argument of __init__"
        )
    assert copy.state_size == subject.prototype.state_size, (
        f"{subject.name}: a copy from the config has states of {copy.state_size}, not {subject.prototype.state_size}; "
        "get_config must return the values __init__ got"
    )
    subject.build(copy)
    shapes, expected = ([tuple(w.shape) for w in cell.weights] for cell in (copy, subject.cell))
    assert shapes == expected, f"{subject.name}: a copy from the config has weights {shapes}, not {expected}"


def check_weights(subject: Subject) -> None:
    """All weights are made in `build`, none later, and every trainable one has a gradient."""
    cell, problem = subject.fresh(), subject.problem(time=3)
    assert not cell.trainable_variables, f"{subject.name}: weights exist before build; make them in build"
    subject.build(cell)
    count = len(cell.weights)
    with tf.GradientTape() as tape:
        output, states = problem.inputs[:, 0], [tf.constant(state) for state in problem.states]
        given = {"constants": problem.memory} if cell.takes_constants else {}
        for _ in range(2):
            output, states = cell(problem.inputs[:, 0], states, **given)
        gradients = tape.gradient([output, *states], [weight.value for weight in cell.trainable_variables])
    assert len(cell.weights) == count, f"{subject.name}: a step made new weights; make all of them in build"
    for weight, gradient in zip(cell.trainable_variables, gradients, strict=True):
        assert gradient is not None, f"{subject.name}: weight {weight.path} has no gradient; use it or remove it"
