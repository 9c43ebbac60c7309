"""A cell under test: fresh copies of it, problems to run it on, and comparisons with clear messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import keras
import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell
from rnnapps.types import NamedTensors, Tensor, Tensors

if TYPE_CHECKING:
    from tensorflow.types.experimental import ConcreteFunction

__all__ = ["Problem", "Scan", "ScanArguments", "Subject"]

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
    """

    inputs: Tensor
    states: Tensors
    mask: Tensor | None
    d_outputs: Tensor
    d_final: Tensors


class Problem:
    """Random inputs, states and cotangents of a scan over `(batch, time)` steps, the same for the same shape."""

    def __init__(self, cell: Cell, features: int, batch: int, time: int) -> None:
        rng = np.random.default_rng(1000 * batch + time)

        def normal(*shape: int) -> Tensor:
            return tf.constant(rng.normal(size=shape), cell.compute_dtype)

        self.inputs = normal(batch, time, features)
        self.states = [0.5 * normal(batch, *shape) for shape in cell.state_shapes]
        self.d_outputs = normal(batch, time, cell.output_size)
        self.d_final = [normal(batch, *shape) for shape in cell.state_shapes]

    def arguments(self, mask: Tensor | None = None) -> ScanArguments:
        """The whole problem, with a mask `(batch, time)` or without."""
        return ScanArguments(self.inputs, self.states, mask, self.d_outputs, self.d_final)


class Subject:
    """A cell under test.

    Args:
        cell: the cell; it is only read, copies of it are run.
        features: number of input features.
    """

    def __init__(self, cell: Cell, features: int = 3) -> None:
        self.prototype, self.features = cell, features
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
        cell.build((None, None, self.features))
        for weight in cell.trainable_variables:
            weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
        return cell

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
        return Problem(self.cell, self.features, batch, time)

    def differentiate(self, scan: Scan, arguments: ScanArguments, **options: Any) -> dict[str, Tensor]:
        """Outputs, final states and all gradients of a scan, by name; options are those of the scan."""
        inputs, states, mask, d_outputs, d_final = arguments
        variables = [weight.value for weight in self.cell.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch([inputs, *states])
            outputs, final = scan(self.cell, self.cell.project(inputs), states, mask=mask, **options)
        gradients = tape.gradient(
            [outputs, *final],
            [inputs, *states, *variables],
            output_gradients=[d_outputs, *d_final],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        names = ["inputs", *(f"initial state {n}" for n in range(len(states)))]
        names += [weight.path for weight in self.cell.trainable_variables]
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
