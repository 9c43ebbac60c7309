"""A cell under test: fresh copies of it, problems to run it on, and comparisons with clear messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import keras
import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell
from rnnapps.errors import ConfigError
from rnnapps.types import NamedTensors, Nest, Tensor, Tensors

if TYPE_CHECKING:
    from tensorflow.types.experimental import ConcreteFunction

__all__ = ["Problem", "Scan", "ScanArguments", "Subject"]

MEMORY_ROWS = 5
"""Most rows of a problem."""

Scan = Callable[..., tuple[Tensor, Tensors]]
"""Runs a cell over what it projected, from states: `kernels.sequential.scan` or its naive twin."""


class ScanArguments(NamedTuple):
    """What a scan is run and differentiated on.

    Attributes:
        inputs: `(batch, time, features)`, not yet projected.
        states: initial states, each `(batch, *shape)`.
        mask: bool `(batch, time)`, True where a step is valid, or None.
        d_outputs: gradient of the outputs `(batch, time, output_size)`.
        d_final: gradients of the final states, each `(batch, *shape)`.
        elapsed: time since the step that ran before `(batch, time, 1)`, for a cell that reads it, or None.
        memory: what the cell's constants are made of, or None.
    """

    inputs: Tensor
    states: Tensors
    mask: Tensor | None
    d_outputs: Tensor
    d_final: Tensors
    elapsed: Tensor | None = None
    memory: Nest = None


class Problem:
    """Random inputs, states and cotangents of a scan over `(batch, time)` steps, the same for the same shape.

    Args:
        cell: the cell it is for.
        features: number of input features.
        shape: rows and steps.
        memory: an example of the cell's constants, of as many rows at least; None for a cell that takes none.
    """

    def __init__(self, cell: Cell, features: int, shape: tuple[int, int], memory: Nest = None) -> None:
        batch, time = shape
        rng = np.random.default_rng(1000 * batch + time)

        def normal(*shape: int) -> Tensor:
            return tf.constant(rng.normal(size=shape), cell.compute_dtype)

        self.inputs = normal(batch, time, features)
        self.states = [0.5 * normal(batch, *shape) for shape in cell.state_shapes]
        self.d_outputs = normal(batch, time, cell.output_size)
        self.d_final = [normal(batch, *shape) for shape in cell.state_shapes]

        gaps = tf.constant(rng.exponential(size=(batch, time, 1)), cell.compute_dtype)
        self.elapsed = gaps if cell.takes_elapsed else None
        self.memory = _each(lambda tensor: tf.convert_to_tensor(tensor)[:batch], memory)

    def arguments(self, mask: Tensor | None = None) -> ScanArguments:
        """The whole problem, with a mask `(batch, time)` or without."""
        return ScanArguments(self.inputs, self.states, mask, self.d_outputs, self.d_final, self.elapsed, self.memory)

    @property
    def beside(self) -> dict[str, Nest]:
        """What a layer is given beside its inputs."""
        elapsed = {} if self.elapsed is None else {"elapsed": self.elapsed[..., 0]}
        return elapsed | ({} if self.memory is None else {"constants": self.memory})


class Subject:
    """A cell under test.

    Args:
        cell: the cell; it is only read, copies of it are run.
        features: number of input features.
        memory: an example of the cell's constants, of 5 rows at least, for a cell that takes constants.

    Raises:
        ConfigError: there is no memory for a cell that takes constants, or one of too few rows, or one too many.
    """

    def __init__(self, cell: Cell, features: int = 3, memory: Nest = None) -> None:
        _check_memory(cell, memory)
        self.prototype, self.features, self.memory = cell, features, memory
        self.name = type(cell).__name__
        self.graphs: dict[tuple[bool, bool], ConcreteFunction] = {}

    def fresh(self) -> Cell:
        """A new, unbuilt copy of the cell, made from its config."""
        return cast(Cell, type(self.prototype).from_config(self.prototype.get_config()))

    @cached_property
    def cell(self) -> Cell:
        """A built copy whose weights, biases too, are moved off their initial values."""
        keras.utils.set_random_seed(0)
        cell, rng = self.fresh(), np.random.default_rng(0)
        self.build(cell)
        for weight in cell.trainable_variables:
            weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
        return cell

    def build(self, cell: Cell) -> None:
        """Builds a copy for the subject's features and constants."""
        cell.build_for((None, None, self.features), self.memory_shape)

    @property
    def memory_shape(self) -> Nest:
        """Shapes of the constants, of any number of rows."""
        return _each(lambda tensor: (None, *np.shape(tensor)[1:]), self.memory)

    @property
    def memory_signature(self) -> Nest:
        """Shapes and types of the constants, of any number of rows."""
        memory = self.problem(time=1).memory
        return _each(lambda tensor: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype), memory)

    def copy_weights(self, cell: Cell) -> Cell:
        """Gives a built copy the weights of `self.cell`."""
        cell.set_weights(self.cell.get_weights())
        return cell

    @property
    def custom_objects(self) -> dict[str, type]:
        """The classes that loading the cell needs, whether registered with Keras or not."""
        layers = [self.cell, *self.cell._flatten_layers(include_self=False)]
        return {type(layer).__name__: type(layer) for layer in layers}

    def problem(self, time: int, batch: int = 4) -> Problem:
        """Inputs, states and cotangents for so many steps and rows."""
        return Problem(self.cell, self.features, (batch, time), self.memory)

    def differentiate(self, scan: Scan, arguments: ScanArguments, **options: Any) -> dict[str, Tensor]:
        """Outputs, final states and all gradients of a scan, by name; options are those of the scan."""
        inputs, states, mask, d_outputs, d_final, elapsed, memory = arguments
        variables = [weight.value for weight in self.cell.trainable_variables]
        beside = [t for t in tf.nest.flatten([elapsed, memory]) if t is not None and t.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch([inputs, *states, *beside])
            fixed = {"constants": self.cell.fixed(memory)} if self.cell.takes_constants else {}
            projected = self.cell.project_after(inputs, elapsed)
            outputs, final = scan(self.cell, projected, states, mask=mask, **fixed, **options)
        gradients = tape.gradient(
            [outputs, *final],
            [inputs, *states, *variables, *beside],
            output_gradients=[d_outputs, *d_final],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        names = ["inputs", *(f"initial state {n}" for n in range(len(states)))]
        names += [weight.path for weight in self.cell.trainable_variables]
        names += [f"elapsed time or constant {n}" for n in range(len(beside))]
        results = {"outputs": outputs} | {f"final state {n}": state for n, state in enumerate(final)}
        return results | {f"gradient of {name}": g for name, g in zip(names, gradients, strict=True)}

    def compare(self, actual: NamedTensors, expected: NamedTensors, remedy: str, *, tolerance: float = 1e-4) -> None:
        """Asserts that two mappings of names to tensors agree, relative to the largest value of each tensor.

        Raises:
            AssertionError: with the name, the difference and what to fix.
        """
        missing = sorted(set(expected) ^ set(actual))
        assert not missing, f"{self.name}: only one of two runs has the {missing[0]}; {remedy}"
        for name, value in expected.items():
            want, have = (np.asarray(keras.ops.convert_to_numpy(v), "float64") for v in (value, actual[name]))
            assert want.shape == have.shape, f"{self.name}: {name} has shape {have.shape}, not {want.shape}; {remedy}"
            assert np.all(np.isfinite(have)), f"{self.name}: {name} is not finite; {remedy}"
            difference = np.max(np.abs(want - have), initial=0.0) / max(1.0, np.max(np.abs(want), initial=0.0))
            assert difference <= tolerance, f"{self.name}: {name} differs by {difference:.1e}; {remedy}"


def _check_memory(cell: Cell, memory: Nest) -> None:
    """Says what to give where the memory does not fit the cell."""
    name = type(cell).__name__
    if not cell.takes_constants and memory is not None:
        raise ConfigError(f"{name} takes no constants; leave memory out")
    if cell.takes_constants and memory is None:
        raise ConfigError(f"{name} reads constants: give an example of them, memory=..., of {MEMORY_ROWS} rows")
    for shape in map(np.shape, tf.nest.flatten(memory) if cell.takes_constants else []):
        if not shape or shape[0] < MEMORY_ROWS:
            raise ConfigError(f"memory: expected tensors of {MEMORY_ROWS} rows at least, got the shape {shape}")


def _each(change: Callable[[Tensor], Nest], memory: Nest) -> Nest:
    """The memory with each of its tensors changed; None remains None."""
    return None if memory is None else tf.nest.map_structure(change, memory)
