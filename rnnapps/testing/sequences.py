"""Properties of a cell over whole sequences: the fused kernel against its naive twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell, MatrixLinearCell
from rnnapps.kernels import chunkwise, reference, sequential
from rnnapps.testing.subject import Scan, ScanArguments, Subject
from rnnapps.types import Array, NamedTensors, Nest, Tensor, Tensors

__all__ = ["MASKS", "check_compiled", "check_masks", "check_parity", "check_split", "fused_scan"]

Differentiated = Callable[[ScanArguments], NamedTensors]
"""What `Subject.differentiate` returns, by name, for one scan."""

MASKS: dict[str, list[int]] = {
    "right": [1, 1, 1, 1, 0, 0, 0],
    "left": [0, 0, 1, 1, 1, 1, 1],
    "interior": [1, 0, 1, 1, 0, 0, 1],
    "empty": [0, 0, 0, 0, 0, 0, 0],
}


def check_parity(subject: Subject, *, lengths: Sequence[int] = (1, 2, 17)) -> None:
    """Outputs, final states and all gradients of the fused kernel are those of the naive twin, at these lengths."""
    for time in lengths:
        problem = subject.problem(time)
        mask = np.random.default_rng(time).random((4, time)) < 0.7
        for masked, backwards in ((None, False), (mask, True)):
            arguments = problem.arguments(masked)
            expected = subject.differentiate(reference.scan, arguments, reverse=backwards)
            actual = _fused(subject, masked is not None, backwards)(arguments)
            where = f"{time} steps{', masked and reversed' if backwards else ''}"
            subject.compare(
                actual,
                expected,
                f"the fused kernel and a plain loop disagree ({where}): recur and update must be pure functions of "
                "their arguments and of weights made in build",
            )


def check_compiled(subject: Subject) -> None:
    """The kernel compiled by XLA answers and differentiates as the graph loop does."""
    problem = subject.problem(time=5)
    arguments = problem.arguments()
    compiled = tf.function(partial(subject.differentiate, fused_scan(subject.cell)), jit_compile=True, autograph=False)
    expected = subject.differentiate(reference.scan, arguments)
    subject.compare(compiled(arguments), expected, "the XLA program disagrees with a plain loop: use keras.ops only")


def check_masks(subject: Subject) -> None:
    """A masked step leaves no trace: valid steps and final states are those of the row without its masked steps."""
    mask, problem = np.array(list(MASKS.values()), bool), subject.problem(time=7)
    masked = _fused(subject, True, True)(problem.arguments(mask))
    for row, valid in enumerate(mask):
        have = {f"final state {n}": masked[f"final state {n}"][row] for n in range(len(problem.states))}
        want = {f"final state {n}": state[row] for n, state in enumerate(problem.states)}
        if valid.any():
            inputs, states, _, _, _, elapsed, memory = tf.nest.map_structure(
                lambda tensor, row=row: None if tensor is None else tensor[row : row + 1], problem.arguments()
            )
            inputs, elapsed = (
                None if part is None else tf.boolean_mask(part, valid, axis=1) for part in (inputs, elapsed)
            )
            projected, constants = subject.cell.project_after(inputs, elapsed), subject.cell.fixed(memory)
            outputs, final = reference.scan(subject.cell, projected, states, constants=constants, reverse=True)
            have["outputs of the valid steps"] = tf.boolean_mask(masked["outputs"][row], valid)
            want = {f"final state {n}": state[0] for n, state in enumerate(final)}
            want["outputs of the valid steps"] = outputs[0]
        subject.compare(have, want, f"a step masked in a {list(MASKS)[row]} pattern leaves a trace in the states")


def check_split(subject: Subject) -> None:
    """Two chunks with carried states are one run, forwards and in reverse."""
    problem, cut = subject.problem(time=7), 3
    for backwards in (False, True):
        run = _fused(subject, backwards, backwards)
        mask = np.random.default_rng(3).random((4, 7)) < 0.7 if backwards else None

        def part(
            start: int, stop: int, states: Tensors, *, run: Differentiated = run, mask: Array | None = mask
        ) -> NamedTensors:
            window = slice(start, stop)
            masked = None if mask is None else mask[:, window]
            elapsed = None if problem.elapsed is None else problem.elapsed[:, window]
            whole = problem.arguments(masked)._replace(states=states, elapsed=elapsed)
            return run(whole._replace(inputs=problem.inputs[:, window], d_outputs=problem.d_outputs[:, window]))

        names = [f"final state {n}" for n in range(len(problem.states))]
        windows = [(0, cut), (cut, 7)]
        first, second = windows[::-1] if backwards else windows
        early = part(*first, problem.states)
        late = part(*second, [early[name] for name in names])
        parts = (late, early) if backwards else (early, late)
        joined = {"outputs": np.concatenate([p["outputs"] for p in parts], axis=1)} | {n: late[n] for n in names}
        whole = part(0, 7, problem.states)
        subject.compare(
            joined, {name: whole[name] for name in joined}, "a sequence cut in two gives another result than whole"
        )


def fused_scan(cell: Cell) -> Scan:
    """The kernel that runs a cell over whole sequences."""
    return _by_chunks if isinstance(cell.recurrence(), MatrixLinearCell) else sequential.scan


def _by_chunks(cell: Cell, projected: Nest, states: Tensors, **options: Any) -> tuple[Tensor, Tensors]:
    """`chunkwise.scan` of a cell with a matrix memory, wrappers that leave its recurrence alone around it."""
    inner: Any = cell.recurrence()
    return chunkwise.scan(inner, projected, states, **options)


def _fused(subject: Subject, masked: bool, backwards: bool) -> Differentiated:
    """The differentiated fused kernel as one graph for any number of rows and steps, made once a subject."""
    if (masked, backwards) not in subject.graphs:
        cell, dtype = subject.cell, subject.cell.compute_dtype
        states = [tf.TensorSpec((None, *shape), dtype) for shape in cell.state_shapes]
        signature = [
            tf.TensorSpec((None, None, subject.features), dtype),
            states,
            tf.TensorSpec((None, None), tf.bool) if masked else None,
            tf.TensorSpec((None, None, cell.output_size), dtype),
            states,
            tf.TensorSpec((None, None, 1), dtype) if cell.takes_elapsed else None,
            subject.memory_signature,
        ]
        run = partial(subject.differentiate, fused_scan(cell), reverse=backwards)
        function = tf.function(lambda *arguments: run(ScanArguments(*arguments)), autograph=False)
        subject.graphs[masked, backwards] = function.get_concrete_function(*signature)
    graph = subject.graphs[masked, backwards]

    def call(arguments: ScanArguments) -> NamedTensors:
        tensors = [tensor for tensor in tf.nest.flatten(arguments) if tensor is not None]
        results: NamedTensors = graph(*[tf.convert_to_tensor(tensor) for tensor in tensors])
        return results

    return call
