"""What a network costs: parameters, floating-point operations and memory of one training step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.kernels.step import autocast
from rnnapps.layers.recurrent import Recurrent
from rnnapps.layers.running import Running
from rnnapps.training.finetune import is_statistic
from rnnapps.training.operations import Operations, count_graph
from rnnapps.training.recurrence import complete_inputs, layer_name, replaced_recurrence
from rnnapps.types import Nest, Tensor, Tensors

if TYPE_CHECKING:
    from tensorflow.types.experimental import ConcreteFunction

__all__ = [
    "CellCost",
    "LayerMemory",
    "ParameterCount",
    "cell_cost",
    "count_operations",
    "count_parameters",
    "recurrent_memory",
]


@dataclass(frozen=True)
class ParameterCount:
    """Parameters of one layer.

    Attributes:
        layer: path of the layer within the network.
        trainable: number of trained parameters.
        frozen: number of parameters that training leaves alone.
        statistics: number of running means and variances, which are measured and not trained.
    """

    layer: str
    trainable: int
    frozen: int
    statistics: int = 0


@dataclass(frozen=True)
class LayerMemory:
    """Memory one recurrent layer keeps between the forward and the backward pass, without recomputation.

    Attributes:
        layer: name of the layer.
        states: bytes of all states at all time steps.
        projected: bytes of the projected inputs at all time steps.
        recurrent: bytes of the recurrent products at all time steps.
    """

    layer: str
    states: int
    projected: int
    recurrent: int

    @property
    def total(self) -> int:
        """All of it, in bytes."""
        return self.states + self.projected + self.recurrent


@dataclass(frozen=True)
class CellCost:
    """What one cell costs.

    Attributes:
        state: numbers that a row carries from step to step, the output among them.
        parameters: numbers that are trained.
        operations: floating-point operations of one step of one row, the projection of its input among them.
    """

    state: int
    parameters: int
    operations: int


def cell_cost(cell: Cell, features: int) -> CellCost:
    """Counts what a new cell costs, for so many input features."""
    cell.build((1, features))
    shapes = [(features,), *cell.state_shapes]
    inputs, *states = (tf.TensorSpec((1, *shape), cell.compute_dtype) for shape in shapes)
    with autocast(cell):
        graph = tf.function(cell.call, autograph=False).get_concrete_function(inputs, states).graph
    return CellCost(
        state=sum(math.prod(shape) for shape in cell.state_shapes),
        parameters=sum(math.prod(weight.shape) for weight in cell.trainable_weights),
        operations=count_graph(type(cell).__name__, graph).forward,
    )


def count_parameters(network: keras.Model) -> tuple[ParameterCount, ...]:
    """Parameters by layer; a weight used in two places counts once. Dropout's random states are left out."""
    counts: dict[str, list[int]] = {}
    for weight in network.weights:
        layer = weight.path.rpartition("/")[0]
        count = counts.setdefault(layer, [0, 0, 0])
        count[2 if is_statistic(weight) else 0 if weight.trainable else 1] += math.prod(weight.shape)
    return tuple(ParameterCount(layer, *count) for layer, count in counts.items())


def count_operations(network: keras.Model, inputs: Mapping[str, Nest]) -> tuple[Operations, ...]:
    """Counts the operations of the forward pass from the shapes in TensorFlow's graphs.

    Args:
        network: any network with `Recurrent` layers.
        inputs: one batch by name, with the shapes to count for; missing "states" are added.
    """
    calls, graph = _recurrent_calls(network, inputs)
    parts = []
    for layer, specs in calls:
        project, step = _trace_project(layer, specs), _trace_step(layer, specs)
        parts.append(count_graph(f"{layer_name(layer)}: input", project.graph))
        parts.append(count_graph(f"{layer_name(layer)}: recurrence", step.graph, times=specs.sequences.shape[1]))
    return (*parts, count_graph("outside recurrent layers", graph))


def recurrent_memory(network: keras.Model, inputs: Mapping[str, Nest]) -> tuple[LayerMemory, ...]:
    """Bytes each recurrent layer keeps for the backward pass of one batch, from the shapes.

    Args:
        network: any network with `Recurrent` layers.
        inputs: one batch by name, with the shapes to count for; missing "states" are added.
    """
    calls, _ = _recurrent_calls(network, inputs)
    return tuple(_layer_memory(layer, specs) for layer, specs in calls)


def _recurrent_calls(
    network: keras.Model, inputs: Mapping[str, Nest]
) -> tuple[list[tuple[Recurrent, Running]], tf.Graph]:
    """The recurrent layers with the shapes of what each runs on, and the graph of everything else."""
    calls: list[tuple[Recurrent, Running]] = []
    batch = complete_inputs(network, inputs)

    def skip(layer: Recurrent, running: Running, *, training: bool) -> tuple[Tensor, Tensors]:
        values = tf.cast(running.sequences, layer.cell.compute_dtype)
        calls.append((layer, _specs(running._replace(sequences=values))))
        outputs = tf.zeros((*values.shape[:2], layer.cell.output_size), values.dtype)
        return layer.cell.emit(values, outputs, training=training), running.states

    with replaced_recurrence(network, skip):
        graph = tf.function(lambda: network(batch, training=False)).get_concrete_function().graph
    return calls, graph


def _specs(running: Running) -> Running:
    """Shapes and types in place of tensors."""
    specs: Running = tf.nest.map_structure(
        lambda tensor: None if tensor is None else tf.TensorSpec(tensor.shape, tensor.dtype), running
    )
    return specs


def _trace_project(layer: Recurrent, specs: Running) -> ConcreteFunction:
    """`cell.project`, and what the cell makes of its constants, as a graph, for the shapes of its inputs."""
    cell = layer.cell

    def project(running: Running) -> tuple[Nest, tuple[Nest, ...]]:
        return cell.project_after(running.sequences, running.elapsed), cell.fixed(running.memory)

    with autocast(cell):
        return tf.function(project, autograph=False).get_concrete_function(specs)


def _trace_step(layer: Recurrent, specs: Running) -> ConcreteFunction:
    """One time step, which also returns the recurrent products to show their shapes."""
    cell, batch_size = layer.cell, specs.sequences.shape[0]

    def step(projected: Nest, states: Tensors, constants: tuple[Nest, ...]) -> tuple[Nest, Sequence[Tensor]]:
        recurrent = cell.recur(states[0])
        return recurrent, cell.update(projected, recurrent, states, *constants)

    projected, constants = _trace_project(layer, specs).structured_outputs

    without_time = tf.nest.map_structure(
        lambda values: tf.TensorSpec((batch_size, *values.shape[2:]), values.dtype),
        projected,
    )
    constants = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), constants)
    states = [tf.TensorSpec((batch_size, *shape), cell.compute_dtype) for shape in cell.state_shapes]
    with autocast(cell):
        return tf.function(step).get_concrete_function(without_time, states, constants)


def _layer_memory(layer: Recurrent, specs: Running) -> LayerMemory:
    """What one layer keeps, from the shapes of one traced step."""
    recurrent, states = _trace_step(layer, specs).structured_outputs
    steps = specs.sequences.shape[1]
    return LayerMemory(
        layer=layer_name(layer),
        states=steps * _bytes(states),
        projected=_bytes(_trace_project(layer, specs).structured_outputs),
        recurrent=steps * _bytes(recurrent),
    )


def _bytes(tensors: Nest) -> int:
    """Size of all tensors of a nest."""
    return sum(math.prod(tensor.shape) * tensor.dtype.size for tensor in tf.nest.flatten(tensors))
